"""What a photo lacks, said with the figures that were measured on it.

Auto: a fault is named when the input shows it and the retouch answers it, largest change first.
Style: what stands between the photo and the asked look, which is the measured change read backwards.
"""

from __future__ import annotations

import random

from .axes import LEAVE, Claim, effect
from .faults import against_figure, against_words, band_against, fault_of, fault_texts, filled, is_lost, is_shown
from .measure import BANDS, Change, Stats
from .sentences import FINE_WORDING, LOOK_WORDING, SOUND_WORDING, SUITS_WORDING, about

SEEN = 0.03
MOST_PROBLEMS = {"light": 2, "globalColor": 1, "specificColor": 1}
# Faults of the light that are facts where detail is lost.
LOSSES = (("highlights", -1), ("shadows", 1))


def band_named(planned: list[Claim], stats: Stats | None, factor: str) -> str:
    """The hue band that a sentence about specific colors is about where it names no fault: that of the plan, or the one most
    of the photo has, at least `SEEN` of its pixels; "" where there is none, or no photo."""
    if factor != "specificColor" or stats is None:
        return ""
    if planned and planned != [LEAVE]:
        return planned[0].axis.partition(".")[2]
    share, name = max((band.share_of_all, name) for name, band in zip(BANDS, stats.bands, strict=True))
    return name if share >= SEEN else ""


def faults(stats: Stats, planned: list[Claim], change: Change, factor: str) -> list[tuple[str, int]]:
    """(axis, direction of the cure) of the faults to name in auto mode, those of the largest changes first.

    Lost detail is a fact that counts even when the plan cannot bring it back, unless the plan leaves the light alone or
    makes it worse.
    """
    if planned == [LEAVE]:
        return []
    found = []
    for claim in planned:
        fault = fault_of(claim.axis, claim.direction)
        if fault and is_shown(fault, stats):
            found.append((claim.axis, claim.direction))
    if factor == "light":
        for axis, direction in LOSSES:
            lost = is_lost(fault_of(axis, direction), stats) and effect(change, axis) * direction >= 0
            if lost and (axis, direction) not in found:
                found.append((axis, direction))
    return found[: MOST_PROBLEMS[factor]]


def auto_problem(stats: Stats, planned: list[Claim], change: Change, factor: str, rng: random.Random) -> str:
    """The problem section of one factor in auto mode, without capital and stop."""
    found = faults(stats, planned, change, factor)
    if not found:
        return about(rng.choice(FINE_WORDING if planned == [LEAVE] else SOUND_WORDING), factor, band_named(planned, stats, factor))
    return "; ".join(rng.choice(fault_texts(axis, direction, stats)) for axis, direction in found)


def style_problem(stats: Stats, planned: list[Claim], factor: str, rng: random.Random) -> str:
    """The problem section of one factor in style mode: what the look has to overcome, largest first."""
    if planned == [LEAVE]:
        return about(rng.choice(SUITS_WORDING), factor, band_named(planned, stats, factor))
    planned = planned[: MOST_PROBLEMS[factor]]
    if factor == "specificColor":
        return rng.choice(filled(band_against(planned[0].axis, planned[0].direction), stats))
    words = " and ".join(against_words(claim.axis, claim.direction) for claim in planned)
    figure = against_figure(planned[0].axis)
    return rng.choice(LOOK_WORDING).format(words) + (f", {filled(figure, stats)[0]}" if figure else "")
