"""What may be said: all that the composer says, nothing that pixels do not show, and nothing twice."""

import json
import random
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from test_reasoning_measure import photo
from test_reasoning_text import random_edit

from veraretouch.engine.params import PARAMETERS
from veraretouch.export.dialogue import Section
from veraretouch.export.grounding import AnswerGuide, Words
from veraretouch.reasoning import FACTORS, Claim, change, compose, parse_plan, stats
from veraretouch.reasoning.axes import AXES, GIVEN, LEAVE, agrees, axes_of, effect, magnitude, refutes
from veraretouch.reasoning.compose import compose_measured
from veraretouch.reasoning.faults import fault_of, reading
from veraretouch.reasoning.measure import BANDS
from veraretouch.reasoning.parameters import AXIS_OF, announced, parameter_values
from veraretouch.reasoning.sayable import LEAST_SHARE_STILL, Sayable, sayable_of_change, sayable_of_sliders
from veraretouch.reasoning.sayable_problems import problems_of_change, wording, words_of
from veraretouch.reasoning.voice import COUNT, Voice

torch.set_num_threads(1)


def edits(count: int, seed: int = 3):
    rng = random.Random(seed)
    for number in range(count):
        before = photo(600, seed + number)
        # Half as strong: middling changes are the hard ones.
        after = torch.lerp(before, random_edit(rng, before), rng.choice((0.1, 0.5, 1.0)))
        yield number, before, after


def spoken(measured) -> bool:
    """Whether the composer speaks of no hue band that is too small for `sayable`."""
    return all(not 0.02 < band.share_of_all < 0.04 for band in measured.bands)


@pytest.mark.parametrize("mode", ["auto", "style"])
def test_what_the_composer_says_may_be_said_from_its_first_letter_to_its_last(mode: str) -> None:
    said = 0
    for number, before, after in edits(64):
        fields = compose(before, after, Voice(number % COUNT), [], mode)
        measured = change(before, after, LEAST_SHARE_STILL)
        if not spoken(measured):
            continue
        for factor in FACTORS:
            plan = sayable_of_change(measured, factor)
            claimed = parse_plan(fields[f"plan.{factor}"], factor)
            # Between what may be called still and what must be spoken of the two draw the line elsewhere.
            if claimed == [LEAVE] and not plan.sentences:
                continue
            for kind, sayable in (("plan", plan), ("problems", problems_of_change(measured, stats(before), factor, mode))):
                text = fields[f"{kind}.{factor}"]
                assert sayable.complete(text), (kind, factor, text)
                assert all(sayable.fits(text[:end]) for end in range(len(text))), (kind, factor, text)
                words = [match.end() for match in re.finditer(r"[^\s,;:]+", text)]
                assert all(sayable.goes_on(text[:end]) for end in words), (kind, factor, text)
                said += 1
    assert said > 150


@pytest.mark.parametrize("factor", FACTORS)
def test_only_claims_that_pixels_show_in_their_measured_size_may_be_made(factor: str) -> None:
    seen = 0
    for _, before, after in edits(40, 900):
        measured = change(before, after, LEAST_SHARE_STILL)
        sayable = sayable_of_change(measured, factor)
        for text, axis in random.Random(1).sample(sorted(sayable.clauses.items()), min(60, len(sayable.clauses))):
            [claim] = parse_plan(text, factor)
            assert claim.axis == axis
            assert agrees(claim, measured, factor), (text, effect(measured, axis))
            assert axis == "monochrome" or claim.magnitude == magnitude(AXES[axis], effect(measured, axis))
            seen += 1
        for sentence in sayable.sentences:
            assert agrees(LEAVE, measured, factor), sentence
        # There is always something to say.
        assert sayable.clauses or sayable.sentences
    assert seen > 300


def test_an_axis_is_named_once_and_most_claims_are_kept() -> None:
    clauses = {"warm the picture slightly": "temperature", "gently warm the photo": "temperature", "reduce the saturation a lot": "saturation"}
    sayable = Sayable(clauses, {"leave the overall color as is": frozenset()}, 2)
    assert sayable.complete("Warm the picture slightly")
    assert sayable.complete("Warm the picture slightly, then reduce the saturation a lot")
    assert not sayable.complete("Warm the picture slightly and gently warm the photo")
    assert not sayable.goes_on("Warm the picture slightly and gently")
    assert not sayable.complete("Warm the picture")
    assert not sayable.complete("warm the picture slightly")
    assert not sayable.complete("Warm the picture slightly and")
    assert not sayable.goes_on("Warm the picture slightly and reduce the saturation a lot,")
    assert not sayable.goes_on("Leave the overall color as is and")
    # "No" is not a beginning of "noticeably" when it is a whole word.
    noticeably = Sayable({"noticeably warm the photo": "temperature"}, {}, 2)
    assert noticeably.fits("No")
    assert not noticeably.goes_on("No")
    signs = Sayable({}, {"this look asks for less: too dark; near black": frozenset()}, 1)
    assert signs.goes_on("This look asks for less")
    assert signs.goes_on("This look asks for less: too dark")


def test_a_plan_begins_with_what_answers_the_problem() -> None:
    sayable = Sayable({"warm the photo": "temperature", "mute the colors": "saturation"}, {}, 2, first=frozenset({"saturation"}))
    assert sayable.complete("Mute the colors, warm the photo")
    assert not sayable.goes_on("Warm")
    assert sayable.axes_in("Mute the colors, warm the photo") == {"temperature", "saturation"}
    assert sayable.axes_in("Mute the") == frozenset()


def test_sliders_say_what_they_are_set_to() -> None:
    rng = random.Random(5)
    for _ in range(60):
        values = dict.fromkeys(AXIS_OF, 0.0)
        for name in rng.sample(sorted(AXIS_OF), rng.randint(0, 6)):
            values[name] = rng.choice((-1, 1)) * rng.uniform(0.02, 1)
        for factor in FACTORS:
            sayable = sayable_of_sliders(values, factor)
            asked = {(claim.axis, claim.direction): claim.magnitude for claim in announced(values, factor)}
            for text in random.Random(2).sample(sorted(sayable.clauses), min(40, len(sayable.clauses))):
                [claim] = parse_plan(text, factor)
                assert claim.axis == "monochrome" or asked[claim.axis, claim.direction] == claim.magnitude
            assert {axis for axis, _ in asked} <= set(sayable.clauses.values())
            kinds = {tuple(parse_plan(text, factor)) for text in sayable.sentences}
            assert kinds == {(GIVEN,)}
            unset = all(values[name] == 0 for name in AXIS_OF if AXES[AXIS_OF[name]].factor == factor)
            assert unset == any("no setting" in text for text in sayable.sentences)


def test_what_the_photo_refutes_is_not_said_of_sliders() -> None:
    left_out = 0
    for number, before, after in edits(30, 40):
        measured = change(before, after)
        values = {name: (-1) ** number * 0.4 for name in PARAMETERS}
        for factor in FACTORS:
            without = set(sayable_of_sliders(values, factor).clauses.values())
            with_photo = sayable_of_sliders(values, factor, measured)
            for text, axis in random.Random(3).sample(sorted(with_photo.clauses.items()), min(30, len(with_photo.clauses))):
                [claim] = parse_plan(text, factor)
                assert not refutes(claim, measured), (text, axis)
            left_out += len(without - set(with_photo.clauses.values()))
    assert left_out > 20


def test_sliders_as_the_composer_says_them_may_be_said() -> None:
    rng = random.Random(8)
    for number, before, after in edits(30, 700):
        measured = change(before, after)
        values = parameter_values({name: rng.uniform(-1, 1) for name in rng.sample(sorted(AXIS_OF), 5)})
        fields = compose_measured(None, measured, Voice(number), [], "param", values)
        for factor in FACTORS:
            assert sayable_of_sliders(values, factor, measured).complete(fields[f"plan.{factor}"]), fields[f"plan.{factor}"]


def test_the_wording_names_everything_that_can_be_said() -> None:
    table = wording()
    assert {axis["name"] for axis in table["axes"]} == set(AXES)
    assert {(c["axis"], c["direction"]) for c in table["clauses"]} >= {(a.name, d) for f in FACTORS for a in axes_of(f) for d in (1, -1) if a.name != "monochrome"}
    assert len(table["sliders"]["axes"]) == len(PARAMETERS)
    words = words_of(table)
    rng = random.Random(9)
    for number, before, after in edits(12, 60):
        for mode in ("auto", "style"):
            fields = compose_measured(stats(before), change(before, after), Voice(rng.randrange(COUNT)), [], mode)
            for name, text in fields.items():
                if name != "elements":
                    found = re.findall(r"[A-Za-z]+", text)
                    assert {found[0].lower(), *found[1:]} <= words, (number, text)


class _Chance:
    """Random scores for the tokens of a section, whatever was written."""

    def __init__(self, tokenizer, words: frozenset[str]) -> None:
        from veraretouch.export.dialogue import Dialogue

        texts = [form for word in sorted(words) for form in (" " + word, word[0].upper() + word[1:], word)]
        texts += [f" {n}" for n in range(101)]
        ids = sorted({i for text in texts for i in tokenizer.encode(text, add_special_tokens=False).ids})
        ends = [tokenizer.token_to_id(f"<{kind}_{factor}_end>") for kind in ("plan", "problem") for factor in ("light", "globalcolor", "specificcolor")]
        everything = list(range(tokenizer.get_vocab_size()))
        self.dialogue = Dialogue(tokenizer, everything)
        self.allowed = np.isin(np.array(everything), [*ids, *ends])


def test_random_scores_still_give_true_and_whole_plans() -> None:
    from veraretouch.export.tokenizer import smollm2_tokenizer

    chance = _Chance(smollm2_tokenizer(), words_of(wording()))
    dialogue = chance.dialogue
    rng = np.random.default_rng(6)
    sections = {section.field: section for section in dialogue.answer["auto"]}
    words = {field: Words(dialogue, section) for field, section in sections.items() if field != "elements"}
    claims = 0
    for number, before, after in edits(8, 300):
        measured = change(before, after, LEAST_SHARE_STILL)
        mode = "auto" if number % 2 else "style"
        guide = AnswerGuide(words, {f"plan.{f}": sayable_of_change(measured, f) for f in FACTORS} | {f"problems.{f}": problems_of_change(measured, stats(before), f, mode) for f in FACTORS})
        for field, sayable in list(guide.sayable.items()):
            section: Section = sections[field]
            end, text = dialogue.token_id(section.end), []
            while len(text) < 60:
                scores = np.where(chance.allowed, rng.normal(size=len(chance.allowed)), -np.inf)
                picked = guide.pick(section, text, scores)
                assert picked is not None, (field, dialogue.decode_text(text))
                token = int(dialogue.output_ids[picked])
                if token == end:
                    break
                text.append(token)
            said = dialogue.decode_text(text)
            assert sayable.complete(said), (field, said)
            if field.startswith("plan"):
                factor = field.partition(".")[2]
                found = parse_plan(said, factor)
                assert found and len({c.axis for c in found}) == len(found)
                assert all(agrees(c, measured, factor) for c in found), (said, found)
                claims += len(found)
    assert claims > 20
    # Another key element is named only where the model is sure of one.
    comma, end = dialogue.encode(",")[0], dialogue.token_id("<elements_end>")
    scores = np.full(len(chance.allowed), -9.0)
    scores[[comma, end]] = 3.3, 1.0
    assert guide.pick(sections["elements"], [], scores) is None
    scores[comma] = 3.1
    assert guide.pick(sections["elements"], [], scores) == end


def test_bands_below_the_least_share_count_as_not_moved() -> None:
    before = photo(2000, 11)
    after = before.clone()
    after[:, 0] = (after[:, 0] * 1.15).clamp(0, 1)
    all_bands, none = change(before, after, 0.0), change(before, after, 1.0)
    assert any(band.saturation or band.hue or band.luminance for band in all_bands.bands)
    assert not any(band.saturation or band.hue or band.luminance for band in none.bands)
    assert [b.share_of_all for b in none.bands] == [b.share_of_all for b in all_bands.bands]
    assert len(BANDS) == len(none.bands)
    assert Claim("saturation.red", 1).axis in AXES


GOLDEN = Path(__file__).parents[2] / "test" / "inference" / "grounding" / "golden.json"
_WHOLE = ("exposure", "contrast", "highlights", "shadows", "whites", "blacks", "lights", "darks", "temperature", "tint", "saturation",
          "vibrance", "monochrome", "highlights_step", "shadows_step")  # fmt: skip


# All that faults are told by.
_READINGS = sorted({
    name for axis in AXES for way in (1, -1) if (fault := fault_of(axis, way))
    for name in (*(of for of, *_ in fault.shown), *(of for said in fault.said for of, _ in said.figures))
} | {"clipped", "crushed"})  # fmt: skip


def _sides(sayable: Sayable) -> dict:
    """How many texts there are, and every so manieth of them with what it speaks of."""
    texts = {text: [axis] for text, axis in sayable.clauses.items()} | {text: sorted(axes) for text, axes in sayable.sentences.items()}
    some = sorted(texts)[:: max(1, len(texts) // 6)]
    return {"clauses": len(sayable.clauses), "sentences": len(sayable.sentences), "some": {text: texts[text] for text in some}}


def golden() -> dict:
    """What the TypeScript side is compared with: pairs of pixels, 8 bits, with their change and what may be said of it."""
    cases, rng = [], random.Random(12)
    for number, before, after in edits(10, 500):
        if number == 8:
            after = before.mean(1, keepdim=True).expand(-1, 3).contiguous()
        before, after = ((x * 255).round() / 255 for x in (before, after))
        measured, photo = change(before, after, LEAST_SHARE_STILL), stats(before)
        values = {name: round(rng.uniform(-1, 1), 2) for name in rng.sample(sorted(AXIS_OF), 5)}
        vector = [values.get(name, 0.0) for name in AXIS_OF]
        cases.append({
            "before": (before * 255).round().int().flatten().tolist(), "after": (after * 255).round().int().flatten().tolist(),
            "change": {name: round(getattr(measured, name), 5) for name in _WHOLE},
            "bands": [[round(v, 5) for v in (b.share_of_all, b.saturation, b.luminance, b.hue)] for b in measured.bands],
            "values": vector, "readings": {name: round(reading(photo, name), 5) for name in _READINGS},
            "sayable": {
                factor: {
                    "plan": _sides(sayable_of_change(measured, factor)),
                    "auto": _sides(problems_of_change(measured, photo, factor, "auto")),
                    "style": _sides(problems_of_change(measured, photo, factor, "style")),
                    "sliders": _sides(sayable_of_sliders(vector, factor)),
                    "slidersOnPhoto": _sides(sayable_of_sliders(vector, factor, measured)),
                }
                for factor in FACTORS
            },
        })  # fmt: skip
    return {"leastShare": LEAST_SHARE_STILL, "cases": cases}


def test_the_typescript_side_is_compared_with_what_is_measured_here() -> None:
    """Written anew by `python tests/test_reasoning_sayable.py`, then `npm run format`."""
    kept, now = json.loads(GOLDEN.read_text()), json.loads(json.dumps(golden()))
    for old, new in zip(kept["cases"], now["cases"], strict=True):
        assert old["before"] == new["before"] and old["after"] == new["after"] and old["values"] == new["values"]
        assert old["sayable"] == new["sayable"]
        assert old["change"] == pytest.approx(new["change"], abs=1e-3)
        assert np.allclose(old["bands"], new["bands"], atol=1e-3)
        assert old["readings"] == pytest.approx(new["readings"], abs=1e-3)


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps(golden(), separators=(",", ":")) + "\n")
