"""Plain instructions with the retouch that they ask for: "vivid and a touch warmer, but not too bright".

    python -m veraretouch.data.spoken [--count 100] [--unseen]      instructions to be read, with what they ask for
    python -m veraretouch.data.spoken --held-out                    lists in data/held_out_words.json what is kept out of training

Looks are some hundreds, and a model learns their names. What a person asks for in plain words is a handful of intents
(`intents`, `moods`) in many voices, degrees and restrictions (`voices`). Every instruction comes with settings of the develop
engine and with what can be measured: the axes that must move, which way, and the limits that must hold. About 15 % of
phrases, sentences and words of degree, drawn by hash, are used outside training only.
"""

from __future__ import annotations

import argparse
import random
import re
from collections import Counter
from dataclasses import dataclass, replace
from functools import cache

import torch

from ..engine.develop import develop
from ..engine.params import INDEX
from ..reasoning.axes import AXES, effect
from ..reasoning.measure import Change, Pixels, change
from .files import TABLES, fraction_of_hash, write_json
from .intents import HUES, PHRASES, PLAIN, Intent
from .moods import FEELINGS, FILMS, TIMES
from .phrases import table, unheard
from .voices import DEGREE_WEIGHTS, DEGREES, LEADING, MOST, RIDERS, SLOTS, VOICES, WEIGHTS, Limit, Rider

HELD_OUT = 0.15
LISTED = TABLES / "held_out_words.json"
# Share of an axis's dead zone from which on a movement counts as one.
LEAST = 0.5
RIDDEN = 0.2  # share of instructions that get a rider where one fits
DRAWS = 12
# What everybody says, so that holding it back would only make a worse product.
COMMON = ("make it {c}", "give it {n}", "like {f}", "something {e}", "really {}")
# What `_phrase` says before phrases of these kinds.
_NOT_SO = ("not so", "not as", "not quite so")
_BEHIND = {"more": ("more",), "fewer": ("less",), "less": ("less", "too", *_NOT_SO)}
_POOLS = {"f": FILMS, "d": TIMES, "e": FEELINGS}
EVERYDAY = PLAIN + HUES
ALL = EVERYDAY + FEELINGS + FILMS + TIMES


@dataclass(frozen=True)
class Spoken:
    """One instruction. asked: (axis, direction); limits: (axis, direction, most), direction * effect <= most, axis' units."""

    text: str
    params: torch.Tensor  # [38] in [-1, 1]
    asked: tuple[tuple[str, int], ...]
    limits: tuple[Limit, ...]
    voice: str
    intents: tuple[str, ...]
    degrees: tuple[str, ...]  # of each intent
    rider: str | None = None
    parts: tuple[str, ...] = ()  # sentence form, phrases and words of degree, as the held-out list names them

    def shown(self, moved: Change, least: float = LEAST) -> bool:
        """Whether a measured change did all that was asked and kept every limit."""
        return all(d * effect(moved, axis) > least * AXES[axis].dead for axis, d in self.asked) and all(
            d * effect(moved, axis) <= most for axis, d, most in self.limits
        )


@cache
def held_out() -> frozenset[str]:
    """Phrases, sentence forms, words of degree and riders kept out of training, by hash; some of every intent and voice.

    What is part of another phrase is never held out: it would be heard in training all the same.
    """
    every = {text for i in ALL for kind in PHRASES for text in getattr(i, kind)}
    heard = every | {text for r in RIDERS for text in r.texts} | {form for forms in VOICES.values() for form in forms}
    inside = {text for text in every if any(f" {text} " in f" {other} " for other in heard if other != text)}
    out: set[str] = set()
    groups = [[t for kind in PHRASES for t in getattr(i, kind) if t not in inside] for i in ALL]
    # A sentence that another voice says as well is no unseen one.
    frames = Counter(re.sub(r"\{\w\}", "{}", form) for forms in VOICES.values() for form in dict.fromkeys(forms))
    groups += [[f for f in dict.fromkeys(forms) if frames[re.sub(r"\{\w\}", "{}", f)] == 1] for forms in VOICES.values()]
    groups += [[t for t in dict.fromkeys(d.comps + d.plains + d.verbs + d.too) if t != "{}"] for d in DEGREES.values()]
    groups += [list(r.texts) for r in RIDERS]
    for group in groups:
        ranked = sorted(group, key=lambda text: (text in COMMON, fraction_of_hash(f"spoken {text}")))
        out.update(ranked[: max(1, round(HELD_OUT * len(ranked)))] if len(ranked) > 2 else [])
    # Every kind of phrase, of degree and of sentence that training uses keeps one to be learnt from.
    lists = [getattr(i, kind) for i in ALL for kind in PHRASES] + [x for d in DEGREES.values() for x in (d.comps, d.plains, d.verbs, d.too)]
    for texts in lists:
        if len(texts) and all(text in out for text in texts):
            out.discard(max(texts, key=lambda text: fraction_of_hash(f"spoken {text}")))
    return frozenset(out)


@cache
def further(part: str, name: str, kind: str = "") -> tuple[str, ...]:
    """What the table of `phrases` adds in training, without what would let something held out be heard: phrases of an intent,
    forms of a voice, words of a degree, texts of a rider."""
    found = table()[part].get(name, {} if kind else [])
    return unheard(found.get(kind, []) if kind else found, held_out(), _BEHIND.get(kind, ()))


def _choose(rng: random.Random, texts: tuple[str, ...], unseen: bool) -> str:
    """A text of the wanted side, or of the seen side where no text is kept out."""
    out = held_out()
    return rng.choice([t for t in texts if (t in out) == unseen] or [t for t in texts if t not in out] or list(texts))


def _kinds(intent: Intent, slot: str) -> list[str]:
    return [kind for kind in SLOTS[slot] if getattr(intent, kind)]


def _intents(rng: random.Random, slot: str, count: int, words: str) -> list[tuple[Intent, str]]:
    """`count` intents without a common topic, each with the slot that it fills; a film, time or feeling leads."""
    chosen: list[tuple[Intent, str]] = []
    if slot in LEADING:
        chosen.append((rng.choice(_POOLS[slot]), slot))
        slot = words
    pool = [i for i in EVERYDAY if _kinds(i, slot)]
    if slot in ("c", "n", "x"):
        pool += [i for i in FEELINGS + TIMES if _kinds(i, slot) and rng.random() < 0.4]
    # One hue wish beside plain ones: there are more of them, and few photos have the colours for two.
    weights = [0.45 if "hues" in i.topics else 1.0 for i in pool]
    while len(chosen) < count and pool:
        (intent,) = rng.choices(pool, weights)
        taken = {topic for other, _ in chosen for topic in other.topics}
        keep = [n for n, i in enumerate(pool) if i is not intent]
        pool, weights = [pool[n] for n in keep], [weights[n] for n in keep]
        if not taken & set(intent.topics):
            chosen.append((intent, slot))
    return chosen


def _phrase(rng: random.Random, intent: Intent, slot: str, unseen: bool) -> tuple[str, str, list[str]]:
    """(words, degree, parts) of one intent in a slot."""
    kinds = _kinds(intent, slot)
    if unseen:
        kinds = [k for k in kinds if any(t in held_out() for t in getattr(intent, k))] or kinds
    kind = rng.choice(kinds)
    raw = _choose(rng, getattr(intent, kind) + (() if unseen else further("phrases", intent.name, kind)), unseen)
    fixed = kind in ("nouns", "films", "times", "feelings") or "mono" in intent.topics
    degree = "plain" if fixed else rng.choices(list(DEGREES), [DEGREE_WEIGHTS[name] for name in DEGREES])[0]
    if slot == "t" and degree in ("barely", "dramatically"):
        degree = "plain"  # nobody complains of a hair's breadth, and the loudest words do not go with "too"
    d = DEGREES[degree]
    text, words = raw, "comps"
    if kind == "less" and slot == "t":
        text, words = f"too {raw}", "too"
    elif kind == "cures":
        words = "too" if raw.startswith("too ") else "plains"
    elif kind == "less" and degree == "plain" and rng.random() < 0.5:
        text = f"{rng.choice(_NOT_SO)} {raw}"
    elif kind in ("less", "fewer"):
        text = f"less {raw}"
    elif kind == "more":
        text = f"more {raw}"
    elif kind == "plains":
        words = "plains"
    elif kind in ("verbs", "jargon"):
        words = "verbs"
    graded = _choose(rng, getattr(d, words) + (() if unseen else further("degrees", degree, words)), unseen)
    return graded.format(text), degree, [raw] + [graded] * (graded != "{}")


def _rider(rng: random.Random, asked: tuple, intents: list[Intent], rest: str) -> Rider | None:
    """A restriction that makes sense with what is asked, in one of five instructions; none inside a sentence."""
    if rng.random() >= RIDDEN or any(c.isalpha() for c in rest.replace("please", "").replace("Thanks", "")):
        return None
    if any("mono" in i.topics for i in intents):
        return None
    axes = {axis for axis, _ in asked}
    fits = [
        r for r in RIDERS
        if (not r.needs or r.needs in asked) and (not r.only or axes <= set(r.only)) and (r.needs or r.only or not any("." in a for a in axes))
    ]  # fmt: skip
    return rng.choice(fits) if fits else None


def _joined(phrases: list[str], rng: random.Random, terse: bool) -> str:
    # "Less hazy and pale" would be less of both.
    phrases = sorted(phrases, key=lambda text: "less " in text or text.startswith("not "))
    last = rng.choice((", ", " and ", " + ")) if terse else " and "
    return phrases[0] if len(phrases) == 1 else ", ".join(phrases[:-1]) + last + phrases[-1]


def _finished(text: str, rng: random.Random) -> str:
    """Capitals and stops as people type them."""
    if rng.random() < 0.3:
        text = text.rstrip(".")
    if text.endswith((".", "?", "!")) or rng.random() < 0.15:
        return text[0].upper() + text[1:]
    return text


def spoken(rng: random.Random, unseen: bool = False) -> Spoken:
    """One instruction of one to three intents. `unseen`: its sentence or phrases are kept out of training."""
    voice = rng.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
    new_form = unseen and rng.random() < 0.6
    form = _choose(rng, VOICES[voice] + (() if unseen else further("forms", voice)), new_form)
    slot = form[form.index("{") + 1]
    rest = form[form.index("}") + 1 :]
    count = rng.choice((1, 1, 1, 2) if slot in LEADING else (1, 1, 2, 2, 3))
    if voice == "comparative":
        count = 2
    chosen = _intents(rng, slot, count, words=rng.choice(("c", "n")))
    params, phrases, degrees, parts = torch.zeros(38), [], [], [form]
    for intent, own in chosen:
        phrase, degree, named = _phrase(rng, intent, own, unseen)
        phrases.append(f"with {phrase}" if own == "n" and slot in LEADING and len(phrases) == 1 else phrase)
        degrees.append(degree)
        parts += named
        for name, value in intent.settings.items():
            # No two people mean the same by a word; all colour gone is all colour gone.
            scale = 1.0 if abs(value) == 1.0 else DEGREES[degree].scale * rng.uniform(0.9, 1.1)
            params[INDEX[name]] += value * scale
    asked = tuple(dict.fromkeys(move for intent, _ in chosen for move in intent.asked))
    rider = _rider(rng, asked, [i for i, _ in chosen], rest)
    if slot in LEADING and len(phrases) > 1:
        lead, *others = phrases
        text = lead + rng.choice((", ", ", but ")) * (chosen[1][1] == "c") + " " * (chosen[1][1] == "n") + _joined(others, rng, False)
    else:
        text = _joined(phrases, rng, voice == "terse")
    limits: tuple[Limit, ...] = ()
    if rider is not None and slot != "t" and max(DEGREES[d].order for d in degrees) < 2:
        said = _choose(rng, rider.texts + (() if unseen else further("riders", rider.name)), unseen)
        parts.append(said)
        text += f" {said}" if said.startswith("without") else f", {said}"
        limits = rider.limits or tuple((axis, d, round(MOST[axis], 3)) for axis, d in asked)
        for name, index in INDEX.items():
            params[index] = params[index] * rider.scales.get("*", rider.scales.get(name, 1.0)) + rider.adds.get(name, 0.0)
    else:
        rider = None
    text = _finished(form.replace(f"{{{slot}}}", text), rng)
    if unseen and not set(parts) & held_out():
        return spoken(rng, unseen)
    return Spoken(
        text, params.clamp(-1, 1), asked, limits, voice, tuple(i.name for i, _ in chosen), tuple(degrees), rider and rider.name, tuple(parts)
    )  # fmt: skip


def spoken_for(before: torch.Tensor, rng: random.Random, unseen: bool = False) -> tuple[Spoken, torch.Tensor]:
    """An instruction that can be followed on this photo, and its pixels after: before, after [N, 3] sRGB in [0, 1].

    What the words ask for is set in the same strength for all photos; where that does not show, half as much again and
    then another instruction is tried. A sky cannot get bluer where there is none. After `DRAWS` the last one is taken.
    """
    own = Pixels(before)
    for _ in range(DRAWS):
        said = spoken(rng, unseen)
        for factor in (1.0, 1.5):
            tried = replace(said, params=(said.params * factor).clamp(-1, 1))
            after = develop(before[None], tried.params[None])[0].clamp(0, 1)
            if tried.shown(change(own, Pixels(after))):
                return tried, after
    return tried, after


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--unseen", action="store_true", help="instructions in words kept out of training")
    parser.add_argument("--held-out", action="store_true", help="write the held-out words and sentences to their file instead")
    options = parser.parse_args()
    if options.held_out:
        write_json(LISTED, sorted(held_out()))
        print(f"{len(held_out())} texts in {LISTED.name}")
        return
    rng = random.Random(options.seed)
    for _ in range(options.count):
        said = spoken(rng, options.unseen)
        moves = " ".join(f"{axis}{'+' if d > 0 else '-'}" for axis, d in said.asked)
        print(f"{said.voice:12s} {said.text:78s} {moves}{'  | ' + said.rider if said.rider else ''}")


if __name__ == "__main__":
    main()
