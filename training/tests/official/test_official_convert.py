"""From a checkpoint's files to a bundle that computes the same, or to a reason and nothing else."""

import json
import os
import pickle
import re
import sys

import pytest
import torch
from safetensors.torch import load_file, save_file

from veraretouch.export.runner import BundleRunner
from veraretouch.official import check as check_module
from veraretouch.official import convert as convert_module
from veraretouch.official.bundle import LICENCE_FILE
from veraretouch.official.checkpoint import INDEX
from veraretouch.official.convert import Conversion, convert
from veraretouch.official.errors import OfficialModelError
from veraretouch.official.synthetic import PAIR_FILE, write_checkpoint


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    folder = tmp_path_factory.mktemp("published") / "checkpoint"
    write_checkpoint(folder, seed=3)
    return folder


@pytest.fixture
def checkpoint(published, tmp_path):
    """A copy that may be spoilt, alone in its folder."""
    copy = tmp_path / "in" / "checkpoint"
    copy.mkdir(parents=True)
    for path in published.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    return copy


def shard_of(folder, name):
    return folder / json.loads((folder / INDEX).read_text())["weight_map"][name]


def change(folder, name, value):
    """Puts `value` in the place of a tensor, or takes it out."""
    path = shard_of(folder, name)
    tensors = load_file(path)
    if value is None:
        del tensors[name]
        index = json.loads((folder / INDEX).read_text())
        del index["weight_map"][name]
        (folder / INDEX).write_text(json.dumps(index))
    else:
        tensors[name] = value
    save_file(tensors, path)


def run(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["convert", *map(str, arguments)])
    return convert_module.main()


def test_a_checkpoint_becomes_a_bundle_that_computes_the_same(published, tmp_path, monkeypatch, capsys):
    out, pair = tmp_path / "bundle", published / PAIR_FILE
    given = [published, "--out", out, "--encoder-renderer", pair, "--answers", 0, "--section", 4]
    assert run(monkeypatch, *given, "--accept-licence", "--threads", 1) == 0
    said = capsys.readouterr().err
    assert "academic research only" in said and "Seeded random weights" in said
    assert "decoder-wasm.onnx" in said and "node: 4 cases, cosine of the latents at least 0.99" in said
    assert "Seeded random weights" in (out / LICENCE_FILE).read_text()
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]
    # What is judged afterwards, from the files alone, by the other command.
    asked = ["check", str(published), "--bundle", str(out), "--encoder-renderer", str(pair), "--cases", "2", "--device", "webgpu-f16"]
    monkeypatch.setattr(sys, "argv", asked)
    assert check_module.main() == 0
    figures = json.loads(capsys.readouterr().out)
    assert set(figures) == {"auto", "style", "param", "reference"}
    assert all(mode["cases"] == 2 and mode["cosineMin"] > 0.9999 and mode["colourMean"] < 0.3 for mode in figures.values())
    assert BundleRunner(out).dialogue.answer["auto"][0].max_tokens == 4


def test_without_a_yes_nothing_is_read(published, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(convert_module, "convert", None)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False, raising=False)
    assert run(monkeypatch, published, "--out", tmp_path / "bundle") == 3
    said = capsys.readouterr().err
    assert "academic research only" in said and "nothing was converted" in said
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    def closed(_text):
        raise EOFError

    for answer in (lambda _text: "no", closed):
        monkeypatch.setattr("builtins.input", answer)
        assert run(monkeypatch, published, "--out", tmp_path / "bundle") == 3
        assert "nothing was converted" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_holds_something_else_is_refused_before_any_work(published, tmp_path, monkeypatch, capsys):
    (tmp_path / "holiday.jpg").write_bytes(b"x")
    monkeypatch.setattr(convert_module, "read_models", None)
    assert run(monkeypatch, published, "--out", tmp_path, "--accept-licence") == 2
    assert "is no bundle" in capsys.readouterr().err and (tmp_path / "holiday.jpg").read_bytes() == b"x"


def test_what_cannot_be_judged_is_told(published, tmp_path, monkeypatch, capsys):
    convert(Conversion(published, tmp_path / "bundle", answers=0, section=1, devices=()))
    pair = {"mode": "reference", "before": {}, "after": {}, "tokens": [], "latents": [], "render": []}
    for text, reason in (("{}", "has no entry 'cases'"), (json.dumps({"cases": [pair]}), "give --encoder-renderer")):
        (tmp_path / "answers.json").write_text(text)
        given = [str(published), "--bundle", str(tmp_path / "bundle"), "--answers", str(tmp_path / "answers.json")]
        monkeypatch.setattr(sys, "argv", ["check", *given])
        assert check_module.main() == 2
        assert reason in capsys.readouterr().err


class Evil:
    def __reduce__(self):
        return os.mkdir, ("executed",)


def _truncate(folder):
    path = shard_of(folder, "retouch_head.0.weight")
    path.write_bytes(path.read_bytes()[:-100])


def _evil(folder):
    (folder / PAIR_FILE).write_bytes(pickle.dumps({"model_state_dict": Evil()}))


def _short_pair(folder):
    state = torch.load(folder / PAIR_FILE, weights_only=True)["model_state_dict"]
    del state["encoder.fc.bias"]
    torch.save({"model_state_dict": state}, folder / PAIR_FILE)


def _short_vocabulary(folder):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "vocab_size": 100}))


@pytest.mark.parametrize(
    "spoil, reason",
    [
        (lambda folder: change(folder, "retouch_head.0.weight", None), "lacks retouch_head.0.weight"),
        (lambda folder: change(folder, "retouch_head.0.bias", torch.zeros(7)), r"retouch_head.0.bias is \[7\] instead of \[24\]"),
        (_truncate, "is truncated or damaged"),
        (_evil, "was not executed"),
        (_short_pair, "lacks encoder.fc.bias"),
        (_short_vocabulary, "do not belong together"),
        (lambda folder: (folder / "config.json").unlink(), "no configuration of the published model"),
        (lambda folder: (folder / "merges.txt").unlink(), "has no merges.txt"),
        (lambda folder: (folder / "LICENSE").write_bytes(b"\xff\xfe"), "LICENSE cannot be read"),
        (lambda folder: change(folder, "model.mm_projector.0.weight", torch.full((64, 256), 1e9)), "does not fit into float16"),
        (lambda folder: change(folder, "model.norm.weight", torch.full((64,), torch.nan)), "model.norm.weight holds a value"),
    ],
)
def test_what_is_wrong_is_refused_with_its_reason_and_leaves_nothing(checkpoint, tmp_path, monkeypatch, capsys, spoil, reason):
    spoil(checkpoint)
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    given = ["--encoder-renderer", checkpoint / PAIR_FILE, "--accept-licence", "--answers", 0]
    assert run(monkeypatch, checkpoint, "--out", tmp_path / "out" / "bundle", *given) == 2
    said = capsys.readouterr().err
    assert re.search(reason, said), said
    assert "Traceback" not in said
    left = [path for path in sorted(tmp_path.rglob("*")) if path not in before]
    assert [path.name for path in left] in ([], ["out"]), left


def test_files_that_compute_something_else_are_not_kept(published, tmp_path, monkeypatch):
    cases = convert_module.runner_cases
    monkeypatch.setattr(
        convert_module, "runner_cases",
        lambda runner, asked: [{**case, "latents": case["latents"][::-1]} for case in cases(runner, asked)],
    )  # fmt: skip
    job = Conversion(published, tmp_path / "bundle", answers=0, section=3, devices=())
    with pytest.raises(OfficialModelError, match="do not compute what the weights say"):
        convert(job)
    assert list(tmp_path.iterdir()) == []


def test_the_form_is_measured_and_told(published, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(convert_module, "free_answers", lambda _vlm, _tokenizer, count: asked.append(count) or {})
    said = []
    convert(Conversion(published, tmp_path / "bundle", answers=2, devices=(), precision="fp32"), said.append)
    assert asked == [2] and any("no answer had a form that can be held (auto 0 of 2" in line for line in said)
