"""The preference model: pairs that are what they claim to be, the loss by hand, and a judge that learns."""

import numpy as np
import pytest
import torch

from veraretouch.data.files import DataError
from veraretouch.data.overedit import (
    AXES,
    SEEN,
    UNSEEN,
    OverEditError,
    over_edit,
    rotate_hue,
    scale_chroma,
    scale_light,
)
from veraretouch.data.peer import Peer
from veraretouch.engine.color import srgb_to_lab
from veraretouch.eval.preference import accuracy, make_pairs, mean_chroma, plot, ruler
from veraretouch.models.preference import Preference, bradley_terry, chroma_statistics, load_preference
from veraretouch.train import preference as stage

torch.set_num_threads(1)


def _photos(count: int, seed: int = 0) -> torch.Tensor:
    """Blocks of moderate colours with soft noise: uint8 [count, 224, 224, 3]."""
    rng = np.random.default_rng(seed)
    blocks = rng.integers(60, 190, (count, 7, 7, 3)).repeat(32, axis=1).repeat(32, axis=2)
    return torch.from_numpy(np.clip(blocks + rng.normal(0, 8, blocks.shape), 0, 255).astype(np.uint8))


def _peer() -> Peer:
    """A peer that lifts every value: no weights are needed to tell whether it is applied."""
    peer = Peer()
    axis = torch.linspace(0, 1, 33)
    blue, green, red = torch.meshgrid(axis, axis, axis, indexing="ij")
    peer.basis[:] = torch.stack((red, green, blue)).pow(0.6) / 3
    peer.weights = lambda image: torch.ones(len(image), 3)
    return peer


def _lab(rgb: torch.Tensor) -> torch.Tensor:
    return srgb_to_lab(rgb).mean(0)


@pytest.mark.parametrize("kind", [*SEEN, *UNSEEN])
def test_over_edits_go_further_with_strength(kind):
    rgb = 0.25 + 0.5 * torch.rand(400, 3, generator=torch.Generator().manual_seed(1))
    changes = []
    for strength in (0.3, 1.0):
        out = over_edit(kind, strength, torch.Generator().manual_seed(2))(rgb)
        assert out.shape == rgb.shape and out.min() >= 0 and out.max() <= 1
        changes.append((out - rgb).abs().mean().item())
    assert changes[1] > changes[0] > 0.01


def test_over_edits_do_what_they_are_called():
    rgb = 0.25 + 0.5 * torch.rand(400, 3, generator=torch.Generator().manual_seed(1))
    chroma = lambda x: srgb_to_lab(x)[:, 1:].norm(dim=1).mean()
    made = {kind: over_edit(kind, 0.8, torch.Generator().manual_seed(2))(rgb) for kind in SEEN}
    assert chroma(made["oversaturated"]) > chroma(rgb) > chroma(made["dulled"])
    assert _lab(made["brightened"])[0] > _lab(rgb)[0] > _lab(made["darkened"])[0]
    assert made["blown"].max() == 1 and made["crushed"].min() == 0 and made["faded"].min() > 0.25
    assert srgb_to_lab(made["overcontrasted"])[:, 0].std() > srgb_to_lab(rgb)[:, 0].std()
    with pytest.raises(OverEditError, match="no over-edit"):
        over_edit("sharpened", 0.5, torch.Generator())
    with pytest.raises(OverEditError):
        over_edit("blown", 0.0, torch.Generator())


def test_the_ruler_is_arithmetic():
    rgb = 0.3 + 0.2 * torch.rand(50, 3, generator=torch.Generator().manual_seed(3))
    torch.testing.assert_close(scale_chroma(rgb, 1.0), rgb, atol=2e-3, rtol=0)
    grey = scale_chroma(rgb, 0.0)
    assert (grey.amax(1) - grey.amin(1)).max() < 2e-3
    torch.testing.assert_close(scale_light(scale_light(rgb, -1.0), 1.0), rgb, atol=1e-4, rtol=0)
    torch.testing.assert_close(rotate_hue(rgb, 360.0), rgb, atol=2e-3, rtol=0)
    assert all(0 in values and list(values) == sorted(values) for _, values in AXES.values())


def test_bradley_terry_by_hand():
    better, worse = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 2.0])
    p = torch.sigmoid(torch.tensor([1.0, -2.0]))
    torch.testing.assert_close(bradley_terry(better, worse), -p.log().mean())
    torch.testing.assert_close(bradley_terry(better, worse, 0.1), -(0.9 * p.log() + 0.1 * (1 - p).log()).mean())


def test_versions_are_drawn_as_the_pairs_say():
    versions = stage.Versions(_peer(), 1.0, 30.0, {"oversaturated": 3})
    assert versions.kinds.count("oversaturated") == 3 and set(versions.kinds) == set(SEEN)
    with pytest.raises(DataError, match="sharpened"):
        stage.Versions(_peer(), 1.0, 30.0, {"sharpened": 2})
    pictures = stage.crops(_photos(6), (0.67, 1.0), torch.Generator().manual_seed(1))
    assert pictures.shape == (6, 3, 112, 112)
    made, counts = versions.draw(pictures, torch.Generator().manual_seed(2))
    again, _ = versions.draw(pictures, torch.Generator().manual_seed(2))
    assert torch.equal(made, again) and made.shape == (7, 6, 3, 112, 112) and counts.shape == (8, 6)
    # Values are those of 8 bits, in the untouched photo as in the others.
    torch.testing.assert_close(made * 255, (made * 255).round(), atol=1e-4, rtol=0)
    named = dict(zip(stage.VERSIONS, made, strict=True))
    change = lambda a, b: (named[a] - named[b]).abs().flatten(1).mean(1)
    assert bool((change("x", "d2") > change("x", "d1")).all()) and bool((change("x", "o2") > change("x", "o1")).all())
    # Noise of rounding alone is no pair: 8 bits are 50 dB and more from each other.
    assert bool((counts[stage.PAIRS.index(("x", "d2"))]).any())
    # The peer is applied to the degraded picture.
    torch.testing.assert_close(named["q"], named["d2"].clamp(min=0) ** 0.6, atol=0.03, rtol=0)
    broad = stage.Versions(_peer(), 0.0, 30.0, {})
    assert not broad.draw(pictures, torch.Generator().manual_seed(3))[1][stage.PAIRS.index(("q", "d2"))].any()


def test_chroma_statistics_tell_saturation_and_room():
    grey = torch.full((1, 3, 28, 28), 0.5)
    red = torch.zeros(1, 3, 28, 28)
    red[:, 0] = 1
    a, b = (chroma_statistics(x).square() for x in (grey, red))
    assert a.shape == (1, 8 * 4 * 12 + 12)
    # All weight of grey is in the first bin of chroma and of the room; pure red stands at the gamut boundary.
    assert a[0, :-12].view(32, 12)[:, 0].sum() == pytest.approx(1, abs=1e-3) and a[0, -12] == pytest.approx(1, abs=0.02)
    assert b[0, :-12].view(32, 12)[:, 6:].sum() > 0.9 and b[0, -1] > 0.95


def test_a_few_steps_learn_which_is_better(tmp_path, monkeypatch):
    """On coloured blocks: from chance to most pairs, resumed in between; what is saved is what is loaded."""
    monkeypatch.setattr(stage, "load_photos", lambda work, split, **k: (_photos({"train": 16, "val": 3}[split], 5), []))
    monkeypatch.setattr(stage.Peer, "load", lambda data: _peer())
    config = {
        "name": "preference", "seed": 1, "width": 6, "hidden": 24, "batch": 4, "flickr": 0.0, "raw": 0.6, "visible": 30.0,
        "crop": [0.9, 1.0], "smoothing": 0.05, "lr": 4e-3, "weight_decay": 0.01, "warmup": 2, "steps": 4, "evaluate_every": 8,
        "average_decay": 0.8, "kinds": {},
    }  # fmt: skip
    stage.train(config, tmp_path, tmp_path, "cpu", 0)
    assert torch.load(tmp_path / "preference" / "last.pt", weights_only=True)["step"] == 4
    stage.train(config | {"steps": 12}, tmp_path, tmp_path, "cpu", 0)
    state = torch.load(tmp_path / "preference" / "last.pt", weights_only=True)
    assert state["step"] == 12
    model = load_preference(tmp_path / "preference" / "last.pt")
    torch.testing.assert_close(model.state_dict(), state["average"])
    held = torch.from_numpy(_photos(20, 9).numpy()).permute(0, 3, 1, 2).float() / 255
    dark = (held * 0.35).clamp(0, 1)
    found = accuracy(model.score, held, dark)
    assert found["right"] >= 0.8 and 0 < found["error"] < 0.2
    with pytest.raises(DataError, match="another size"):
        stage.train(config | {"hidden": 32}, tmp_path, tmp_path, "cpu", 0)


def test_scores_are_of_single_pictures_and_need_no_size():
    torch.manual_seed(0)
    model = Preference(6, 24).eval()
    pictures = torch.rand(3, 3, 112, 112)
    torch.testing.assert_close(model.score(pictures, batch=2), torch.cat([model(p[None]) for p in pictures]).detach(), atol=1e-5, rtol=1e-5)
    double = pictures.repeat_interleave(2, 2).repeat_interleave(2, 3)
    torch.testing.assert_close(model.score(double), model.score(pictures), atol=1e-4, rtol=1e-4)
    with pytest.raises(DataError, match="112"):
        model.score(torch.rand(1, 3, 64, 64))


def test_a_damaged_checkpoint_is_said_to_be_one(tmp_path):
    (tmp_path / "last.pt").write_bytes(b"no model")
    with pytest.raises(DataError, match="Nothing was scored"):
        load_preference(tmp_path / "last.pt")
    with pytest.raises(DataError, match="Run veraretouch"):
        load_preference(tmp_path / "missing.pt")


def test_figures_of_a_judge_that_is_known(tmp_path):
    """A judge of chroma: right about dulled photos, wrong about oversaturated ones, and its ruler rises to the end."""
    photos = _photos(3, 4).permute(0, 3, 1, 2).float()[:, :, ::2, ::2] / 255
    pairs = make_pairs(photos, _peer())
    assert {k.split(".")[0] for k in pairs} == {"degraded", "peer", "seen", "unseen"}
    assert accuracy(mean_chroma, *pairs["seen.dulled"])["right"] == 1
    assert accuracy(mean_chroma, *pairs["seen.oversaturated"])["right"] == 0
    assert accuracy(lambda x: torch.zeros(len(x)), *pairs["seen.faded"])["right"] == 0.5

    class Chroma:
        score = staticmethod(mean_chroma)

    table = ruler(Chroma(), photos)
    gains = table["saturation"]["gain"]
    assert table["saturation"]["peak"] == 1.5 and gains == sorted(gains) and gains[4] == 0
    assert sum(table["exposure"]["peaks"].values()) == 3
    plot(table, tmp_path / "ruler.png")
    assert (tmp_path / "ruler.png").read_bytes()[:4] == b"\x89PNG"
