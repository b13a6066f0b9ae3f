"""Stage 2b: colours of every hue, the share left over, and that the style projector learns plain words and nothing else."""

import colorsys
import json
import random

import numpy as np
import pytest
import torch
from example_sets import write_examples
from test_reasoning_measure import photo
from test_retell import PIXELS, _Networks

from veraretouch.data.spoken import spoken
from veraretouch.engine.develop import develop
from veraretouch.train import words as stage
from veraretouch.train.examples import Shards
from veraretouch.train.tone import Labels, Step, build_perception
from veraretouch.train.words import Words, astray, every_hue, left_over, share_shown

torch.set_num_threads(1)
CONFIG = {
    "name": "words", "tone": "tone", "start_from": "tone/last.pt", "seed": 2, "shards": "tiny", "renderer": "r.pt", "pixels": 48,
    "palette": 24, "palette_weight": 0.5, "relative_weight": 0.05, "drop_words": 0.1, "blur": 0.3, "single_hues": 0.5, "hue_wishes": 20, "latent_weight": 0.0, "rouse": 0.1, "optimiser": "adamw", "lr": 3e-3, "warmup": 5,
    "steps": 40, "evaluate_every": 40, "evaluate_count": 6, "batch": {"spoken": 12, "looks": 3},
}  # fmt: skip


def _shards(folder) -> Shards:
    rng = np.random.default_rng(1)
    before = np.stack([(photo(PIXELS) * 255).round().byte().numpy() for _ in range(4)])
    arrays = {
        "before": before, "after": before // 2, "params": np.zeros((4, 38), np.float32),
        "picture": rng.integers(0, 255, (4, 256, 256, 3), np.uint8), "features": rng.standard_normal((4, 9, 1280)).astype(np.float16),
        "figures": np.zeros((4, 44), np.float32),
    }  # fmt: skip
    plain = {f"plan.{factor}": "Leave it" for factor in ("light", "globalColor", "specificColor")}
    looks = ("preset/a", "spoken", "preset/b", "spoken")
    metas = [{"task": "style", "instruction": "faded", "look": look, "plainFields": plain, "names": []} for look in looks]
    write_examples(folder, "style", arrays, metas)
    return Shards(folder, ("style",))


@pytest.fixture
def shards(tmp_path) -> Shards:
    return _shards(tmp_path / "shards" / "tiny" / "train")


def _words(shards: Shards, seed: int = 4) -> Words:
    torch.manual_seed(seed)
    nets = _Networks().eval()
    table = 0.1 * torch.randn(49152, 32, generator=torch.Generator().manual_seed(1))
    model = build_perception(nets, table).eval().requires_grad_(False)
    return Words(Step(model, nets, shards, Labels(shards), table, CONFIG, "cpu"), CONFIG)


def test_colours_are_of_every_hue():
    rgb = every_hue(4000, torch.Generator().manual_seed(3))
    assert rgb.shape == (4000, 3) and float(rgb.min()) >= 0 and float(rgb.max()) <= 1
    hues = np.array([colorsys.rgb_to_hsv(*colour)[0] for colour in rgb.tolist()])
    counts = np.histogram(hues, 8, (0, 1))[0]
    assert counts.min() > 400 and counts.max() < 600


def test_what_is_left_over_is_a_share():
    before, after = torch.zeros(2, 5, 3), torch.stack((torch.full((5, 3), 0.49), torch.full((5, 3), 0.09)))
    assert left_over(after, before, after).item() == 0
    assert left_over(before, before, after).item() == pytest.approx((0.49 / 0.5 + 0.09 / 0.1) / 2)


def test_a_factor_that_is_off_still_gets_a_gradient():
    latents = torch.full((1, 3, 2), -0.5, requires_grad=True)
    wanted = torch.tensor([[[0.25, 0.0], [0.0, 0.0], [-0.3, 0.1]]])
    distance = astray(latents, wanted)
    distance.backward()
    assert distance.item() == pytest.approx((0.75 + 0.6) / 6)
    assert (latents.grad != 0).tolist() == [[[True, False], [False, False], [False, True]]]


def test_the_engine_itself_shows_what_is_asked_and_doing_nothing_does_not(shards):
    chance = random.Random(5)
    said = [spoken(chance) for _ in range(12)]
    before = torch.stack([photo(PIXELS)] * 12)
    meant = develop(before, torch.stack([s.params for s in said])).clamp(0, 1)
    assert share_shown(said, before, meant, meant) == 1 and share_shown(said, before, meant, before) == 0


def test_photos_tokens_are_those_that_the_projector_would_see(shards):
    words = _words(shards)
    model, rows = words.step.model, torch.tensor([0, 2])
    texts = [words.encode("warmer"), words.encode("a touch less green, please")]
    ids, mask = stage.padded(texts)
    whole = model.vision.project(shards.features(rows), shards.pictures(rows))
    wanted = model.read(model.style_projector(words.step.table[ids], whole, mask))[1]
    torch.testing.assert_close(words.latents(texts, rows), wanted, atol=1e-5, rtol=1e-4)
    assert words.looks.tolist() == [0, 2]


def test_single_hues_are_asked_for_as_often_as_configured(shards):
    words, chance = _words(shards), random.Random(3)
    hues = [any("." in axis for axis, _ in words.draw(chance).asked) for _ in range(300)]
    assert 150 < sum(hues) < 210
    held = words.hues
    assert (len(held.alone), len(held.beside)) == (20, 20)
    assert {len(s.intents) for s in held.alone} == {1} and min(len(s.intents) for s in held.beside) > 1
    # Those that are drawn among all instructions take the place of the oldest.
    first = held.beside[0]
    for _ in range(300):
        words.draw(chance)
    assert all(said is not first for said in held.beside) and len(held.beside) == 20
    rng = torch.Generator().manual_seed(1)
    texts, rows = [words.encode("warmer")], torch.tensor([0])
    assert not torch.equal(words.latents(texts, rows, rng), words.latents(texts, rows, rng))


def test_plain_words_are_learnt_and_the_rest_stays(shards, tmp_path, monkeypatch):
    folder = tmp_path / "tone"
    folder.mkdir()
    first = _words(shards)
    state = {f"vision.{k}": v for k, v in first.step.model.vision.state_dict().items()} | {
        f"style_projector.{k}": v.clone() for k, v in first.step.model.style_projector.state_dict().items()
    }
    torch.save({"model": state, "average": state, "optimiser": {}, "step": 3, "section_ids": {"elements": [1]}}, folder / "last.pt")
    _shards(tmp_path / "shards" / "tiny" / "val")
    monkeypatch.setattr(stage, "load_step", lambda *_: _words(shards).step)
    stage.train(CONFIG, tmp_path, "cpu", 0)
    log = [json.loads(line) for line in (tmp_path / "words" / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in log] == [0, 40] and log[-1]["spoken_left"] < log[0]["spoken_left"]
    kept = torch.load(tmp_path / "words" / "last.pt", weights_only=True)
    assert kept["section_ids"] == {"elements": [1]} and "optimiser" not in kept and not (tmp_path / "words" / "partial.pt").exists()
    for part in ("model", "average"):
        changed = {name for name, value in kept[part].items() if not torch.equal(value, state[name])}
        assert changed and all(name.startswith("style_projector.") for name in changed) and kept[part].keys() == state.keys()
