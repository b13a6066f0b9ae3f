"""The decoder's graph against PyTorch: prompt, then token by token over one cache."""

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from veraretouch.export.graph import GraphBuilder, tensor
from veraretouch.official.encoder_renderer import EncoderRenderer
from veraretouch.official.forms import computed_half, stored_half, with_held_pair, with_held_weights
from veraretouch.official.graphs_decoder import build_decoder
from veraretouch.official.graphs_parts import parts
from veraretouch.official.int4 import pack_int4, unpack_int4
from veraretouch.official.int8 import KEEP_SUMS, multiply_int8
from veraretouch.official.model import OfficialVlm, random_state
from veraretouch.official.synthetic import twin_config

CONFIG = twin_config(160, layers=3)
POSITIONS = 24


def model(seed: int) -> OfficialVlm:
    return OfficialVlm(CONFIG).load(random_state(CONFIG, seed))


def session_of(graph: onnx.ModelProto) -> onnxruntime.InferenceSession:
    onnx.checker.check_model(graph)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    for key, value in KEEP_SUMS.items():
        options.add_session_config_entry(key, value)
    return onnxruntime.InferenceSession(graph.SerializeToString(), options, providers=["CPUExecutionProvider"])


class Runner:
    def __init__(self, graph: onnx.ModelProto) -> None:
        self.session = session_of(graph)
        size = (1, CONFIG.kv_heads, POSITIONS, CONFIG.hidden // CONFIG.heads)
        types = {i.name: np.float16 if "float16" in i.type else np.float32 for i in self.session.get_inputs()}
        self.cache = {name: np.zeros(size, kind) for name, kind in types.items() if name.startswith("past.")}
        self.taken = 0

    def run(self, embeds: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
        """(hidden [S,H], logits [V])"""
        self.taken += embeds.shape[1]
        feeds = {"inputs_embeds": embeds.numpy(), "attention_mask": np.ones((1, self.taken), np.int64), **self.cache}
        names = [output.name for output in self.session.get_outputs()]
        out = dict(zip(names, self.session.run(names, feeds)))
        self.cache = {name.replace("present", "past"): value for name, value in out.items() if "present" in name}
        return out["hidden"][0], out["logits"][0, 0]


def half(vlm: OfficialVlm) -> onnx.ModelProto:
    return computed_half(build_decoder(vlm, POSITIONS, "int4", exact=True), ["inputs_embeds", "hidden", "logits"])


# How far a value may be off, of the largest: what rounds activations is near, not equal.
@torch.no_grad()
@pytest.mark.parametrize(
    "build, furthest",
    [
        (lambda vlm: build_decoder(vlm, POSITIONS), 2e-5),
        (lambda vlm: build_decoder(vlm, POSITIONS, "int4", exact=True), 2e-5),
        (lambda vlm: build_decoder(vlm, POSITIONS, "int4"), 0.05),
        (lambda vlm: build_decoder(vlm, POSITIONS, "int8"), 0.1),
        (half, 0.01),
    ],
    ids=["fp32", "int4 exact", "int4", "int8", "half"],
)
def test_the_graph_computes_what_pytorch_does(build, furthest):
    vlm = with_held_weights(model(1))
    rows = torch.randn(1, 20, CONFIG.hidden, generator=torch.Generator().manual_seed(2))
    expected = vlm.model(inputs_embeds=rows).last_hidden_state[0]
    scores = vlm.lm_head(expected).numpy()
    runner = Runner(build(vlm))
    # A prompt, one token, several at once as a forced part of the skeleton, one token again.
    for first, last in ((0, 12), (12, 13), (13, 19), (19, 20)):
        hidden, logits = runner.run(rows[:, first:last])
        wanted = expected[first:last].numpy()
        assert hidden.dtype == logits.dtype == np.float32
        assert np.abs(hidden - wanted).max() < furthest * np.abs(wanted).max()
        assert np.abs(logits - scores[last - 1]).max() < furthest * np.abs(scores).max()
    if furthest < 1e-4:
        assert logits.argmax() == scores[19].argmax()


def test_a_token_far_out_costs_the_others_nothing_in_eight_bits():
    random = np.random.default_rng(3)
    x, weight = random.normal(size=(1, 6, 96)).astype(np.float32), random.normal(size=(40, 96)).astype(np.float32)
    x[0, 2] *= 1000
    x[0, 4] = 0
    g = GraphBuilder("product")
    multiply_int8(g, "x", "w", weight, ["y"])
    session = session_of(g.model([tensor("x", [1, "S", 96])], [tensor("y", [1, "S", 40])]))
    (y,) = session.run(None, {"x": x})
    wanted = x @ weight.T
    size = np.abs(wanted).max(axis=2, keepdims=True)
    assert np.all(np.abs(y - wanted) <= 0.015 * size)
    assert np.all(y[0, 4] == 0)


def test_the_cache_keeps_its_size_and_its_free_places():
    runner = Runner(build_decoder(model(1), POSITIONS))
    runner.run(torch.randn(1, 7, CONFIG.hidden))
    for value in runner.cache.values():
        assert value.shape[2] == POSITIONS
        assert np.abs(value[:, :, :7]).min() > 0 and np.abs(value[:, :, 7:]).max() == 0


def test_an_unknown_precision_is_refused():
    with pytest.raises(ValueError, match="'int2' is none of fp32, int4"):
        build_decoder(model(1), POSITIONS, "int2")


def test_four_bits_stay_within_half_a_step():
    weight = np.random.default_rng(3).normal(size=(5, 96)).astype(np.float32)
    weight[2, 32:64] = 0
    packed, scales = pack_int4(weight)
    assert packed.shape == (5, 3, 16) and packed.dtype == np.uint8 and scales.shape == (5, 3)
    back = unpack_int4(packed, scales)
    steps = np.repeat(np.abs(scales), 32, axis=1)
    # The far end of the other side has one step less: q ends at 15, seven steps from zero.
    inner = np.abs(weight) <= 7.5 * steps
    assert inner.mean() > 0.95
    assert np.all(np.abs(back - weight)[inner] <= 0.5 * steps[inner] * (1 + 1e-5))
    assert np.all(np.abs(back - weight) <= steps * (1 + 1e-5))
    assert np.all(back[2, 32:64] == 0)
    blocks = np.abs(weight.reshape(5, 3, 32))
    assert np.allclose(np.abs(back.reshape(5, 3, 32)).max(axis=2), blocks.max(axis=2), rtol=1e-6)
    again = pack_int4(back)
    assert np.array_equal(again[0][scales != 0], packed[scales != 0])
    with pytest.raises(ValueError, match="no multiple of 32"):
        pack_int4(weight[:, :40])


@torch.no_grad()
@pytest.mark.parametrize("table", ["float32", "int8"])
def test_the_other_graphs_compute_what_pytorch_does_on_inputs_that_they_were_not_traced_with(table):
    torch.manual_seed(5)
    pair = with_held_pair(EncoderRenderer(width=16, widths=(8, 12), latent=6).eval().requires_grad_(False))
    vlm = with_held_weights(model(1))
    graphs = dict(parts(vlm, pair, table))
    assert set(graphs) == {"vision", "embed", "adaptor", "renderer", "encoder"}
    assert "encoder" not in dict(parts(vlm))
    image, before, after = torch.rand(1, 3, 128, 128), torch.rand(1, 3, 64, 64), torch.rand(1, 3, 64, 64)
    states, colours, latents = torch.randn(1, 192), torch.rand(50, 3), torch.randn(3, 6)
    ids = torch.tensor([[3, 159, 3]])
    cases = {
        "vision": ({"image": image}, vlm.see(image)),
        "embed": ({"input_ids": ids}, vlm.model.embed_tokens(ids)),
        "adaptor": ({"states": states}, vlm.latents(states)[None]),
        "renderer": ({"rgb": colours, "latents": latents}, vlm.retouch_decoder(colours[None], latents[None])[0]),
        "encoder": ({"before": before, "after": after}, pair.encoder(before, after)),
    }
    for name, (feeds, expected) in cases.items():
        forms = {"as it is": graphs[name]}
        if table == "int8" and name in ("vision", "adaptor", "encoder"):
            forms["stored half"] = stored_half(graphs[name])
            assert forms["stored half"].ByteSize() < 0.9 * graphs[name].ByteSize()
        if table == "int8" and name == "vision":
            forms["computed half"] = computed_half(graphs[name], ["image", "image_tokens"])
        for form, graph in forms.items():
            (out,) = session_of(graph).run(None, {key: value.numpy() for key, value in feeds.items()})
            assert out.shape == tuple(expected.shape) and out.dtype == np.float32, (name, form)
            furthest = 0.02 if form == "computed half" else 1e-4
            assert np.abs(out - expected.numpy()).max() < furthest * max(1.0, expected.abs().max().item()), (name, form)
