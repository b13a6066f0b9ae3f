"""The closed list of what a plan may claim, with the dead zone and the magnitudes of every axis in measured units.

An axis is named `exposure`, or for hue bands `saturation.green`. Direction +1 is what the table's first word says.
    exposure brighter/darker (L*); contrast stronger/softer (ln of the spread ratio);
    highlights, shadows, whites, blacks, lights, darks lifted/lowered (L*);
    temperature warmer/cooler (b*); tint magenta/green (a*); saturation, vibrance stronger/weaker (ln of the chroma
    ratio); monochrome (yes); saturation.BAND, luminance.BAND, hue.BAND (towards the next band/the one before, degrees).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from .errors import ReasoningError
from .measure import BANDS, Change

FACTORS = ("light", "globalColor", "specificColor")
MAGNITUDES = ("slight", "moderate", "strong")
MOST_CLAIMS = {"light": 3, "globalColor": 2, "specificColor": 3}
# A claim made by a model agrees when the change goes its way by more than this part of the axis' dead zone.
NOISE = 0.25
# "Leave as it is" agrees when no axis of the factor moved by more than this many dead zones.
STILL = 1.5


@dataclass(frozen=True)
class Axis:
    name: str
    factor: str
    dead: float  # a change up to this is not spoken of
    moderate: float  # from here it is moderate, below slight
    strong: float
    measured: bool = True  # False: named only when a parameter asks for it (it overlaps with the measured axes)


@dataclass(frozen=True)
class Claim:
    """One announced change. axis 'none' says that the factor is left as it is."""

    axis: str
    direction: int
    magnitude: str | None = None


LEAVE = Claim("none", 0)
# Says that the settings are followed (or that there are none): true by itself, nothing to check against pixels.
GIVEN = Claim("given", 0)

_LIST = [
    Axis("exposure", "light", 2.0, 6.0, 13.0),
    Axis("contrast", "light", 0.06, 0.16, 0.33),
    Axis("highlights", "light", 1.5, 4.0, 8.0),
    Axis("shadows", "light", 1.5, 4.0, 8.0),
    Axis("whites", "light", 2.0, 5.0, 10.0, measured=False),
    Axis("blacks", "light", 2.0, 5.0, 10.0, measured=False),
    Axis("lights", "light", 1.0, 3.0, 6.0, measured=False),
    Axis("darks", "light", 1.0, 3.0, 6.0, measured=False),
    Axis("temperature", "globalColor", 1.5, 4.0, 9.0),
    Axis("tint", "globalColor", 1.2, 3.0, 6.5),
    Axis("saturation", "globalColor", 0.08, 0.2, 0.45),
    Axis("vibrance", "globalColor", 0.08, 0.2, 0.45, measured=False),
    Axis("monochrome", "globalColor", 0.5, 0.5, 0.5),
]
for _band in BANDS:
    _LIST += [
        Axis(f"saturation.{_band}", "specificColor", 0.08, 0.2, 0.45),
        Axis(f"luminance.{_band}", "specificColor", 1.5, 3.5, 7.0),
        Axis(f"hue.{_band}", "specificColor", 3.0, 7.0, 14.0),
    ]
AXES = {axis.name: axis for axis in _LIST}


@cache
def axes_of(factor: str) -> tuple[Axis, ...]:
    """The measured axes of a factor. Raises ReasoningError for an unknown factor."""
    if factor not in FACTORS:
        raise ReasoningError(f"unknown factor {factor!r}; one of {', '.join(FACTORS)}")
    return tuple(a for a in _LIST if a.factor == factor and a.measured)


def effect(change: Change, axis: str) -> float:
    """The measured change along an axis, in the axis' units, signed."""
    kind, _, band = axis.partition(".")
    return getattr(change.bands[BANDS.index(band)], kind) if band else getattr(change, kind)


def effects(change: Change) -> list[float]:
    """The change along every measured axis in units of its dead zone, factor by factor, then how far the brightest and
    the darkest quarter moved in all (a plan says whether highlights are lowered or only held back)."""
    axes = [axis for factor in FACTORS for axis in axes_of(factor)]
    steps = (change.highlights_step / AXES["highlights"].dead, change.shadows_step / AXES["shadows"].dead)
    return [effect(change, axis.name) / axis.dead for axis in axes] + list(steps)


# How many values `effects` gives.
EFFECTS = sum(len(axes_of(factor)) for factor in FACTORS) + 2


def magnitude(axis: Axis, value: float) -> str:
    """slight, moderate or strong for a change beyond the dead zone."""
    size = abs(value)
    return "strong" if size >= axis.strong else "moderate" if size >= axis.moderate else "slight"


def _weight(change: Change, axis: Axis) -> float:
    """Size of an effect in units of its axis' moderate change; small bands weigh less."""
    size = abs(effect(change, axis.name)) / axis.moderate
    band = axis.name.partition(".")[2]
    if band:
        size *= min(1.0, max(0.4, (change.bands[BANDS.index(band)].share_of_all / 0.15) ** 0.5))
    return size


def claims(change: Change, factor: str, clear: float = 1.0) -> list[Claim]:
    """What the plan of a factor says about a change: largest first, [LEAVE] when nothing leaves its dead zone.

    The same change always gives the same claims. Removing all colour comes first and leaves no saturation to speak of.
    clear: how many dead zones a change must exceed to be spoken of; where none does, but one moved too far to be called
    still, the largest is named all the same.
    """
    moved = [a for a in axes_of(factor) if abs(effect(change, a.name)) > clear * a.dead]
    moved.sort(key=lambda a: (a.name != "monochrome", -_weight(change, a)))
    if not moved and clear > STILL:
        moved = [a for a in axes_of(factor) if abs(effect(change, a.name)) > STILL * a.dead]
        moved = sorted(moved, key=lambda a: -_weight(change, a))[:1]
    found = []
    for axis in moved[: MOST_CLAIMS[factor]]:
        value = effect(change, axis.name)
        size = None if axis.name == "monochrome" else magnitude(axis, value)
        found.append(Claim(axis.name, 1 if value > 0 else -1, size))
    return found or [LEAVE]


def agrees(claim: Claim, change: Change, factor: str) -> bool:
    """Whether the pixels did what a claim announced: same sign beyond the noise floor, or nothing for LEAVE."""
    if claim.axis == LEAVE.axis:
        return all(abs(effect(change, a.name)) <= STILL * a.dead for a in axes_of(factor))
    axis = AXES[claim.axis]
    return axis.factor == factor and claim.direction * effect(change, axis.name) > NOISE * axis.dead


def refutes(claim: Claim, change: Change) -> bool:
    """Whether the pixels went the other way than a claim announced, beyond the noise floor.

    Not the opposite of `agrees`: a slider for blues neither shows nor fails on a photo without blue.
    """
    axis = AXES[claim.axis]
    return claim.direction * effect(change, axis.name) < -NOISE * axis.dead
