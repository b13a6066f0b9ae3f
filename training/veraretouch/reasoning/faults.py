"""The faults of a photo as data: when a photo shows one, and its words with the figures that were measured on it.

`{word}` in a text is the place of a degree, `{n}` and `{m}` are those of figures. A reading is a name in `Stats` ("median"), "range" (of
the tones, p98 - p2), or one of a hue band ("chroma.red"). The same table for a runtime: `sayable_problems.problem_wording`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

from .measure import BANDS, Stats
from .wording import PLURAL


@dataclass(frozen=True)
class Degrees:
    """The first word whose limit a reading's size is below; the last word has none."""

    of: str
    below: tuple[float, ...]
    words: tuple[str, ...]


@dataclass(frozen=True)
class Said:
    """One way to speak of a fault: texts, and the readings of their figures with what each is rounded to."""

    texts: tuple[str, ...]
    figures: tuple[tuple[str, str], ...] = ()
    degrees: Degrees | None = None
    # A reading and its limit: so only of a photo above it.
    above: tuple[str, float] | None = None


@dataclass(frozen=True)
class Fault:
    """`shown`: (reading, sign, limit), any of which says that the photo has the fault, where sign * reading > sign * limit; `lost`:
    (reading, limit) above which detail is lost, which counts whether or not a plan can bring it back. Of `said` the first
    that fits the photo is taken."""

    shown: tuple[tuple[str, int, float], ...]
    said: tuple[Said, ...]
    lost: tuple[str, float] | None = None


def reading(stats: Stats, name: str) -> float:
    """A reading by its name. Raises AttributeError or ValueError for a name that is none."""
    kind, _, band = name.partition(".")
    if band:
        return getattr(stats.bands[BANDS.index(band)], kind)
    return stats.p98 - stats.p2 if name == "range" else getattr(stats, name)


def _five(value: float) -> int:
    """To the nearest 5: as exact as an eye judges lightness and chroma, and few enough figures to be learnt."""
    return 5 * round(value / 5)


ROUNDED: Mapping[str, Callable[[float], int]] = {
    "five": _five,
    "percent": lambda value: max(1, round(value) if value < 10 else _five(value)),
    "size": lambda value: max(1, round(abs(value))),
}


def filled(said: Said, stats: Stats) -> tuple[str, ...]:
    """Texts with the photo's own degree and figures in their places, in their order."""
    places = {}
    if (degrees := said.degrees) is not None:
        size = abs(reading(stats, degrees.of))
        places["word"] = degrees.words[sum(size >= limit for limit in degrees.below)]
    for place, (name, rounding) in zip("nm", said.figures, strict=False):
        places[place] = str(ROUNDED[rounding](reading(stats, name)))
    return tuple(text.format(**places) for text in said.texts)


def is_shown(fault: Fault, stats: Stats) -> bool:
    return any(sign * reading(stats, name) > sign * limit for name, sign, limit in fault.shown)


def is_lost(fault: Fault, stats: Stats) -> bool:
    return fault.lost is not None and reading(stats, fault.lost[0]) > fault.lost[1]


def fault_texts(axis: str, direction: int, stats: Stats) -> tuple[str, ...]:
    """Every wording of the fault of a photo that a change along an axis mends, whether or not the photo shows it; () where it
    mends none that is spoken of."""
    fault = fault_of(axis, direction)
    if fault is None:
        return ()
    fits = (said for said in fault.said if said.above is None or reading(stats, said.above[0]) > said.above[1])
    return filled(next(fits), stats)


@cache
def fault_of(axis: str, direction: int) -> Fault | None:
    """What a change along an axis mends; None where it mends nothing that is spoken of."""
    kind, _, band = axis.partition(".")
    return _band_fault(kind, band, direction) if band else _FAULTS.get((axis, direction))


_EXPOSURE = (
    "the picture is {word}, midtones near L {n}",
    "{word}, with midtones near L {n}",
    "the frame looks {word}, median near L {n}",
    "midtones sit near L {n}, which is {word}",
    "the picture is {word}: midtones near L {n}",
    "midtones near L {n} make it {word}",
    "the photo looks {word}, with midtones near L {n}",
    "with midtones near L {n} it is {word}",
)
_CONTRAST = (
    "the contrast is {word}, tones run from L {n} to {m}",
    "{word} tones, from L {n} to {m}",
    "the picture looks {word}, spanning L {n} to {m}",
    "tones run from L {n} to {m}, which is {word}",
    "the tones are {word}, from L {n} to {m}",
    "{word} contrast, spanning L {n} to {m}",
    "the photo looks {word}, with tones from L {n} to {m}",
    "from L {n} to {m} the tones are {word}",
)
_SATURATION = (
    "the colors are {word}, mean chroma near {n}",
    "colors look {word}, chroma near {n}",
    "{word} colors with chroma near {n}",
    "the colors look {word}, with chroma near {n}",
    "{word} colors, chroma near {n}",
    "chroma is near {n}, so colors look {word}",
    "mean chroma near {n}: the colors are {word}",
    "with chroma near {n} the colors look {word}",
    "the picture has {word} colors, chroma near {n}",
    "colors are {word} on the whole, near chroma {n}",
    "chroma sits near {n}, which is {word}",
    "the photo has {word} colors, near chroma {n}",
    "chroma near {n} makes the colors {word}",
    "the frame has {word} colors, mean chroma near {n}",
    "all colors look {word}, near chroma {n}",
    "at a mean chroma near {n} colors look {word}",
    "colors of the photo are {word}, chroma near {n}",
    "colors of the picture look {word}, chroma near {n}",
    "the photo looks {word} in color, chroma near {n}",
    "the picture looks {word} in color, near chroma {n}",
    "the frame is {word} in color, with chroma near {n}",
    "colors with chroma near {n} are {word}",
    "near chroma {n} the colors look {word}",
    "on the whole the colors are {word}, near chroma {n}",
    "chroma near {n} is {word}",
    "a mean chroma near {n} is {word}",
    "the colors have a chroma near {n}, which is {word}",
    "color looks {word}, near chroma {n}",
    "the picture is {word} in color, mean chroma near {n}",
    "colors sit near chroma {n}, which looks {word}",
    "the overall color is {word}, chroma near {n}",
    "the overall color looks {word}, mean chroma near {n}",
)
_CLIPPED = Said(
    ("about {n} % of the picture is clipped white", "highlights clip in about {n} % of the frame", "about {n} % is blown out"),
    (("clipped", "percent"),), above=("clipped", 1.0),
)  # fmt: skip
_CRUSHED = Said(
    ("about {n} % of the picture is crushed black", "shadows are crushed in about {n} % of the frame", "about {n} % is plain black"),
    (("crushed", "percent"),), above=("crushed", 1.0),
)  # fmt: skip


def _exposure(below: float, *words: str) -> tuple[Said]:
    return (Said(_EXPOSURE, (("median", "five"),), Degrees("median", (below,), words)),)


def _contrast(word: str) -> tuple[Said]:
    return (Said(tuple(text.replace("{word}", word) for text in _CONTRAST), (("p2", "five"), ("p98", "five"))),)


def _saturation(below: float, *words: str) -> tuple[Said]:
    return (Said(_SATURATION, (("chroma", "five"),), Degrees("chroma", (below,), words)),)


def _zone(of: str, *texts: str) -> Said:
    return Said(texts, ((of, "five"),))


def _cast(of: str, sign: int, name: str) -> Fault:
    texts = (
        f"{{word}} {name} cast of about {{n}}",
        f"neutrals show {{word}} {name} cast, about {{n}}",
        f"there is {{word}} {name} cast of about {{n}}",
        f"grays lean {name} by about {{n}}",
    )
    degrees = Degrees(of, (4.0, 9.0), ("a slight", "a clear", "a strong"))
    return Fault(((of, sign, sign * 1.0),), (Said(texts, ((of, "size"),), degrees),))


# By axis and direction of the cure.
_FAULTS: dict[tuple[str, int], Fault] = {
    ("exposure", 1): Fault((("median", -1, 52.0),), _exposure(38.0, "dark", "a little dark")),
    ("exposure", -1): Fault((("median", 1, 55.0),), _exposure(65.0, "a little bright", "too bright")),
    ("contrast", 1): Fault((("range", -1, 80.0),), _contrast("flat")),
    ("contrast", -1): Fault((("range", 1, 75.0),), _contrast("harsh")),
    ("highlights", -1): Fault(
        (("p90", 1, 75.0), ("clipped", 1, 1.0)),
        (_CLIPPED, _zone("p90", "the highlights are bright, near L {n}", "bright areas reach L {n}", "highlights sit high, near L {n}")),
        ("clipped", 5.0),
    ),
    ("highlights", 1): Fault(
        (("p98", -1, 88.0),),
        (_zone("p98", "the highlights are dull, ending near L {n}", "bright areas stop near L {n}", "highlights stay low, near L {n}"),),
    ),
    ("shadows", 1): Fault(
        (("p10", -1, 20.0), ("crushed", 1, 1.0)),
        (_CRUSHED, _zone("p10", "the shadows are heavy, near L {n}", "dark areas sink to L {n}", "shadows sit low, near L {n}")),
        ("crushed", 8.0),
    ),
    ("shadows", -1): Fault(
        (("p2", 1, 8.0),),
        (_zone("p2", "the shadows are pale, starting near L {n}", "dark areas stay above L {n}", "blacks are washed out, near L {n}"),),
    ),
    ("temperature", 1): _cast("neutral_b", -1, "blue"),
    ("temperature", -1): _cast("neutral_b", 1, "yellow"),
    ("tint", 1): _cast("neutral_a", -1, "green"),
    ("tint", -1): _cast("neutral_a", 1, "magenta"),
    ("saturation", 1): Fault((("chroma", -1, 18.0),), _saturation(10.0, "pale", "a little pale")),
    ("saturation", -1): Fault((("chroma", 1, 22.0),), _saturation(30.0, "rather strong", "too strong")),
}  # fmt: skip


def leans(band: str, direction: int) -> str:
    """The neighbour that a hue band leans to where it is turned in a direction."""
    return BANDS[(BANDS.index(band) - direction) % 8]


def _band_fault(kind: str, band: str, direction: int) -> Fault:
    plural, up = PLURAL[band], direction > 0
    if kind == "hue":
        away = leans(band, direction)
        texts = (f"the {plural} lean {away}", f"{plural} look {away}", f"there is {away} in the {plural}")
        return Fault(((f"offset.{band}", -direction, -direction * 3.0),), (Said(texts),))
    if kind == "saturation":
        word, shown, of = ("dull" if up else "too strong"), (-1, 40.0) if up else (1, 25.0), f"chroma.{band}"
        texts = (f"the {plural} are {word}, chroma near {{n}}", f"{plural} look {word}, near chroma {{n}}", f"{word} {plural}, with chroma near {{n}}")
    else:
        word, shown, of = ("dark" if up else "bright"), (-1, 65.0) if up else (1, 25.0), f"lightness.{band}"
        texts = (f"the {plural} are {word}, near L {{n}}", f"{plural} look {word}, near L {{n}}", f"{word} {plural}, near L {{n}}")
    return Fault(((of, *shown),), (Said(texts, ((of, "five"),)),))


# What the photo is, against a look (Style): (cure up, cure down) -> words.
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
_FIGURE = {
    "exposure": Said(("midtones near L {n}",), (("median", "five"),)),
    "contrast": Said(("tones from L {n} to {m}",), (("p2", "five"), ("p98", "five"))),
    "highlights": Said(("near L {n}",), (("p90", "five"),)),
    "shadows": Said(("near L {n}",), (("p10", "five"),)),
    "saturation": Said(("chroma near {n}",), (("chroma", "five"),)),
    "monochrome": Said(("chroma near {n}",), (("chroma", "five"),)),
}


def against_words(axis: str, direction: int) -> str:
    """What a photo is, against a look whose change goes along an axis."""
    return _AGAINST[axis][direction < 0]


def against_figure(axis: str) -> Said | None:
    """The figure that stands behind it, if any."""
    return _FIGURE.get(axis)


@cache
def band_against(axis: str, direction: int) -> Said:
    """The same of a hue band, as whole sentences."""
    kind, _, band = axis.partition(".")
    plural = PLURAL[band]
    if kind == "hue":
        away = leans(band, direction)
        return Said((f"the {plural} are too {away} for this look", f"{plural} too {away} for the look"))
    word = {"saturation": ("pale", "strong"), "luminance": ("dark", "bright")}[kind][direction < 0]
    of, figure = (f"chroma.{band}", "chroma near {n}") if kind == "saturation" else (f"lightness.{band}", "near L {n}")
    texts = (
        f"the {plural} are too {word} for this look, {figure}",
        f"{plural} too {word} for the look, {figure}",
        f"for this look the {plural} are too {word}, {figure}",
    )
    return Said(texts, ((of, "five"),))
