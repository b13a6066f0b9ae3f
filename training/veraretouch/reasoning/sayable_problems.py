"""What may be said to be wrong with a photo, given what its retouch does: `reasoning.sayable` for the sections before the plan.

A fault is named where the retouch mends it, and none where it leaves things as they are, so that a plan never answers a
fault that it does not touch. Figures are the model's own: a number stands for any number (`NUMBER`).
"""

from __future__ import annotations

import re
from functools import cache
from itertools import product
from types import SimpleNamespace

from .axes import AXES, FACTORS, Claim, axes_of, effect
from .measure import BANDS, Change
from .problems import _AGAINST, MOST_PROBLEMS, _band_look, _figure, _words
from .sayable import NUMBER, Sayable, moved_axes, plan_wording, sentence_texts
from .sentences import FINE_WORDING, LOOK_WORDING, SOUND_WORDING, SUITS_WORDING

JOINT = "; "
# Stands for the axis of a fault that no plan answers.
LOST = "lost"
# Parts of `wording()` whose strings are names.
_NAMES = ("axes", "axis", "form", "sliders")
# Photos of every kind that the words for a fault depend on.
_KINDS = [
    SimpleNamespace(
        median=median, p2=10.0, p10=10.0, p90=80.0, p98=90.0, clipped=lost, crushed=lost, chroma=chroma, neutral_a=cast, neutral_b=cast,
        bands=[SimpleNamespace(chroma=20.0, lightness=50.0)] * len(BANDS),
    )
    for median, lost, chroma, cast in product((20.0, 45.0, 60.0, 80.0), (0.0, 5.0), (5.0, 15.0, 25.0, 40.0), (2.0, 6.0, 12.0))
]  # fmt: skip


def any_number(text: str) -> str:
    """Text with every number in it replaced by NUMBER."""
    return re.sub(r"\d+", NUMBER, text)


@cache
def fault_texts(axis: str, direction: int) -> tuple[str, ...]:
    """Every wording of a fault that a change along an axis mends; () where it mends none that is spoken of."""
    factor = AXES[axis].factor
    if axis == "monochrome":
        return ()
    return tuple(sorted({any_number(text) for kind in _KINDS for text in _words(factor, axis, direction, kind)}))


@cache
def against_texts(axis: str, direction: int) -> tuple[str, str]:
    """What a photo is against a look (Style), and the figure that may stand behind it; empty where there is none."""
    return _AGAINST[axis][direction < 0], any_number(_figure(Claim(axis, direction), _KINDS[0]))


@cache
def band_against_texts(axis: str, direction: int) -> tuple[str, ...]:
    """The same of hue bands, as whole sentences."""
    kind, _, band = axis.partition(".")
    return tuple(any_number(text) for text in _band_look(kind, band, direction, _KINDS[0]))


def problems_of_change(measured: Change, factor: str, mode: str) -> Sayable:
    """What one section of problems may say of a photo with a measured change, in mode auto or style."""
    shown, still = moved_axes(measured, factor)
    most = MOST_PROBLEMS[factor]
    if not shown:
        return Sayable({}, sentence_texts(FINE_WORDING if mode == "auto" else SUITS_WORDING, factor), most, (JOINT,))
    signed = [(axis, 1 if effect(measured, axis) > 0 else -1) for axis in shown]
    if mode == "style":
        return Sayable({}, _against(signed, factor) | (sentence_texts(SUITS_WORDING, factor) if still else {}), most, (JOINT,))
    texts = {text: axis for axis, way in signed for text in fault_texts(axis, way)}
    if factor == "light":
        # Lost detail is a fact, whether or not the plan can bring it back.
        lost = [(axis, way) for axis, way in (("highlights", -1), ("shadows", 1)) if effect(measured, axis) == 0]
        texts |= {text: LOST for axis, way in lost for text in fault_texts(axis, way)}
    return Sayable(texts, sentence_texts(SOUND_WORDING, factor) | (sentence_texts(FINE_WORDING, factor) if still else {}), most, (JOINT,))


def _against(signed: list[tuple[str, int]], factor: str) -> dict[str, frozenset[str]]:
    if factor == "specificColor":
        return {text: frozenset({axis}) for axis, way in signed for text in band_against_texts(axis, way)}
    found = {}
    for first, *second in product(signed, *([signed] * (MOST_PROBLEMS[factor] - 1))):
        # Twice the same stands for one alone.
        said = list(dict.fromkeys((first, *second)))
        words, figure = " and ".join(against_texts(*one)[0] for one in said), against_texts(*first)[1]
        axes = frozenset(axis for axis, _ in said)
        found |= {look.format(words) + (f", {figure}" if figure else ""): axes for look in LOOK_WORDING}
    return found


def wording() -> dict:
    """The content of `wording.json`."""
    return {**plan_wording(), "problems": problem_wording()}


def words_of(value: object) -> frozenset[str]:
    """Every word, sign and NUMBER in the texts of `wording()`, or of a part of it."""
    if isinstance(value, str):
        return frozenset(re.findall(rf"[A-Za-z]+|{NUMBER}|[^\sA-Za-z{{}}~]", value))
    if isinstance(value, dict):
        value = [part for name, part in value.items() if name not in _NAMES]
    return frozenset().union(*map(words_of, value)) if isinstance(value, list | tuple) else frozenset()


def problem_wording() -> dict:
    """The same as data: the part "problems". `{}` is the place of what a photo is against a look."""
    signed = [(axis.name, way) for factor in FACTORS for axis in axes_of(factor) for way in (1, -1)]
    return {
        "most": MOST_PROBLEMS, "joint": JOINT, "look": LOOK_WORDING,
        "faults": [{"axis": axis, "direction": way, "texts": fault_texts(axis, way)} for axis, way in signed],
        "against": [
            {"axis": axis, "direction": way, "texts": band_against_texts(axis, way)}
            if "." in axis
            else {"axis": axis, "direction": way, "words": against_texts(axis, way)[0], "figure": against_texts(axis, way)[1]}
            for axis, way in signed
        ],
        "sentences": {
            kind: {factor: sorted(sentence_texts(words, factor)) for factor in FACTORS}
            for kind, words in (("fine", FINE_WORDING), ("sound", SOUND_WORDING), ("suits", SUITS_WORDING))
        },
    }  # fmt: skip
