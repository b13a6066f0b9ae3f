"""A bundle as a folder: complete, verified, replaced whole or not at all; and it answers as PyTorch."""

import dataclasses
import json
import os
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from veraretouch.engine.params import PARAMETERS
from veraretouch.export import bundle_files as bundle_module
from veraretouch.export.bundle import write_bundle
from veraretouch.export.check import (
    Comparison,
    compare_with_models,
    compare_with_parity,
    cosine,
    summary,
)
from veraretouch.export.dialogue import VOICES
from veraretouch.export.errors import ExportError
from veraretouch.export.modules import RendererGraph
from veraretouch.export.parity import settings_vector
from veraretouch.export.runner import BundleRunner
from veraretouch.export.tiny import (
    tiny_info,
    tiny_models,
    tiny_output_ids,
    write_tiny_bundle,
)
from veraretouch.export.tokenizer import smollm2_tokenizer

torch.set_num_threads(1)
FIXTURE = Path(__file__).parents[2] / "test" / "fixtures" / "tiny-bundle"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundle") / "tiny"
    stored, dialogue = write_tiny_bundle(folder)
    return folder, stored, dialogue


def _copy(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "copy"))


def _write(folder: Path, **changes):
    tokenizer, models = tiny_models()
    arguments = {**models, "tokenizer": tokenizer, "output_token_ids": tiny_output_ids(tokenizer),
                 "info": tiny_info(tokenizer), **changes}  # fmt: skip
    return write_bundle(folder, **arguments)


def test_the_folder_describes_itself(made) -> None:
    folder, stored, _ = made
    manifest = json.loads((folder / "bundle.json").read_text())
    assert manifest["formatVersion"] == 1
    assert manifest["dimensions"] == {
        "hidden": 96, "layers": 2, "heads": 3, "kvHeads": 1, "headDim": 32, "latent": 8,
        "imageTokens": 4, "paramTokens": 3, "vocabulary": stored.vlm.lm.config.vocab_size,
    }  # fmt: skip
    assert manifest["parameters"] == list(PARAMETERS)
    assert [s["field"] for s in manifest["answer"]["param"]] == [
        "plan.light", "plan.globalColor", "plan.specificColor"]  # fmt: skip
    files = {p.name for p in folder.iterdir()}
    assert {entry["default"] for entry in manifest["graphs"].values()} <= files
    assert sum(p.stat().st_size for p in folder.iterdir()) < 1_500_000
    assert not any(name.startswith(".") for name in files)


def test_graphs_have_the_inputs_and_outputs_of_the_format(made) -> None:
    folder, _, _ = made

    def signature(values) -> dict:
        return {
            v.name: [d.dim_param or d.dim_value for d in v.type.tensor_type.shape.dim] for v in values
        }

    expected = {
        "vision": ({"image": [1, 3, 64, 64]}, {"image_tokens": [1, 4, 96]}),
        "params": ({"params": [1, 38]}, {"param_tokens": [1, 3, 96], "latents": [1, 3, 8]}),
        "adaptor": ({"states": [1, 288], "plan": [1, 3, 96]}, {"latents": [1, 3, 8]}),
        "renderer": ({"rgb": ["N", 3], "latents": [3, 8]}, {"out": ["N", 3]}),
        "encoder": ({"before": [1, 3, 32, 32], "after": [1, 3, 32, 32]}, {"latents": [1, 3, 8]}),
        "embed": ({"input_ids": [1, "S"]}, {"embeds": [1, "S", 96]}),
    }
    for name, (inputs, outputs) in expected.items():
        graph = onnx.load(folder / f"{name}.onnx").graph
        assert (signature(graph.input), signature(graph.output)) == (inputs, outputs)
        assert not any("/" in node.doc_string for node in graph.node)


def test_big_weights_are_stored_small(made) -> None:
    folder, _, _ = made
    kinds = {}
    for name in ("vision", "encoder", "adaptor", "decoder", "embed", "renderer"):
        found = onnx.load(folder / f"{name}.onnx").graph.initializer
        kinds[name] = {i.data_type for i in found if np.prod(i.dims) >= 4096 and "rotary" not in i.name}
    half, whole = onnx.TensorProto.FLOAT16, onnx.TensorProto.INT8
    assert kinds == {"vision": {half}, "encoder": {half}, "adaptor": {whole}, "decoder": {whole},
                     "embed": {whole}, "renderer": set()}  # fmt: skip


def test_the_bundle_answers_as_pytorch(made) -> None:
    folder, stored, _ = made
    figures = summary(compare_with_models(BundleRunner(folder), stored, 24))
    assert figures["passed"]
    assert figures["cosineMin"] > 0.9999
    assert figures["sameText"] == 1.0


def test_a_bundle_with_latents_first_and_voices_answers_as_pytorch(tmp_path) -> None:
    stored, _ = write_tiny_bundle(tmp_path / "first", latents_first=True)
    manifest = json.loads((tmp_path / "first" / "bundle.json").read_text())
    assert manifest["latentStates"] == "first" and manifest["voices"] == list(VOICES)
    assert manifest["prompts"]["auto"].endswith("{voice}\n")
    runner = BundleRunner(tmp_path / "first")
    figures = summary(compare_with_models(runner, stored, 16))
    assert figures["cosineMin"] > 0.9999 and figures["sameText"] == 1.0
    assert all(c.same_text and c.cosine > 0.9999 for c in compare_with_parity(runner))
    cases = json.loads((tmp_path / "first" / "parity.json").read_text())["cases"]
    assert {case["voice"] for case in cases if case["mode"] == "auto"} == {0, 1, 2}
    # The voice is part of what the model reads.
    told = {tuple(runner.generate("param", params=[0.5] * 38, voice=v).token_ids) for v in range(4)}
    assert len(told) > 1


@pytest.mark.parametrize("which", ["made", "committed"])
def test_the_bundle_answers_as_its_parity_file(made, which) -> None:
    folder = made[0] if which == "made" else FIXTURE
    comparisons = compare_with_parity(BundleRunner(folder))
    assert {c.mode for c in comparisons} == {"auto", "style", "param", "reference"}
    assert all(c.same_text and c.cosine > 0.9999 and c.render < 1e-4 for c in comparisons)


def test_the_renderer_takes_any_number_of_colours_and_sliders_are_masked(made) -> None:
    folder, stored, _ = made
    runner, latents = BundleRunner(folder), np.random.default_rng(1).normal(size=(3, 8))
    for count in (1, 5, 4913):
        rgb = torch.rand(count, 3)
        with torch.no_grad():
            wanted = RendererGraph(stored.renderer)(rgb, torch.from_numpy(latents).float()).numpy()
        assert np.abs(runner.render(rgb.numpy(), latents) - wanted).max() < 1e-5
    params = np.asarray([settings_vector({"Saturation": -0.5})], np.float32)
    sliders = runner.run("params", params=params)["latents"][0]
    with torch.no_grad():
        wanted = stored.param_head(torch.from_numpy(params))[0].numpy()
    assert np.abs(sliders[1] - wanted[1]).max() < 1e-5
    assert not np.any(sliders[[0, 2]])


def test_storing_the_stored_models_again_gives_the_same_files(made, tmp_path) -> None:
    folder, stored, _ = made
    _write(tmp_path / "again", vlm=stored.vlm, renderer=stored.renderer, encoder=stored.encoder,
           param_head=stored.param_head)  # fmt: skip
    for path in folder.glob("*.onnx"):
        assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes(), path.name


def test_a_changed_missing_or_foreign_file_is_noticed(made, tmp_path) -> None:
    folder = _copy(made[0], tmp_path)
    graph = folder / "decoder.onnx"
    content = bytearray(graph.read_bytes())
    content[len(content) // 2] ^= 1
    graph.write_bytes(content)
    with pytest.raises(ExportError, match="decoder.onnx was changed"):
        BundleRunner(folder)
    graph.unlink()
    with pytest.raises(ExportError, match="decoder.onnx is missing"):
        BundleRunner(folder)
    (folder / "notes.txt").write_text("x")
    with pytest.raises(ExportError, match="not listed|missing"):
        BundleRunner(folder)


def test_a_failed_export_leaves_the_old_bundle_and_no_rubbish(made, tmp_path, monkeypatch) -> None:
    folder = _copy(made[0], tmp_path)
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    monkeypatch.setattr(bundle_module, "MAX_FILE_BYTES", 100_000)
    with pytest.raises(ExportError, match="would have"):
        _write(folder)
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before
    assert os.listdir(tmp_path) == ["copy"]


def test_replacing_keeps_documents_and_drops_old_graphs(made, tmp_path) -> None:
    folder = _copy(made[0], tmp_path)
    (folder / "MODEL_CARD.md").write_text("figures")
    (folder / "old.onnx").write_text("old")
    _write(folder, extra_files={"NOTICE": b"n"})
    assert (folder / "MODEL_CARD.md").read_text() == "figures"
    assert (folder / "NOTICE").exists() and not (folder / "old.onnx").exists()
    BundleRunner(folder)
    assert os.listdir(tmp_path) == ["copy"]


def test_a_folder_that_is_no_bundle_is_left_alone(tmp_path) -> None:
    (tmp_path / "photo.jpg").write_text("mine")
    with pytest.raises(ExportError, match="not replaced"):
        _write(tmp_path)
    assert os.listdir(tmp_path) == ["photo.jpg"]


def test_parts_that_do_not_fit_are_refused(tmp_path) -> None:
    from veraretouch.export.bundle import BundleInfo
    from veraretouch.export.dialogue import answer_sections

    long = BundleInfo("x", "0", "Apache-2.0", 64, 32, 17, answer_sections(400, 300, 300))
    with pytest.raises(ExportError, match="positions"):
        _write(tmp_path / "a", info=long)
    tokenizer, _ = tiny_models()
    tokenizer.add_tokens(["one", "more"])
    with pytest.raises(ExportError, match="embedding"):
        _write(tmp_path / "b", tokenizer=tokenizer)
    wrong_size = dataclasses.replace(tiny_info(tokenizer), reference_size=64)
    with pytest.raises(ExportError, match="trained on pictures of 32"):
        _write(tmp_path / "c", info=wrong_size)
    with pytest.raises(ExportError, match="other tokens"):
        _write(tmp_path / "d", output_token_ids=tiny_output_ids(tokenizer)[::-1])
    assert os.listdir(tmp_path) == []


def test_the_summary_fails_what_should_fail() -> None:
    good = [Comparison("auto", 0.9999, True, 0.0)] * 19
    assert summary([*good, Comparison("style", 0.2, False, 0.0)])["passed"]
    assert not summary([*good, *[Comparison("style", 0.2, False, 0.0)] * 2])["passed"]
    assert not summary([*good, Comparison("reference", 0.99, True, 0.0)])["passed"]
    assert not summary([*good, Comparison("reference", 1.0, True, 0.01)])["passed"]
    assert cosine(np.array([1.0, 0]), np.array([0, 1.0])) == 0.0
    assert cosine(np.zeros(3), np.zeros(3)) == 1.0


def test_the_smollm2_tokenizer_is_complete() -> None:
    tokenizer = smollm2_tokenizer()
    assert tokenizer.token_to_id("<Auto_Retouch_Task>") == 49152
    assert tokenizer.token_to_id("<retouch_colormixer>") == 49171
    for text in ("Lift the shadows by 120 %, it's 1/3 stop.", "Kühle Farben – ❄", "a\n\n  b\t12345"):
        ids = tokenizer.encode(text).ids
        assert tokenizer.decode(ids) == text
    tokens = tokenizer.encode("by 120x3").tokens
    assert [t for t in tokens if any(c.isdigit() for c in t)] == ["1", "2", "0", "3"]
