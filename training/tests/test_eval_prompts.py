"""Prompt fidelity: what is counted, what is not, and the list of instructions that goes with the project."""

import pytest
import torch
from test_reasoning_measure import photo

from veraretouch.data.files import DataError
from veraretouch.data.spoken import held_out
from veraretouch.data.voices import VOICES
from veraretouch.engine.params import PARAMETERS
from veraretouch.eval import prompts, prompts_draw
from veraretouch.reasoning.axes import AXES

torch.set_num_threads(1)

WARM = {"text": "warmer", "voice": "terse", "unseen": False, "asked": [["temperature", 1]], "limits": [], "settings": {"IncrementalTemperature": 0.5}}
COOL = {**WARM, "text": "cooler", "unseen": True, "asked": [["temperature", -1]], "settings": {"IncrementalTemperature": -0.5}}
HELD = {**WARM, "text": "warmer, but not too warm", "limits": [["temperature", 1, 2.5]]}
BLUE = {**WARM, "text": "bluer sky", "asked": [["saturation.blue", 1]], "settings": {"SaturationAdjustmentBlue": 0.9}}


@pytest.fixture(scope="module")
def photos():
    """Two photos of 20 by 30, the second without blue."""
    first = (photo(600).view(20, 30, 3) * 255).to(torch.uint8)
    second = first.clone()
    second[..., 2] = torch.minimum(second[..., 2], second[..., 1])
    return torch.stack((first, second))


def still(pictures, texts):
    return pictures


def test_the_engine_does_what_its_settings_say_and_doing_nothing_does_not(photos):
    some = [WARM, COOL]
    good = prompts.fidelity(prompts.engine_render(some), some, photos)
    assert good["asked"] == {"share": 1.0, "error": 0.0, "count": 4} and good["whole"]["share"] == 1
    assert good["axis"] == {"temperature+": {"share": 1.0, "error": 0.0, "count": 2}, "temperature-": {"share": 1.0, "error": 0.0, "count": 2}}
    assert good["seen"]["count"] == good["unseen"]["count"] == 2
    assert prompts.fidelity(still, some, photos)["asked"]["share"] == 0
    # What makes everything warm is right on one of two.
    warm = prompts.engine_render([WARM])
    half = prompts.fidelity(lambda pictures, texts: warm(pictures, ["warmer"] * len(texts)), some, photos)
    assert half["asked"]["share"] == 0.5 and half["seen"]["share"] == 1 and half["unseen"]["share"] == 0
    assert [row["share"] for row in half["prompts"]] == [1.0, 0.0]


def test_a_broken_limit_spoils_the_instruction_but_not_the_movement(photos):
    report = prompts.fidelity(prompts.engine_render([HELD]), [HELD], photos)
    assert report["asked"]["share"] == 1 and report["limits"]["share"] == 0 and report["whole"]["share"] == 0
    gentle = prompts.fidelity(prompts.engine_render([{**HELD, "settings": {"IncrementalTemperature": 0.1}}]), [HELD], photos)
    assert gentle["limits"]["share"] == 1


def test_a_hue_is_judged_where_the_photo_has_it(photos):
    render = prompts.engine_render([BLUE])
    sky = torch.tensor([0.35, 0.45, 0.65]) * torch.linspace(0.7, 1.2, 300)[:, None]
    with_sky = photos.clone()
    with_sky[0].view(-1, 3)[:300] = (sky.clamp(0, 1) * 255).to(torch.uint8)
    report = prompts.fidelity(render, [BLUE], with_sky)
    assert report["asked"]["count"] == 1 and report["asked"]["share"] == 1
    assert prompts.fidelity(still, [BLUE], with_sky)["asked"] == {"share": 0.0, "error": None, "count": 1}


def test_degrees_are_in_order_or_said_not_to_be(photos):
    ladder = [
        {**WARM, "text": text, "ladder": "warm", "degree": text, "settings": {"IncrementalTemperature": value}}
        for text, value in (("little", 0.25), ("plain", 0.5), ("much", 0.9))
    ]
    degrees = prompts.fidelity(prompts.engine_render(ladder), ladder, photos)["degrees"]
    assert degrees["monotone"] and degrees["stepsInOrder"] == degrees["laddersInOrder"] == 1
    sizes = list(degrees["meanSize"].values())
    assert list(degrees["meanSize"]) == ["little", "plain", "much"] and sizes == sorted(sizes)
    assert prompts.fidelity(prompts.engine_render(ladder), ladder[:1], photos)["degrees"]["laddersInOrder"] is None
    # One and the same strength for every word: no step is a step.
    same = prompts.engine_render([{**p, "settings": WARM["settings"]} for p in ladder])
    assert prompts.fidelity(same, ladder, photos)["degrees"]["stepsInOrder"] == 0


def test_errors_are_by_photo():
    tally = prompts._Tally(2)
    for _ in range(50):
        tally.add("x", 0, True)
        tally.add("x", 1, False)
    # A hundred answers, but two photos that disagree: the error is that of two draws.
    assert tally.result("x") == {"share": 0.5, "error": 0.5, "count": 100}


def test_bad_pictures_and_lists_are_refused(photos, tmp_path):
    for bad in (lambda pictures, texts: pictures[:, :, :10], lambda pictures, texts: pictures * torch.nan):
        with pytest.raises(DataError, match="Nothing was measured"):
            prompts.fidelity(bad, [WARM], photos)
    path = tmp_path / "prompts.json"
    path.write_text('[{"text": "x", "asked": [["warmth", 1]], "limits": []}]')
    with pytest.raises(DataError, match="unknown axis 'warmth'"):
        prompts.load_prompts(path)
    with pytest.raises(DataError, match="--draw"):
        prompts.load_prompts(tmp_path / "none.json")


def test_the_list_is_whole():
    listed = prompts.load_prompts()
    assert len(listed) == prompts_draw.COUNT and sum(p["unseen"] for p in listed) == prompts_draw.UNSEEN
    assert len({p["text"].lower() for p in listed}) == len(listed)
    assert {p["voice"] for p in listed} == {*VOICES, "first", "ladder"}
    assert sum(bool(p["limits"]) for p in listed) >= 20 and sum(any("." in a for a, _ in p["asked"]) for p in listed) >= 10
    for p in listed:
        assert p["asked"] and set(p["settings"]) <= set(PARAMETERS) and prompts.settings_of(p).abs().max() <= 1
        assert all(axis in AXES and direction in (1, -1) for axis, direction in p["asked"])
        # What is marked as seen holds no word that training never hears in that place.
        if not p["unseen"] and p["voice"] in VOICES:
            assert not any(text in p["text"] for text in held_out() if "{" not in text and len(text) > 12), p["text"]
    assert {(p["ladder"], p["degree"]) for p in listed if "ladder" in p} == {(x, d) for x in prompts_draw.LADDERS for d in prompts_draw.STEPS}
