"""What a photo lacks, said with the figures that were measured on it.

Auto: a fault is named when the input shows it and the retouch answers it, largest change first.
Style: what stands between the photo and the asked look, which is the measured change read backwards.
"""

from __future__ import annotations

import random

from .axes import LEAVE, Claim, effect
from .measure import BANDS, Change, Stats
from .sentences import FINE_WORDING, LOOK_WORDING, SOUND_WORDING, SUITS_WORDING, about
from .wording import PLURAL

SEEN = 0.03
MOST_PROBLEMS = {"light": 2, "globalColor": 1, "specificColor": 1}


def _five(value: float) -> int:
    """Lightness to the nearest 5: as exact as an eye judges it, and few enough figures to be learnt."""
    return 5 * round(value / 5)


def _percent(value: float) -> int:
    return max(1, round(value) if value < 10 else _five(value))


def band_named(planned: list[Claim], stats: Stats | None, factor: str) -> str:
    """The hue band that a sentence about specific colors is about where it names no fault: that of the plan, or the one most
    of the photo has, at least `SEEN` of its pixels; "" where there is none, or no photo."""
    if factor != "specificColor" or stats is None:
        return ""
    if planned and planned != [LEAVE]:
        return planned[0].axis.partition(".")[2]
    share, name = max((band.share_of_all, name) for name, band in zip(BANDS, stats.bands, strict=True))
    return name if share >= SEEN else ""


# Axis and direction of the cure -> (measure, limit): a fault that the cure answers when the measure is above the limit.
# Measures are signed so that larger is worse.
_LIGHT = {
    ("exposure", 1): (lambda s: -s.median, -52.0),
    ("exposure", -1): (lambda s: s.median, 55.0),
    ("contrast", 1): (lambda s: s.p2 - s.p98, -80.0),
    ("contrast", -1): (lambda s: s.p98 - s.p2, 75.0),
    ("highlights", -1): (lambda s: max(s.p90, 100.0 * (s.clipped > 1)), 75.0),
    ("highlights", 1): (lambda s: -s.p98, -88.0),
    ("shadows", 1): (lambda s: max(-s.p10, float(s.crushed > 1)), -20.0),
    ("shadows", -1): (lambda s: s.p2, 8.0),
}
_COLOUR = {
    ("temperature", 1): (lambda s: -s.neutral_b, 1.0),
    ("temperature", -1): (lambda s: s.neutral_b, 1.0),
    ("tint", 1): (lambda s: -s.neutral_a, 1.0),
    ("tint", -1): (lambda s: s.neutral_a, 1.0),
    ("saturation", 1): (lambda s: -s.chroma, -18.0),
    ("saturation", -1): (lambda s: s.chroma, 22.0),
}


def _band_fault(stats: Stats, claim: Claim) -> bool:
    kind, _, name = claim.axis.partition(".")
    band = stats.bands[BANDS.index(name)]
    if kind == "saturation":
        return band.chroma < 40 if claim.direction > 0 else band.chroma > 25
    if kind == "luminance":
        return band.lightness < 65 if claim.direction > 0 else band.lightness > 25
    return band.offset * claim.direction < -3


def faults(stats: Stats, planned: list[Claim], change: Change, factor: str) -> list[tuple[str, int]]:
    """(axis, direction of the cure) of the faults to name in auto mode, those of the largest changes first.

    Lost detail is a fact that counts even when the plan cannot bring it back, unless the plan leaves the light alone or
    makes it worse.
    """
    if planned == [LEAVE]:
        return []
    if factor == "specificColor":
        return [(c.axis, c.direction) for c in planned if _band_fault(stats, c)][: MOST_PROBLEMS[factor]]
    table = _LIGHT if factor == "light" else _COLOUR
    found = []
    for claim in planned:
        measure, limit = table.get((claim.axis, claim.direction), (None, 0.0))
        if measure and measure(stats) > limit:
            found.append((claim.axis, claim.direction))
    if factor == "light":
        lost = {("highlights", -1): stats.clipped > 5, ("shadows", 1): stats.crushed > 8}
        for (axis, direction), large in lost.items():
            if large and (axis, direction) not in found and effect(change, axis) * direction >= 0:
                found.append((axis, direction))
    return found[: MOST_PROBLEMS[factor]]


def _light_words(axis: str, direction: int, s: Stats) -> tuple[str, ...]:
    if axis == "exposure":
        word = (
            ("dark" if s.median < 38 else "a little dark")
            if direction > 0
            else ("too bright" if s.median > 65 else "a little bright")
        )
        n = _five(s.median)
        return (
            f"the picture is {word}, midtones near L {n}",
            f"{word}, with midtones near L {n}",
            f"the frame looks {word}, median near L {n}",
            f"midtones sit near L {n}, which is {word}",
            f"the picture is {word}: midtones near L {n}",
            f"midtones near L {n} make it {word}",
            f"the photo looks {word}, with midtones near L {n}",
            f"with midtones near L {n} it is {word}",
        )
    if axis == "contrast":
        low, high = _five(s.p2), _five(s.p98)
        word = "flat" if direction > 0 else "harsh"
        return (
            f"the contrast is {word}, tones run from L {low} to {high}",
            f"{word} tones, from L {low} to {high}",
            f"the picture looks {word}, spanning L {low} to {high}",
            f"tones run from L {low} to {high}, which is {word}",
            f"the tones are {word}, from L {low} to {high}",
            f"{word} contrast, spanning L {low} to {high}",
            f"the photo looks {word}, with tones from L {low} to {high}",
            f"from L {low} to {high} the tones are {word}",
        )
    if axis == "highlights":
        if direction < 0 and s.clipped > 1:
            n = _percent(s.clipped)
            return (
                f"about {n} % of the picture is clipped white",
                f"highlights clip in about {n} % of the frame",
                f"about {n} % is blown out",
            )
        if direction < 0:
            n = _five(s.p90)
            return (
                f"the highlights are bright, near L {n}",
                f"bright areas reach L {n}",
                f"highlights sit high, near L {n}",
            )
        n = _five(s.p98)
        return (
            f"the highlights are dull, ending near L {n}",
            f"bright areas stop near L {n}",
            f"highlights stay low, near L {n}",
        )
    if direction > 0 and s.crushed > 1:
        n = _percent(s.crushed)
        return (
            f"about {n} % of the picture is crushed black",
            f"shadows are crushed in about {n} % of the frame",
            f"about {n} % is plain black",
        )
    n = _five(s.p10 if direction > 0 else s.p2)
    if direction > 0:
        return (f"the shadows are heavy, near L {n}", f"dark areas sink to L {n}", f"shadows sit low, near L {n}")
    return (
        f"the shadows are pale, starting near L {n}",
        f"dark areas stay above L {n}",
        f"blacks are washed out, near L {n}",
    )


def _colour_words(axis: str, direction: int, s: Stats) -> tuple[str, ...]:
    if axis == "saturation":
        n = _five(s.chroma)
        word = (
            ("pale" if s.chroma < 10 else "a little pale")
            if direction > 0
            else ("too strong" if s.chroma > 30 else "rather strong")
        )
        return (
            f"the colors are {word}, mean chroma near {n}",
            f"colors look {word}, chroma near {n}",
            f"{word} colors with chroma near {n}",
            f"the colors look {word}, with chroma near {n}",
            f"{word} colors, chroma near {n}",
            f"chroma is near {n}, so colors look {word}",
            f"mean chroma near {n}: the colors are {word}",
            f"with chroma near {n} the colors look {word}",
            f"the picture has {word} colors, chroma near {n}",
            f"colors are {word} on the whole, near chroma {n}",
            f"chroma sits near {n}, which is {word}",
            f"the photo has {word} colors, near chroma {n}",
            f"chroma near {n} makes the colors {word}",
            f"the frame has {word} colors, mean chroma near {n}",
            f"all colors look {word}, near chroma {n}",
            f"at a mean chroma near {n} colors look {word}",
            f"colors of the photo are {word}, chroma near {n}",
            f"colors of the picture look {word}, chroma near {n}",
            f"the photo looks {word} in color, chroma near {n}",
            f"the picture looks {word} in color, near chroma {n}",
            f"the frame is {word} in color, with chroma near {n}",
            f"colors with chroma near {n} are {word}",
            f"near chroma {n} the colors look {word}",
            f"on the whole the colors are {word}, near chroma {n}",
            f"chroma near {n} is {word}",
            f"a mean chroma near {n} is {word}",
            f"the colors have a chroma near {n}, which is {word}",
            f"color looks {word}, near chroma {n}",
            f"the picture is {word} in color, mean chroma near {n}",
            f"colors sit near chroma {n}, which looks {word}",
            f"the overall color is {word}, chroma near {n}",
            f"the overall color looks {word}, mean chroma near {n}",
        )
    value = abs(s.neutral_b if axis == "temperature" else s.neutral_a)
    cast = {("temperature", 1): "blue", ("temperature", -1): "yellow", ("tint", 1): "green", ("tint", -1): "magenta"}
    name = cast[axis, direction]
    word = "a slight" if value < 4 else "a clear" if value < 9 else "a strong"
    n = max(1, round(value))
    return (
        f"{word} {name} cast of about {n}",
        f"neutrals show {word} {name} cast, about {n}",
        f"there is {word} {name} cast of about {n}",
        f"grays lean {name} by about {n}",
    )


def _band_words(axis: str, direction: int, s: Stats) -> tuple[str, ...]:
    kind, _, name = axis.partition(".")
    band, plural = s.bands[BANDS.index(name)], PLURAL[name]
    if kind == "saturation":
        word = "dull" if direction > 0 else "too strong"
        n = _five(band.chroma)
        return (
            f"the {plural} are {word}, chroma near {n}",
            f"{plural} look {word}, near chroma {n}",
            f"{word} {plural}, with chroma near {n}",
        )
    if kind == "luminance":
        word = "dark" if direction > 0 else "bright"
        n = _five(band.lightness)
        return (
            f"the {plural} are {word}, near L {n}",
            f"{plural} look {word}, near L {n}",
            f"{word} {plural}, near L {n}",
        )
    away = BANDS[(BANDS.index(name) - direction) % 8]
    return (f"the {plural} lean {away}", f"{plural} look {away}", f"there is {away} in the {plural}")


def _words(factor: str, axis: str, direction: int, stats: Stats) -> tuple[str, ...]:
    table = {"light": _light_words, "globalColor": _colour_words, "specificColor": _band_words}
    return table[factor](axis, direction, stats)


def auto_problem(stats: Stats, planned: list[Claim], change: Change, factor: str, rng: random.Random) -> str:
    """The problem section of one factor in auto mode, without capital and stop."""
    found = faults(stats, planned, change, factor)
    if not found:
        return about(rng.choice(FINE_WORDING if planned == [LEAVE] else SOUND_WORDING), factor, band_named(planned, stats, factor))
    return "; ".join(rng.choice(_words(factor, axis, direction, stats)) for axis, direction in found)


# What the input is, against the look: (cure up, cure down) -> words.
_AGAINST = {
    "exposure": ("dark", "bright"),
    "contrast": ("flat", "hard"),
    "highlights": ("dull in the highlights", "bright in the highlights"),
    "shadows": ("dark in the shadows", "light in the shadows"),
    "temperature": ("cool", "warm"),
    "tint": ("green", "magenta"),
    "saturation": ("pale", "colorful"),
    "monochrome": ("colorful", "colorful"),
}


def style_problem(stats: Stats, planned: list[Claim], factor: str, rng: random.Random) -> str:
    """The problem section of one factor in style mode: what the look has to overcome, largest first."""
    if planned == [LEAVE]:
        return about(rng.choice(SUITS_WORDING), factor, band_named(planned, stats, factor))
    planned = planned[: MOST_PROBLEMS[factor]]
    said = []
    for claim in planned:
        kind, _, band = claim.axis.partition(".")
        if band:
            said.append(_band_look(kind, band, claim.direction, stats))
        else:
            said.append(_AGAINST[claim.axis][claim.direction < 0])
    if factor == "specificColor":
        return rng.choice(said[0])
    figure = _figure(planned[0], stats)
    return rng.choice(LOOK_WORDING).format(" and ".join(said)) + (f", {figure}" if figure else "")


def _band_look(kind: str, band: str, direction: int, stats: Stats) -> tuple[str, ...]:
    b, plural = stats.bands[BANDS.index(band)], PLURAL[band]
    if kind == "hue":
        away = BANDS[(BANDS.index(band) - direction) % 8]
        return (f"the {plural} are too {away} for this look", f"{plural} too {away} for the look")
    words = {"saturation": ("pale", "strong"), "luminance": ("dark", "bright")}[kind]
    word = words[direction < 0]
    n = f"chroma near {_five(b.chroma)}" if kind == "saturation" else f"near L {_five(b.lightness)}"
    return (
        f"the {plural} are too {word} for this look, {n}",
        f"{plural} too {word} for the look, {n}",
        f"for this look the {plural} are too {word}, {n}",
    )


def _figure(claim: Claim, s: Stats) -> str:
    if claim.axis == "exposure":
        return f"midtones near L {_five(s.median)}"
    if claim.axis == "contrast":
        return f"tones from L {_five(s.p2)} to {_five(s.p98)}"
    if claim.axis == "highlights":
        return f"near L {_five(s.p90)}"
    if claim.axis == "shadows":
        return f"near L {_five(s.p10)}"
    if claim.axis in ("saturation", "monochrome"):
        return f"chroma near {_five(s.chroma)}"
    return ""
