"""What may be said to be wrong with a photo, given what its retouch does: `reasoning.sayable` for the sections before the plan.

A fault is named where the photo shows it and the retouch mends it, and none where the retouch leaves things as they are, so that a
plan never answers a fault that it does not touch. Degrees and figures are the photo's own.
"""

from __future__ import annotations

import re
from dataclasses import asdict
from functools import cache
from itertools import product

from .axes import FACTORS, axes_of, effect
from .faults import Said, against_figure, against_words, band_against, fault_of, fault_texts, filled, is_lost, is_shown
from .measure import BANDS, Change, Stats
from .problems import LOSSES, MOST_PROBLEMS
from .sayable import Sayable, moved_axes, plan_wording, sentence_texts
from .sentences import FINE_WORDING, LOOK_WORDING, SOUND_WORDING, SUITS_WORDING, about

JOINT = "; "
# Stands for the axis of a fault that no plan answers.
LOST = "lost"
# Figures lie between 0 and this.
HIGHEST = 100
# Parts of `wording()` whose strings are names.
_NAMES = ("axes", "axis", "form", "sliders", "shown", "lost", "figures", "of", "above")


def problems_of_change(measured: Change, photo: Stats, factor: str, mode: str) -> Sayable:
    """What one section of problems may say of a photo with a measured change, in mode auto or style."""
    moved, still = moved_axes(measured, factor)
    most = MOST_PROBLEMS[factor]
    if not moved:
        return Sayable({}, sentence_texts(FINE_WORDING if mode == "auto" else SUITS_WORDING, factor), most, (JOINT,))
    signed = [(axis, 1 if effect(measured, axis) > 0 else -1) for axis in moved]
    if mode == "style":
        return Sayable({}, _against(signed, photo, factor) | (sentence_texts(SUITS_WORDING, factor) if still else {}), most, (JOINT,))
    texts = {text: axis for axis, way in signed if _shows(photo, axis, way) for text in fault_texts(axis, way, photo)}
    if factor == "light":
        # Lost detail is a fact, whether or not the plan can bring it back.
        lost = [one for one in LOSSES if effect(measured, one[0]) == 0 and is_lost(fault_of(*one), photo)]
        texts |= {text: LOST for axis, way in lost for text in fault_texts(axis, way, photo)}
    return Sayable(texts, _sound(moved, factor) | (sentence_texts(FINE_WORDING, factor) if still else {}), most, (JOINT,))


def _sound(moved: list[str], factor: str) -> dict[str, frozenset[str]]:
    """That nothing is wrong, yet something can be gained. A hue band that is named is one that moved, and the plan is about it."""
    if factor != "specificColor":
        return sentence_texts(SOUND_WORDING, factor)
    found = {about(words, factor): frozenset() for words in SOUND_WORDING}
    for band in BANDS:
        if axes := frozenset(axis for axis in moved if axis.partition(".")[2] == band):
            found |= dict.fromkeys(_sound_of_band(band), axes)
    return found


def _sound_of_band(band: str) -> list[str]:
    return sorted(about(words, "specificColor", band) for words in SOUND_WORDING)


def _shows(photo: Stats, axis: str, direction: int) -> bool:
    fault = fault_of(axis, direction)
    return fault is not None and is_shown(fault, photo)


def _against(signed: list[tuple[str, int]], photo: Stats, factor: str) -> dict[str, frozenset[str]]:
    if factor == "specificColor":
        return {text: frozenset({axis}) for axis, way in signed for text in filled(band_against(axis, way), photo)}
    found = {}
    for first, *second in product(signed, *([signed] * (MOST_PROBLEMS[factor] - 1))):
        # Twice the same stands for one alone.
        said = list(dict.fromkeys((first, *second)))
        words, figure = " and ".join(against_words(*one) for one in said), against_figure(first[0])
        behind = f", {filled(figure, photo)[0]}" if figure else ""
        axes = frozenset(axis for axis, _ in said)
        found |= {look.format(words) + behind: axes for look in LOOK_WORDING}
    return found


@cache
def wording() -> dict:
    """The content of `wording.json`."""
    return {**plan_wording(), "problems": problem_wording()}


def words_of(value: object) -> frozenset[str]:
    """Every word and sign in the texts of `wording()`, or of a part of it."""
    if isinstance(value, str):
        return frozenset(re.findall(r"[A-Za-z]+|[^\sA-Za-z{}~]", re.sub(r"\{\w+\}", "", value)))
    if isinstance(value, dict):
        value = [part for name, part in value.items() if name not in _NAMES]
    return frozenset().union(*map(words_of, value)) if isinstance(value, list | tuple) else frozenset()


def problem_wording() -> dict:
    """The same as data: the part "problems", of `reasoning.faults`. `{}` is the place of what a photo is against a look."""
    signed = [(axis.name, way) for factor in FACTORS for axis in axes_of(factor) for way in (1, -1)]
    return {
        "most": MOST_PROBLEMS, "joint": JOINT, "look": LOOK_WORDING,
        "faults": [
            {"axis": axis, "direction": way, "shown": fault.shown, "lost": fault.lost, "said": [_said(one) for one in fault.said]}
            for axis, way in signed
            if (fault := fault_of(axis, way))
        ],
        "against": [{"axis": axis, "direction": way, **_against_as_data(axis, way)} for axis, way in signed],
        "sentences": {
            kind: {factor: sorted(sentence_texts(words, factor)) for factor in FACTORS}
            for kind, words in (("fine", FINE_WORDING), ("suits", SUITS_WORDING))
        }
        | {"sound": {factor: sorted(_sound([], factor)) for factor in FACTORS}},
        "soundOfBand": {band: _sound_of_band(band) for band in BANDS},
    }  # fmt: skip


def _said(said: Said) -> dict:
    """Without what is not there."""
    return {name: value for name, value in asdict(said).items() if value}


def _against_as_data(axis: str, direction: int) -> dict:
    if "." in axis:
        return {"said": _said(band_against(axis, direction))}
    figure = against_figure(axis)
    return {"words": against_words(axis, direction)} | ({"figure": _said(figure)} if figure else {})
