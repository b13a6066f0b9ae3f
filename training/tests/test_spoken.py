"""Plain instructions: what they ask for is what their settings do, limits hold, and some words are kept out of training."""

import random
import re
from dataclasses import replace

import pytest
import torch
from test_reasoning_measure import photo

from veraretouch.data import spoken as module
from veraretouch.data.files import read_json
from veraretouch.data.intents import PHRASES, intent
from veraretouch.data.phrases import table, unheard
from veraretouch.data.spoken import ALL, EVERYDAY, held_out, spoken, spoken_for
from veraretouch.data.voices import DEGREES, RIDERS, SLOTS, VOICES
from veraretouch.engine.develop import develop
from veraretouch.engine.params import INDEX
from veraretouch.reasoning.axes import AXES, effect
from veraretouch.reasoning.measure import Pixels, change

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def before():
    return photo(600)


@pytest.fixture(scope="module")
def drawn():
    rng = random.Random(1)
    return [spoken(rng) for _ in range(3000)]


def moved(before, settings: dict[str, float], scale: float = 1.0):
    params = torch.zeros(1, 38)
    for name, value in settings.items():
        params[0, INDEX[name]] = max(-1.0, min(1.0, value * scale))
    return change(Pixels(before), Pixels(develop(before[None], params)[0].clamp(0, 1)))


@pytest.mark.parametrize("one", [i for i in ALL if not any("." in axis for axis, _ in i.asked)], ids=lambda i: i.name)
def test_the_settings_of_an_intent_show_in_pixels(one, before):
    shown = moved(before, one.settings)
    for axis, direction in one.asked:
        assert direction * effect(shown, axis) > module.LEAST * AXES[axis].dead, axis


def test_a_wish_for_one_hue_moves_that_hue(before):
    """A photo of five coloured areas on grey: the band that is named moves as named."""
    areas = torch.tensor([[0.6, 0.25, 0.2], [0.65, 0.45, 0.3], [0.6, 0.55, 0.2], [0.3, 0.5, 0.22], [0.3, 0.42, 0.65], [0.25, 0.55, 0.55], [0.5, 0.5, 0.5]])
    pixels = (areas.repeat(100, 1) * torch.linspace(0.6, 1.2, 700)[:, None]).clamp(0, 1)
    for one in EVERYDAY:
        ((axis, direction),) = one.asked if "hues" in one.topics and "mono" not in one.topics else [(None, 0)]
        if axis:
            assert direction * effect(moved(pixels, one.settings), axis) > module.LEAST * AXES[axis].dead, one.name


def test_black_and_white_leaves_no_trace_of_colour(before, drawn):
    mono = [s for s in drawn if ("monochrome", 1) in s.asked]
    assert len(mono) > 30
    for said in mono[:40]:
        out = develop(before[None], said.params[None])[0] * 255
        # Channels are sums in an order of their own on each processor, so rounding them could part two that are one ulp
        # apart. Float32 at 255 has steps of 1.5e-5; a hundredth of a level is what nobody sees and no rounding makes.
        assert (out.amax(1) - out.amin(1)).max() < 0.01, said.text


def test_stronger_words_do_more(before):
    for name in ("warm", "cool", "bright", "dark", "contrasty", "soft", "muted"):
        (one,) = [i for i in ALL if i.name == name]
        ((axis, direction), *_) = one.asked
        ordered = sorted(DEGREES.values(), key=lambda d: d.scale)
        sizes = [direction * effect(moved(before, one.settings, d.scale), axis) for d in ordered]
        assert sizes == sorted(sizes) and [d.order for d in ordered] == sorted(d.order for d in ordered), name


def test_instructions_are_whole_short_various_and_never_ask_both_ways(drawn):
    for said in drawn:
        assert said.text and "{" not in said.text and said.params.any() and said.params.abs().max() <= 1
        assert "  " not in said.text and len(said.text.split()) <= 44, said.text
        axes = [axis for axis, _ in said.asked]
        assert len(axes) == len(set(axes)), said
        # A restriction is never set against what is asked for: there is room between the two.
        for axis, direction, most in said.limits:
            assert most > module.LEAST * AXES[axis].dead or (axis, direction) not in said.asked
    assert len({s.text for s in drawn}) > 2700
    assert {s.voice for s in drawn} == set(VOICES)
    assert {d for s in drawn for d in s.degrees} == set(DEGREES)
    assert {s.rider for s in drawn} == {r.name for r in RIDERS} | {None}
    assert spoken(random.Random(5)).text == spoken(random.Random(5)).text


def test_less_of_one_thing_is_not_read_as_less_of_the_next(drawn):
    """Whatever follows "less" is lessened too when a listener joins the list: nothing wanted may stand behind it."""
    for said in drawn:
        if said.voice in ("terse", "plain") and said.rider is None and len(said.intents) > 1:
            before, after = (text.lower().rstrip(".") for text in re.split(r"\{\w\}", said.parts[0]))
            inner = said.text.lower().rstrip(".").removeprefix(before).removesuffix(after)
            for phrase in said.parts[1:]:
                inner = inner.replace(phrase.lower(), re.sub(r",? and |, ", " & ", phrase.lower()))
            parts = re.split(r", | and | \+ ", inner)
            first = next((n for n, part in enumerate(parts) if re.search(r"\bless \w", part)), None)
            if first is not None:
                assert all("less" in part or part.startswith("not ") or "fresher" in part for part in parts[first:]), said.text


def test_words_kept_out_of_training_stay_out(drawn):
    out = held_out()
    phrases = {text for i in ALL for kind in PHRASES for text in getattr(i, kind)}
    assert 0.1 < len(phrases & out) / len(phrases) < 0.2
    assert all(set(forms) & out and set(forms) - out for forms in VOICES.values())
    assert read_json(module.LISTED, "python -m veraretouch.data.spoken --held-out") == sorted(out)
    assert not any(set(s.parts) & out for s in drawn)
    # Said within training texts, not only drawn as a part of them.
    heard = " | ".join(s.text.lower() for s in drawn)
    for text in phrases & out:
        assert not re.search(rf"(?<![\w-]){re.escape(text.lower())}(?![\w-])", heard), text
    rng = random.Random(2)
    unseen = [spoken(rng, unseen=True) for _ in range(500)]
    assert all(set(s.parts) & out for s in unseen)
    assert not {s.text for s in unseen} & {s.text for s in drawn}


def test_every_intent_can_be_said_and_every_slot_filled():
    for one in ALL:
        assert any(getattr(one, kind) for kinds in SLOTS.values() for kind in kinds), one.name
        assert all(axis in AXES and AXES[axis].measured for axis, _ in one.asked), one.name
        assert all(name in INDEX and abs(value) <= 1 for name, value in one.settings.items()), one.name
    for forms in VOICES.values():
        assert all(re.fullmatch(r"[^{}]*\{([a-z])\}[^{}]*", form)[1] in SLOTS for form in forms)


def test_a_photo_gets_an_instruction_that_it_can_follow(before):
    """On a photo without blue nobody asks for a bluer sky, and limits hold."""
    no_blue = before[:, [2, 1, 0]].clone()
    no_blue[:, 2] = torch.minimum(no_blue[:, 2], no_blue[:, 1])
    rng = random.Random(4)
    for pixels in (before, no_blue):
        for _ in range(25):
            said, after = spoken_for(pixels, rng)
            assert said.shown(change(Pixels(pixels), Pixels(after))), said.text
            # Drawn in one batch with others, it may differ in the last bits.
            torch.testing.assert_close(after, develop(pixels[None], said.params[None])[0].clamp(0, 1), atol=1e-6, rtol=0)
            assert pixels is before or not any("blue" in axis for axis, _ in said.asked), said.text


def test_shown_is_refused_when_nothing_moves_or_a_limit_breaks(before):
    said = spoken(random.Random(3))
    still = change(Pixels(before), Pixels(before))
    assert not said.shown(still)
    one = intent("warm", "x", {"IncrementalTemperature": 0.5}, "temperature+")
    shown = moved(before, one.settings)
    plain = replace(said, asked=one.asked, limits=())
    assert plain.shown(shown)
    assert not replace(plain, limits=(("temperature", 1, 0.1),)).shown(shown)
    assert not replace(plain, asked=(("temperature", -1),)).shown(shown)


def test_what_is_added_is_for_training_only_and_lets_nothing_held_out_be_heard():
    of, more, out = {one.name: one for one in ALL}, table(), held_out()
    assert set(more["phrases"]) <= set(of) and set(more["forms"]) <= set(VOICES) and set(more["degrees"]) <= set(DEGREES)
    assert set(more["riders"]) <= {rider.name for rider in RIDERS}
    added: list[str] = []
    for name, kinds in more["phrases"].items():
        for kind in kinds:
            # A kind of phrase that the intent itself lacks would never be drawn.
            assert kind in PHRASES and getattr(of[name], kind), (name, kind)
            texts = module.further("phrases", name, kind)
            added += texts
            assert not [text for text in texts for held in out if f" {held} " in f" {text} "]
    assert len(added) > 8000
    for voice, forms in more["forms"].items():
        slots = {re.search(r"\{(\w)\}", form)[1] for form in VOICES[voice]}
        assert all(re.fullmatch(r"[^{}]*\{([a-z])\}[^{}]*", form)[1] in slots for form in forms), voice
        assert not set(module.further("forms", voice)) & out
    for name, lists in more["degrees"].items():
        assert all(text.count("{}") == 1 for kind in lists for text in lists[kind] if getattr(DEGREES[name], kind))
    own = set(added) - {text for one in ALL for kind in PHRASES for text in getattr(one, kind)}
    rng = random.Random(4)
    assert not own & {part for _ in range(400) for part in spoken(rng, unseen=True).parts}
    assert len(own & {part for _ in range(4000) for part in spoken(rng).parts}) > 2000


def test_a_text_in_which_something_held_out_would_be_heard_is_left_out():
    held = frozenset({"amber glow", "{} a tad", "please {v}, quickly"})
    assert unheard(["an amber glow", "ambers glow", "amber, glow!"], held) == ("ambers glow",)
    assert unheard(["amber", "glow"], frozenset({"less amber"}), ("less",)) == ("glow",)
    assert unheard(["make it {c} a tad", "{} a tadpole", "A: please {v} quickly", "please, {v}"], held) == ("{} a tadpole", "please, {v}")

