"""Faults: named where the photo shows them and the change mends them, with the photo's own degrees and figures, and read back."""

import random
import re
from dataclasses import replace

import pytest
import torch
from test_reasoning_measure import photo
from test_reasoning_sayable import edits

from veraretouch.reasoning import FACTORS, change, stats
from veraretouch.reasoning.axes import AXES, effect
from veraretouch.reasoning.compose import compose_measured
from veraretouch.reasoning.faults import ROUNDED, fault_of, fault_texts, filled, reading
from veraretouch.reasoning.measure import BANDS
from veraretouch.reasoning.read_problems import is_true, read_problems, right_figures
from veraretouch.reasoning.sayable import LEAST_SHARE_STILL, sayable_of_change
from veraretouch.reasoning.sayable_problems import problems_of_change
from veraretouch.reasoning.voice import COUNT, Voice
from veraretouch.reasoning.wording import PLURAL

torch.set_num_threads(1)


def test_a_fault_is_named_only_where_the_photo_shows_it_and_the_change_mends_it() -> None:
    before = photo(600, 4)
    darker = (before * 0.6).clamp(0, 1)
    measured, seen = change(before, darker, LEAST_SHARE_STILL), stats(before)
    bright = replace(seen, median=71.0)
    sayable = problems_of_change(measured, bright, "light", "auto")
    assert effect(measured, "exposure") < 0
    assert sayable.complete("The picture is too bright, midtones near L 70")
    assert not sayable.goes_on("The picture is dark")
    assert not sayable.complete("No fault in the light")
    # Degrees and figures are those of the photo.
    assert not sayable.complete("The picture is too bright, midtones near L 75")
    assert not sayable.goes_on("The picture is a little")
    slightly = problems_of_change(measured, replace(seen, median=58.0), "light", "auto")
    assert slightly.complete("The picture is a little bright, midtones near L 60")
    dark = problems_of_change(measured, replace(seen, median=30.0), "light", "auto")
    assert "exposure" not in dark.clauses.values()
    unchanged = change(before, before)
    assert problems_of_change(unchanged, seen, "light", "auto").complete("No fault in the light")
    assert problems_of_change(unchanged, seen, "light", "style").complete("The light fits the look")
    # Against a look a dark photo may be too bright.
    style = problems_of_change(measured, replace(seen, median=31.0), "light", "style")
    assert style.complete("Too bright for this look, midtones near L 30")
    assert style.axes_in("Too bright for this look, midtones near L 30") == {"exposure"}
    assert not style.complete("Too bright for this look, midtones near L 70")
    assert not style.complete("Too dark for this look, midtones near L 30")


def test_lost_detail_is_a_fact_but_no_plan_has_to_begin_with_it() -> None:
    before = photo(600, 4)
    measured = replace(change(before, (before * 0.6).clamp(0, 1), LEAST_SHARE_STILL), highlights=0.0)
    for clipped, said in ((7.3, True), (4.0, False)):
        sayable = problems_of_change(measured, replace(stats(before), clipped=clipped), "light", "auto")
        text = f"About {round(clipped)} % of the picture is clipped white"
        assert sayable.complete(text) == said
        assert (sayable.axes_in(text) == {"lost"}) == said


def test_a_hue_band_that_can_gain_is_one_that_moved_and_the_plan_is_about_it() -> None:
    told = 0
    for _, before, after in edits(30, 1200):
        measured = change(before, after, LEAST_SHARE_STILL)
        sayable = problems_of_change(measured, stats(before), "specificColor", "auto")
        plan = set(sayable_of_change(measured, "specificColor").clauses.values())
        for text, axes in sayable.sentences.items():
            named = [band for band in BANDS if axes and f" {PLURAL[band]}" in f" {text}"]
            assert all(axis.partition(".")[2] in named for axis in axes)
            assert axes <= plan
            told += len(named)
    assert told > 100


def test_the_figures_of_a_fault_are_the_photos_own() -> None:
    rng = random.Random(7)
    told = 0
    for axis, direction in ((name, way) for name in AXES for way in (1, -1)):
        fault = fault_of(axis, direction)
        if fault is None:
            continue
        seen = stats(photo(600, rng.randrange(1000)))
        assert all(isinstance(reading(seen, name), float) for name, *_ in fault.shown)
        for said in fault.said:
            for text in filled(said, seen):
                assert "{" not in text
                numbers = re.findall(r"\d+", text)
                assert numbers == [str(ROUNDED[how](reading(seen, of))) for of, how in said.figures]
                told += len(numbers)
    assert told > 100


@pytest.mark.parametrize("mode", ["auto", "style"])
def test_problems_are_read_back_as_they_were_written(mode: str) -> None:
    told = figures = 0
    for number, before, after in edits(80, 2000):
        photo_of = stats(before)
        fields = compose_measured(photo_of, change(before, after), Voice(number % COUNT), [], mode)
        for factor in FACTORS:
            text = fields[f"problems.{factor}"]
            found = read_problems(text, factor, mode)
            numbers = [int(n) for n in re.findall(r"\d+", text)]
            assert [n for one in found for *_, n in one.figures] == numbers, text
            told += len(found)
            figures += len(numbers)
            assert all(right_figures(one, photo_of) == len(one.figures) for one in found), text
            if mode == "auto":
                assert all(is_true(one, photo_of) for one in found), text
                clauses = {clause for one in found for clause in fault_texts(*one.fault, photo_of)}
                said = [clause[0].lower() + clause[1:] for clause in text.split("; ")]
                assert not found or clauses.issuperset(said), text
    assert told > 60 and figures > 60


def test_a_fault_that_the_photo_lacks_and_a_figure_that_is_wrong_are_seen() -> None:
    seen = replace(stats(photo(600, 4)), median=60.0, p90=70.0, p10=30.0, clipped=0.0)
    [dark] = read_problems("The picture is dark, midtones near L 45.", "light", "auto")
    assert dark == (("exposure", 1), (("median", "five", 45),))
    assert not is_true(dark, seen) and right_figures(dark, seen) == 0
    assert right_figures(read_problems("The picture is a little bright, midtones near L 55", "light", "auto")[0], seen) == 1
    [look] = read_problems("Too dark in the shadows and bright in the highlights for this look, near L 30", "light", "style")
    assert look == (None, (("p10", "five", 30),))
    assert read_problems("The picture is somewhat dark, midtones near L 45", "light", "auto") == []
    assert read_problems("No fault in the light", "light", "auto") == []
