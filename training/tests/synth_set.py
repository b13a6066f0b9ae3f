"""A small set of generated photos with everything that examples are made of, shared by the tests of `synth`."""

import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from test_data_photos import picture

CONFIG = {
    "name": "small", "seed": 3, "shard": 16, "pixels": 64, "encoder": "renderer/last.pt",
    "pairs": {"count": 32, "size": 56, "near": 4},
    "auto": {
        "expert": {"raw": 0.5, "broad": 0.5}, "visible": 24.0, "margin": 0.0, "teachers": {"peer": 1.0},
        "degradation": {"raw": 0.5, "broad": 0.5, "inverse": 0.0, "ranges": 0.0, "none": 0.0},
    },
    "style": {"spoken": 0.4, "scene": 1.0}, "counts": {"train": {"auto": 20, "param": 40}},
}  # fmt: skip
# What needs neither the data folder nor a trained encoder.
ALONE = ("inverse", "ranges", "teachers", "looks", "score")


def fill_cache(folder: Path, count: int = 12) -> None:
    """photos.npy, photos.json and elements.json of generated photos; every sixth is of the split val."""
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "photos.npy", np.stack([picture(i, (256, 256)) for i in range(count)]))
    split = {f"p{i:02}.png": ("val" if i % 6 == 5 else "train", "open") for i in range(count)}
    (folder / "photos.json").write_text(json.dumps(split))
    (folder / "elements.json").write_text(json.dumps({name: ["dog"] for name in split}))


def write_config(path: Path, config: dict = CONFIG) -> Path:
    """The configuration as TOML; enough of it for what stands in CONFIG."""
    lines = [f"{k} = {json.dumps(v)}" for k, v in config.items() if not isinstance(v, dict)]
    for name, section in config.items():
        if isinstance(section, dict):
            lines += [f"[{name}]", *(f"{k} = {json.dumps(v)}" for k, v in section.items() if not isinstance(v, dict))]
            for inner, values in section.items():
                if isinstance(values, dict):
                    lines += [f"[{name}.{inner}]", *(f"{k} = {json.dumps(v)}" for k, v in values.items())]
    path.write_text("\n".join(lines) + "\n")
    return path


class Brighter:
    """A teacher that lifts every colour, so that its work can be recognised."""

    def retouch(self, picture: torch.Tensor, colours: torch.Tensor) -> torch.Tensor:
        return colours**0.7


def save_photo(path: Path, seed: int, size: tuple[int, int] = (200, 260)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture(seed, size)).save(path, quality=95)
