"""From the 38 develop parameters to claim axes, for the plans of param mode."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from .axes import AXES, Claim
from .errors import ReasoningError
from .measure import BANDS

_LIGHT = {
    "Exposure2012": "exposure",
    "Contrast2012": "contrast",
    "Highlights2012": "highlights",
    "Shadows2012": "shadows",
    "Whites2012": "whites",
    "Blacks2012": "blacks",
    "ParametricShadows": "shadows",
    "ParametricDarks": "darks",
    "ParametricLights": "lights",
    "ParametricHighlights": "highlights",
}
_GLOBAL = {
    "IncrementalTemperature": "temperature",
    "IncrementalTint": "tint",
    "Vibrance": "vibrance",
    "Saturation": "saturation",
}
_SPECIFIC = {
    f"{name}Adjustment{band.capitalize()}": f"{kind}.{band}"
    for name, kind in (("Hue", "hue"), ("Saturation", "saturation"), ("Luminance", "luminance"))
    for band in BANDS
}
# Parameter -> axis, in the order of the model's 38 inputs.
AXIS_OF = {**_LIGHT, **_GLOBAL, **_SPECIFIC}
# Slider fractions: up to `DEAD` not spoken of, then slight, moderate, strong. A full exposure slider is 4 stops.
DEAD = 0.04
STEPS = {"exposure": (0.12, 0.3)}
OTHER_STEPS = (0.25, 0.6)


def parameter_values(params: Mapping[str, float] | Sequence[float]) -> dict[str, float]:
    """38 values in [-1, 1], by name or in order, as a dict; missing names are 0.

    Raises ReasoningError for unknown names, a wrong count, NaN and values out of range.
    """
    if not isinstance(params, Mapping):
        numbers = [float(v) for v in params]
        if len(numbers) != len(AXIS_OF):
            raise ReasoningError(f"{len(numbers)} parameters given, {len(AXIS_OF)} expected")
        params = dict(zip(AXIS_OF, numbers, strict=True))
    values = dict.fromkeys(AXIS_OF, 0.0)
    for name, value in params.items():
        if name not in values:
            raise ReasoningError(f"unknown parameter {name!r}")
        if not math.isfinite(value) or abs(value) > 1 + 1e-6:
            raise ReasoningError(f"parameter {name} is {value}; it must lie in [-1, 1]")
        values[name] = float(value)
    return values


def announced(values: Mapping[str, float], factor: str) -> list[Claim]:
    """Claims of a factor's sliders, largest first; two sliders of one axis count by their sum. [] when all are 0.

    More are returned than a plan holds, so that the caller can drop those that this image's pixels do not show.
    """
    sums: dict[str, float] = {}
    for name, value in values.items():
        axis = AXIS_OF[name]
        if AXES[axis].factor == factor:
            sums[axis] = sums.get(axis, 0.0) + value
    found = []
    for axis, value in sums.items():
        moderate, strong = STEPS.get(axis, OTHER_STEPS)
        if abs(value) > DEAD:
            size = "strong" if abs(value) >= strong else "moderate" if abs(value) >= moderate else "slight"
            found.append((-abs(value) / moderate, Claim(axis, 1 if value > 0 else -1, size)))
    found.sort(key=lambda pair: pair[0])
    return [claim for _, claim in found]


def is_set(values: Mapping[str, float], factor: str) -> bool:
    """Whether any slider of a factor is away from 0."""
    return any(v != 0 and AXES[AXIS_OF[name]].factor == factor for name, v in values.items())
