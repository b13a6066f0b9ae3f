"""Weights in their stored form: nothing is lost twice, and batch norms fold into convolutions."""

import numpy as np
import pytest
import torch
from torch import nn

from veraretouch.export.errors import ExportError
from veraretouch.export.storage import (
    as_stored,
    default_storage,
    dequantise_rows,
    fold_batch_norms,
    quantise_dequantise,
    quantise_rows,
    store_and_load,
)


def _weights(seed: int) -> np.ndarray:
    generator = np.random.default_rng(seed)
    rows = generator.normal(size=(64, 96)) * 10.0 ** generator.uniform(-6, 3, size=(64, 1))
    rows[5] = 0.0
    return rows.astype(np.float32)


def test_int8_rows_stay_within_half_a_step() -> None:
    weight = _weights(0)
    whole, scale = quantise_rows(weight)
    assert whole.dtype == np.int8
    assert whole.min() >= -127
    assert np.all(np.abs(dequantise_rows(whole, scale) - weight) <= 0.5001 * scale[:, None])
    # The largest weight of a row uses the whole range: no step is wasted.
    assert np.all(np.abs(whole).max(axis=1)[np.arange(64) != 5] == 127)
    assert np.all(whole[5] == 0)


@pytest.mark.parametrize("storage", ["int8", "float16", "float32"])
def test_storing_what_was_stored_changes_nothing(storage: str) -> None:
    for seed in range(20):
        once = store_and_load(_weights(seed), storage)
        assert np.array_equal(store_and_load(once, storage), once)
        if storage == "int8":
            assert np.array_equal(quantise_rows(once)[0], quantise_rows(_weights(seed))[0])


def test_weights_that_cannot_be_stored_are_refused() -> None:
    with pytest.raises(ExportError, match="float16"):
        store_and_load(np.full((2, 2), 1e6, np.float32), "float16")
    broken = _weights(1)
    broken[3, 3] = np.nan
    with pytest.raises(ExportError, match="not a number"):
        quantise_rows(broken)


def test_default_storage_by_part_and_size() -> None:
    big, small = torch.zeros(128, 128), torch.zeros(8, 8)
    assert default_storage("lm.layers.0.mlp.up_proj.weight", big) == "int8"
    assert default_storage("vision.projector.weight", big) == "int8"
    assert default_storage("vision.conv.weight", torch.zeros(64, 32, 3, 3)) == "float16"
    assert default_storage("param_head.heads.0.2.weight", big) == "float16"
    assert default_storage("lm.layers.0.mlp.up_proj.weight", small) == "float32"
    assert default_storage("lm.norm.weight", torch.zeros(9000)) == "float32"


def test_a_state_dict_keeps_names_shapes_and_small_weights() -> None:
    state = {"lm.a.weight": torch.from_numpy(_weights(2)), "lm.norm": torch.rand(96), "n": torch.ones(1).long()}
    stored = quantise_dequantise(state)
    assert stored.keys() == state.keys()
    assert torch.equal(stored["lm.norm"], state["lm.norm"])
    assert torch.equal(stored["n"], state["n"])
    expected = dequantise_rows(*quantise_rows(_weights(2)))
    assert np.array_equal(stored["lm.a.weight"].numpy(), expected)


def _network() -> nn.Sequential:
    torch.manual_seed(3)
    network = nn.Sequential(
        nn.Conv2d(3, 8, 3, bias=False), nn.BatchNorm2d(8), nn.ReLU(),
        nn.Conv2d(8, 8, 3, groups=8), nn.BatchNorm2d(8, affine=False), nn.ReLU(), nn.Conv2d(8, 4, 1),
    )  # fmt: skip
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.2, 3.0)
    return network.eval()


def test_batch_norms_are_folded_and_the_output_stays() -> None:
    network, picture = _network(), torch.rand(2, 3, 12, 12)
    before = network(picture)
    assert fold_batch_norms(network, torch.rand(1, 3, 12, 12)) == 2
    assert not any(isinstance(m, nn.BatchNorm2d) for m in network.modules())
    assert torch.allclose(network(picture), before, atol=1e-5)
    assert fold_batch_norms(network, picture) == 0


def test_folding_refuses_a_convolution_that_is_read_elsewhere() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.norm = nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3)
            self.norm.running_var.fill_(4.0)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y = self.conv(x)
            return y + self.norm(y)

    with pytest.raises(ExportError, match="changed what the network computes"):
        fold_batch_norms(Twice(), torch.rand(1, 3, 4, 4))


def test_as_stored_leaves_the_original_alone() -> None:
    network = _network()
    state = {name: value.clone() for name, value in network.state_dict().items()}
    stored = as_stored(network, "vision.", (torch.rand(1, 3, 12, 12),), lambda _n, _w: "float16")
    assert all(torch.equal(state[name], value) for name, value in network.state_dict().items())
    weight = stored[0].weight
    assert torch.equal(weight.half().float(), weight)
    assert not weight.requires_grad
