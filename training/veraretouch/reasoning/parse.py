"""Reading a plan back: text -> claims -> whether the pixels did what was announced.

Model text is not trusted to follow the composer: clauses may come in any order, unknown words are skipped, a clause
without a known object or direction gives no claim.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import torch

from .axes import AXES, FACTORS, GIVEN, LEAVE, Claim, agrees, refutes
from .errors import ReasoningError
from .measure import BANDS, Change, Pixels, change
from .wording import DIRECTIONS, NOUNS, PLURAL, SIZES, neighbour

_SPLIT = re.compile(r"[.,;:!?]|\b(?:and|then|while|but)\b")
_LEAVE = re.compile(
    r"\b(?:(?:leave|keep|let)\b.*\b(?:as is|as it is|as they are|unchanged|alone|be|untouched)"
    r"|do not touch|no change|nothing to change|stays? as)\b"
)
_GIVEN = re.compile(r"\b(?:no setting|given settings)\b")
_SIZE_WORDS = [(word, size) for size, places in SIZES.items() for words in places for word in words]
_TONE = {"exposure", "highlights", "shadows", "whites", "blacks", "lights", "darks"}
_BAND_OF = {plural: band for band, plural in PLURAL.items()}


class Agreement(NamedTuple):
    claims: int  # that count
    agreed: int
    failed: tuple[Claim, ...]  # counted and not agreed
    unseen: int  # settings that this photo neither shows nor refutes; only with settings=True, not in claims


def parse_plan(text: str, factor: str) -> list[Claim]:
    """Claims of one plan section in the order of the text; [] when nothing in it is understood.

    Raises ReasoningError for an unknown factor.
    """
    if factor not in FACTORS:
        raise ReasoningError(f"unknown factor {factor!r}; one of {', '.join(FACTORS)}")
    lowered = text.lower().replace("black and white", "black+white")
    found: list[Claim] = []
    for clause in _SPLIT.split(lowered):
        claim = _clause(clause.strip().replace("black+white", "black and white"), factor)
        if claim and all(c.axis != claim.axis for c in found):
            found.append(claim)
    if found:
        return found
    if _LEAVE.search(lowered):
        return [LEAVE]
    return [GIVEN] if _GIVEN.search(lowered) else []


def agreement(
    texts: dict[str, str], before: torch.Tensor, after: torch.Tensor, settings: bool = False
) -> dict[str, Agreement]:
    """Per factor, how many announced changes the pixels show. Pixels [N, 3] sRGB in [0, 1], same pixels, same order.

    texts: factor -> plan text. A claim agrees when the measured change along its axis has the announced sign by more
    than axes.NOISE dead zones, 'leave as is' when no axis of the factor moved more than axes.STILL dead zones.
    Clauses that announce nothing (settings as given, text not understood) are not counted.
    settings: the text repeats sliders (param mode), written without sight of the photo; a slider whose change does not
    show on it either way (no blue in the picture, two sliders in balance) is then counted as unseen, not as failed.
    """
    measured = change(Pixels(before), Pixels(after))
    return {factor: agreement_with(measured, text, factor, settings) for factor, text in texts.items()}


def agreement_with(measured: Change, text: str, factor: str, settings: bool = False) -> Agreement:
    """`agreement` for one factor and a change that was measured before."""
    announced = [c for c in parse_plan(text, factor) if c != GIVEN]
    failed = tuple(c for c in announced if not agrees(c, measured, factor))
    unseen = 0
    if settings:
        seen = tuple(c for c in failed if c == LEAVE or refutes(c, measured))
        unseen, failed = len(failed) - len(seen), seen
    counted = len(announced) - unseen
    return Agreement(counted, counted - len(failed), failed, unseen)


def _clause(text: str, factor: str) -> Claim | None:
    if not text or _LEAVE.search(text) or _GIVEN.search(text):
        return None
    words = re.findall(r"[a-z]+", text)
    if factor == "specificColor":
        axis, direction = _band_claim(words)
    elif factor == "globalColor":
        axis, direction = _colour_claim(text, words)
    else:
        axis = next((name for phrase, name in NOUNS["light"] if re.search(rf"\b{phrase}\b", text)), "")
        direction = _first(words, DIRECTIONS["tone" if axis in _TONE else "contrast"]) if axis else 0
    if not axis or not direction or axis not in AXES:
        return None
    return Claim(axis, direction, None if axis == "monochrome" else _size(text))


def _colour_claim(text: str, words: list[str]) -> tuple[str, int]:
    axis = next((name for phrase, name in NOUNS["globalColor"] if re.search(rf"\b{phrase}\b", text)), "")
    if axis == "monochrome":
        return axis, 1
    if axis:
        return axis, _first(words, DIRECTIONS["saturation"])
    for kind in ("temperature", "tint", "saturation"):
        direction = _first(words, DIRECTIONS[kind])
        if direction:
            return kind, direction
    return "", 0


def _band_claim(words: list[str]) -> tuple[str, int]:
    band = next((_BAND_OF[w] for w in words if w in _BAND_OF), "")
    if not band:
        return "", 0
    target = next((w for w in words if w in BANDS), "")
    if target:
        for direction in (1, -1):
            if neighbour(band, direction) == target:
                return f"hue.{band}", direction
        return "", 0
    for kind in ("luminance", "saturation"):
        direction = _first(words, DIRECTIONS[kind])
        if direction:
            return f"{kind}.{band}", direction
    return "", 0


def _first(words: list[str], table: dict[str, int]) -> int:
    return next((table[w] for w in words if w in table), 0)


def _size(text: str) -> str | None:
    found = [(m.start(), size) for word, size in _SIZE_WORDS if (m := re.search(rf"\b{word}\b", text))]
    return min(found)[1] if found else None
