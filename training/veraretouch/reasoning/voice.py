"""Voices: ways of wording that make answers differ and stay predictable.

Drawn at random, the wording of a claim is what no model can foresee: most of its cross-entropy is the choice of words, and
greedy answers end up with the commonest ones, the same for every photo. So an answer is written in one of a few voices, whose
number the model reads in its prompt: within a voice the same claim is always said in the same words.
"""

from __future__ import annotations

import random

from .errors import ReasoningError

COUNT = 16


class Voice(random.Random):
    """Draws what belongs to voice `number` (0 to 15): of n wordings the one that stands at number modulo n.

    Numbers that are taken modulo lists of different lengths give each voice its own combination.
    """

    def __init__(self, number: int) -> None:
        super().__init__(0)
        if not 0 <= number < COUNT:
            raise ReasoningError(f"there is no voice {number}; they are 0 to {COUNT - 1}")
        self.number = number

    def choice(self, seq):
        return seq[self.number % len(seq)]

    def random(self) -> float:
        return (self.number // 2 % 2) / 2 + 0.25
