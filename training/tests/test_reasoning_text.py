"""Composed text: it can be read back, it agrees with its pixels, and only its wording is random."""

import random
import re
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from test_reasoning_measure import linear_gain, photo

from veraretouch.reasoning import (
    FACTORS,
    FIELDS,
    Claim,
    ReasoningError,
    agreement,
    change,
    claims,
    compose,
    parse_plan,
    stats,
)
from veraretouch.reasoning.axes import AXES, GIVEN, LEAVE, MAGNITUDES, MOST_CLAIMS
from veraretouch.reasoning.compose import compose_measured, plan_text
from veraretouch.reasoning.parameters import AXIS_OF, parameter_values
from veraretouch.reasoning.problems import auto_problem, style_problem
from veraretouch.reasoning.sentences import GIVEN_WORDING, LEAVE_WORDING, UNSET_WORDING, about
from veraretouch.reasoning.show import main
from veraretouch.reasoning.voice import COUNT, Voice

torch.set_num_threads(1)
_STILL = change(photo(200), photo(200))


def random_claims(rng: random.Random, factor: str) -> list[Claim]:
    names = [a.name for a in AXES.values() if a.factor == factor]
    picked = rng.sample(names, rng.randint(1, MOST_CLAIMS[factor]))
    return [Claim(n, 1) if n == "monochrome" else Claim(n, rng.choice((-1, 1)), rng.choice(MAGNITUDES)) for n in picked]


def random_edit(rng: random.Random, rgb: torch.Tensor) -> torch.Tensor:
    gain = 2 ** rng.uniform(-0.8, 0.6)
    out = linear_gain(rgb, [gain * rng.uniform(0.85, 1.15), gain, gain * rng.uniform(0.8, 1.2)])
    grey = out.mean(1, keepdim=True)
    out = grey + rng.choice((1.0, 0.0, rng.uniform(0.5, 1.5))) * (out - grey)
    out = out + rng.uniform(-0.8, 0.8) * out * (1 - out) * (out - 0.5)
    return out.clamp(0, 1)


@pytest.mark.parametrize("factor", FACTORS)
def test_every_wording_is_read_back_exactly(factor: str) -> None:
    rng = random.Random(7)
    for _ in range(700):
        planned = random_claims(rng, factor)
        text = plan_text(planned, _STILL, factor, rng)
        assert parse_plan(text, factor) == planned, text
        assert len(text.split()) <= 21, text
    for _ in range(60):
        assert parse_plan(plan_text([LEAVE], _STILL, factor, rng), factor) == [LEAVE]


def test_every_claim_has_at_least_eight_wordings() -> None:
    rng = random.Random(3)
    for axis in AXES.values():
        for direction in (1,) if axis.name == "monochrome" else (1, -1):
            claim = Claim(axis.name, direction, None if axis.name == "monochrome" else "moderate")
            said = {plan_text([claim], _STILL, axis.factor, rng) for _ in range(300)}
            assert len(said) >= 8, (claim, said)


@pytest.mark.parametrize("mode", ["auto", "style"])
def test_plans_agree_with_the_pixels_they_were_composed_from(mode: str) -> None:
    rng = random.Random(11)
    claimed = defaultdict(int)
    for i in range(60):
        before = photo(600, seed=i % 7)
        after = before if i % 10 == 0 else random_edit(rng, before)
        fields = compose(before, after, rng, [], mode)
        measured = change(before, after)
        result = agreement({f: fields[f"plan.{f}"] for f in FACTORS}, before, after)
        for factor in FACTORS:
            assert parse_plan(fields[f"plan.{factor}"], factor) == claims(measured, factor)
            assert result[factor].claims == result[factor].agreed > 0
            claimed[factor] += claims(measured, factor) != [LEAVE]
    assert min(claimed["light"], claimed["globalColor"]) > 40


def test_a_false_plan_is_refuted() -> None:
    before = photo()
    after = linear_gain(before, [1.45] * 3)
    texts = {"light": "Darken the picture strongly", "globalColor": "Leave the colors as is", "specificColor": ""}
    result = agreement(texts, before, after)
    assert (result["light"].claims, result["light"].agreed) == (1, 0)
    assert result["light"].failed == (Claim("exposure", -1, "strong"),)
    assert (result["globalColor"].claims, result["globalColor"].agreed) == (1, 1)
    assert result["specificColor"].claims == 0
    assert agreement({"light": "Leave the light as is"}, before, after)["light"].agreed == 0


def test_the_same_change_gives_the_same_claims_in_other_words() -> None:
    before = photo()
    after = linear_gain(before, [1.5, 1.35, 1.1])
    said = {compose(before, after, random.Random(i), [], "auto")["plan.light"] for i in range(30)}
    assert len(said) >= 8
    assert len({tuple(parse_plan(text, "light")) for text in said}) == 1
    assert compose(before, after, random.Random(5), [], "auto") == compose(before, after, random.Random(5), [], "auto")


def test_auto_problems_are_those_of_the_input() -> None:
    dark = photo() * 0.45
    fields = compose(dark, linear_gain(dark, [3.0] * 3), random.Random(1), ["a dog", " ", "grass"], "auto")
    assert fields["elements"] == "A dog, grass"
    assert "dark" in fields["problems.light"] or "L " in fields["problems.light"]
    assert parse_plan(fields["plan.light"], "light")[0] == Claim("exposure", 1, "strong")
    same = compose(dark, dark, random.Random(1), [], "auto")
    assert parse_plan(same["plan.light"], "light") == [LEAVE]
    assert "L " not in same["problems.light"]


def test_param_mode_says_what_the_sliders_say_unless_pixels_refute_it() -> None:
    before = photo()
    after = linear_gain(before, [1.4] * 3)
    rng = random.Random(2)
    fields = compose(before, after, rng, [], "param", params={"Exposure2012": 0.12, "Shadows2012": 0.02})
    assert set(fields) == set(FIELDS)
    assert fields["elements"] == fields["problems.light"] == ""
    assert parse_plan(fields["plan.light"], "light") == [Claim("exposure", 1, "moderate")]
    assert parse_plan(fields["plan.globalColor"], "globalColor") == [GIVEN]
    refuted = compose(before, after, rng, [], "param", params={"Exposure2012": -0.5})
    assert parse_plan(refuted["plan.light"], "light") == [GIVEN]
    blues = compose(before, after, rng, [], "param", params={"SaturationAdjustmentMagenta": -0.7})
    seen = agreement({"specificColor": blues["plan.specificColor"]}, before, after, settings=True)["specificColor"]
    assert parse_plan(blues["plan.specificColor"], "specificColor") == [Claim("saturation.magenta", -1, "strong")]
    assert seen.claims == seen.agreed
    assert seen.claims + seen.unseen == 1


def test_parameters_are_checked() -> None:
    assert len(AXIS_OF) == 38
    assert parameter_values([0.5] + [0.0] * 37)["Exposure2012"] == 0.5
    for bad in ({"Exposure": 0.1}, {"Exposure2012": 2.0}, {"Exposure2012": float("nan")}, [0.0] * 37):
        with pytest.raises(ReasoningError):
            parameter_values(bad)
    with pytest.raises(ReasoningError, match="param mode"):
        compose(photo(), photo(), random.Random(0), [], "param")
    with pytest.raises(ReasoningError, match="unknown mode"):
        compose(photo(), photo(), random.Random(0), [], "magic")


@pytest.mark.parametrize(
    ("text", "factor", "expected"),
    [
        ("lift shadows, hmm and   LOWER the contrast a lot!!", "light",
         [Claim("shadows", 1), Claim("contrast", -1, "strong")]),
        ("brighten brighten brighten", "light", []),
        ("warm the picture slightly; make it black and white", "globalColor",
         [Claim("temperature", 1, "slight"), Claim("monochrome", 1)]),
        ("shift the reds towards blue", "specificColor", []),
        ("mute the greens and the blues darken", "specificColor",
         [Claim("saturation.green", -1), Claim("luminance.blue", -1)]),
        ("keep it unchanged", "light", [LEAVE]),
        ("", "light", []),
    ],
)  # fmt: skip
def test_model_text_is_read_with_tolerance(text: str, factor: str, expected: list[Claim]) -> None:
    assert parse_plan(text, factor) == expected


def test_show_prints_the_fields_and_refuses_what_is_no_image(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    before = (photo(1024).reshape(32, 32, 3).numpy() * 255).astype(np.uint8)
    Image.fromarray(before).save(tmp_path / "a.png")
    Image.fromarray((before * 0.6).astype(np.uint8)).save(tmp_path / "b.png")
    assert main(["--before", str(tmp_path / "a.png"), "--after", str(tmp_path / "b.png")]) == 0
    printed = capsys.readouterr().out
    assert all(name in printed for name in FIELDS)
    assert "agreement light" in printed
    (tmp_path / "c.png").write_text("no picture")
    assert main(["--before", str(tmp_path / "a.png"), "--after", str(tmp_path / "c.png")]) == 1
    assert "cannot read" in capsys.readouterr().err


def test_a_voice_says_the_same_in_the_same_words_and_voices_differ() -> None:
    before, told = photo(2000, 3), defaultdict(set)
    after = linear_gain(before, [1.5, 1.3, 1.0])
    for number in range(COUNT):
        texts = [compose(before, after, Voice(number), ["dog"], "auto") for _ in range(2)]
        assert texts[0] == texts[1]
        assert {f: parse_plan(texts[0][f"plan.{f}"], f) for f in FACTORS} == {f: claims(change(before, after), f) for f in FACTORS}
        for field, text in texts[0].items():
            told[field].add(text)
    assert all(len(told[f"plan.{f}"]) >= 8 for f in FACTORS)
    with pytest.raises(ReasoningError, match=f"no voice {COUNT}"):
        Voice(COUNT)


def test_where_no_fault_is_named_specific_colors_are_those_that_the_photo_has() -> None:
    green = torch.tensor([0.2, 0.6, 0.2]) * (0.7 + 0.3 * torch.rand(400, 1, generator=torch.Generator().manual_seed(1)))
    for mode in ("auto", "style"):
        for number in range(COUNT):
            fields = compose(green, green, Voice(number), [], mode)
            for text in (fields["problems.specificColor"], fields["plan.specificColor"]):
                assert "greens" in text.lower() and "single colors" not in text
            assert parse_plan(fields["plan.specificColor"], "specificColor") == [LEAVE]
    grey = green.mean(1, keepdim=True).expand(-1, 3).contiguous()
    assert "single colors" in compose(grey, grey, Voice(0), [], "auto")["plan.specificColor"]
    assert about("nothing in the {} is wrong", "specificColor", "blue") == "nothing in the blues is wrong"
    assert about("for it the {} is fine as it is", "specificColor", "blue") == "for it the blues are fine as they are"
    assert about("the {} is fine as it is", "light") == "the light is fine as it is"


@pytest.mark.parametrize("factor", FACTORS)
def test_common_sentences_have_a_wording_for_each_voice_and_are_read_back(factor: str) -> None:
    for wordings, meaning in ((LEAVE_WORDING, [LEAVE]), (UNSET_WORDING, [GIVEN]), (GIVEN_WORDING, [GIVEN])):
        texts = {about(Voice(number).choice(wordings), factor) for number in range(COUNT)}
        assert len(texts) == COUNT
        assert all(parse_plan(text, factor) == meaning for text in texts), [t for t in texts if parse_plan(t, factor) != meaning]
        assert not any(re.search(r"^(for the \w+ )?the single colors (is|has|stays|needs|gets|looks|shows|fits)\b", t) for t in texts)
    same = [auto_problem(stats(photo(200, 5)), [LEAVE], _STILL, factor, Voice(number)) for number in range(COUNT)]
    assert len(set(same)) == COUNT
    assert len({style_problem(stats(photo(200, 5)), [LEAVE], factor, Voice(number)) for number in range(COUNT)}) == COUNT


def test_claims_about_sliders_that_other_photos_refute_are_not_made() -> None:
    values = [0.0] * 38
    values[list(AXIS_OF).index("IncrementalTemperature")], values[list(AXIS_OF).index("IncrementalTint")] = 0.5, 0.4
    before = photo(2000, 4)
    warm = change(before, linear_gain(before, [1.2, 1.0, 0.85]))
    cold = change(before, linear_gain(before, [0.85, 1.0, 1.2]))
    plan = lambda others: compose_measured(None, warm, Voice(0), [], "param", values, 2.0, others)["plan.globalColor"]
    assert Claim("temperature", 1, "moderate") in parse_plan(plan([warm] * 8), "globalColor")
    assert Claim("temperature", 1, "moderate") in parse_plan(plan([warm] * 7 + [cold]), "globalColor")
    assert not any(c.axis == "temperature" for c in parse_plan(plan([warm] * 6 + [cold] * 2), "globalColor"))
