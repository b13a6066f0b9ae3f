"""Reading, squashing, measuring and fingerprinting one image."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError

from .files import DataError


def read_rgb(path: Path) -> np.ndarray:
    """Image file -> uint8 [H,W,3]."""
    try:
        with Image.open(path) as image:
            return np.array(image.convert("RGB"))
    except (FileNotFoundError, UnidentifiedImageError, OSError) as cause:
        raise DataError(
            f"{path} cannot be read as an image ({cause}). It was left untouched; remove or replace it."
        ) from cause


def squash(rgb: np.ndarray, size: int) -> np.ndarray:
    """uint8 [H,W,3] -> uint8 [size,size,3] by adaptive average pooling, as the bundle's preprocessing does."""
    # Copy: a decoded image may be a read-only view, which torch does not accept silently.
    planes = torch.from_numpy(rgb.copy()).permute(2, 0, 1)[None].float()
    pooled = torch.nn.functional.adaptive_avg_pool2d(planes, size)
    return pooled[0].permute(1, 2, 0).round().to(torch.uint8).numpy()


def difference_hash(rgb: np.ndarray) -> int:
    """64-bit dHash: sign of the horizontal luma differences of a 9x8 thumbnail."""
    luma = torch.from_numpy(rgb.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32))
    small = torch.nn.functional.adaptive_avg_pool2d(luma[None], (8, 9))[0]
    bits = (small[:, 1:] > small[:, :-1]).flatten().tolist()
    return int("".join("1" if bit else "0" for bit in bits), 2)


def hash_distance(first: int, second: int) -> int:
    return (first ^ second).bit_count()


def flat_share(rgb: np.ndarray) -> float:
    """Share of pixels equal to both their right and lower neighbour: near 0 in camera pictures, high in drawings."""
    same_right = (rgb[:-1, :-1] == rgb[:-1, 1:]).all(-1)
    same_below = (rgb[:-1, :-1] == rgb[1:, :-1]).all(-1)
    return float((same_right & same_below).mean())


def colour_residual(rgb: np.ndarray) -> float:
    """How much colour a picture has beyond one tint: 98th percentile of the chroma left over (in 8-bit units)
    when Cb and Cr are predicted linearly from luma. Greyscale, sepia and cyanotype scans give nearly 0."""
    values = rgb.reshape(-1, 3).astype(np.float64)
    luma = values @ np.array([0.299, 0.587, 0.114])
    design = np.stack([luma, np.ones_like(luma)], axis=1)
    chroma = np.stack([values[:, 2] - luma, values[:, 0] - luma], axis=1) * np.array([0.564, 0.713])
    # Normal equations by hand: two unknowns, so lstsq on 10^5 rows would be wasted time.
    solution = np.linalg.pinv(design.T @ design) @ (design.T @ chroma)
    return float(np.percentile(np.abs(chroma - design @ solution).max(axis=1), 98))
