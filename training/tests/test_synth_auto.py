"""Degradations from expert pairs: retrieval, inversion, fitted ranges, and what is kept."""

import dataclasses
import json
import random

import numpy as np
import pytest
import torch
from synth_set import ALONE, CONFIG, Brighter, fill_cache, save_photo
from test_data_photos import picture

from veraretouch.data import shards
from veraretouch.data.inverse import InverseDegradation, load_networks
from veraretouch.data.photos import PhotoCache
from veraretouch.data.shards import Maker
from veraretouch.engine.develop import develop
from veraretouch.engine.params import INDEX
from veraretouch.synth import pairs, ranges, score
from veraretouch.synth.auto import AutoSource, Rejected
from veraretouch.synth.histograms import SIZE, descriptor, distances
from veraretouch.synth.prepare import Sources, database, fingerprint
from veraretouch.synth.score import small
from veraretouch.synth.store import SynthError, pack
from veraretouch.train.renderer import Networks

torch.set_num_threads(1)
NETS = {
    "latent": 4, "renderer_widths": [8, 8], "head_hidden": 8, "encoder_width": 16, "pair_width": 8, "encoder_size": 56,
}  # fmt: skip


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    folder = tmp_path_factory.mktemp("auto")
    fill_cache(folder)
    torch.manual_seed(1)
    (folder / "renderer").mkdir()
    nets = Networks(NETS)
    torch.save({"config": NETS, "average": nets.state_dict()}, folder / "renderer" / "last.pt")
    return folder


@pytest.fixture(scope="module")
def base(work):
    return pairs.build(PhotoCache(work, "train"), {"peer": Brighter()}, 40, 56, 3)


def colours(seed: int) -> torch.Tensor:
    return torch.from_numpy(picture(seed, (56, 56))).view(-1, 3).float() / 255


def test_distance_is_the_earth_movers():
    grey = torch.full((50, 3), 0.5)
    assert distances(descriptor(grey), descriptor(grey)[None]).tolist() == [0.0]
    dark, darker = (descriptor(torch.full((50, 3), v)) for v in (0.3, 0.1))
    near, far = distances(descriptor(grey), torch.stack((dark, darker))).tolist()
    assert descriptor(grey).shape == (SIZE,) and 0 < near < far
    # L* of 0.5 and 0.1 are 53.4 and 8.0: the light has to be moved that far, to within a bin.
    assert far == pytest.approx(45.4, abs=6.5)


def test_retrieval_finds_like_pairs_and_never_the_photo_itself(base):
    generator = torch.Generator().manual_seed(1)
    for number in (0, 7, 21):
        result = base.after[number].view(-1, 3).float() / 255
        assert base.nearest(result, 5)[0] == number
        near = base.nearest(result, 6, but=base.names[number])
        assert all(base.names[n] != base.names[number] for n in near)
        far = distances(descriptor(result), base.descriptors)
        others = [d for d, name in zip(far.tolist(), base.names) if name != base.names[number]]
        assert far[near].max() <= sorted(others)[5] + 1e-4
        drawn = {base.draw(result, 4, generator, base.names[number]) for _ in range(60)}
        assert drawn == set(base.nearest(result, 4, base.names[number]))


def test_a_base_is_kept_and_made_anew_for_other_photos(work, base, tmp_path):
    base.save(tmp_path / "b.npz", "one")
    again = pairs.PairBase.load(tmp_path / "b.npz", "one")
    assert torch.equal(again.before, base.before) and again.names == base.names and again.sources == base.sources
    assert pairs.PairBase.load(tmp_path / "b.npz", "two") is None and pairs.PairBase.load(tmp_path / "c.npz") is None
    (tmp_path / "b.npz").write_bytes(b"PK")
    with pytest.raises(SynthError, match="made anew"):
        pairs.PairBase.load(tmp_path / "b.npz")


def test_real_pairs_of_a_folder_are_taken(tmp_path):
    for i in range(3):
        save_photo(tmp_path / "before" / f"x{i}.png", i)
        save_photo(tmp_path / "after" / f"x{i}.jpg", i + 50)
    found = pairs.build(PhotoCacheOfNone(), {}, 9, 56, 3, pairs.folder_pairs(tmp_path))
    assert len(found) == 3 and found.sources == ["expert"] * 3 and found.before.shape == (3, 56, 56, 3)
    save_photo(tmp_path / "before" / "lone.png", 9)
    with pytest.raises(SynthError, match="lone has one side"):
        list(pairs.folder_pairs(tmp_path))
    with pytest.raises(SynthError, match="neither a teacher"):
        pairs.build(PhotoCacheOfNone(), {}, 9, 56, 3)


class PhotoCacheOfNone:
    names: tuple = ()

    def __len__(self) -> int:
        return 0


def test_inversion_applies_the_pair_backwards(work, base):
    inverse = InverseDegradation(load_networks(work / "renderer" / "last.pt"), base, 1)
    rgb = colours(3)
    undone = inverse.draw(rgb, torch.Generator().manual_seed(1), but=base.names[0])
    number = base.nearest(rgb, 1, base.names[0])[0]
    before, after = base.pair(number)
    with torch.no_grad():
        wanted = inverse.nets.renderer(rgb[None], inverse.nets.encoder(after, before))[0]
    # Latents of a batch of pairs and of one pair are sums in different order.
    torch.testing.assert_close(undone(rgb), wanted, atol=1e-5, rtol=0)


def test_fitted_settings_are_those_of_the_pair():
    params = torch.zeros(3, 38)
    for row, name, value in ((0, "Exposure2012", -0.2), (1, "IncrementalTemperature", 0.4), (2, "Saturation", -0.5)):
        params[row, INDEX[name]] = value
    rgb = torch.stack([colours(i)[::41] for i in range(3)])
    found, near = ranges.fit(rgb, develop(rgb, params))
    for row, name in ((0, "Exposure2012"), (1, "IncrementalTemperature"), (2, "Saturation")):
        assert found[row, INDEX[name]].item() == pytest.approx(params[row, INDEX[name]].item(), abs=0.1)
    assert near.min() > 34


def test_flaws_are_drawn_from_the_ranges_of_the_pairs():
    quantiles = [[-0.5 + 0.01 * i for i in range(ranges.LEVELS)], [0.1 + 0.02 * i for i in range(ranges.LEVELS)]]
    drawn = ranges.Ranges("x", 30, 30, 30.0, ["Exposure2012", "Contrast2012"], quantiles, [[1.0, 0.9], [0.9, 1.0]])
    generator = torch.Generator().manual_seed(1)
    many = torch.stack([drawn.draw(generator) for _ in range(400)])
    exposure, contrast = many[:, INDEX["Exposure2012"]], many[:, INDEX["Contrast2012"]]
    assert exposure.min() >= -0.5 and exposure.max() <= -0.3 and exposure.median().item() == pytest.approx(-0.4, abs=0.02)
    assert contrast.min() >= 0.1 and contrast.max() <= 0.5
    assert torch.corrcoef(torch.stack((exposure, contrast)))[0, 1] > 0.75
    assert int((many != 0).any(0).sum()) == 2


def test_the_database_is_built_once(work, monkeypatch):
    sources = Sources(work, work, work, without=frozenset({"looks", "score"}))
    first, drawn = database(CONFIG, sources, {"peer": Brighter()})
    assert drawn.pairs == len(first) == 32 and drawn.explained >= ranges.FEWEST
    # What the teacher does is brighten, so what undoes it darkens.
    assert np.median([drawn.draw(torch.Generator().manual_seed(i))[INDEX["Exposure2012"]] for i in range(40)]) < 0
    monkeypatch.setattr(pairs, "build", None)
    monkeypatch.setattr(ranges, "build", None)
    second, again = database(CONFIG, sources, {"peer": Brighter()})
    assert torch.equal(first.after, second.after) and again == drawn
    with pytest.raises(SynthError, match="Only 0 of"):
        unlike = dataclasses.replace(first, after=255 - first.after.flip(1))
        monkeypatch.undo()
        ranges.build(unlike, "x")


class LikesLight:
    """Scores by brightness, and counts what it was asked."""

    asked = 0

    def score(self, rgb: torch.Tensor) -> torch.Tensor:
        assert rgb.dtype == torch.uint8 and rgb.shape[1:] == (112, 112, 3)
        self.asked += 1
        return rgb.float().mean((1, 2, 3)) / 255


def source(**changes) -> AutoSource:
    return AutoSource({"raw": 0.5, "broad": 0.5}, 1.0, 24.0, **changes)


def test_only_what_scores_higher_is_kept():
    rng, rejected, scorer = random.Random(1), Rejected(), LikesLight()
    drawn = source(scorer=scorer, margin=0.02)
    for seed in range(12):
        photo = torch.from_numpy(picture(seed, (224, 224)))
        flaw = drawn.draw(photo, "", *drawn.kind(rng), torch.Generator().manual_seed(seed), rejected)
        if flaw is not None:
            assert small(flaw.picture).float().mean() / 255 < small(photo).float().mean() / 255 - 0.02
    assert rejected.unliked > 0 and scorer.asked > 12
    # The same draws without a scorer keep photos that were made brighter.
    brighter = 0
    for seed in range(12):
        photo = torch.from_numpy(picture(seed, (224, 224)))
        flaw = source().draw(photo, "", "broad", "original", torch.Generator().manual_seed(seed), Rejected())
        brighter += flaw is not None and bool(flaw.picture.float().mean() > photo.float().mean())
    assert brighter > 0


def test_a_teachers_target_is_scored_as_it_is_stored():
    photo = torch.from_numpy(picture(1, (224, 224)))
    drawn = AutoSource({"none": 1.0}, 0.0, 24.0, 0.0, {"peer": Brighter()}, {"peer": 1.0}, scorer=LikesLight())
    assert drawn.kind(random.Random(1)) == ("none", "peer")
    flaw = drawn.draw(photo, "", "none", "peer", torch.Generator(), Rejected())
    assert flaw.target == "peer" and torch.equal(flaw.picture, photo)
    torch.testing.assert_close(flaw.retouch(colours(2)), colours(2) ** 0.7)
    drawn.margin = 0.9
    assert drawn.draw(photo, "", "none", "peer", torch.Generator(), Rejected()) is None


def test_what_cannot_be_seen_is_dropped_and_too_strict_rules_are_told(work, monkeypatch):
    monkeypatch.setattr(shards, "PHOTOS_TRIED", 3)
    config = {**CONFIG, "auto": {**CONFIG["auto"], "visible": 1.0}}
    maker = Maker(config, None, work, "train", without=ALONE)
    with pytest.raises(SynthError, match="could not be seen"):
        maker.draw("auto", 0)
    with pytest.raises(SynthError, match="No kind of degradation"):
        source_of_nothing = {**CONFIG["auto"], "degradation": {"inverse": 1.0}}
        Maker({**CONFIG, "auto": source_of_nothing}, None, work, "train", without=ALONE)


def test_an_example_depends_on_its_number_alone(work, monkeypatch):
    monkeypatch.setattr(shards, "load_teachers", lambda names, data: {name: Brighter() for name in names})
    kinds = dict.fromkeys(("raw", "broad", "inverse", "ranges", "none"), 0.2)
    config = {**CONFIG, "auto": {**CONFIG["auto"], "degradation": kinds}}
    maker = Maker(config, work, work, "train", without=("looks",))
    together = maker.samples("auto", 0, 20)
    alone = maker.samples("auto", 16, 2)
    assert [pack(s) for s in together[16:18]] == [pack(s) for s in alone]
    drawn = [maker.draw("auto", number).meta for number in range(40)]
    assert {m["degradation"] for m in drawn} == set(kinds) and {m["target"] for m in drawn} == {"original", "peer"}
    before, target = maker.picture_pair("auto", 3)
    example = maker.draw("auto", 3)
    assert torch.equal(before, example.picture.float() / 255)
    assert (target.reshape(-1, 3).mean() - example.after.mean()).abs() < 0.02


def test_other_weights_are_another_teacher(work):
    class Darker(Brighter):
        def retouch(self, picture: torch.Tensor, colours: torch.Tensor) -> torch.Tensor:
            return colours**1.4

    sources = Sources(work, work, work, without=frozenset({"looks", "score", "inverse"}))
    one, same, other = (fingerprint(CONFIG, sources, "train", {"peer": t})["teachers"] for t in (Brighter(), Brighter(), Darker()))
    assert one == same != other


def test_an_encoder_that_is_missing_is_told(work, tmp_path):
    fill_cache(tmp_path)
    kinds = {**CONFIG["auto"], "degradation": {"inverse": 1.0}}
    save = tmp_path / "pairs"
    for i in range(6):
        save_photo(save / "before" / f"{i}.png", i)
        save_photo(save / "after" / f"{i}.png", i + 9)
    with pytest.raises(Exception, match="train.renderer"):
        Maker({**CONFIG, "auto": kinds}, None, tmp_path, "train", experts=save, without=("ranges",))


def test_no_preference_model_means_no_filter(tmp_path):
    assert score.load_scorer(tmp_path) is None
    (tmp_path / "preference").mkdir()
    (tmp_path / "preference" / "last.pt").write_bytes(b"")
    with pytest.raises(Exception, match="preference"):
        score.load_scorer(tmp_path)


def test_real_experts_are_taken_where_they_are_cached(work, tmp_path):
    fill_cache(tmp_path)
    pictures = {side: np.stack([picture(i + shift, (256, 256)) for i in range(3)]) for side, shift in (("before", 0), ("after", 40))}
    metas = [{"name": f"a{i:04}", "group": "", "expert": "ABC"[i], "split": "train", "before": i} for i in range(3)]
    for side, values in pictures.items():
        np.save(tmp_path / f"fivek-{side}.npy", values)
    (tmp_path / "fivek.json").write_text(json.dumps({"set": "fivek", "pairs": metas}))
    config = {**CONFIG, "auto": {**CONFIG["auto"], "real": 1.0}}
    maker = Maker(config, None, tmp_path, "train", without=ALONE)
    drawn = [maker.draw("auto", number) for number in range(8)]
    assert {e.meta["target"] for e in drawn} <= {"expert A", "expert B", "expert C"} and len({e.meta["photo"] for e in drawn}) > 1
    first = drawn[0]
    index = int(first.meta["photo"][-1])
    assert torch.equal(first.picture, torch.from_numpy(pictures["before"][index]))
    assert torch.equal(first.whole(), torch.from_numpy(pictures["after"][index]).float() / 255)
    none = Maker({**config, "auto": {**config["auto"], "real": 0.0}}, None, tmp_path, "train", without=ALONE)
    assert all(none.draw("auto", number).meta["target"] == "original" for number in range(4))
    assert Maker(config, None, work, "train", without=ALONE).real is None
