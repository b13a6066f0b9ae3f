"""Pictures as the published model gets them. All of it happens on 8-bit pixels, by Pillow, one step after the other."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image

SHORT_EDGE, IMAGE_SIZE, REFERENCE_SIZE = 512, 1024, 512


def letterbox(picture: Image.Image, short_edge: int = SHORT_EDGE, size: int = IMAGE_SIZE) -> torch.Tensor:
    """An RGB picture of any size -> [3,size,size] in [0,1]: scaled by its short edge, padded to a square, scaled again."""
    width, height = picture.size
    scale = short_edge / min(width, height)
    # The long edge is cut, not rounded.
    edges = (short_edge, int(height * scale)) if width <= height else (int(width * scale), short_edge)
    small = picture.convert("RGB").resize(edges, Image.Resampling.LANCZOS)
    longest = max(edges)
    square = Image.new("RGB", (longest, longest))
    square.paste(small, ((longest - edges[0]) // 2, (longest - edges[1]) // 2))
    return _planes(square.resize((size, size), Image.Resampling.BICUBIC))


def reference(picture: Image.Image, size: int = REFERENCE_SIZE) -> torch.Tensor:
    """One picture of a reference pair -> [3,size,size] in [0,1], squashed, channels in the order BLUE, GREEN, RED.

    The published script reads these two pictures by OpenCV and leaves its order of channels as it is.
    """
    squashed = picture.convert("RGB").resize((size, size), Image.Resampling.BILINEAR)
    return _planes(squashed).flip(0)


def _planes(picture: Image.Image) -> torch.Tensor:
    return torch.from_numpy(np.asarray(picture, np.float32) / 255).permute(2, 0, 1).contiguous()
