"""The 3D LUT peer, with made-up weights in the published file format."""

import pytest
import torch

from veraretouch.data.files import DataError
from veraretouch.data.peer import FOLDER, SIZE, Peer

torch.set_num_threads(1)


def identity_lut() -> torch.Tensor:
    """[3, blue, green, red]: the output channel is the input channel."""
    axis = torch.linspace(0, 1, SIZE)
    blue, green, red = torch.meshgrid(axis, axis, axis, indexing="ij")
    return torch.stack((red, green, blue))


@pytest.fixture
def folder(tmp_path):
    torch.manual_seed(0)
    target = tmp_path / FOLDER
    target.mkdir(parents=True)
    state = {k: v for k, v in Peer().state_dict().items() if k != "basis"}
    torch.save(state, target / "classifier.pth")
    swapped = identity_lut().flip(0)
    luts = {"0": {"LUT": identity_lut()}, "1": {"LUT": swapped}, "2": {"LUT": torch.zeros(3, SIZE, SIZE, SIZE)}}
    torch.save(luts, target / "LUTs.pth")
    return tmp_path


def test_state_dict_has_the_published_names(folder):
    shapes = {k: tuple(v.shape) for k, v in Peer().state_dict().items()}
    assert shapes["model.1.weight"] == (16, 3, 3, 3) and shapes["model.3.weight"] == (16,)
    assert shapes["model.13.weight"] == (128, 128, 3, 3) and shapes["model.16.weight"] == (3, 128, 8, 8)
    assert "model.15.weight" not in shapes


def test_identity_lut_returns_the_colours(folder):
    rgb = torch.rand(2, 500, 3, generator=torch.Generator().manual_seed(1))
    out = Peer.load(folder).apply(rgb, torch.tensor([[1.0, 0, 0], [0, 0, 0]]))
    assert torch.allclose(out[0], rgb[0], atol=1e-6)
    assert (out[1] == 0).all()


def test_axis_order_and_weighted_sum(folder):
    rgb = torch.tensor([[[0.1, 0.5, 0.9], [1.0, 0.0, 0.0]]])
    peer = Peer.load(folder)
    assert torch.allclose(peer.apply(rgb, torch.tensor([[0.0, 1, 0]])), rgb.flip(-1), atol=1e-6)
    half = peer.apply(rgb, torch.tensor([[0.5, 0.25, 7.0]]))
    assert torch.allclose(half, 0.5 * rgb + 0.25 * rgb.flip(-1), atol=1e-6)


def test_result_is_clamped(folder):
    out = Peer.load(folder).apply(torch.tensor([[[0.9, 0.2, 1.5]]]), torch.tensor([[2.0, 0, 0]]))
    assert torch.allclose(out, torch.tensor([[[1.0, 0.4, 1.0]]]), atol=1e-6)


def test_weights_take_any_size_and_do_not_depend_on_the_batch(folder):
    peer = Peer.load(folder).train()
    assert not peer.training
    generator = torch.Generator().manual_seed(2)
    first, second = (torch.rand(1, 3, 224, 224, generator=generator) for _ in range(2))
    together = peer.weights(torch.cat((first, second)))
    assert together.shape == (2, 3)
    assert torch.allclose(together[:1], peer.weights(first), atol=1e-5)
    assert not torch.allclose(together[0], together[1], atol=1e-4)
    assert peer.weights(torch.rand(1, 3, 90, 333, generator=generator)).shape == (1, 3)


def test_missing_or_damaged_files_are_reported(folder):
    with pytest.raises(DataError, match="Nothing was changed"):
        Peer.load(folder / "elsewhere")
    (folder / FOLDER / "LUTs.pth").write_bytes(b"not a checkpoint")
    with pytest.raises(DataError, match="3D LUT peer"):
        Peer.load(folder)
