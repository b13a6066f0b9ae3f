"""The further photos that were described by eye: each description is whole, and of a photo that can be found again."""

import json

import pytest

from veraretouch.data.files import TABLES

VALUES = {
    "scene": "people interior still-life architecture street sports food animal vehicle coast portrait mountain field flower "
    "other plants night-sky lake-river concert product city night-city bird sky abstract aerial forest snow underwater wedding",
    "at": "tl t tr l c r bl b br full",
    "light": "sun overcast window mixed flash shade tungsten fluorescent backlit studio dusk golden night unknown stage fog",
    "key": "low normal high",
    "look": "natural warm cool vivid muted faded tinted mono",
}
FLAWS = (
    "under over flat harsh blown-sky blown-highlights blocked-shadows yellow-cast warm-cast magenta-cast cool-cast green-cast "
    "oversaturated dull haze noise backlit-subject"
).split()
HAS = "sky skin foliage water sand snow buildings lights sunset food".split()


def lines(name):
    return [json.loads(line) for line in (TABLES / "more" / name).read_text().splitlines()]


@pytest.mark.parametrize("name", ["labels.jsonl", "labels-second.jsonl"])
def test_descriptions_are_whole(name):
    for label in lines(name):
        for field, values in VALUES.items():
            assert label[field] in values.split(), (label["file"], field)
        assert set(label["flaws"]) <= set(FLAWS) and set(label["has"]) <= set(HAS), label["file"]
        assert 1 <= len(label["elements"]) <= 5 and label["quality"] in range(1, 6), label["file"]
        assert label["caption"] and isinstance(label["fix"], str), label["file"]


def test_each_photo_is_described_once_and_can_be_found_again():
    photos = {photo["file"]: photo for photo in lines("photos.jsonl")}
    labels = [label["file"] for label in lines("labels.jsonl")]
    assert len(labels) == len(set(labels)) and set(labels) == set(photos)
    assert {label["file"] for label in lines("labels-second.jsonl")} <= set(photos)
    assert len({photo["sha256"] for photo in photos.values()}) == len(photos)
    for photo in photos.values():
        assert photo["source"].count("/") >= 2 and len(photo["commit"]) == 40 and len(photo["sha256"]) == 64
        assert photo["file"].split("_")[1].removesuffix(".jpg") == photo["sha256"][:10]
        assert photo["cls"] in ("open", "research") and photo["licence"]
