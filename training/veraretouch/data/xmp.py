"""Lightroom and Camera Raw presets (.xmp, process version 2012 and later) -> retouch settings.

Both ways of writing a setting are read: as attribute of rdf:Description and as child element. What the 38 parameters
and the operations of `engine.extras` cannot express is named in `unsupported`, never dropped silently.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

import torch
from defusedxml import DefusedXmlException, ElementTree

from ..engine.color_controls import MIRED_AT_FULL_TEMPERATURE
from ..engine.extras import IDENTITY_CURVE, NEUTRAL_GRADING, ColorGrading, Wheel
from ..engine.params import HUES, INDEX, PARAMETERS, STOPS_AT_FULL_EXPOSURE
from .files import DataError

_CRS = "{http://ns.adobe.com/camera-raw-settings/1.0/}"
_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_CURVES = {"": "master", "Red": "red", "Green": "green", "Blue": "blue"}

# An absolute white point is a difference to daylight, measured in mired (the scale on which equal steps look equal);
# a full IncrementalTemperature is MIRED_AT_FULL_TEMPERATURE of them. Presets name the white of the scene: a higher temperature than
# daylight makes the picture warmer.
DAYLIGHT_KELVIN = 5500.0
# Some generators write a temperature as an offset in kelvin ("+400"): nothing below this is a white point.
LOWEST_WHITE_POINT = 1500.0
TINT_AT_FULL = 150.0

# Bookkeeping and options that change no pixel, or only how the file is handled.
_IGNORED = {
    "PresetType", "Cluster", "UUID", "SupportsAmount", "SupportsColor", "SupportsMonochrome", "Group", "Look", "Name",
    "SupportsHighDynamicRange", "SupportsNormalDynamicRange", "SupportsSceneReferred", "SupportsOutputReferred",
    "RequiresRenditionBehavior", "Treatment", "ProcessVersion", "HasSettings", "Version", "CameraProfile", "WhiteBalance",
    "ToneCurveName2012", "ToneCurveName", "ShortName", "SortName", "Description", "Copyright", "ContactInfo",
    "ParametricShadowSplit", "ParametricMidtoneSplit", "ParametricHighlightSplit", "AutoLateralCA",
    "LensProfileEnable", "LensProfileSetup",
}  # fmt: skip
# Settings that only refine another one; they do nothing by themselves.
_REFINEMENTS = (
    "GrainSize", "GrainFrequency", "GrainRoughness", "SharpenRadius", "SharpenDetail", "SharpenEdgeMasking",
    "SharpnessRadius", "SharpnessDetail", "SharpnessEdgeMasking", "SharpnessMasking", "LuminanceNoiseReductionDetail",
    "PostCropVignetteFeather", "PostCropVignetteMidpoint", "PostCropVignetteRoundness", "PostCropVignetteStyle",
    "PostCropVignetteHighlightContrast", "DefringePurpleHueLo", "DefringePurpleHueHi", "DefringeGreenHueLo",
    "DefringeGreenHueHi",
)  # fmt: skip


@dataclass
class Preset:
    """params: [38] in [-1, 1]. curves: name -> points in 0..255. grayscale: eight mixer values in [-1, 1], or None."""

    params: torch.Tensor
    curves: dict[str, tuple[tuple[float, float], ...]] = field(default_factory=dict)
    grading: ColorGrading = NEUTRAL_GRADING
    grayscale: tuple[float, ...] | None = None
    unsupported: dict[str, str] = field(default_factory=dict)


def _settings(path: Path) -> tuple[dict[str, str], dict[str, list[str]]]:
    """All crs settings of a file: single values and lists (curves)."""
    try:
        root = ElementTree.parse(path, forbid_dtd=True).getroot()
    except FileNotFoundError as cause:
        raise DataError(f"No such preset: {path}. Nothing was changed.") from cause
    except (ParseError, DefusedXmlException, ValueError) as cause:
        raise DataError(
            f"{path} is not a preset that can be read ({cause!r}). It was left untouched; export it again."
        ) from cause
    rdf = next(root.iter(f"{_RDF}RDF"), None)
    if rdf is None:
        raise DataError(f"{path} holds no rdf:RDF, so it is not an XMP preset. It was left untouched.")
    values: dict[str, str] = {}
    lists: dict[str, list[str]] = {}
    for description in rdf.findall(f"{_RDF}Description"):
        values.update({k[len(_CRS) :]: v for k, v in description.attrib.items() if k.startswith(_CRS)})
        for child in description:
            _read_child(child, values, lists)
    return values, lists


def _read_child(child: Element, values: dict[str, str], lists: dict[str, list[str]]) -> None:
    if not child.tag.startswith(_CRS):
        return
    name = child.tag[len(_CRS) :]
    sequence = child.find(f"{_RDF}Seq")
    if sequence is not None:
        lists[name] = [item.text or "" for item in sequence.findall(f"{_RDF}li")]
    elif len(child) == 0 and (child.text or "").strip():
        values[name] = child.text.strip()


def _temperature(kelvin: float) -> float:
    """White point (or offset to daylight) in kelvin -> IncrementalTemperature in [-1, 1]."""
    if kelvin < LOWEST_WHITE_POINT:
        kelvin += DAYLIGHT_KELVIN
    mired = 1e6 / DAYLIGHT_KELVIN - 1e6 / max(kelvin, LOWEST_WHITE_POINT)
    return max(-1.0, min(1.0, mired / MIRED_AT_FULL_TEMPERATURE))


class _Reader:
    """Takes settings out of the dictionary as numbers, so that what remains at the end is what nobody understood."""

    def __init__(self, path: Path, values: dict[str, str]) -> None:
        self.path, self.left = path, dict(values)

    def take(self, name: str, low: float, high: float) -> float | None:
        if name not in self.left:
            return None
        text = self.left.pop(name)
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise DataError(
                f"{self.path}: {name} is {text!r}, not a number. Nothing was read from it; mend or remove the preset."
            )
        return max(low, min(high, value))

    def wheel(self, part: str, old: str | None) -> Wheel:
        hue = self.take(f"ColorGrade{part}Hue", -360, 360)
        saturation = self.take(f"ColorGrade{part}Sat", 0, 100)
        luminance = self.take(f"ColorGrade{part}Lum", -100, 100) or 0.0
        if old is not None:  # the name of the same wheel before version 10
            old_hue, old_saturation = (
                self.take(f"SplitToning{old}Hue", 0, 360),
                self.take(f"SplitToning{old}Saturation", 0, 100),
            )
            hue = old_hue if hue is None else hue
            saturation = old_saturation if saturation is None else saturation
        return Wheel((hue or 0.0) % 360, (saturation or 0.0) / 100, luminance / 100)


def _curves(path: Path, lists: dict[str, list[str]]) -> dict[str, tuple[tuple[float, float], ...]]:
    curves = {}
    for suffix, name in _CURVES.items():
        texts = lists.pop(f"ToneCurvePV2012{suffix}", None)
        if texts is None:
            continue
        try:
            points = tuple((float(x), float(y)) for x, y in (text.split(",") for text in texts))
        except ValueError as cause:
            raise DataError(f"{path}: the tone curve {texts} is damaged. Nothing was read from it.") from cause
        if points != IDENTITY_CURVE:
            curves[name] = points
    # The same points in all four curves are one curve written four times, not a curve applied twice.
    if len(curves) == 4 and len(set(curves.values())) == 1:
        curves = {"master": curves["master"]}
    return curves


def read_preset(path: Path | str) -> Preset:
    """Reads one preset. Raises DataError for a file that is no XMP, declares a DTD or holds a value that is no number."""
    path = Path(path)
    values, lists = _settings(path)
    reader = _Reader(path, values)
    params = torch.zeros(len(PARAMETERS))
    for name in PARAMETERS:
        scale = STOPS_AT_FULL_EXPOSURE if name == "Exposure2012" else 100.0
        value = reader.take(name, -scale, scale)
        if value is not None:
            params[INDEX[name]] = value / scale
    kelvin, tint = reader.take("Temperature", -5000, 50000), reader.take("Tint", -TINT_AT_FULL, TINT_AT_FULL)
    if kelvin is not None and "IncrementalTemperature" not in values:
        params[INDEX["IncrementalTemperature"]] = _temperature(kelvin)
    if tint is not None and "IncrementalTint" not in values:
        params[INDEX["IncrementalTint"]] = tint / TINT_AT_FULL
    balance = reader.take("ColorGradeBalance", -100, 100)
    old_balance = reader.take("SplitToningBalance", -100, 100)
    blending = reader.take("ColorGradeBlending", 0, 100)
    grading = ColorGrading(
        shadows=reader.wheel("Shadow", "Shadow"),
        midtones=reader.wheel("Midtone", None),
        highlights=reader.wheel("Highlight", "Highlight"),
        everywhere=reader.wheel("Global", None),
        balance=(balance if balance is not None else old_balance or 0.0) / 100,
        blending=0.5 if blending is None else blending / 100,
    )
    mixer = tuple((reader.take(f"GrayMixer{hue}", -100, 100) or 0.0) / 100 for hue in HUES)
    grey = reader.left.pop("ConvertToGrayscale", "").lower() == "true" or values.get("Treatment") == "Monochrome"
    preset = Preset(params, _curves(path, lists), grading, mixer if grey else None)
    for name, text in {**reader.left, **{k: str(v) for k, v in lists.items()}}.items():
        if name not in _IGNORED and name not in _REFINEMENTS and text.strip("+-0. ") != "" and name != "Amount":
            preset.unsupported[name] = text
    return preset
