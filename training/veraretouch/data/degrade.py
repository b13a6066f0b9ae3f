"""Degradations: operations that make a good photo look like one that needs a retoucher.

Three kinds. `raw`: dark, flat and dull, as a camera file before any work (the first-order statistics of FiveK's inputs).
`broad`: any development, badly chosen. `inverse`: the paper's inverse degradation - an expert-like pair is encoded
backwards and the latents are applied to another photo through the renderer.
"""

import torch

from ..engine.develop import develop
from ..engine.params import FACTOR_SLICES, INDEX, sample_params
from ..train.operations import Operation

KINDS = ("raw", "broad", "inverse")


def raw_params(generator: torch.Generator) -> torch.Tensor:
    """[38]: lower exposure, contrast and saturation, with a slight cast."""
    params = torch.zeros(38)

    def between(name: str, low: float, high: float) -> None:
        params[INDEX[name]] = low + (high - low) * torch.rand((), generator=generator)

    between("Exposure2012", -0.38, 0.02)
    between("Contrast2012", -0.95, 0.0)
    between("Highlights2012", -0.5, 0.2)
    between("Shadows2012", -0.3, 0.4)
    between("Whites2012", -0.6, 0.1)
    between("Blacks2012", -0.1, 0.4)
    between("Saturation", -0.5, 0.0)
    between("Vibrance", -0.3, 0.1)
    between("IncrementalTemperature", -0.3, 0.3)
    between("IncrementalTint", -0.2, 0.2)
    return params


def broad_params(generator: torch.Generator) -> torch.Tensor:
    """[38]: random development; specific colours are touched in one case of three."""
    params = sample_params(1, generator)[0]
    if torch.rand((), generator=generator) > 1 / 3:
        params[FACTOR_SLICES[2]] = 0
    # More often too dark than too bright, as photos are.
    if params[INDEX["Exposure2012"]] > 0 and torch.rand((), generator=generator) < 0.5:
        params[INDEX["Exposure2012"]] *= -1
    return params


def degradation(kind: str, generator: torch.Generator, inverse=None) -> Operation:
    """One degradation of a kind; `inverse(generator)` gives the latent-based one as a function of colours [N, 3]."""
    if kind == "inverse":
        function = inverse(generator)
        return Operation(kind, apply=lambda rgb, mask: function(rgb), maskable=False)
    params = raw_params(generator) if kind == "raw" else broad_params(generator)
    return Operation(kind, params=params)


def run(operation: Operation, rgb: torch.Tensor) -> torch.Tensor:
    """Apply one operation to colours [N, 3]."""
    if operation.params is not None:
        return develop(rgb[None], operation.params[None])[0]
    return operation.apply(rgb, (1.0, 1.0, 1.0))
