"""When another form of weights is as good as float32, and which forms a bundle takes for which device.

The rule: the rendering is on average at most MOST_DROP dB farther from the target, in every mode, and at least LEAST_SAME of
the plans (one of each factor) announce the same directions. Among what keeps it, and fits, the fastest is taken.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from veraretouch.export.errors import ExportError
from veraretouch.reasoning.axes import FACTORS
from veraretouch.reasoning.parse import parse_plan

MOST_DROP, LEAST_SAME = 0.1, 0.99
MOST_FILE_BYTES, MOST_BYTES = 50_000_000, 100_000_000
DEVICES = ("node", "wasm", "webgpu")
# Costs are compared by their logarithm in steps of this: what is less than that apart is noise.
STEP = 0.05


@dataclass(frozen=True)
class Loss:
    """What a form costs in quality, against float32 on the same prompts. drop: dB by mode, positive is worse; same: share of
    plans of equal directions."""

    drop: Mapping[str, float]
    same: float

    @property
    def kept(self) -> bool:
        """Does it keep the rule? A figure that is no number does not."""
        return all(drop <= MOST_DROP for drop in self.drop.values()) and self.same >= LEAST_SAME


@dataclass(frozen=True)
class Choice:
    """Form of the decoder by device, form of the embedding, bytes of the whole bundle. score: mean logarithm of the cost
    beside that of the present form; less is faster."""

    decoders: Mapping[str, str]
    embed: str
    bytes: int
    score: float

    @property
    def default(self) -> str:
        """The decoder for who has no file of its own: what most devices take, and what runs anywhere before what does not.

        Never that of wasm alone: whole numbers overflow on some processors outside a page.
        """
        return max((self.decoders["webgpu"], self.decoders["node"]), key=list(self.decoders.values()).count)


def directions(fields: Mapping[str, str], factor: str) -> frozenset[tuple[str, int]]:
    """Axes and signs that the plan of a factor announces. `fields`: "plan.light" and so on."""
    return frozenset((claim.axis, claim.direction) for claim in parse_plan(fields.get(f"plan.{factor}", ""), factor))


def same_directions(fields: Mapping[str, str], others: Mapping[str, str]) -> list[bool]:
    """One entry a factor."""
    return [directions(fields, factor) == directions(others, factor) for factor in FACTORS]


def choices(
    present: str,
    decoders: Mapping[str, int],
    costs: Mapping[str, Mapping[str, float]],
    embeds: Mapping[str, int],
    rest: int,
) -> Iterator[Choice]:
    """What fits, the fastest first; of equally fast ones with the embedding as it is, then the smallest.

    decoders, embeds: bytes by form, those of `embeds` beginning with the present one. costs: device -> form -> cost, only of
    forms that keep the rule; each device must have the form `present`. rest: bytes of all other files. Raises ExportError
    when nothing fits.
    """
    found = []
    usable = [[form for form in costs[device] if decoders[form] <= MOST_FILE_BYTES] for device in DEVICES]
    for forms in itertools.product(*usable):
        taken = dict(zip(DEVICES, forms, strict=True))
        score = sum(math.log(costs[d][f] / costs[d][present]) for d, f in taken.items()) / len(DEVICES)
        for number, (embed, size) in enumerate(embeds.items()):
            total = rest + size + sum(decoders[form] for form in {*forms})
            if total <= MOST_BYTES and size <= MOST_FILE_BYTES:
                found.append((round(score / STEP), number > 0, total, Choice(taken, embed, total, score)))
    if not found:
        raise ExportError(
            f"No form that keeps the rule fits into {MOST_BYTES / 1e6:.0f} MB with files of at most {MOST_FILE_BYTES / 1e6:.0f} MB. "
            "Nothing was written; use fewer layers."
        )
    return (entry[-1] for entry in sorted(found, key=lambda entry: entry[:3]))
