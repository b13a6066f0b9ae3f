"""The words of a plan, one table for the composer and the parser, so that what is written can be read back.

A clause is a verb with its object ("brighten the picture", "pull the highlights down") and a word for its size before
or after it. WORDING lists, per kind of claim and direction, verbs and objects; `{}` marks the object's place,
`~` the size's place where it belongs to a comparative.
The vocabulary is kept small on purpose: every distinct token is a row of the model's output head.
"""

from __future__ import annotations

from .measure import BANDS

# Sizes: words before the verb, after the object, and before a comparative ("slightly warmer").
SIZES = {
    "slight": (
        ("slightly", "gently"),
        ("slightly", "gently", "a little", "a touch"),
        ("slightly", "a little", "a touch"),
    ),
    "moderate": (("moderately", "clearly", "noticeably"),) * 3,
    "strong": (("strongly", "markedly"), ("strongly", "markedly", "a lot"), ("much", "far")),
}

_PICTURE = ("the picture", "the photo", "the frame", "the whole image")
_EXPOSURE = ("the exposure", "the overall exposure", "the brightness")
_CONTRAST = ("the contrast", "the tonal contrast", "the overall contrast")
_COLOURS = ("the colors", "all colors", "the overall color")
_SATURATION = ("the saturation", "the overall saturation")
_ZONES = {
    "highlights": ("the highlights", "the bright areas"),
    "shadows": ("the shadows", "the dark areas"),
    "whites": ("the whites", "the white point"),
    "blacks": ("the blacks", "the black point"),
    "lights": ("the lights", "the light tones"),
    "darks": ("the darks", "the dark tones"),
}


def _zone(name: str) -> dict[tuple[str, int, str], list[tuple[tuple[str, ...], tuple[str, ...]]]]:
    """Clauses for a tonal zone: 'step' when its pixels move that way, 'hold' when they only move less than the rest."""
    objects = _ZONES[name]
    down = {
        "highlights": ("recover {}", "pull {} down", "tone down {}", "darken {}", "lower {}"),
        "shadows": ("deepen {}", "darken {}", "pull {} down", "lower {}"),
    }.get(name, ("lower {}", "darken {}", "pull {} down", "bring {} down"))
    return {
        (name, 1, "step"): [(("lift {}", "raise {}", "brighten {}", "open up {}"), objects)],
        (name, -1, "step"): [(down, objects)],
        (name, 1, "hold"): [(("hold {} up", "keep {} up", "protect {}", "support {}"), objects)],
        (name, -1, "hold"): [(("hold {} back", "hold {} down", "restrain {}", "rein in {}"), objects)],
    }


# (axis or kind of band axis, direction, variant) -> groups of (verbs, objects).
WORDING: dict[tuple[str, int, str], list[tuple[tuple[str, ...], tuple[str, ...]]]] = {
    ("exposure", 1, ""): [
        (("brighten {}", "lighten {}"), _PICTURE),
        (("raise {}", "lift {}", "increase {}"), _EXPOSURE),
    ],
    ("exposure", -1, ""): [
        (("darken {}", "dim {}"), _PICTURE),
        (("lower {}", "reduce {}", "bring {} down"), _EXPOSURE),
    ],
    ("contrast", 1, ""): [(("raise {}", "increase {}", "strengthen {}", "boost {}"), _CONTRAST)],
    ("contrast", -1, ""): [(("lower {}", "reduce {}", "soften {}", "ease {}"), _CONTRAST)],
    ("temperature", 1, ""): [
        (("warm {}", "warm up {}"), _PICTURE + _COLOURS),
        (("make {} ~warmer",), ("the white balance", *_COLOURS)),
    ],
    ("temperature", -1, ""): [
        (("cool {}", "cool down {}"), _PICTURE + _COLOURS),
        (("make {} ~cooler",), ("the white balance", *_COLOURS)),
    ],
    ("tint", 1, ""): [
        (("shift {} towards magenta", "move {} to magenta"), ("the tint", "the white balance", "the colors"))
    ],
    ("tint", -1, ""): [
        (("shift {} towards green", "move {} to green"), ("the tint", "the white balance", "the colors"))
    ],
    ("saturation", 1, ""): [
        (("strengthen {}", "enrich {}", "intensify {}"), _COLOURS),
        (("raise {}", "increase {}", "boost {}"), _SATURATION),
    ],
    ("saturation", -1, ""): [
        (("mute {}", "calm {}", "soften {}"), _COLOURS),
        (("lower {}", "reduce {}", "ease {}"), _SATURATION),
    ],
    ("vibrance", 1, ""): [
        (("raise {}", "increase {}", "boost {}", "lift {}"), ("the vibrance", "the overall vibrance"))
    ],
    ("vibrance", -1, ""): [(("lower {}", "reduce {}", "ease {}", "mute {}"), ("the vibrance", "the overall vibrance"))],
    ("monochrome", 1, ""): [
        (("turn {} black and white", "make {} black and white", "convert {} to black and white"), _PICTURE),
    ],
    ("band saturation", 1, ""): [
        (("enrich {}", "boost {}", "saturate {}", "intensify {}", "strengthen {}"), ("the {band}",))
    ],
    ("band saturation", -1, ""): [
        (("mute {}", "calm {}", "desaturate {}", "soften {}", "tone down {}"), ("the {band}",))
    ],
    ("band luminance", 1, ""): [(("brighten {}", "lighten {}", "lift {}", "make {} ~brighter"), ("the {band}",))],
    ("band luminance", -1, ""): [(("darken {}", "dim {}", "make {} ~darker"), ("the {band}",))],
    ("band hue", 1, ""): [(("shift {} towards {next}", "move {} to {next}", "turn {} to {next}"), ("the {band}",))],
    ("band hue", -1, ""): [(("shift {} towards {next}", "move {} to {next}", "turn {} to {next}"), ("the {band}",))],
}
for _name in ("highlights", "shadows", "whites", "blacks", "lights", "darks"):
    WORDING.update(_zone(_name))

# Words that give the direction of a clause, by axis or kind; the first that occurs in a clause counts.
_UP = [
    "brighten",
    "lighten",
    "lift",
    "raise",
    "increase",
    "open",
    "add",
    "boost",
    "strengthen",
    "up",
    "enrich",
    "intensify",
    "protect",
    "support",
    "brighter",
]
_DOWN = [
    "darken",
    "dim",
    "lower",
    "reduce",
    "down",
    "back",
    "restrain",
    "rein",
    "recover",
    "tone",
    "ease",
    "soften",
    "decrease",
    "darker",
]
DIRECTIONS: dict[str, dict[str, int]] = {
    "tone": {**dict.fromkeys(_UP, 1), **dict.fromkeys(_DOWN + ["deepen"], -1)},
    "contrast": {**dict.fromkeys(_UP + ["deepen"], 1), **dict.fromkeys(_DOWN + ["flatten"], -1)},
    "temperature": {**dict.fromkeys(["warm", "warmer", "warmth"], 1), **dict.fromkeys(["cool", "cooler"], -1)},
    "tint": {"magenta": 1, "green": -1},
    "saturation": {
        **dict.fromkeys(_UP + ["saturate", "richer", "deepen"], 1),
        **dict.fromkeys(_DOWN + ["mute", "calm", "desaturate"], -1),
    },
    "luminance": {
        **dict.fromkeys(["brighten", "lighten", "lift", "brighter", "lighter"], 1),
        **dict.fromkeys(["darken", "dim", "darker"], -1),
    },
}


# What the object of a clause names, longest phrase first, by factor. Hue bands are named in the plural.
NOUNS = {
    "light": [(w.removeprefix("the "), axis) for axis, words in _ZONES.items() for w in words]
    + [(w.rstrip("s"), axis) for w, axis in (("highlights", "highlights"), ("shadows", "shadows"))]
    + [("contrast", "contrast")]
    + [(w, "exposure") for w in ("exposure", "brightness", "picture", "photo", "image", "frame")],
    "globalColor": [
        ("black and white", "monochrome"),
        ("monochrome", "monochrome"),
        ("vibrance", "vibrance"),
        ("saturation", "saturation"),
    ],
}
PLURAL = {band: f"{band}s" for band in BANDS}


def neighbour(band: str, direction: int) -> str:
    """The next hue band (direction +1: red -> orange -> ... -> magenta -> red) or the one before."""
    return BANDS[(BANDS.index(band) + direction) % len(BANDS)]
