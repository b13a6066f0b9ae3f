"""What a look does to photos, measured, and the plain words for it.

All differences are measured in CIE L*a*b* (D65) between the pixels before and after. The words are thresholds on
these numbers, so a word is never said that the pixels do not show.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from ..engine.color import srgb_to_lab
from .files import DataError

PHOTOS_MEASURED = 40
PIXELS_MEASURED = 1024
_HUE_NAMES = (
    (20, "red"), (45, "orange"), (75, "amber"), (100, "yellow"), (125, "olive"), (165, "green"), (215, "teal"),
    (255, "cyan-blue"), (290, "blue"), (325, "purple"), (350, "magenta"), (380, "red"),
)  # fmt: skip


@dataclass(frozen=True)
class Effect:
    """Mean change over the measured pixels; lightness and chroma in L*a*b* units."""

    lightness: float  # change of mean L*
    contrast: float  # log2 of the ratio of the standard deviations of L*
    colour: float  # log2 of the ratio of mean chroma
    warmth: float  # shift of near-neutral pixels towards orange (+) or blue (-)
    tint: float  # shift of near-neutral pixels towards magenta (+) or green (-)
    blacks: float  # change of the 1st percentile of L*
    whites: float  # change of the 99th percentile of L*
    shadow_tint: tuple[float, float]  # (chroma, hue in degrees) of the shift of near-neutral pixels with L* < 35
    highlight_tint: tuple[float, float]  # the same for L* > 65
    monochrome: bool  # no colour left but one tint
    tone: tuple[float, float]  # (mean chroma, hue) of the result; meaningful when monochrome
    size: float  # mean distance moved in L*a*b*


def _polar(a: float, b: float) -> tuple[float, float]:
    return math.hypot(a, b), math.degrees(math.atan2(b, a)) % 360


def measure_effect(before: torch.Tensor, after: torch.Tensor) -> Effect:
    """before, after: sRGB [N, 3] in [0, 1], the same pixels. Raises DataError for other shapes."""
    if before.shape != after.shape or before.dim() != 2 or before.shape[1] != 3 or len(before) < 16:
        raise DataError(
            f"An effect needs two arrays [N, 3] with N >= 16, not {tuple(before.shape)} and {tuple(after.shape)}"
        )
    old, new = srgb_to_lab(before.clamp(0, 1)), srgb_to_lab(after.clamp(0, 1))
    shift = new - old
    old_chroma, new_chroma = old[:, 1:].norm(dim=1), new[:, 1:].norm(dim=1)
    neutral = old_chroma < 15
    if int(neutral.sum()) < 0.02 * len(old):
        neutral = old_chroma <= old_chroma.quantile(0.1)

    def tint_where(zone: torch.Tensor) -> tuple[float, float]:
        chosen = shift[neutral & zone, 1:] if int((neutral & zone).sum()) >= 16 else shift[neutral, 1:] * 0
        a, b = chosen.mean(dim=0).tolist()
        return _polar(a, b)

    a, b = shift[neutral, 1:].mean(dim=0).tolist()
    # One tint: chroma that depends on lightness alone. Compare each pixel's a and b with those of equally light ones.
    bins = (new[:, 0] / 4).long().clamp(0, 25)
    count = torch.bincount(bins, minlength=26).clamp(min=1)
    centre = torch.stack([torch.bincount(bins, weights=new[:, k], minlength=26) / count for k in (1, 2)], dim=1)
    spread = (new[:, 1:] - centre[bins]).norm(dim=1).mean()
    mean_a, mean_b = new[:, 1:].mean(dim=0).tolist()
    q = torch.tensor([0.01, 0.99])
    blacks, whites = (new[:, 0].quantile(q) - old[:, 0].quantile(q)).tolist()
    return Effect(
        lightness=float(shift[:, 0].mean()),
        contrast=float(torch.log2((new[:, 0].std() + 0.5) / (old[:, 0].std() + 0.5))),
        colour=float(torch.log2((new_chroma.mean() + 0.5) / (old_chroma.mean() + 0.5))),
        warmth=0.34 * a + 0.94 * b,
        tint=0.94 * a - 0.34 * b,
        blacks=blacks,
        whites=whites,
        shadow_tint=tint_where(old[:, 0] < 35),
        highlight_tint=tint_where(old[:, 0] > 65),
        # A photo that has no colour to begin with cannot lose it.
        monochrome=bool(spread < 1.5 and old_chroma.mean() > 4),
        tone=_polar(mean_a, mean_b),
        size=float(shift.norm(dim=1).mean()),
    )


def hue_name(degrees: float) -> str:
    """L*a*b* hue angle -> everyday colour name."""
    return next(name for end, name in _HUE_NAMES if degrees % 360 < end)


def _graded(value: float, steps: tuple[float, float, float], word: str) -> str | None:
    """None, "a little X", "X" or "much X" by the three thresholds."""
    small, plain, large = steps
    if value < small:
        return None
    return f"a little {word}" if value < plain else f"much {word}" if value >= large else word


def effect_words(effect: Effect) -> list[str]:
    """Words for an effect, the strongest first, at most five: "warmer", "a little faded", "black and white" and so on."""
    e = effect
    found: list[tuple[float, str]] = []

    def say(value: float, steps: tuple[float, float, float], word: str) -> None:
        text = _graded(value, steps, word)
        if text is not None:
            found.append((value / steps[1], text))

    if e.monochrome:
        chroma, hue = e.tone
        name = {"orange": "warm brown", "amber": "sepia", "yellow": "sepia"}.get(hue_name(hue), hue_name(hue))
        found.append((20.0, "black and white" if chroma < 3 else f"{name}-toned monochrome"))
    else:
        say(e.colour, (0.12, 0.25, 0.7), "more colourful")
        say(-e.colour, (0.12, 0.3, 0.8), "more muted")
        say(e.warmth, (1.5, 3.5, 9), "warmer")
        say(-e.warmth, (1.5, 3.5, 9), "cooler")
        say(e.tint, (2.5, 4.5, 9), "more magenta")
        say(-e.tint, (2.5, 4.5, 9), "greener")
        shadows, highlights = hue_name(e.shadow_tint[1]), hue_name(e.highlight_tint[1])
        if shadows != highlights or e.shadow_tint[0] < 4:
            if e.shadow_tint[0] >= 4:
                found.append((e.shadow_tint[0] / 5, f"{shadows} in the shadows"))
            if e.highlight_tint[0] >= 4:
                found.append((e.highlight_tint[0] / 5, f"{highlights} in the highlights"))
    say(e.lightness, (1.5, 4, 10), "brighter")
    say(-e.lightness, (1.5, 4, 10), "darker")
    faded = e.blacks >= 4 and e.contrast < 0.05
    if faded:
        say(e.blacks, (4, 7, 99), "faded")
    else:
        say(-e.contrast, (0.08, 0.2, 9), "softer in contrast")
    say(e.contrast, (0.08, 0.2, 0.5), "more contrasty")
    if e.whites <= -6:
        found.append((-e.whites / 8, "matte in the highlights"))
    return [text for _, text in sorted(found, key=lambda pair: -pair[0])][:5]


def sample_pixels(photos: torch.Tensor) -> torch.Tensor:
    """uint8 [B,H,W,3] -> sRGB [PHOTOS_MEASURED * PIXELS_MEASURED, 3] in [0, 1], evenly spread photos and pixels."""
    if len(photos) < 1:
        raise DataError("There are no photos to measure looks on. Build the photo cache first.")
    chosen = torch.linspace(0, len(photos) - 1, min(PHOTOS_MEASURED, len(photos))).round().long()
    flat = photos[chosen].reshape(len(chosen), -1, 3)
    # A stride that is prime to the row length, so that the samples do not line up in columns.
    count = min(PIXELS_MEASURED, flat.shape[1])
    positions = (torch.arange(count) * 7919) % flat.shape[1]
    return flat[:, positions].reshape(-1, 3).float() / 255.0
