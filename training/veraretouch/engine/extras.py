"""Operations of a look that the 38 parameters cannot express: tone curves, colour grading, grayscale and 3D LUTs.

Every operation is vectorised over pixels, takes and returns sRGB-encoded values in [0, 1] with the channels last, and
is the exact identity at its neutral setting.
Sources: monotone cubic interpolation by Fritsch and Carlson (1980); the hue-keeping application of a master curve as
the DNG specification describes it; split toning as an offset of chroma weighted by lightness, in Oklab (Ottosson 2020);
tetrahedral interpolation as in Kasson, Plouffe and Nin (1993).
"""

from __future__ import annotations

import colorsys
import itertools
import math
from dataclasses import dataclass

import torch
from scipy.interpolate import PchipInterpolator

from .color import linear_to_oklab, linear_to_srgb, oklab_to_linear, srgb_to_linear
from .color_controls import gamut_ratio, hue_weights

_CURVE_SAMPLES = 1025
# Oklab chroma that a saturation of 1 adds where a grading weight is 1; and Oklab lightness that a luminance of 1 adds.
GRADING_CHROMA = 0.20
GRADING_LIGHTNESS = 0.20
# Oklab lightness that a grayscale mixer value of 1 adds to a strongly coloured middle tone.
GRAYSCALE_REACH = 0.25
IDENTITY_CURVE = ((0.0, 0.0), (255.0, 255.0))


class ExtrasError(ValueError):
    """A setting or an array has the wrong form; nothing was computed."""


@dataclass(frozen=True)
class Wheel:
    """One colour wheel. hue in degrees (0 red, 120 green, 240 blue), saturation in [0, 1], luminance in [-1, 1]."""

    hue: float = 0.0
    saturation: float = 0.0
    luminance: float = 0.0

    @property
    def neutral(self) -> bool:
        return self.saturation == 0 and self.luminance == 0


@dataclass(frozen=True)
class ColorGrading:
    """Shadow, midtone, highlight and global wheels; balance in [-1, 1] (above 0 favours the highlights' wheel),
    blending in [0, 1] (how far the ranges overlap)."""

    shadows: Wheel = Wheel()
    midtones: Wheel = Wheel()
    highlights: Wheel = Wheel()
    everywhere: Wheel = Wheel()
    balance: float = 0.0
    blending: float = 0.5

    @property
    def neutral(self) -> bool:
        return all(w.neutral for w in (self.shadows, self.midtones, self.highlights, self.everywhere))


NEUTRAL_GRADING = ColorGrading()


def _sample_curve(points: tuple[tuple[float, float], ...], like: torch.Tensor) -> torch.Tensor:
    """Curve points in 0..255 -> _CURVE_SAMPLES values in [0, 1]; constant before the first and after the last point."""
    x, y = [p[0] for p in points], [p[1] for p in points]
    if len(points) < 2 or any(b <= a for a, b in itertools.pairwise(x)) or not all(0 <= v <= 255 for v in x + y):
        raise ExtrasError(f"A tone curve needs at least two points in 0..255 with rising x, not {points}")
    position = torch.linspace(0, 255, _CURVE_SAMPLES, dtype=torch.float64).clamp(x[0], x[-1])
    return torch.from_numpy(PchipInterpolator(x, y)(position.numpy()) / 255.0).to(like)


def _look_up(values: torch.Tensor, table: torch.Tensor) -> torch.Tensor:
    """Linear interpolation in a table that spans [0, 1]."""
    position = values.clamp(0, 1) * (len(table) - 1)
    low = position.floor().clamp(max=len(table) - 2).long()
    return torch.lerp(table[low], table[low + 1], position - low)


def apply_tone_curves(rgb: torch.Tensor, curves: dict[str, tuple[tuple[float, float], ...]]) -> torch.Tensor:
    """Point curves on encoded sRGB [..., 3].

    curves: any of "master", "red", "green", "blue" -> points (input, output) in 0..255. The master curve acts on the
    largest and smallest channel and keeps the hue; the others act on their channel.
    """
    unknown = set(curves) - {"master", "red", "green", "blue"}
    if unknown:
        raise ExtrasError(f"Unknown tone curves {sorted(unknown)}; known are master, red, green and blue")
    out = rgb
    master = curves.get("master", IDENTITY_CURVE)
    if tuple(master) != IDENTITY_CURVE:
        table = _sample_curve(master, rgb)
        high, low = out.amax(-1, keepdim=True), out.amin(-1, keepdim=True)
        new_high, new_low = _look_up(high, table), _look_up(low, table)
        out = (new_low + (out - low) * (new_high - new_low) / (high - low).clamp(min=1e-6)).clamp(0, 1)
    for channel, name in enumerate(("red", "green", "blue")):
        points = curves.get(name, IDENTITY_CURVE)
        if tuple(points) != IDENTITY_CURVE:
            changed = _look_up(out[..., channel], _sample_curve(points, rgb))
            out = torch.cat((out[..., :channel], changed[..., None], out[..., channel + 1 :]), dim=-1)
    return out


def _into_gamut(lab: torch.Tensor) -> torch.Tensor:
    """Oklab -> encoded sRGB in [0, 1]; colours outside are pulled towards the grey of their lightness."""
    lab = torch.cat((lab[..., :1].clamp(0, 1), lab[..., 1:]), dim=-1)
    linear, grey = oklab_to_linear(lab), lab[..., :1] ** 3
    scale = 1 / gamut_ratio(lab, linear).clamp(min=1.0)
    return linear_to_srgb((grey + (linear - grey) * scale).clamp(0, 1)).clamp(0, 1)


def _wheel_offset(wheel: Wheel, like: torch.Tensor) -> torch.Tensor:
    """Oklab offset [3] of one wheel at full weight. The hue names a direction only: yellow is no stronger than blue."""
    full = torch.tensor(colorsys.hsv_to_rgb((wheel.hue % 360) / 360, 1.0, 1.0), dtype=torch.float64)
    direction = linear_to_oklab(srgb_to_linear(full))[1:]
    direction = direction / direction.norm()
    return torch.cat(
        (torch.tensor([GRADING_LIGHTNESS * wheel.luminance]), (GRADING_CHROMA * wheel.saturation * direction).float())
    ).to(like)


def apply_color_grading(rgb: torch.Tensor, grading: ColorGrading) -> torch.Tensor:
    """Colour wheels on encoded sRGB [..., 3]. Black and white stay neutral, as there is no room for chroma."""
    if grading.neutral:
        return rgb
    lab = linear_to_oklab(srgb_to_linear(rgb))
    lightness = lab[..., :1]
    # Crossover in lightness, and the half width over which one range gives way to the next.
    centre = 0.5 - 0.25 * grading.balance
    width = 0.15 + 0.45 * grading.blending
    step = ((lightness - centre) / (2 * width) + 0.5).clamp(0, 1)
    high = step * step * (3 - 2 * step)
    low = 1 - high
    offset = (
        low * _wheel_offset(grading.shadows, rgb)
        + high * _wheel_offset(grading.highlights, rgb)
        + 4 * low * high * _wheel_offset(grading.midtones, rgb)
        + _wheel_offset(grading.everywhere, rgb)
    )
    # The ends of the lightness axis have no room for chroma: fade there instead of clipping the channels.
    room = (4 * lightness * (1 - lightness)).clamp(0, 1).sqrt()
    return _into_gamut(lab + offset * room)


def apply_grayscale(rgb: torch.Tensor, mixer: tuple[float, ...] = (0.0,) * 8) -> torch.Tensor:
    """Monochrome conversion of encoded sRGB [..., 3]; `mixer` in [-1, 1] lightens or darkens what had one of the eight
    hues (order Red, Orange, Yellow, Green, Aqua, Blue, Purple, Magenta)."""
    if len(mixer) != 8 or not all(math.isfinite(v) and abs(v) <= 1 for v in mixer):
        raise ExtrasError(f"The grayscale mixer needs eight values in [-1, 1], not {mixer}")
    lightness, a, b = linear_to_oklab(srgb_to_linear(rgb)).unbind(-1)
    chroma = torch.sqrt(a * a + b * b + 1e-12)
    weights = hue_weights(torch.atan2(b, a + 1e-12)) @ torch.tensor(mixer).to(rgb)
    lift = weights * (1 - torch.exp(-chroma / 0.06))
    lightness = (lightness + 4 * GRAYSCALE_REACH * lift * lightness * (1 - lightness)).clamp(0, 1)
    return linear_to_srgb(lightness**3).clamp(0, 1)[..., None].expand_as(rgb)


def apply_lut(rgb: torch.Tensor, lut: torch.Tensor) -> torch.Tensor:
    """3D LUT by tetrahedral interpolation.

    rgb: [..., 3] in [0, 1] (clamped). lut: [S, S, S, 3] indexed [blue, green, red], values in [0, 1].
    """
    size = lut.shape[0]
    if lut.dim() != 4 or lut.shape != (size, size, size, 3) or size < 2:
        raise ExtrasError(f"A 3D LUT must have shape [S, S, S, 3] with S >= 2, not {tuple(lut.shape)}")
    position = rgb.clamp(0, 1) * (size - 1)
    low = position.floor().clamp(max=size - 2)
    fraction, order = (position - low).sort(dim=-1, descending=True)
    stride = torch.tensor([1, size, size * size], device=rgb.device)
    table = lut.reshape(-1, 3).to(rgb)
    # Walk from the low corner of the cell to the high one, along the axis with the largest fraction first.
    corner = (low.long() * stride).sum(-1)
    values = [table[corner]]
    for axis in range(3):
        corner = corner + stride[order[..., axis]]
        values.append(table[corner])
    f0, f1, f2 = (f[..., None] for f in fraction.unbind(-1))
    return values[0] + f0 * (values[1] - values[0]) + f1 * (values[2] - values[1]) + f2 * (values[3] - values[2])
