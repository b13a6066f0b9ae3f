"""Voices: ways of wording that make answers differ and stay predictable.

Drawn at random, the wording of a claim is what no model can foresee: most of its cross-entropy is the choice of words, and
greedy answers end up with the commonest ones, the same for every photo. So an answer is written in one of a few voices, whose
number the model reads in its prompt: within a voice the same claim is always said in the same words.
"""

from __future__ import annotations

import random
from zlib import crc32

from .errors import ReasoningError

COUNT = 32


def voice_of_example(number: int) -> int:
    """The voice that an example is told in: any voice with any photo, and every voice equally often."""
    return number * 7 % COUNT


class Voice(random.Random):
    """Draws what belongs to voice `number`, from 0 on: as many voices for each of n wordings.

    Every n voices take the wordings in turn, beginning at one that depends on the list: so two lists of the same length are
    combined in every way, and the voices differ by as much as there are words.
    """

    def __init__(self, number: int) -> None:
        super().__init__(0)
        if not 0 <= number < COUNT:
            raise ReasoningError(f"there is no voice {number}; they are 0 to {COUNT - 1}")
        self.number = number

    def choice(self, seq):
        turn, count = crc32("|".join(map(str, seq)).encode()), len(seq)
        return seq[(self.number + self.number // count * turn) % count]

    def random(self) -> float:
        return (self.number // 4 % 2) / 2 + 0.25
