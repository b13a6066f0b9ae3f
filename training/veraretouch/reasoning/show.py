"""`python -m veraretouch.reasoning.show --before a.png --after b.png`: what would be said about this retouch, and
whether the pixels show it."""

from __future__ import annotations

import argparse
import random
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from .axes import FACTORS
from .compose import FIELDS, compose
from .errors import ReasoningError
from .parse import agreement

MOST_PIXELS = 65536


def read_pair(before: Path, after: Path) -> tuple[torch.Tensor, torch.Tensor]:
    """Pixels of two pictures of one photo as [N, 3] in [0, 1]; the second is resized to the first, then both are
    thinned to at most MOST_PIXELS. Raises ReasoningError when a file is not a readable image."""
    pictures = []
    for path in (before, after):
        try:
            with Image.open(path) as image:
                pictures.append(image.convert("RGB"))
        except OSError as error:
            raise ReasoningError(f"cannot read {path} as an image ({error}); nothing was composed") from error
    if pictures[1].size != pictures[0].size:
        pictures[1] = pictures[1].resize(pictures[0].size, Image.Resampling.BOX)
    first, second = (torch.from_numpy(np.array(p, dtype=np.float32).reshape(-1, 3) / 255) for p in pictures)
    step = -(-first.shape[0] // MOST_PIXELS)
    return first[::step], second[::step]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", type=Path, required=True)
    parser.add_argument("--after", type=Path, required=True)
    parser.add_argument("--mode", choices=("auto", "style"), default="auto")
    parser.add_argument("--elements", default="", help="comma separated names of what is seen")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    try:
        before, after = read_pair(options.before, options.after)
        names = options.elements.split(",") if options.elements else []
        fields = compose(before, after, random.Random(options.seed), names, options.mode)
        checked = agreement({f: fields[f"plan.{f}"] for f in FACTORS}, before, after)
    except ReasoningError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for name in FIELDS:
        print(f"{name:24} {fields[name]}")
    for factor, result in checked.items():
        print(f"{'agreement ' + factor:34} {result.agreed} of {result.claims}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
