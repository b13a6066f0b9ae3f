"""Histogram intersections of lightness, contrast and saturation, and their mean: Hist-L, Hist-C, Hist-S, Hist-M.

The VeraRetouch paper reports figures of these names, "luminance, contrast, saturation" and their mean, but gives neither
bins nor what contrast is; the protocol it quotes (MonetGPT) has no published code. The definitions here are ours, so the
figures compare between our own runs and with nothing in the paper:

L: CIE L* of each pixel, 0 to 100. C: the standard deviation of L* in the 9 x 9 window around each pixel (only where the
whole window fits), 0 to 50. S: saturation as in HSV, (max - min) / max of the encoded channels, 0 for black, 0 to 1.
Each in 64 bins of equal width, what lies above in the last; the figure is the sum over bins of the smaller share, 1 when
equal. M is the mean of the three. Where a picture has several targets the histogram of all of them together is compared.
"""

from __future__ import annotations

import torch
from torch.nn import functional

from ..engine.color import srgb_to_lab
from .metrics import MetricError

BINS = 64
WINDOW = 9
MOST = {"L": 100.0, "C": 50.0, "S": 1.0}


def lightness(rgb: torch.Tensor) -> torch.Tensor:
    """[B, 3, H, W] sRGB in [0, 1] -> CIE L* [B, H, W]."""
    return srgb_to_lab(rgb.permute(0, 2, 3, 1))[..., 0]


def local_contrast(light: torch.Tensor) -> torch.Tensor:
    """L* [B, H, W] -> standard deviation (divided by N) in each whole 9 x 9 window [B, H - 8, W - 8]."""
    if min(light.shape[1:]) < WINDOW:
        raise MetricError(f"Local contrast needs pictures of at least {WINDOW} pixels a side, not {tuple(light.shape[1:])}.")
    # About the picture's mean: in float32 the difference of two large squares would lose what is looked for.
    centred = (light - light.mean((1, 2), keepdim=True))[:, None].double()
    mean = functional.avg_pool2d(centred, WINDOW, 1)
    square = functional.avg_pool2d(centred.square(), WINDOW, 1)
    return (square - mean.square()).clamp(min=0).sqrt()[:, 0].to(light)


def saturation(rgb: torch.Tensor) -> torch.Tensor:
    """[B, 3, H, W] in [0, 1] -> HSV saturation [B, H, W]."""
    most, least = rgb.amax(1), rgb.amin(1)
    return torch.where(most > 0, (most - least) / most.clamp(min=1e-12), torch.zeros_like(most))


def histogram(values: torch.Tensor, most: float) -> torch.Tensor:
    """[B, ...] -> shares [B, BINS] of equal bins on [0, most]."""
    index = (values.flatten(1) / most * BINS).long().clamp(0, BINS - 1)
    counts = torch.zeros(len(values), BINS, device=values.device).scatter_add_(1, index, torch.ones_like(index).float())
    return counts / index.shape[1]


def histograms(rgb: torch.Tensor) -> dict[str, torch.Tensor]:
    """[B, 3, H, W] sRGB in [0, 1] -> shares [B, BINS] by "L", "C", "S"."""
    light = lightness(rgb)
    values = {"L": light, "C": local_contrast(light), "S": saturation(rgb)}
    return {name: histogram(v, MOST[name]) for name, v in values.items()}


def intersections(out: torch.Tensor, target: torch.Tensor) -> dict[str, torch.Tensor]:
    """[B, 3, H, W] twice (sizes may differ) -> {"L", "C", "S", "M"}, each [B] in [0, 1]."""
    if len(out) != len(target):
        raise MetricError(f"Histograms need as many results as targets, not {len(out)} and {len(target)}.")
    a, b = histograms(out), histograms(target)
    found = {name: torch.minimum(a[name], b[name]).sum(1) for name in a}
    return {**found, "M": sum(found.values()) / len(found)}
