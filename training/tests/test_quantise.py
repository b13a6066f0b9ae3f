"""Forms of weights: which is chosen, that each computes what it says, and the bundle that is written of them."""

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from veraretouch.export import quantise
from veraretouch.export.check import cosine
from veraretouch.export.errors import ExportError
from veraretouch.export.graph import GraphBuilder, tensor
from veraretouch.export.pictures import picture
from veraretouch.export.quantise import DECODERS, EMBED, PRESENT, Bench, Measured, choose, write
from veraretouch.export.quantise_prompts import Answer, Prompt, candidate, compare
from veraretouch.export.quantise_rule import Choice, Loss, choices, same_directions
from veraretouch.export.quantise_table import table
from veraretouch.export.runner import BundleRunner
from veraretouch.export.storage import dequantise_rows, quantise_rows
from veraretouch.export.tiny import write_tiny_bundle
from veraretouch.export.weight_forms import EXACT, Form, blocks_of, embed_int4, values_of, with_form

PLANS = {"plan.light": "Darken the highlights.", "plan.globalColor": "Warm the colours.", "plan.specificColor": "Keep the colours as they are."}
MB = 1_000_000
PRESENT_COSTS = {"node": {PRESENT: 100.0}, "wasm": {PRESENT: 200.0}, "webgpu": {PRESENT: 1e8}}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("quantise") / "tiny"
    write_tiny_bundle(folder)
    return folder


def _asked(mode: str = "param") -> Prompt:
    params = np.zeros(38)
    params[0] = 0.5
    rgb = np.random.default_rng(1).random((64, 3), dtype=np.float32)
    return Prompt({"mode": mode, "params": params.tolist()}, rgb, rgb**0.8)


def _answer(bundle: Path, fields: dict[str, str] = PLANS, shift: float = 0.0) -> Answer:
    latents = BundleRunner(bundle).generate("param", params=_asked().case["params"]).latents
    return Answer(fields, latents + np.float32(shift), 20, 0.0, 10.0, 40.0)


@pytest.mark.parametrize(("bits", "symmetric", "most"), [(4, True, 0.55), (4, False, 0.51), (8, True, 0.51)])
def test_blocks_are_met_to_half_a_step(bits: int, symmetric: bool, most: float) -> None:
    weight = np.random.default_rng(bits).normal(size=(5, 80)).astype(np.float32)
    weight[1, :32] = 0
    whole, scales, zeros = blocks_of(weight, bits, 32, symmetric)
    assert whole.shape == (5, 3, 32) and whole.max() < 2**bits
    back = values_of(whole, scales, zeros, 80)
    step = np.repeat(np.abs(scales), 32, axis=1)[:, :80]
    # Symmetric four bits cannot reach the end of the shorter side: a whole step there.
    within = np.abs(back - weight) <= most * step + 1e-7
    assert within.mean() > 0.97 and (np.abs(back - weight) <= 1.01 * step).all()
    assert not back[1, :32].any()


def test_weights_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(ExportError, match="Nothing was written"):
        blocks_of(np.full((2, 32), np.nan, np.float32), 4, 32, True)


@pytest.mark.parametrize("form", DECODERS, ids=lambda f: f.name)
def test_every_form_of_the_decoder_answers_nearly_as_float32(tiny: Path, tmp_path: Path, form: Form) -> None:
    decoder = onnx.load(tiny / "decoder.onnx")
    before = decoder.SerializeToString()
    folder = candidate(tiny, tmp_path / "copy", {"decoder": with_form(decoder, form)})
    assert decoder.SerializeToString() == before
    kinds = {node.op_type for node in onnx.load(folder / "decoder.onnx").graph.node}
    assert {"nbits": "MatMulNBits", "either": "DequantizeLinear", "integer": "MatMulInteger", "widened": "BitShift"}[form.kind] in kinds
    embeds = np.random.default_rng(3).normal(size=(1, 5, 96)).astype(np.float32)
    mask, empty = np.ones((1, 5), np.int64), np.zeros((1, 1, 0, 32), np.float32)
    past = {f"past.{i}.{part}": empty for i in range(2) for part in ("key", "value")}
    outs = [BundleRunner(f).run("decoder", inputs_embeds=embeds, attention_mask=mask, **past)["hidden"] for f in (tiny, folder)]
    least = 0.999 if form.bits == 8 else 0.95
    assert least < cosine(*outs) < 1 - 1e-12


@pytest.mark.parametrize("form", [f for f in DECODERS if f.kind == "widened" or f.level == EXACT], ids=lambda f: f.name)
def test_four_bits_compute_what_their_blocks_stand_for(form: Form) -> None:
    weight = np.random.default_rng(5).normal(size=(96, 64)).astype(np.float32)
    g = GraphBuilder("one")
    g.linear("x", "layers.0.mlp.weight", weight, "int8", output="y")
    model = with_form(g.model([tensor("x", [1, "S", 64])], [tensor("y", [1, "S", 96])]), form)
    x = np.random.default_rng(6).normal(size=(1, 3, 64)).astype(np.float32)
    y = onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"x": x})[0]
    stored = values_of(*blocks_of(dequantise_rows(*quantise_rows(weight)), 4, form.block, form.symmetric), 64)
    assert np.abs(y - x @ stored.T).max() < 1e-4 < np.abs(y - x @ weight.T).max()


def test_what_is_either_is_the_stored_weights_themselves_when_widened(tiny: Path) -> None:
    either = with_form(onnx.load(tiny / "decoder.onnx"), DECODERS[0])
    empty = np.zeros((1, 1, 0, 32), np.float32)
    feeds = {f"past.{i}.{part}": empty for i in range(2) for part in ("key", "value")}
    feeds |= {"inputs_embeds": np.random.default_rng(3).normal(size=(1, 4, 96)).astype(np.float32), "attention_mask": np.ones((1, 4), np.int64)}
    outs = []
    for graph, widen in ((onnx.load(tiny / "decoder.onnx"), "0"), (either, "1"), (either, "0")):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.add_session_config_entry("session.disable_quant_qdq", widen)
        outs.append(onnxruntime.InferenceSession(graph.SerializeToString(), options).run(["logits"], feeds)[0])
    # Two graphs may be fused differently; quantised activations are off by thousands of times more.
    off = [np.abs(out - outs[0]).max() / np.abs(outs[0]).max() for out in outs[1:]]
    assert off[0] < 1e-5 and off[1] > 1e-4
    assert cosine(outs[0], outs[2]) > 0.999


def test_embedding_and_adaptor_in_other_forms_answer(tiny: Path, tmp_path: Path) -> None:
    graphs = {"embed": embed_int4(onnx.load(tiny / "embed.onnx")), "adaptor": with_form(onnx.load(tiny / "adaptor.onnx"), quantise.ADAPTOR)}
    folder = candidate(tiny, tmp_path / "copy", graphs)
    ids = np.array([[3, 7, 20]])
    rows = [BundleRunner(f).run("embed", input_ids=ids)["embeds"] for f in (tiny, folder)]
    assert rows[0].shape == rows[1].shape and 0.98 < cosine(*rows) < 1
    assert (folder / "embed.onnx").stat().st_size < 0.75 * (tiny / "embed.onnx").stat().st_size
    result = BundleRunner(folder).generate("auto", picture(1, 40, 30))
    assert np.isfinite(result.latents).all() and result.token_ids


def test_a_graph_without_stored_products_is_refused(tiny: Path) -> None:
    with pytest.raises(ExportError, match="no product"):
        with_form(onnx.load(tiny / "embed.onnx"), DECODERS[0])


def test_the_rule() -> None:
    assert Loss({"auto": 0.1, "style": -0.3}, 0.99).kept
    assert not Loss({"auto": 0.11, "style": 0.0}, 1.0).kept
    assert not Loss({"auto": 0.0}, 0.98).kept
    assert not Loss({"auto": float("nan")}, 1.0).kept


def test_directions_are_axes_and_signs_not_words() -> None:
    other = {**PLANS, "plan.light": "Strongly darken the highlights, please.", "plan.globalColor": "Cool the colours."}
    assert same_directions(PLANS, other) == [True, False, True]


def test_figures_tell_a_lossy_form_from_a_good_one(tiny: Path) -> None:
    asked = [Prompt({**_asked().case, "mode": mode}, _asked().before, _asked().after) for mode in ("auto", "style", "param")]
    good = [_answer(tiny)] * 3
    loss, figures = compare(tiny, asked, good, good)
    assert loss.kept and figures["kept"] and figures["sameText"] == 1 and figures["between"] == 80
    other = [_answer(tiny, {**PLANS, "plan.globalColor": "Cool the colours."}, shift=3.0)] * 3
    loss, figures = compare(tiny, asked, good, other)
    assert not loss.kept and figures["sameDirections"] == round(2 / 3, 4) and figures["between"] < 60


def test_the_fastest_that_fits_is_chosen_and_a_lossy_one_is_not() -> None:
    sizes = {PRESENT: 29 * MB, "small": 18 * MB, "integer": 29 * MB, "huge": 51 * MB}
    costs = {d: dict(c) for d, c in PRESENT_COSTS.items()}
    costs["node"] |= {"small": 30.0, "huge": 1.0}
    costs["wasm"]["integer"] = 100.0
    costs["webgpu"]["small"] = 2e7
    best = next(choices(PRESENT, sizes, costs, {PRESENT: 28 * MB}, 20 * MB))
    assert best.decoders == {"node": "small", "wasm": "integer", "webgpu": "small"}
    assert best.default == "small" and best.bytes == 95 * MB
    # "small" loses too much: it is not among what keeps the rule.
    without = {d: {f: c for f, c in costs[d].items() if f != "small"} for d in costs}
    best = next(choices(PRESENT, sizes, without, {PRESENT: 28 * MB}, 20 * MB))
    assert best.decoders == {"node": PRESENT, "wasm": PRESENT, "webgpu": PRESENT}


def test_a_smaller_embedding_is_taken_only_for_the_room_it_gives() -> None:
    sizes = {PRESENT: 29 * MB, "small": 18 * MB}
    costs = {d: {**c, **({"small": 10.0} if d == "node" else {})} for d, c in PRESENT_COSTS.items()}
    embeds = {PRESENT: 28 * MB, EMBED: 16 * MB}
    assert next(choices(PRESENT, sizes, costs, embeds, 20 * MB)).embed == PRESENT
    best = next(choices(PRESENT, sizes, costs, embeds, 30 * MB))
    assert best.embed == EMBED and best.bytes == 93 * MB
    with pytest.raises(ExportError, match="Nothing was written"):
        choices(PRESENT, sizes, costs, embeds, 80 * MB)


def test_the_bundle_is_written_whole_with_files_by_device(tiny: Path, tmp_path: Path) -> None:
    forms = {f.name: f for f in DECODERS}
    choice = Choice({"node": "int4 b32 rough", "wasm": "int8 tokens", "webgpu": "int4 b32 rough"}, EMBED, 0, 0.0)
    out = tmp_path / "out"
    write(tiny, out, forms, choice)
    entry = json.loads((out / "bundle.json").read_text())["graphs"]["decoder"]
    assert entry == {"default": "decoder.onnx", "wasm": "decoder-wasm.onnx"}
    texts = [BundleRunner(out, device=device).generate("auto", picture(1, 40, 30)) for device in ("node", "wasm")]
    assert all(np.isfinite(t.latents).all() for t in texts)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out"]
    # What cannot be finished leaves the one that is there as it was.
    before = (out / "SHA256SUMS").read_bytes()
    with pytest.raises(KeyError):
        write(tiny, out, {}, choice)
    assert (out / "SHA256SUMS").read_bytes() == before and [p.name for p in tmp_path.iterdir()] == ["out"]


def test_a_choice_that_loses_too_much_as_a_whole_is_passed_over(tiny: Path, tmp_path: Path, monkeypatch) -> None:
    found = Measured([], {PRESENT: MB, "int4 b32 rough": MB}, {d: dict(c) for d, c in PRESENT_COSTS.items()}, {PRESENT: MB})
    found.costs["node"]["int4 b32 rough"] = 10.0
    asked = [_asked()]
    bench = Bench(tiny, asked, 1, {"node": [_answer(tiny)]})
    judged = []

    def row(self, folder: Path, device: str, **what):
        judged.append(folder.name)
        return {"device": device, **what}, False

    monkeypatch.setattr(Bench, "row", row)
    choice, rows = choose(bench, found, tmp_path, {f.name: f for f in DECODERS})
    assert set(choice.decoders.values()) == {PRESENT} and rows == [] and judged == ["choice-0", "choice-0"]


def test_the_table_says_what_was_measured() -> None:
    row = {"device": "node", "graph": "decoder", "form": "f", "bytes": 18_300_000, "drop": {"auto": 0.012, "style": -0.001, "param": 0.2},
           "between": 51.04, "sameDirections": 0.985, "sameText": 0.5, "cosineMean": 0.99991, "cosineMin": 0.99,
           "times": {"1": {"prefillMs": 30.2, "tokenMs": 5.11}}, "kept": False}  # fmt: skip
    report = {"bundle": "b", "promptsOfEachMode": 3, "rule": {"mostDrop": 0.1, "leastSameDirections": 0.99}, "loadAverage": 1.0, "rows": [row]}
    text = table(report)
    assert "| node | decoder | f | 18.3 | +0.012 / -0.001 / +0.200 | 51.0 | 98.5% | 50.0% |" in text and "| 30, 5.1 | no |" in text
    assert len({line.count(" | ") for line in text.splitlines() if line.startswith("|")}) == 1
