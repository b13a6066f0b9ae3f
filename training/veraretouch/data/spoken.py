"""Plain instructions with the retouch that they ask for: "vivid and a little warmer", "cold winter light, soft contrast".

Looks are some hundreds, and a model learns their names. What a person asks for in plain words is a handful of intents in
many combinations, degrees and wordings: each intent is a few settings of the develop engine, and its phrases. Some phrases
and sentences are kept out of training.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import torch

from ..engine.params import INDEX


@dataclass(frozen=True)
class Intent:
    kinds: tuple[str, ...]  # of one kind at most one is asked for
    settings: dict[str, float]  # parameters in [-1, 1] at the plain degree
    adjectives: tuple[str, ...]  # "make it ..."; take a degree
    nouns: tuple[str, ...]  # "give it ..."
    unseen: tuple[str, ...]  # nouns or adjectives that are only used outside training


INTENTS = (
    Intent(("temperature",), {"IncrementalTemperature": 0.5},
           ("warm", "warmer", "golden", "sunny"), ("warm light", "warm tones", "warm evening light", "golden light", "a summer feel"),
           ("a glow of late afternoon",)),
    Intent(("temperature",), {"IncrementalTemperature": -0.5},
           ("cool", "cooler", "cold", "icy", "bluish"), ("cold light", "cool tones", "a cold winter morning", "a frosty feel", "blue hour light"),
           ("the chill of January",)),
    Intent(("tint",), {"IncrementalTint": 0.4}, ("more magenta", "pinkish", "rosy"), ("a magenta tint", "a pink cast"), ("a hint of rose",)),
    Intent(("tint",), {"IncrementalTint": -0.4}, ("greener", "greenish"), ("a green tint", "a green cast"), ("a hint of green",)),
    Intent(("light",), {"Exposure2012": 0.17}, ("bright", "brighter", "lighter"), ("more light", "a bright exposure"), ("more daylight",)),
    Intent(("light",), {"Exposure2012": -0.15}, ("dark", "darker"), ("less light", "a dark exposure"), ("deep dusk",)),
    Intent(("light",), {"Exposure2012": 0.13, "Shadows2012": 0.4, "Contrast2012": -0.2, "Highlights2012": -0.1},
           ("airy", "light and airy", "bright and airy"), ("a high-key feel", "airy light"), ("a weightless brightness",)),
    Intent(("light",), {"Exposure2012": -0.12, "Contrast2012": 0.2, "Highlights2012": -0.35, "Vibrance": -0.2},
           ("moody", "dark and moody", "brooding"), ("a moody atmosphere", "low-key light"), ("a gloomy mood",)),
    Intent(("shadows",), {"Shadows2012": 0.6}, (), ("lifted shadows", "open shadows", "more detail in the shadows"), ("readable shadows",)),
    Intent(("shadows",), {"Shadows2012": -0.5, "Blacks2012": -0.3}, (), ("deep shadows", "darker shadows", "deep blacks"), ("inky shadows",)),
    Intent(("highlights",), {"Highlights2012": -0.6}, (), ("softer highlights", "highlights held back", "recovered highlights"), ("a calmer sky",)),
    Intent(("contrast",), {"Contrast2012": 0.55}, ("contrasty", "more contrasty", "punchy", "crisp"),
           ("strong contrast", "more contrast", "high contrast", "punch"), ("bold contrast",)),
    Intent(("contrast",), {"Contrast2012": -0.5}, ("softer", "flat", "gentle"),
           ("soft contrast", "low contrast", "less contrast", "gentle tones"), ("a subdued contrast",)),
    Intent(("contrast",), {"Blacks2012": 0.6, "Contrast2012": -0.35, "Saturation": -0.1}, ("faded", "matte", "washed out"),
           ("a faded look", "matte blacks", "a faded film look"), ("a sun-bleached finish",)),
    Intent(("colour",), {"Vibrance": 0.45, "Saturation": 0.25}, ("vivid", "vibrant", "colourful", "colorful", "saturated"),
           ("vivid colours", "vibrant colours", "rich colors", "more colour", "strong colours"), ("lively colours",)),
    Intent(("colour",), {"Saturation": -0.4, "Vibrance": -0.15}, ("muted", "desaturated", "pale"),
           ("muted colours", "less colour", "pale colors", "pastel tones", "desaturated colours"), ("quiet colours",)),
    Intent(("colour", "tint"), {"Saturation": -1.0}, ("black and white", "monochrome"), ("a black and white look", "no colour at all"), ("shades of grey only",)),
)  # fmt: skip
_DEGREES = {
    0.5: ("a little {}", "slightly {}", "a bit {}", "subtly {}"),
    1.0: ("{}",),
    1.6: ("very {}", "really {}", "extremely {}"),
}
_COMPARATIVE = ("much {}", "a lot {}", "far {}")
_SEEN = {
    "adjective": ("{}", "make it {}", "Make this {}, please.", "The photo should be {}.", "I want it {}."),
    "noun": ("{}", "give it {}", "I want {}.", "with {}", "Add {}, please."),
    "mixed": ("{}",),
}
_UNSEEN = ("I am looking for {}.", "what about {}")


def spoken(rng: random.Random, unseen: bool = False) -> tuple[str, torch.Tensor]:
    """(instruction, parameters [38] in [-1, 1]) of one to three intents. `unseen`: in words kept out of training."""
    count, chosen = rng.choice((1, 1, 2, 2, 3)), []
    for intent in rng.sample(INTENTS, len(INTENTS)):
        taken = {kind for other in chosen for kind in other.kinds}
        if len(chosen) < count and not taken & set(intent.kinds):
            chosen.append(intent)
    forms = ["noun", "mixed"] + ["adjective"] * all(intent.adjectives for intent in chosen)
    form, params, phrases = rng.choice(forms), torch.zeros(38), []
    for intent in chosen:
        adjective = intent.adjectives and (form == "adjective" or (form == "mixed" and rng.random() < 0.5))
        degree = rng.choice(tuple(_DEGREES)) if adjective and not unseen and "tint" not in intent.kinds[1:] else 1.0
        words = intent.unseen if unseen else intent.adjectives if adjective else intent.nouns
        word = rng.choice(words)
        comparative = word.startswith("more ") or (word.endswith("er") and " " not in word)
        phrases.append(rng.choice(_COMPARATIVE if degree > 1 and comparative else _DEGREES[degree]).format(word))
        for name, value in intent.settings.items():
            # No two people mean the same by a word.
            params[INDEX[name]] += value * degree * (1.0 if abs(value) == 1.0 else rng.uniform(0.8, 1.25))
    sentence = rng.choice(_UNSEEN if unseen else _SEEN[form])
    text = sentence.format(_joined(phrases, rng))
    text = text[0].upper() + text[1:] if text.endswith((".", "?")) else text
    return text, params.clamp(-1, 1)


def _joined(phrases: list[str], rng: random.Random) -> str:
    last = rng.choice((" and ", ", "))
    return phrases[0] if len(phrases) == 1 else ", ".join(phrases[:-1]) + last + phrases[-1]
