"""Answers that the published model gives freely, as its own script lets it: what its skeleton is measured on."""

from __future__ import annotations

from PIL import Image
from tokenizers import Tokenizer

from veraretouch.export.parity import SETTINGS, settings_vector
from veraretouch.export.pictures import picture
from veraretouch.official.judge import WORDS
from veraretouch.official.model import OfficialVlm
from veraretouch.official.prompts import parameter_text, prompt
from veraretouch.official.reference import OfficialReference

# Three problems and three plans of many words; whoever says more has no form.
LONGEST_ANSWER = 1024
SIDES = (384, 256)


def free_answers(vlm: OfficialVlm, tokenizer: Tokenizer, count: int, longest: int = LONGEST_ANSWER) -> dict[str, list[list[int]]]:
    """Token ids of `count` greedy answers of each mode, to pictures and settings made by formula."""
    asks = OfficialReference(vlm, tokenizer, longest)
    answers: dict[str, list[list[int]]] = {"auto": [], "style": [], "param": []}
    for index in range(count):
        photo = Image.fromarray(picture(index, *SIDES))
        words, settings = WORDS[index % len(WORDS)], settings_vector(SETTINGS[index % len(SETTINGS)])
        answers["auto"].append(asks.words(prompt("auto"), photo))
        answers["style"].append(asks.words(prompt("style", words), photo))
        answers["param"].append(asks.words(prompt("param", parameter_text(settings)), None))
    return answers
