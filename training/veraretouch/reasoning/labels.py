"""A plan as class numbers: which claim stands first, second and third, per factor."""

from __future__ import annotations

from functools import cache

import torch

from .axes import AXES, FACTORS, GIVEN, LEAVE, MAGNITUDES, MOST_CLAIMS, Claim
from .parse import parse_plan

# No claim in this place: plans are one to three claims long.
NOTHING = 0
SLOTS = {factor: MOST_CLAIMS[factor] for factor in FACTORS}


@cache
def classes(factor: str) -> dict[Claim | None, int]:
    """Claim -> class number; None stands for an empty place."""
    found: list[Claim | None] = [None, LEAVE, GIVEN]
    for axis in AXES.values():
        if axis.factor == factor:
            sizes = (None,) if axis.name == "monochrome" else MAGNITUDES
            directions = (1,) if axis.name == "monochrome" else (1, -1)
            found += [Claim(axis.name, direction, size) for direction in directions for size in sizes]
    return {claim: number for number, claim in enumerate(found)}


def plan_labels(fields: dict[str, str]) -> list[torch.Tensor]:
    """Answer fields -> per factor the class numbers [SLOTS[factor]] of its plan's claims."""
    labels = []
    for factor in FACTORS:
        known = classes(factor)
        claims = parse_plan(fields[f"plan.{factor}"], factor)[: SLOTS[factor]]
        numbers = [known.get(claim, NOTHING) for claim in claims]
        labels.append(torch.tensor(numbers + [NOTHING] * (SLOTS[factor] - len(numbers))))
    return labels
