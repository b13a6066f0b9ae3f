"""Small pictures made by formula, for parity files: no licence, no noise, no file to keep."""

from __future__ import annotations

import base64

import numpy as np
import torch


def picture(kind: int, width: int = 96, height: int = 64) -> np.ndarray:
    """uint8 [height,width,3] sRGB; `kind` varies sky, hills, exposure, cast and a bright disc."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    u, v = x / (width - 1), y / (height - 1)
    phase = 0.9 * kind
    sky = np.stack([0.35 + 0.4 * v, 0.5 + 0.3 * v, 0.9 - 0.2 * v + 0 * u], axis=-1)
    land = np.stack([0.25 + 0.3 * u, 0.4 - 0.2 * u, 0.15 + 0.1 * v], axis=-1)
    horizon = 0.5 + 0.12 * np.sin(5 * u + phase) + 0.05 * np.cos(17 * u - phase)
    image = np.where((v < horizon)[..., None], sky, land)
    disc = np.hypot(u - 0.3 - 0.1 * (kind % 4), (v - 0.3) * height / width) < 0.1
    image[disc] = np.array([[1.0, 0.9, 0.5], [0.9, 0.3, 0.3], [0.95, 0.95, 1.0]])[kind % 3]
    cast = 1.0 + 0.2 * np.array([np.sin(phase), np.sin(phase + 2), np.sin(phase + 4)])
    exposure = 2.0 ** (0.8 * np.sin(1.7 * kind))
    return np.rint(np.clip(image * cast * exposure, 0, 1) * 255).astype(np.uint8)


def retouched(image: np.ndarray, kind: int) -> np.ndarray:
    """A colour change of a picture, for before/after pairs: power curve, cast and saturation."""
    rgb = image / 255.0
    rgb = rgb ** (1.0 + 0.4 * np.sin(kind + 1)) * (1 + 0.1 * np.cos(kind + np.arange(3)))
    grey = rgb.mean(axis=-1, keepdims=True)
    rgb = grey + (rgb - grey) * (1.2 - 0.3 * (kind % 2))
    return np.rint(np.clip(rgb, 0, 1) * 255).astype(np.uint8)


def as_json(image: np.ndarray) -> dict:
    """{"width","height","rgbBase64"} of uint8 [height,width,3]."""
    height, width, _ = image.shape
    data = base64.b64encode(np.ascontiguousarray(image).tobytes()).decode()
    return {"width": width, "height": height, "rgbBase64": data}


def pixels_of(entry: dict) -> np.ndarray:
    """The picture that `as_json` wrote, uint8 [height,width,3]."""
    data = np.frombuffer(base64.b64decode(entry["rgbBase64"]), np.uint8)
    return data.reshape(entry["height"], entry["width"], 3)


def squash(image: np.ndarray, size: int) -> torch.Tensor:
    """uint8 [H,W,3] -> float32 [3,size,size] in [0,1] by adaptive average pooling."""
    values = torch.from_numpy(np.array(image)).permute(2, 0, 1).float() / 255.0
    return torch.nn.functional.adaptive_avg_pool2d(values, size)
