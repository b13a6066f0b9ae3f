"""How instructions are said: voices with their sentences, degrees, and the riders that hold something back.

A sentence has one slot, named after the kinds of phrases that fit it (`SLOTS`). A degree scales the settings of the one
phrase it stands with. A rider is a negation that does something: "but not too bright" weakens what brightens and sets a
limit that can be measured, "without touching the colours" takes every colour setting out.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..reasoning.axes import AXES, STILL

# Slot -> kinds of phrases (fields of `intents.Intent`) that make a sentence with it.
SLOTS: dict[str, tuple[str, ...]] = {
    "c": ("comps", "plains", "less"),
    "n": ("nouns", "more", "fewer"),
    "v": ("verbs",),
    "x": ("comps", "nouns", "verbs", "more", "fewer"),
    "m": ("more", "fewer", "comps", "less"),
    "j": ("jargon",),
    "t": ("less", "cures"),
    "f": ("films",),
    "d": ("times",),
    "e": ("feelings",),
}
LEADING = ("f", "d", "e")  # one phrase of its own kind leads, plain wishes may follow

VOICES: dict[str, tuple[str, ...]] = {
    "terse": ("{x}", "{x}", "{x} please", "just {x}", "{c}", "{n}", "quick fix: {x}", "{x}, that's all", "edit: {x}", "{c}, quickly", "to do: {x}", "{n}, nothing else"),
    "plain": (
        "make it {c}", "Make this {c}, please.", "The photo should be {c}.", "I want it {c}.", "give it {n}", "I want {n}.", "with {n}",
        "please {v}", "{v} please", "I would like {n}.", "It needs {n}.", "I am looking for {n}.", "please make the picture {c}",
        "Let it come out {c}.", "this wants {n}", "You should {v}.",
    ),
    "chatty": (
        "Hey, can you make it {c}?", "I think it'd be nicer {c}.", "could we go {c}?", "hmm, maybe {v}", "I'd love {n} here", "honestly, just {v}",
        "ok so {v} please", "how about {n} for this one", "it'd be so cool with {n}", "oh, and {v} please", "let's try {n}", "you know what, make it {c}",
        "I'm kind of in the mood for {n}", "pretty please {v}", "feel free to {v}", "so yeah, {c} would be great",
    ),
    "artDirector": (
        "Push this {c}.", "Take it {c}.", "For the cover I need {n}.", "Let's {v}.", "I see this {c}.", "Think {n}.", "Next round: {v}.",
        "The brief asks for {n}.", "Art direction: {c}.", "I'm missing {n}.", "The story needs {n}.", "Own it: {c}.", "Key visual should go {c}.", "Sell me {n}.",
    ),
    "client": (
        "Hi, please {v}. Thanks!", "Our client would like it {c}.", "Dear team, could you {v}?", "We would prefer {n}.", "Feedback from marketing: {c}.",
        "One small change: {v}.", "Could this be {c} for the website?", "Hello, we would need it {c}. Kind regards", "As discussed, please {v}.",
        "The customer asks for {n}.", "Would it be possible to {v}?", "For the catalogue we want {n}.", "My boss wants it {c}.",
    ),
    "question": (
        "What if it were {c}?", "can it be {c}?", "Could you {v}?", "How would it look {c}?", "any chance of {n}?", "Can you {v}?", "what about {n}?",
        "would {n} suit it?", "Why not {v}?", "Can I see it {c}?", "Is there a way to {v}?", "Shouldn't it be {c}?",
    ),
    "jargon": (
        "{j}", "{j}", "I'd {j}.", "{j} in post", "Just {j}.", "In the edit, {j}.", "time to {j}", "{j} and we're done", "Please {j} before export.", "first {j}",
    ),
    "complaint": (
        "it's {t}", "It looks {t}.", "this came out {t}", "The photo is {t}, please fix it.", "looks {t} to me", "Sorry, but this is {t}.", "{t} for my taste",
        "I find it {t}.", "My camera made it {t}.", "Can you fix this? It's {t}.", "everyone says it is {t}",
    ),
    "comparative": ("{m}", "{m} please", "I want {m}.", "We need {m}.", "can I have it {c}", "{m}, that would do", "a version with {n}", "go for {m}"),
    "film": (
        "as if shot on {f}", "like {f}", "Make it look like {f}.", "the look of {f}", "Imagine this on {f}.", "I want it to look like {f}.", "Could it pass for {f}?",
        "remind me of {f}", "something like {f}", "Pretend I had used {f}.", "Emulate {f}.",
    ),
    "time": (
        "make it look like {d}", "like {d}", "Turn it into {d}.", "as if it were {d}", "It should look like {d}.", "more like {d}", "Can it look like {d}?",
        "Relight it as {d}.", "I wish it had been {d}.", "let it be {d}", "shift it to {d}",
    ),
    "feeling": (
        "make it feel {e}", "It should feel {e}.", "something {e}", "can it feel {e}?", "The mood should be {e}.", "I want it to feel {e}.", "more {e}, somehow",
        "Let it feel {e}.", "give me a picture that feels {e}", "It has to come across {e}.", "{e}, you know?",
    ),
}  # fmt: skip
# How often a voice speaks.
WEIGHTS = {"terse": 3, "plain": 3, "chatty": 2, "artDirector": 2, "client": 2, "question": 2, "jargon": 2, "complaint": 2, "comparative": 2,
           "film": 1, "time": 1.5, "feeling": 1.5}  # fmt: skip


@dataclass(frozen=True)
class Degree:
    """A strength and its words by what they stand with; `order` ranks degrees against each other: -1, 0 or 1 and so on."""

    scale: float
    order: int
    comps: tuple[str, ...]  # with a comparative, also "less warm" and "more light"
    plains: tuple[str, ...]
    verbs: tuple[str, ...]
    too: tuple[str, ...]  # with a complaint


DEGREES: dict[str, Degree] = {
    "barely": Degree(0.4, -2, ("just barely {}", "ever so slightly {}", "the tiniest bit {}", "only a hair {}"), ("ever so slightly {}", "just barely {}"),
                     ("{} ever so slightly", "{} just a hair", "{} by a whisker"), ("{}",)),
    "touch": Degree(0.55, -1, ("a touch {}", "a tad {}", "slightly {}", "a shade {}", "a smidge {}"), ("a touch {}", "slightly {}", "subtly {}", "faintly {}"),
                    ("{} a touch", "{} a tad", "{} slightly", "subtly {}"), ("a touch {}", "a tad {}", "slightly {}")),
    "little": Degree(0.65, -1, ("a little {}", "a bit {}", "a little bit {}", "somewhat {}"), ("a little {}", "a bit {}", "somewhat {}"),
                     ("{} a little", "{} a bit", "{} just a bit", "gently {}"), ("a little {}", "a bit {}", "kind of {}")),
    "plain": Degree(1.0, 0, ("{}",), ("{}",), ("{}",), ("{}",)),
    "quite": Degree(1.25, 1, ("quite a bit {}", "noticeably {}", "clearly {}", "visibly {}"), ("quite {}", "pretty {}", "rather {}", "properly {}"),
                    ("{} quite a bit", "noticeably {}", "clearly {}"), ("rather {}", "quite {}", "definitely {}")),
    "much": Degree(1.6, 2, ("much {}", "a lot {}", "far {}", "way {}"), ("very {}", "really {}", "extremely {}", "super {}"),
                   ("{} a lot", "really {}", "{} strongly", "seriously {}"), ("far {}", "way {}", "much {}")),
    "dramatically": Degree(2.0, 3, ("dramatically {}", "massively {}", "radically {}"), ("insanely {}", "dramatically {}", "totally {}"),
                           ("{} dramatically", "{} as far as it goes", "massively {}"), ("{}",)),
}  # fmt: skip
DEGREE_WEIGHTS = {"barely": 1, "touch": 2, "little": 2, "plain": 9, "quite": 1.5, "much": 3, "dramatically": 1}

# A change that is "not too much" stays below this: between moderate and strong, where a plain wish often ends up.
MOST = {name: (axis.moderate * axis.strong) ** 0.5 for name, axis in AXES.items()}

Limit = tuple[str, int, float]  # (axis, direction, most): direction * effect <= most, in the axis' units


@dataclass(frozen=True)
class Rider:
    """A restriction on an instruction, with the limits that it sets on pixels and what it does to the settings.

    `needs`: the axis with direction that must be asked for, () for any; `only`: the axes that may be asked for, () for any.
    """

    name: str
    texts: tuple[str, ...]
    limits: tuple[Limit, ...]
    scales: dict[str, float]  # parameter -> factor
    adds: dict[str, float]
    needs: tuple[str, int] | tuple[()] = ()
    only: tuple[str, ...] = ()


_LIGHT = ("exposure", "contrast", "highlights", "shadows")
_COLOUR = ("temperature", "tint", "saturation")
_COLOUR_SETTINGS = ("IncrementalTemperature", "IncrementalTint", "Vibrance", "Saturation")
_TONE_SETTINGS = ("Contrast2012", "Shadows2012", "Blacks2012", "Whites2012", "Highlights2012")


def _not_too(axis: str, direction: int, texts: str, factor: float, *settings: str) -> Rider:
    limit = (axis, direction, round(MOST[axis], 3))
    return Rider(f"not too {axis}{'+' if direction > 0 else '-'}", tuple(texts.split("|")), (limit,), dict.fromkeys(settings, factor), {}, (axis, direction))


def _keep(name: str, axes: tuple[str, ...], texts: str, settings: tuple[str, ...], only: tuple[str, ...]) -> Rider:
    limits = tuple((axis, sign, STILL * AXES[axis].dead) for axis in axes for sign in (1, -1))
    return Rider(name, tuple(texts.split("|")), limits, dict.fromkeys(settings, 0.0), {}, (), only)


RIDERS: tuple[Rider, ...] = (
    _not_too("exposure", 1, "but not too bright|not overly bright though|without making it too bright|just don't blow it out", 0.5, "Exposure2012", "Shadows2012"),
    _not_too("exposure", -1, "but not too dark|not overly dark though|but don't let it drown in black|without making it too dark", 0.5, "Exposure2012"),
    _not_too("contrast", 1, "but not too contrasty|without getting harsh|but not too hard|nothing harsh", 0.5, *_TONE_SETTINGS),
    _not_too("contrast", -1, "but not too flat|but keep some punch|without going completely flat", 0.5, *_TONE_SETTINGS),
    _not_too("temperature", 1, "but not too yellow|but not too warm|don't make it orange", 0.5, "IncrementalTemperature"),
    _not_too("temperature", -1, "but not too blue|but not too cold|don't make it icy", 0.5, "IncrementalTemperature"),
    _not_too("saturation", 1, "but don't oversaturate|but keep the colours believable|without overdoing the colours|nothing neon", 0.5, "Vibrance", "Saturation"),
    _not_too("saturation", -1, "but leave some colour|but not too pale|don't lose all the colour", 0.5, "Vibrance", "Saturation"),
    _keep("keep colours", _COLOUR, "without touching the colours|but leave the colours alone|colours as they are|hands off the colours", _COLOUR_SETTINGS, _LIGHT),
    _keep("keep brightness", ("exposure",), "but keep the brightness|without changing the exposure|same brightness please", ("Exposure2012", *_TONE_SETTINGS), _COLOUR),
    _keep("keep contrast", ("contrast",), "but leave the contrast alone|without changing the contrast|contrast as it is", ("Exposure2012", *_TONE_SETTINGS), _COLOUR),
    _keep("keep sky", ("saturation.blue", "hue.blue"), "but keep the skies natural|but leave the sky alone|without a fake sky", (), _LIGHT),
    _keep("keep skin", ("saturation.orange", "hue.orange"), "but keep skin tones natural|without odd skin tones|but be careful with the skin", (), _LIGHT),
    Rider("hold highlights", ("but hold the highlights", "without blowing the highlights", "but keep detail in the bright areas"), (("highlights", 1, AXES["highlights"].dead),),
          {}, {"Highlights2012": -0.3}, ("exposure", 1)),
    Rider("hold shadows", ("but keep detail in the shadows", "without crushing the shadows", "but don't lose the shadows"), (("shadows", -1, round(MOST["shadows"], 3)),),
          {}, {"Shadows2012": 0.25}, ("exposure", -1)),
    Rider("subtle", ("nothing extreme", "but keep it subtle", "go easy on it", "but don't overdo it"), (), dict.fromkeys(("*",), 0.55), {}),
)  # fmt: skip
