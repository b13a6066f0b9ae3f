"""Drawing the list of instructions that prompt fidelity is measured with; run by `veraretouch.eval.prompts --draw`.

Three parts: instructions asked since the first release, so that figures can be compared; ladders of three degrees of one
wish; and draws of `data.spoken`, evenly over the voices, most of them in words kept out of training. A draw stays only
when the engine with its settings does what it says on nearly all photos: the list shall judge models, not contradictions.
"""

from __future__ import annotations

import random

import torch

from ..data.files import DataError
from ..data.intents import Intent
from ..data.spoken import ALL, Spoken, spoken
from ..data.voices import DEGREES, VOICES
from ..engine.develop import develop
from ..engine.params import INDEX, PARAMETERS
from ..reasoning.axes import AXES, effect
from ..reasoning.measure import Pixels, change

COUNT = 150
UNSEEN = 75
SEED = 27
LEAST_SHOWN = 0.95  # share of photos on which the engine does what a draw asks for
LEAST_PHOTOS = 3  # that have the hue a wish is about

# Asked since the first release: text -> intents.
FIRST = {
    "warmer": "warm", "make it cooler": "cool", "brighter": "bright", "darker and moody": "moody", "more contrast": "contrasty",
    "soft and low contrast": "soft", "vivid and warm, strong contrast": "vivid warm contrasty", "muted colours": "muted",
    "black and white": "mono", "faded film look": "faded", "warm evening light": "golden-hour", "cold winter morning": "winter",
    "vibrant colours": "vivid",
}  # fmt: skip
# What the first list asked for where that is less than the intent does.
FIRST_ASKED = {"darker and moody": [["exposure", -1]], "faded film look": [["contrast", -1]]}
LADDERS = {
    "warm": "warmer", "cool": "cooler", "bright": "brighter", "dark": "darker", "contrasty": "more contrasty", "soft": "softer in contrast",
    "vivid": "more vivid", "muted": "more muted",
}  # fmt: skip
STEPS = {"little": "a little {}", "plain": "{}", "much": "much {}"}


def _settings(params: torch.Tensor) -> dict[str, float]:
    return {name: round(float(value), 3) for name, value in zip(PARAMETERS, params) if value}


def _entry(text: str, voice: str, unseen: bool, asked, limits, params: torch.Tensor, **more) -> dict:
    return {"text": text, "voice": voice, "unseen": unseen, "asked": [list(x) for x in asked], "limits": [list(x) for x in limits],
            "settings": _settings(params), **more}  # fmt: skip


def _params(intents: list[Intent], scale: float = 1.0) -> torch.Tensor:
    params = torch.zeros(38)
    for intent in intents:
        for name, value in intent.settings.items():
            params[INDEX[name]] += value * (1.0 if abs(value) == 1.0 else scale)
    return params.clamp(-1, 1)


def _shows(said: Spoken, before: list[Pixels]) -> bool:
    """Whether the engine does what an instruction says on the photos that can show it."""
    shown, band, may_fail = 0, any("." in axis for axis, _ in said.asked), (1 - LEAST_SHOWN) * len(before)
    for pixels in before:
        moved = change(pixels, Pixels(develop(pixels.rgb[None], said.params[None])[0].clamp(0, 1)))
        if band and not all(d * effect(moved, axis) > 0.5 * AXES[axis].dead for axis, d in said.asked if "." in axis):
            continue
        shown += said.shown(moved)
        may_fail -= not said.shown(moved)
        if may_fail < 0 or (band and may_fail < 1):  # few photos have the hue, so none of them may fail
            return False
    return shown >= LEAST_PHOTOS


def draw(photos: torch.Tensor) -> list[dict]:
    """The list; photos: uint8 [B, H, W, 3], on which the engine must show what is asked. The same photos give the same list."""
    by_name = {intent.name: intent for intent in ALL}
    prompts = []
    for text, names in FIRST.items():
        intents = [by_name[name] for name in names.split()]
        asked = FIRST_ASKED.get(text) or list(dict.fromkeys(move for i in intents for move in i.asked))
        prompts.append(_entry(text, "first", False, asked, (), _params(intents)))
    for name, word in LADDERS.items():
        for degree, form in STEPS.items():
            text, params = form.format(word), _params([by_name[name]], DEGREES[degree].scale)
            if known := [p for p in prompts if p["text"] == text]:
                known[0].update(ladder=name, degree=degree)
                continue
            prompts.append(_entry(text, "ladder", False, by_name[name].asked, (), params, ladder=name, degree=degree))
    pixels = photos.flatten(1, 2).float() / 255
    where = torch.randperm(pixels.shape[1], generator=torch.Generator().manual_seed(0))[:2048]
    before = [Pixels(rgb[where]) for rgb in pixels]
    rng, voices = random.Random(SEED), list(VOICES)
    texts = {prompt["text"].lower() for prompt in prompts}
    used: set[tuple[str, ...]] = set()
    while len(prompts) < COUNT:
        rest, missing = COUNT - len(prompts), UNSEEN - sum(p["unseen"] for p in prompts)
        unseen, voice = rng.random() < missing / rest, voices[len(prompts) % len(voices)]
        said = _fitting(rng, unseen, voice, len(prompts), before, texts, used)
        texts.add(said.text.lower())
        used.add(said.intents)
        strongest = max(said.degrees, key=lambda name: abs(DEGREES[name].order))
        prompts.append(_entry(said.text, voice, unseen, said.asked, said.limits, said.params, degree=strongest))
    return prompts


def _fitting(rng: random.Random, unseen: bool, voice: str, number: int, before: list[Pixels], texts: set[str], used: set) -> Spoken:
    """A draw in this voice that the engine can do; every third one with a restriction, every fifth about one hue, where the
    voice has such."""
    for tries in range(100_000):
        said = spoken(rng, unseen)
        if said.voice != voice or said.text.lower() in texts or len(said.intents) > 2:
            continue
        if tries < 3000:
            hue = any("." in axis for axis, _ in said.asked)
            if hue != (number % 5 == 0) or (said.rider is not None) != (number % 3 == 0 and not hue) or said.intents in used:
                continue
        if _shows(said, before):
            return said
    raise DataError(f"No instruction of the voice {voice!r} could be shown on the photos given. Nothing was written; give more photos.")
