"""Weights in four bits, in the form that onnxruntime's MatMulNBits takes.

Each row of a weight is cut into blocks of 32 values, which share one scale: value = (q - 8) * scale, q from 0 to 15. The
scale is chosen so that the value furthest from 0 is met exactly by q = 0; the other side then ends at q = 15.
"""

from __future__ import annotations

import numpy as np

BLOCK = 32
ZERO = 8


def pack_int4(weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """float [N,K], K a multiple of 32 -> (uint8 [N,K/32,16], two values a byte, the first in its low half; float32 scales
    [N,K/32]). Raises ValueError for another K."""
    rows, columns = weight.shape
    if columns % BLOCK != 0:
        raise ValueError(f"{columns} columns are no multiple of {BLOCK}.")
    blocks = weight.astype(np.float32).reshape(rows, columns // BLOCK, BLOCK)
    furthest = np.take_along_axis(blocks, np.abs(blocks).argmax(axis=2)[:, :, None], axis=2)[:, :, 0]
    scales = furthest / -ZERO
    safe = np.where(scales == 0, 1, scales)
    whole = np.clip(np.rint(blocks / safe[:, :, None]) + ZERO, 0, 15).astype(np.uint8)
    return whole[:, :, 0::2] | (whole[:, :, 1::2] << 4), scales.astype(np.float32)


def unpack_int4(packed: np.ndarray, scales: np.ndarray) -> np.ndarray:
    """The weight float32 [N,K] that the packed form stands for."""
    rows, blocks, _ = packed.shape
    whole = np.empty((rows, blocks, BLOCK), np.float32)
    whole[:, :, 0::2], whole[:, :, 1::2] = packed & 15, packed >> 4
    return ((whole - ZERO) * scales[:, :, None]).reshape(rows, blocks * BLOCK)
