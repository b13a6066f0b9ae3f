"""Which voice an answer is worded in: the same input always the same, another photo probably another.

The same rule in TypeScript: `src/inference/voices.ts`.
"""

from __future__ import annotations

import numpy as np
import torch

_OFFSET, _PRIME = 0x811C9DC5, 0x01000193


def fnv1a(data: bytes) -> int:
    """32-bit FNV-1a (Fowler, Noll and Vo), http://www.isthe.com/chongo/tech/comp/fnv."""
    value = _OFFSET
    for byte in data:
        value = (value ^ byte) * _PRIME & 0xFFFFFFFF
    return value


def voice_of(given: torch.Tensor | np.ndarray, instruction: str, count: int) -> int:
    """Number of the voice, below `count` (0 where there is none).

    given: a picture [3, S, S] in [0, 1], of which a grid of 8 x 8 pixels counts in 16 levels, or 38 parameters in hundredths;
    instruction: the trimmed text in UTF-8. Coarse, so that rounding of the preprocessing seldom changes the voice.
    """
    if count == 0:
        return 0
    values = np.asarray(given, np.float32)
    if values.ndim == 3:
        step = values.shape[1] // 8
        coarse = np.floor(values[:, step // 2 :: step, step // 2 :: step][:, :8, :8] * 15 + 0.5)
    else:
        coarse = np.floor(values * 100 + 0.5) + 128
    return fnv1a(coarse.astype(np.uint8).tobytes() + instruction.strip().encode()) % count
