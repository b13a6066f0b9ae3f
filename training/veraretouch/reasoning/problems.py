"""What a photo lacks, said with the figures that were measured on it.

Auto: a fault is named when the input shows it and the retouch answers it, largest change first.
Style: what stands between the photo and the asked look, which is the measured change read backwards.
"""

from __future__ import annotations

import random

from .axes import LEAVE, Claim, effect
from .measure import BANDS, Change, Stats
from .wording import PLURAL, about

SEEN = 0.03
MOST_PROBLEMS = {"light": 2, "globalColor": 1, "specificColor": 1}


def _five(value: float) -> int:
    """Lightness to the nearest 5: as exact as an eye judges it, and few enough figures to be learnt."""
    return 5 * round(value / 5)


def _percent(value: float) -> int:
    return max(1, round(value) if value < 10 else _five(value))


def spoken_of(planned: list[Claim], stats: Stats | None, factor: str) -> str:
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


_FINE = (
    "no fault in the {}",
    "no clear fault in the {}",
    "nothing wrong with the {}",
    "no problem in the {}",
    "no clear problem with the {}",
    "nothing to repair in the {}",
    "no need to repair the {}",
    "no fault to fix in the {}",
    "the {} has no fault",
    "the {} needs no repair",
    "the {} is fine",
    "no need to change the {}",
    "there is no fault in the {}",
    "nothing to fix in the {}",
    "the {} is sound",
    "all is well with the {}",
    "no fault is seen in the {}",
    "the {} shows no fault",
    "nothing is wrong in the {}",
    "nothing in the {} needs repair",
    "the {} is good as it is",
    "no repair is needed in the {}",
    "no fault found in the {}",
    "no clear problem in the {}",
    "the {} has no problem",
    "the {} has no clear fault",
    "there is nothing wrong with the {}",
    "there is nothing to fix in the {}",
    "there is no problem with the {}",
    "the {} looks fine",
    "the {} looks sound",
    "no need to fix the {}",
)
_SOUND = (
    "no clear fault, but the {} can gain",
    "nothing wrong, yet the {} can be better",
    "no fault in the {}, only room to gain",
    "no real problem, the {} can be refined",
    "no clear problem, only room to refine the {}",
    "the {} can gain, without a clear fault",
    "room to refine the {}, no real fault",
    "the {} can be refined, no clear fault",
    "the {} is sound, but can gain",
    "the {} is fine, with room to gain",
    "no fault to fix, but the {} can be better",
    "there is room to gain in the {}",
    "the {} is fine, yet it can be refined",
    "nothing to repair, yet the {} can gain",
    "the {} has no fault and can still gain",
    "without a fault, the {} can be better",
    "no clear fault in the {}, but room to gain",
    "the {} looks fine, yet can gain",
    "the {} looks sound, with room to gain",
    "no problem in the {}, only room to refine",
    "there is no fault, yet the {} can gain",
    "there is no clear problem, but the {} can be better",
    "the {} has no clear fault, but can be better",
    "the {} has no problem, yet can gain",
    "nothing wrong in the {}, only room to gain",
    "nothing to fix, only room to refine the {}",
    "the {} needs no repair, but can gain",
    "the {} needs no repair, yet can be refined",
    "without a clear fault, the {} can still gain",
    "no repair is needed, but the {} can gain",
    "there is room to refine the {}",
    "the {} can still be refined",
)


def auto_problem(stats: Stats, planned: list[Claim], change: Change, factor: str, rng: random.Random) -> str:
    """The problem section of one factor in auto mode, without capital and stop."""
    found = faults(stats, planned, change, factor)
    if not found:
        return about(rng.choice(_FINE if planned == [LEAVE] else _SOUND), factor, spoken_of(planned, stats, factor))
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
_LOOK = (
    "too {} for this look",
    "still too {} for the look",
    "the photo is too {} for this look",
    "the picture is too {} for it",
    "for this look it is too {}",
    "it is too {} for the look",
    "too {} to match the look",
    "too {} to fit this look",
    "the frame is too {} for this look",
    "this look asks for less: too {}",
    "the look does not fit yet: too {}",
    "as it is, too {} for the look",
    "still {} against the look",
    "the photo is still too {} for it",
    "to fit the look it is too {}",
    "the picture is {} against this look",
    "it is still too {} for this look",
    "this photo is too {} for the look",
    "for the look it is still too {}",
    "for this look the photo is too {}",
    "for this look the picture is too {}",
    "the look asks for less: too {}",
    "as it is, it is too {} for this look",
    "still too {} to fit the look",
    "still too {} to match this look",
    "the photo is too {} to fit the look",
    "the picture is too {} to match the look",
    "to match the look it is too {}",
    "the frame is still too {} for the look",
    "against the look the photo is too {}",
    "the look does not fit: the photo is too {}",
    "to fit this look the picture is too {}",
)
_SUITS = (
    "no fault in the {} for this look",
    "nothing in the {} is against the look",
    "for this look nothing in the {} is wrong",
    "no problem with the {} for this look",
    "nothing in the {} has to change for the look",
    "the look needs no change to the {}",
    "nothing against the look in the {}",
    "no change to the {} is needed for this look",
    "the {} fits the look",
    "the {} fits this look as it is",
    "the {} needs no change for the look",
    "for the look the {} is fine",
    "this look leaves nothing to fix in the {}",
    "the {} is fine for this look",
    "the look fits the {} as it is",
    "nothing in the {} to change for this look",
    "nothing in the {} needs a change for the look",
    "for this look the {} is fine as it is",
    "the {} fits the look as it is",
    "the {} fits this look",
    "no fault in the {} for the look",
    "for the look there is no fault in the {}",
    "for this look the {} needs no change",
    "the look leaves nothing to fix in the {}",
    "nothing to fix in the {} for this look",
    "there is nothing in the {} to change for the look",
    "the {} has no fault for this look",
    "this look fits the {} as it is",
    "this look needs no change to the {}",
    "no clear fault in the {} for this look",
    "the look asks for nothing in the {}",
    "this look asks for no change in the {}",
)


def style_problem(stats: Stats, planned: list[Claim], factor: str, rng: random.Random) -> str:
    """The problem section of one factor in style mode: what the look has to overcome, largest first."""
    if planned == [LEAVE]:
        return about(rng.choice(_SUITS), factor, spoken_of(planned, stats, factor))
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
    return rng.choice(_LOOK).format(" and ".join(said)) + (f", {figure}" if figure else "")


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
