"""Prompt fidelity: plain instructions on test photos, and on how many of them the pixels went the way the words say.

    python -m veraretouch.eval.prompts --reference WORK/reference.pt --bundle models --config training/configs/data.toml \
        --data DATA --work WORK
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch

from ..data.shards import Maker
from ..export.reference import generate_many
from ..export.runner import dialogue_of
from ..reasoning.axes import AXES, effect
from ..reasoning.measure import Pixels, change
from ..train.common import read_config

# What each instruction asks for: axes of `reasoning.axes` with their direction.
ASKED: dict[str, list[tuple[str, int]]] = {
    "warmer": [("temperature", 1)],
    "make it cooler": [("temperature", -1)],
    "brighter": [("exposure", 1)],
    "darker and moody": [("exposure", -1)],
    "more contrast": [("contrast", 1)],
    "soft and low contrast": [("contrast", -1)],
    "vivid and warm, strong contrast": [("saturation", 1), ("temperature", 1), ("contrast", 1)],
    "muted colours": [("saturation", -1)],
    "black and white": [("monochrome", 1)],
    "faded film look": [("contrast", -1)],
    "warm evening light": [("temperature", 1)],
    "cold winter morning": [("temperature", -1)],
    "vibrant colours": [("saturation", 1)],
}
# Share of an axis's dead zone from which on a movement counts as one.
LEAST = 0.5


@torch.no_grad()
def measure(models, dialogue, maker: Maker, photos: int) -> dict[str, dict[str, int]]:
    """Per instruction and axis, on how many of the first `photos` test photos the pixels moved as asked."""
    examples = [maker.draw("style", number) for number in range(photos)]
    pictures = torch.stack([e.picture for e in examples]).permute(0, 3, 1, 2).float() / 255
    report: dict[str, dict[str, int]] = {}
    for words, asked in ASKED.items():
        report[words] = dict.fromkeys((axis for axis, _ in asked), 0)
        results = generate_many(models.vlm, dialogue, "style", images=pictures, instructions=[words] * photos)
        for example, result in zip(examples, results, strict=True):
            out = models.renderer(example.before[None], torch.from_numpy(result.latents)[None])[0]
            moved = change(Pixels(example.before), Pixels(out))
            for axis, direction in asked:
                report[words][axis] += direction * effect(moved, axis) > LEAST * AXES[axis].dead
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("reference", "bundle", "config", "data", "work"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--photos", type=int, default=8)
    a = parser.parse_args()
    models = torch.load(a.reference, weights_only=False)
    dialogue = dialogue_of(a.bundle, json.loads((a.bundle / "bundle.json").read_text()))
    maker = Maker(read_config(a.config), a.data, a.work, "test", open_only=False)
    for words, axes in measure(models, dialogue, maker, a.photos).items():
        print(f"{words:34s}", ", ".join(f"{axis} {count} of {a.photos}" for axis, count in axes.items()))


if __name__ == "__main__":
    main()
