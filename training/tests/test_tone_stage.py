"""Stage 2 as it is run: it learns, its tokens carry their latents, and it goes on where it was."""

import json
from types import SimpleNamespace

import pytest
import torch
from test_retell import _Networks, _write

from veraretouch.train import tone as stage

torch.set_num_threads(1)
CONFIG = {
    "name": "tone", "seed": 3, "shards": "tiny", "renderer": "r.pt", "pixels": 64, "half": False, "optimiser": "adamw", "lr": 3e-3,
    "warmup": 2, "steps": 12, "evaluate_every": 6, "claims_weight": 0.1, "figures_weight": 0.3, "names_weight": 1.0,
    "drop_words": 0.1, "harm_weight": 1.0, "aim_every": 4, "rouse": 0.1, "batch": {"auto": 2, "style": 2, "param": 2},
}  # fmt: skip


@pytest.fixture
def work(tmp_path, monkeypatch):
    for split in ("train", "val"):
        for task in ("auto", "style", "param"):
            _write(tmp_path / "shards" / "tiny" / split, task, 4)
    torch.manual_seed(1)
    nets = _Networks().eval().requires_grad_(False)
    table = torch.nn.Embedding.from_pretrained(0.1 * torch.randn(49152, 32, generator=torch.Generator().manual_seed(1)))
    monkeypatch.setattr(stage, "load_networks", lambda _: nets)
    monkeypatch.setattr(stage, "load_language_model", lambda *_: [SimpleNamespace(embed_tokens=table)])
    return tmp_path


def _log(work) -> list[dict]:
    return [json.loads(line) for line in (work / "tone" / "log.jsonl").read_text().splitlines()]


def test_it_learns_and_goes_on_where_it_was(work):
    stage.train(CONFIG, work, work, "cpu", 0)
    first = torch.load(work / "tone" / "last.pt", weights_only=True)
    lines = _log(work)
    assert [line["step"] for line in lines] == [6, 12] and lines[1]["loss"] < lines[0]["loss"] and first["step"] == 12
    stage.train(CONFIG | {"steps": 18}, work, work, "cpu", 0)
    then = torch.load(work / "tone" / "last.pt", weights_only=True)
    assert [line["step"] for line in _log(work)] == [6, 12, 18] and then["step"] == 18
    moved = {name for name, value in then["model"].items() if not torch.equal(value, first["model"][name])}
    for part in ("vision.tone.", "style_projector.", "param_projector.", "latents."):
        assert any(name.startswith(part) for name in moved), part
    # What comes frozen from stage 1 stays.
    assert not any(name.startswith("param_projector.head.") for name in moved)


def test_photos_and_sliders_tokens_carry_their_latents(work):
    stage.train(CONFIG, work, work, "cpu", 0)
    line = _log(work)[-1]
    assert line["auto_tokens"] == pytest.approx(line["auto_direct"], abs=1e-3)
    stage.train(CONFIG | {"name": "free", "aim_every": 0}, work, work, "cpu", 0)
    free = json.loads((work / "free" / "log.jsonl").read_text().splitlines()[-1])
    assert abs(free["auto_tokens"] - free["auto_direct"]) > 1e-3


def test_without_a_step_left_nothing_is_trained(work):
    stage.train(CONFIG, work, work, "cpu", 0)
    first = torch.load(work / "tone" / "last.pt", weights_only=True)
    stage.train(CONFIG, work, work, "cpu", 0)
    then = torch.load(work / "tone" / "last.pt", weights_only=True)
    assert all(torch.equal(value, first["model"][name]) for name, value in then["model"].items()) and len(_log(work)) == 2
