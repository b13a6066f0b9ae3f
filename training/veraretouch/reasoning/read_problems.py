"""Reading problems back: text -> the faults that it names, and whether the photo shows them with the figures that are told.

Model text is not trusted to follow the composer: a clause that is none of its wordings names no fault.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from .axes import axes_of
from .faults import ROUNDED, Said, against_figure, against_words, band_against, fault_of, is_lost, is_shown, reading
from .measure import Stats

# By how much a figure may differ from the photo's own: one step of its rounding.
_STEP = {"five": 5, "percent": 5, "size": 1}


class Told(NamedTuple):
    """A fault that was named, in mode auto by axis and direction of its cure, and its figures: (reading, rounding, number)."""

    fault: tuple[str, int] | None
    figures: tuple[tuple[str, str, int], ...]


def _patterns(said: Said, before: str = "") -> list[re.Pattern]:
    words = "|".join(re.escape(word) for word in said.degrees.words) if said.degrees else ""
    places = {"word": f"(?:{words})", "n": r"(\d+)", "m": r"(\d+)"}
    return [re.compile(before + re.sub(r"\\{(\w+)\\}", lambda m: places[m[1]], re.escape(text)), re.IGNORECASE) for text in said.texts]


@cache
def _wordings(factor: str, mode: str) -> list[tuple[re.Pattern, Said, tuple[str, int] | None, str]]:
    """(pattern, what it belongs to, fault, words that must stand before the figure)."""
    found = []
    for axis, way in ((axis.name, way) for axis in axes_of(factor) for way in (1, -1)):
        fault = fault_of(axis, way)
        if mode == "auto":
            found += [(p, said, (axis, way), "") for said in (fault.said if fault else ()) for p in _patterns(said)]
        elif "." in axis:
            said = band_against(axis, way)
            found += [(p, said, None, "") for p in _patterns(said)]
        elif figure := against_figure(axis):
            # A figure is that of the first thing that the photo is against the look.
            found += [(p, figure, None, against_words(axis, way)) for p in _patterns(figure, ".*, ")]
    return found


def read_problems(text: str, factor: str, mode: str) -> list[Told]:
    """The faults of one section of problems, in their order; mode auto or style. Raises ReasoningError for an unknown factor."""
    found = []
    for clause in text.strip(" .").split("; "):
        lowered = clause.lower()
        fits = [(m, said, fault, words) for p, said, fault, words in _wordings(factor, mode) if (m := p.fullmatch(clause)) and words in lowered]
        if fits:
            match, said, fault, _ = min(fits, key=lambda fit: lowered.find(fit[3]))
            found.append(Told(fault, tuple((*figure, int(n)) for figure, n in zip(said.figures, match.groups(), strict=True))))
    return found


def is_true(told: Told, photo: Stats) -> bool:
    """Whether a photo shows a fault that was named (mode auto), or has lost the detail."""
    fault = fault_of(*told.fault)
    return is_shown(fault, photo) or is_lost(fault, photo)


def right_figures(told: Told, photo: Stats) -> int:
    """How many of the figures are the photo's own, give or take one step of their rounding."""
    return sum(abs(ROUNDED[how](reading(photo, name)) - number) <= _STEP[how] for name, how, number in told.figures)
