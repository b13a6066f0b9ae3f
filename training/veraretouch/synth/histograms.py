"""How alike two pictures are in light and colour: cumulative histograms of L*, a*, b* and chroma.

The earth mover's distance between two histograms of one dimension is the L1 distance of their cumulative forms (Rubner,
Tomasi and Guibas, IJCV 2000), so descriptors are compared by a plain sum, in units of L*a*b*.
"""

from __future__ import annotations

import torch

from ..engine.color import srgb_to_lab

_BINS = 16
# Quantity, lower and upper end. Beyond the ends counts as at the ends.
_RANGES = (("L*", 0.0, 100.0), ("a*", -48.0, 48.0), ("b*", -48.0, 48.0), ("chroma", 0.0, 72.0))
SIZE = len(_RANGES) * _BINS


def descriptor(rgb: torch.Tensor) -> torch.Tensor:
    """sRGB colours [N, 3] in [0, 1] -> [SIZE]: four cumulative histograms, each times the width of its bins."""
    lab = srgb_to_lab(rgb)
    values = (lab[:, 0], lab[:, 1], lab[:, 2], lab[:, 1:].norm(dim=1))
    parts = []
    for value, (_, low, high) in zip(values, _RANGES, strict=True):
        width = (high - low) / _BINS
        bins = ((value - low) / width).long().clamp(0, _BINS - 1)
        parts.append(torch.bincount(bins, minlength=_BINS).cumsum(0) / len(value) * width)
    return torch.cat(parts)


def distances(one: torch.Tensor, many: torch.Tensor) -> torch.Tensor:
    """[SIZE] and [P, SIZE] -> [P]: sum of the four earth mover's distances, in units of L*a*b*."""
    return (many - one).abs().sum(1)
