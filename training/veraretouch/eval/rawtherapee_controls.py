"""Which setting of RawTherapee 5.9 corresponds to which setting of the develop engine, and what each must change.

Correspondences, with their reasons:
- Exposure Compensation is in stops: 1 EV is Exposure2012 20 (100 is 5 EV).
- Contrast, Saturation, Vibrance and the zones of the parametric curve are sliders to 100 in both: same number.
- Shadows & Highlights only fills shadows and pulls highlights down: Shadows2012 up, Highlights2012 down.
- Black is an offset subtracted from linear values, 65,535 being white: 800 (1.2 % of white) moves a black that is
  encoded as about 0.11, which is what Blacks2012 at 50 reaches. Its sign is the other way round.
- Temperature: Lightroom's incremental slider has no unit; ours moves 0.75 mired per step, so 50 is 37.5 mired from 6504 K.
- Green multiplies green against red and blue: Tint 50 moves a grey by 0.015 in CIE 1960 uv, which is a factor 0.78.
- Chromaticity scales the chroma of L*a*b*: a second, perceptual counterpart of Saturation.
- The HSV equaliser is given one control point per hue band, at the HSV hue of the band's centre. Its hue curve turns by
  twice the height in full circles; the height is set so that both engines move a band's centre equally far, as a share
  of the way to the neighbouring band (Hue sliders of raw developers count that way; HSV hue and ours do not).
"""

from __future__ import annotations

import colorsys
from dataclasses import dataclass

import torch

from ..engine.color import oklab_to_linear
from ..engine.color_controls import HUE_CENTRES
from ..engine.params import HUES

# The develop engine need not copy RawTherapee: a change up to this many times larger or smaller counts as comparable.
FACTOR = 3.0
# Bands that do not touch each other are moved in one run.
BAND_GROUPS = (("Red", "Yellow", "Aqua", "Purple"), ("Orange", "Green", "Blue", "Magenta"))
# Heights of the control points above neutral (0.5) for the sliders below.
_HSV_STEP = {"Saturation": 0.2, "Luminance": 0.2}
# Share of the way to the next band that the engine's hue slider goes at its end (see color_controls._mixer).
HUE_REACH = 0.3
_BAND_SLIDER = {"Hue": 80, "Saturation": 50, "Luminance": 50}
_BAND_STATISTIC = {"Hue": "hue", "Saturation": "chroma", "Luminance": "lightness"}


@dataclass(frozen=True)
class Check:
    """One RawTherapee run.

    group: contact sheet it belongs to. ours: parameter -> slider value in [-100, 100].
    theirs: section -> "Key=value" lines of a .pp3. statistics: what must change, names of `rawtherapee_check.measure`.
    """

    name: str
    group: str
    ours: dict[str, float]
    theirs: dict[str, tuple[str, ...]]
    statistics: tuple[str, ...]


def profile(check: Check | None) -> str:
    """Text of a .pp3. Everything not named keeps RawTherapee's neutral value.

    The working space is sRGB so that a hue of the HSV equaliser is a hue of the screen; metadata is not copied.
    """
    sections = {"Version": ("AppVersion=5.9", "Version=349"), "Color Management": ("WorkingProfile=sRGB",)}
    for section, lines in (check.theirs if check else {}).items():
        sections[section] = (*sections.get(section, ()), *lines)
    return "\n".join(f"[{name}]\n" + "\n".join(lines) + "\n" for name, lines in sections.items())


def _hsv_hue(band: int) -> float:
    """HSV hue in [0, 1), of linear values, of a colour at the centre of one of the eight bands."""
    angle = torch.deg2rad(HUE_CENTRES[band])
    lab = torch.stack((torch.tensor(0.65), 0.09 * angle.cos(), 0.09 * angle.sin()))
    return colorsys.rgb_to_hsv(*oklab_to_linear(lab).clamp(0, 1).tolist())[0]


def _hsv_height(kind: str, band: int, sign: int) -> float:
    """Height of one band's control point relative to neutral."""
    if kind != "Hue":
        return sign * _HSV_STEP[kind]
    gap = (_hsv_hue((band + sign) % len(HUES)) - _hsv_hue(band)) * sign % 1.0
    return sign * gap * HUE_REACH * _BAND_SLIDER["Hue"] / 100 / 2


def _hsv_curve(kind: str, bands: tuple[str, ...], sign: int) -> str:
    """Flat curve of the HSV equaliser: 1, then x; y; left tangent; right tangent per control point, by rising hue."""
    heights = [_hsv_height(kind, i, sign) if name in bands else 0.0 for i, name in enumerate(HUES)]
    points = sorted((_hsv_hue(i), 0.5 + height) for i, height in enumerate(heights))
    return "1;" + "".join(f"{x:.4f};{y:.4f};0.35;0.35;" for x, y in points)


def _both(name: str, group: str, slider: str, amount: float, lines, statistics) -> list[Check]:
    """A check at +amount and one at -amount. lines: function of the sign -> sections of the profile."""
    return [
        Check(f"{name} {'+' if sign > 0 else '-'}", group, {slider: sign * amount}, lines(sign), statistics)
        for sign in (1, -1)
    ]


def _parametric(zone: int):
    def lines(sign: int) -> dict[str, tuple[str, ...]]:
        heights = [0, 0, 0, 0]
        heights[zone] = 50 * sign
        # Type 2 is the parametric curve: three splits, then highlights, lights, darks, shadows.
        return {"Exposure": ("Curve=2;0.25;0.5;0.75;" + "".join(f"{h};" for h in heights), "CurveMode=FilmLike")}

    return lines


def _white_balance(mired_per_sign: float, green: float):
    def lines(sign: int) -> dict[str, tuple[str, ...]]:
        temperature = 1e6 / (1e6 / 6504 - sign * mired_per_sign)
        return {"White Balance": ("Setting=Custom", f"Temperature={temperature:.0f}", f"Green={green**sign:.4f}")}

    return lines


def checks() -> list[Check]:
    """All runs but the neutral one: 39."""
    found = [
        *_both("exposure", "tone", "Exposure2012", 20, lambda s: {"Exposure": (f"Compensation={s}",)}, ("lightness",)),
        Check("exposure + compressed", "tone", {"Exposure2012": 20},
              {"Exposure": ("Compensation=1", "HighlightCompr=100", "HighlightComprThreshold=0")}, ("lightness",)),
        *_both("contrast", "tone", "Contrast2012", 50, lambda s: {"Exposure": (f"Contrast={50 * s}",)}, ("spread",)),
        Check("highlights -", "tone", {"Highlights2012": -50},
              {"Shadows & Highlights": ("Enabled=true", "Highlights=50")}, ("brightTones",)),
        Check("shadows +", "tone", {"Shadows2012": 50},
              {"Shadows & Highlights": ("Enabled=true", "Shadows=50")}, ("darkTones",)),
        *_both("blacks", "tone", "Blacks2012", 50,
               lambda s: {"Exposure": (f"Black={-800 * s}", "ShadowCompr=0")}, ("darkTones",)),
    ]  # fmt: skip
    zones = (("Highlights", "brightTones"), ("Lights", "lightness"), ("Darks", "lightness"), ("Shadows", "darkTones"))
    for i, (zone, statistic) in enumerate(zones):
        found += _both(f"curve {zone.lower()}", "curve", f"Parametric{zone}", 50, _parametric(i), (statistic,))
    found += _both("temperature", "whiteBalance", "IncrementalTemperature", 50, _white_balance(37.5, 1.0), ("b",))
    found += _both("tint", "whiteBalance", "IncrementalTint", 50, _white_balance(0.0, 0.78), ("a",))
    found += _both(
        "vibrance", "saturation", "Vibrance", 50,
        lambda s: {"Vibrance": ("Enabled=true", f"Pastels={50 * s}", f"Saturated={50 * s}", "ProtectSkins=true")},
        ("mutedChroma",),
    )  # fmt: skip
    found += _both(
        "saturation", "saturation", "Saturation", 50, lambda s: {"Exposure": (f"Saturation={50 * s}",)}, ("chroma",)
    )
    found += _both(
        "saturation as chromaticity", "saturation", "Saturation", 50,
        lambda s: {"Luminance Curve": ("Enabled=true", f"Chromaticity={50 * s}")}, ("chroma",),
    )  # fmt: skip
    curve = {"Hue": "HCurve", "Saturation": "SCurve", "Luminance": "VCurve"}
    for kind, key in curve.items():
        for number, bands in enumerate(BAND_GROUPS, 1):
            for sign in (1, -1):
                found.append(Check(
                    f"{kind.lower()} of bands {number} {'+' if sign > 0 else '-'}", f"mixer{kind}",
                    {f"{kind}Adjustment{band}": sign * _BAND_SLIDER[kind] for band in bands},
                    {"HSV Equalizer": ("Enabled=true", f"{key}={_hsv_curve(kind, bands, sign)}")},
                    tuple(f"{band}.{_BAND_STATISTIC[kind]}" for band in bands),
                ))  # fmt: skip
    return found
