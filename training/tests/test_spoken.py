"""Plain instructions: what they ask for is what their settings do, and some words are kept out of training."""

import random

import torch
from test_reasoning_measure import photo

from veraretouch.data.spoken import INTENTS, spoken
from veraretouch.engine.develop import develop
from veraretouch.engine.params import INDEX
from veraretouch.reasoning.measure import Pixels, change

torch.set_num_threads(1)


def test_the_settings_of_an_instruction_show_in_pixels():
    """Each intent by itself, on a photo with the colours of one."""
    before = photo(600)
    shown = {
        "warm": ("temperature", 1), "cool": ("temperature", -1), "bright": ("exposure", 1), "dark": ("exposure", -1),
        "contrasty": ("contrast", 1), "softer": ("contrast", -1), "faded": ("contrast", -1), "vivid": ("saturation", 1),
        "muted": ("saturation", -1), "black and white": ("monochrome", 1), "more magenta": ("tint", 1), "greener": ("tint", -1),
    }  # fmt: skip
    for word, (axis, direction) in shown.items():
        (intent,) = [i for i in INTENTS if word in i.adjectives]
        params = torch.zeros(1, 38)
        for name, value in intent.settings.items():
            params[0, INDEX[name]] = value
        measured = change(Pixels(before), Pixels(develop(before[None], params)[0].clamp(0, 1)))
        assert direction * getattr(measured, axis) > 0, word


def test_instructions_are_drawn_whole_in_range_and_without_contradiction():
    rng = random.Random(1)
    texts = set()
    for _ in range(400):
        text, params = spoken(rng)
        assert text and "{" not in text and params.any() and params.abs().max() <= 1
        texts.add(text)
        assert not (("warm" in text or "sunny" in text) and ("icy" in text or "cold" in text))
    assert len(texts) > 300
    assert spoken(random.Random(5))[0] == spoken(random.Random(5))[0]


def test_words_kept_out_of_training_stay_out():
    rng = random.Random(2)
    held_out = [words for intent in INTENTS for words in intent.unseen]
    trained = " | ".join(spoken(rng)[0] for _ in range(2000))
    assert not any(words in trained for words in held_out)
    assert all(any(words in spoken_text for words in held_out) for spoken_text in (spoken(rng, unseen=True)[0] for _ in range(50)))
