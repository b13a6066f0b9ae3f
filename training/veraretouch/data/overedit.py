"""Over-editing: what a careless retoucher does to a good photo, as colour functions of a strength.

A judge that has only seen dull photos beside good ones learns that more is better. These kinds teach it where enough is
enough; the ones under `UNSEEN` are kept for testing it, and the `AXES` are its ruler: plain arithmetic, apart from the engine.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch

from ..engine.color import linear_to_oklab, linear_to_srgb, oklab_to_linear, srgb_to_linear
from ..engine.develop import develop
from ..engine.extras import ColorGrading, Wheel, apply_color_grading
from ..engine.params import FACTOR_SLICES, INDEX

Colours = Callable[[torch.Tensor], torch.Tensor]


class OverEditError(ValueError):
    """An unknown kind or a strength outside (0, 1]; nothing was computed."""


def scale_chroma(rgb: torch.Tensor, factor: float) -> torch.Tensor:
    """Oklab chroma times `factor`, cut off at the gamut: sRGB [..., 3] in [0, 1] -> [..., 3]."""
    lab = linear_to_oklab(srgb_to_linear(rgb))
    lab = torch.cat((lab[..., :1], factor * lab[..., 1:]), dim=-1)
    return linear_to_srgb(oklab_to_linear(lab)).clamp(0, 1)


def scale_light(rgb: torch.Tensor, stops: float) -> torch.Tensor:
    """Linear light times 2 ** stops, cut off at white: sRGB [..., 3] in [0, 1] -> [..., 3]."""
    return linear_to_srgb((srgb_to_linear(rgb) * 2.0**stops).clamp(max=1)).clamp(0, 1)


def rotate_hue(rgb: torch.Tensor, degrees: float) -> torch.Tensor:
    """Every Oklab hue turned by the same angle, cut off at the gamut."""
    lab, angle = linear_to_oklab(srgb_to_linear(rgb)), math.radians(degrees)
    lightness, a, b = lab.unbind(-1)
    turned = (a * math.cos(angle) - b * math.sin(angle), a * math.sin(angle) + b * math.cos(angle))
    return linear_to_srgb(oklab_to_linear(torch.stack((lightness, *turned), dim=-1))).clamp(0, 1)


def _sliders(**values: float) -> Colours:
    params = torch.zeros(1, len(INDEX))
    for name, value in values.items():
        params[0, INDEX[name]] = max(-1.0, min(1.0, value))
    return lambda rgb: develop(rgb[None], params)[0]


def _levels(black: float, white: float, low: float = 0.0, high: float = 1.0) -> Colours:
    """[black, white] stretched to [low, high], cut off at both ends of [0, 1]."""
    return lambda rgb: (low + (rgb - black) * (high - low) / (white - black)).clamp(0, 1)


def _cast(t: float, u: torch.Tensor) -> Colours:
    angle = 2 * math.pi * float(u[0])
    size = 0.25 + 0.75 * t
    return _sliders(IncrementalTemperature=size * math.cos(angle), IncrementalTint=size * math.sin(angle))


def _garish(t: float, u: torch.Tensor) -> Colours:
    """Every colour's saturation and luminance pulled its own way."""
    params = torch.zeros(1, len(INDEX))
    specific = FACTOR_SLICES[2]
    params[0, specific] = (0.4 + 0.6 * t) * (2 * u[: specific.stop - specific.start] - 1).sign()
    # Hues turn by a quarter of what they could: turned wholly they are a kind of their own.
    params[0, specific.start : specific.start + 8] *= 0.25
    return lambda rgb: develop(rgb[None], params)[0]


def _split_toned(t: float, u: torch.Tensor) -> Colours:
    hue = 360 * float(u[0])
    wheels = Wheel(hue, 0.5 + 0.5 * t), Wheel(hue + 180, 0.5 + 0.5 * t)
    return lambda rgb: apply_color_grading(rgb, ColorGrading(shadows=wheels[0], highlights=wheels[1]))


def _cross_processed(t: float, u: torch.Tensor) -> Colours:
    """Each channel bent by a power of its own."""
    powers = torch.exp2((0.4 + 0.6 * t) * torch.tensor([1.0, 0.0, -1.0])[torch.argsort(u[:3])])
    return lambda rgb: rgb.clamp(min=1e-6) ** powers


def _posterised(t: float, u: torch.Tensor) -> Colours:
    steps = 7 - round(4 * t)
    return lambda rgb: (rgb * steps).round() / steps


# t in (0, 1] is how far it goes, u [32] uniform numbers for what is drawn.
SEEN: dict[str, Callable[[float, torch.Tensor], Colours]] = {
    "oversaturated": lambda t, u: _sliders(Saturation=0.3 + 0.7 * t, Vibrance=0.6 * t * float(u[0])),
    "dulled": lambda t, u: _sliders(Saturation=-0.3 - 0.7 * t),
    "brightened": lambda t, u: _sliders(Exposure2012=0.08 + 0.32 * t),
    "darkened": lambda t, u: _sliders(Exposure2012=-0.08 - 0.32 * t),
    "overcontrasted": lambda t, u: _sliders(Contrast2012=0.4 + 0.6 * t, Whites2012=0.6 * t, Blacks2012=-0.6 * t),
    "cast": _cast,
    "crushed": lambda t, u: _levels(0.06 + 0.24 * t, 1.0),
    "blown": lambda t, u: _levels(0.0, 0.88 - 0.38 * t),
    "faded": lambda t, u: _levels(0.0, 1.0, 0.08 + 0.22 * t, 1 - 0.25 * t * float(u[0])),
    "garish": _garish,
}
UNSEEN: dict[str, Callable[[float, torch.Tensor], Colours]] = {
    "hueRotated": lambda t, u: lambda rgb: rotate_hue(rgb, (25 + 65 * t) * (1 if u[0] < 0.5 else -1)),
    "splitToned": _split_toned,
    "crossProcessed": _cross_processed,
    "posterised": _posterised,
}
# Name -> (function of colours and value, values from least to most; 0 leaves the photo alone).
AXES: dict[str, tuple[Callable[[torch.Tensor, float], torch.Tensor], tuple[float, ...]]] = {
    "saturation": (lambda rgb, v: scale_chroma(rgb, 1 + v), (-1, -0.75, -0.5, -0.25, 0, 0.25, 0.5, 0.75, 1, 1.25, 1.5)),
    "exposure": (scale_light, (-2, -1.5, -1, -0.75, -0.5, -0.25, 0, 0.25, 0.5, 0.75, 1, 1.5, 2)),
}


def over_edit(kind: str, strength: float, generator: torch.Generator) -> Colours:
    """A kind of SEEN or UNSEEN at a strength in (0, 1] -> function of sRGB colours [N, 3] in [0, 1]; exact, not baked.

    Raises OverEditError.
    """
    make = SEEN.get(kind) or UNSEEN.get(kind)
    if make is None or not 0 < strength <= 1:
        known = ", ".join((*SEEN, *UNSEEN))
        raise OverEditError(f"There is no over-edit {kind!r} at {strength}. Nothing was computed; kinds are {known}, up to 1.")
    return make(strength, torch.rand(32, generator=generator))
