"""Looks follow the scene: by weights, counted, and never as a rule without exception."""

from collections import Counter

import pytest
import torch
from synth_set import fill_cache
from test_data_photos import picture

from veraretouch.data.files import TABLES, read_json
from veraretouch.data.looks import Look
from veraretouch.data.photos import PhotoCache
from veraretouch.synth.scenes import FOREIGN, KINDRED, Light, Matcher, count, light_of, scenes_of, shows

torch.set_num_threads(1)
NOON, NIGHT = Light(68.0, 70.0, 20.0), Light(22.0, 18.0, 20.0)


def look(name: str, description: str = "") -> Look:
    return Look("preset", f"preset/{name}", name, "Genre", description, name.lower(), torch.zeros(38))


LOOKS = [
    look("Tokyo Neon Night", "Shibuya night neon, wet pavement"), look("Beach Bright", "Summer beach sunshine"),
    look("Food Flatlay"), look("Kodak Gold 200", "Warm golden consumer classic"), look("Natural Skin", "True-to-life skin tones"),
]  # fmt: skip


def test_what_a_look_is_meant_for_is_read():
    assert [scenes_of(one) for one in LOOKS] == [["night", "city"], ["sea"], ["food"], [], ["portrait"]]


def test_what_a_photo_shows_is_its_elements_and_its_light():
    assert shows("sea", ["beach", "people"], NOON) == 1.0 and shows("sea", ["dog"], NOON) == 0.0
    assert shows("vehicle", ["sports car"], NOON) == 1.0 and shows("sea", [], NOON) is None
    assert shows("night", ["beach"], NIGHT) == 1.0 and shows("night", [], NOON) == 0.0
    assert 0 < shows("night", [], Light(40.0, 40.0, 20.0)) < 1


def test_looks_meant_for_the_scene_weigh_more():
    matcher = Matcher(LOOKS, {})
    beach, street = matcher.weights(["beach"], NOON), matcher.weights(["street"], NIGHT)
    assert beach == pytest.approx([FOREIGN, KINDRED, FOREIGN, 1.0, FOREIGN])
    assert street == pytest.approx([KINDRED, FOREIGN, FOREIGN, 1.0, FOREIGN])
    # A street at noon is no night, and where nothing is known nothing is preferred but by light.
    assert matcher.weights(["street"], NOON)[0] == pytest.approx(FOREIGN)
    assert matcher.weights([], NIGHT) == pytest.approx([KINDRED, 1, 1, 1, 1])
    assert Matcher(LOOKS, {}, 0.0).weights(["beach"], NOON) == [1.0] * 5


def test_what_a_look_does_is_weighed_by_the_light_of_the_photo():
    effects = {"preset/Kodak Gold 200": {"effect": {"lightness": 20.0, "colour": 0.0, "monochrome": False}}}
    matcher = Matcher(LOOKS, effects)
    assert matcher.weights(["dog"], NOON)[3] < 0.5 < 0.99 < matcher.weights(["dog"], NIGHT)[3]
    gaudy = {"preset/Kodak Gold 200": {"effect": {"lightness": 0.0, "colour": 2.0, "monochrome": False}}}
    assert Matcher(LOOKS, gaudy).weights(["dog"], NOON)[3] < 0.1
    assert all(0 < w for w in Matcher(LOOKS, gaudy).weights(["dog"], Light(99.0, 99.0, 90.0)))


def test_matching_is_counted(tmp_path):
    fill_cache(tmp_path)
    photos = PhotoCache(tmp_path, "train")
    elements = {name: ["beach"] if i % 2 else ["food"] for i, name in enumerate(photos.names)}
    report = count(photos, elements, LOOKS, {}, 1500)
    for scene in ("sea", "food"):
        assert report["even"]["shownShare"][scene] == pytest.approx(0.5, abs=0.1)
        assert report["matched"]["shownShare"][scene] > 0.85
    assert report["looksMeant"]["sea"] == 1 and report["looksMeant"]["sport"] == 0


def test_light_is_measured():
    light = light_of(torch.from_numpy(picture(1, (64, 64))).view(-1, 3).float() / 255)
    assert 20 < light.mean < 80 and light.chroma > 5
    assert light_of(torch.full((9000, 3), 0.5)).median == pytest.approx(53.4, abs=0.1)


def test_fifteen_in_a_hundred_looks_stay_unseen_of_every_kind():
    table = read_json(TABLES / "looks_split.json", "")
    assert len(table["unseen"]) / table["count"] == pytest.approx(0.15, abs=0.01)
    kinds = Counter(key.split("/")[0] for key in table["unseen"])
    assert kinds["preset"] / 424 == pytest.approx(0.15, abs=0.01) and kinds["film"] / 296 == pytest.approx(0.15, abs=0.02)
