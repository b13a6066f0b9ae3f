"""Counts of a set of examples: what the datasheet says of it in numbers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from ..engine.color import srgb_to_lab
from ..eval.metrics import delta_e
from .store import Index, read_shard

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
# Examples whose metas are kept to choose from what is shown.
FIRST = 400
_FACTORS = ("light", "globalColor", "specificColor")


@dataclass
class Tally:
    """Of one task. Counters by value; lists hold one figure per example."""

    count: int = 0
    photos: Counter = field(default_factory=Counter)
    classes: Counter = field(default_factory=Counter)
    degradations: Counter = field(default_factory=Counter)
    targets: Counter = field(default_factory=Counter)
    groups: Counter = field(default_factory=Counter)
    looks: Counter = field(default_factory=Counter)
    instructions: Counter = field(default_factory=Counter)
    plans: dict[str, Counter] = field(default_factory=lambda: {factor: Counter() for factor in _FACTORS})
    rejected: list[int] = field(default_factory=lambda: [0, 0])
    difference: list[float] = field(default_factory=list)  # mean dE2000 of the pair
    lightness: list[float] = field(default_factory=list)  # mean L* of the photo as it is
    words: list[int] = field(default_factory=list)  # of the whole answer
    by_degradation: dict[str, list[float]] = field(default_factory=dict)
    first: list[dict] = field(default_factory=list)  # metas of examples 0, 1, ...

    def add(self, meta: dict, before: np.ndarray, after: np.ndarray) -> None:
        """before, after: uint8 [N, 3], the same pixels."""
        old, new = (torch.from_numpy(side.copy()).float()[None] / 255 for side in (before, after))
        self.count += 1
        if self.count <= FIRST:
            self.first.append(meta)
        self.photos[meta["photo"]] += 1
        self.classes[meta["class"]] += 1
        self.difference.append(delta_e(old, new).item())
        self.lightness.append(srgb_to_lab(old)[..., 0].mean().item())
        self.words.append(sum(len(text.split()) for text in meta["fields"].values()))
        for factor in _FACTORS:
            self.plans[factor][meta["fields"][f"plan.{factor}"]] += 1
        if "degradation" in meta:
            self.degradations[meta["degradation"]] += 1
            self.targets[meta["target"]] += 1
            self.rejected = [a + b for a, b in zip(self.rejected, meta["rejected"], strict=True)]
            self.by_degradation.setdefault(meta["degradation"], []).append(self.difference[-1])
        if "look" in meta:
            self.groups[meta["group"]] += 1
            self.looks[meta["look"]] += 1
            self.instructions[meta["instruction"]] += 1


def tally(folder: Path) -> tuple[Index, dict[str, Tally]]:
    """Reads all whole shards of a set. Raises SynthError."""
    index = Index.read(folder)
    found: dict[str, Tally] = {}
    for name in sorted(index.entries):
        entry = index.entries[name]
        for sample in read_shard(folder / name):
            found.setdefault(entry.task, Tally()).add(sample.meta, sample.arrays["before"], sample.arrays["after"])
    return index, found


def quantiles(values: list[float]) -> list[float]:
    return [round(float(v), 1) for v in np.quantile(values, QUANTILES)]
