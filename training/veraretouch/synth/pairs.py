"""The pair database: expert-like pairs (photo before, photo as an expert would have it), found again by histogram.

Pairs of our own are a degraded photo and what a teacher makes of it; pairs of real experts are taken from any iterable.
For a photo, pairs are retrieved whose *result* looks like it in light and colour: what that expert did to get there,
undone, is a believable flaw of this photo.
"""

from __future__ import annotations

import hashlib
import json
import random
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from ..data import images
from ..data.degrade import degradation, run
from ..data.files import write_whole
from ..data.photos import PhotoCache
from .histograms import descriptor, distances
from .store import SynthError
from .teachers import Teacher

FILE = "expert-pairs.npz"
_ENOUGH = 20000
_DULL = 0.6  # share of pairs of our own that begin as camera files do; the rest are badly developed


@dataclass
class PairBase:
    """before, after: uint8 [P, S, S, 3]; descriptors [P, D] of the results; names: the photo of each pair, "" if unknown."""

    before: torch.Tensor
    after: torch.Tensor
    descriptors: torch.Tensor
    names: list[str]
    sources: list[str]

    def __len__(self) -> int:
        return len(self.names)

    def nearest(self, rgb: torch.Tensor, count: int, but: str = "") -> list[int]:
        """Numbers of the `count` pairs whose results are most like colours [N, 3]; never the pair of the photo `but`."""
        # Every nth colour: n is prime to the row length, so that they do not line up in columns.
        far = distances(descriptor(rgb[:: 13 if len(rgb) > _ENOUGH else 1]), self.descriptors)
        if but:
            far = far + torch.tensor([1e9 if name == but else 0.0 for name in self.names])
        return far.topk(min(count, len(self)), largest=False).indices.tolist()

    def draw(self, rgb: torch.Tensor, count: int, generator: torch.Generator, but: str = "") -> int:
        """One of the nearest pairs."""
        near = self.nearest(rgb, count, but)
        return near[int(torch.randint(len(near), (), generator=generator))]

    def pair(self, number: int) -> tuple[torch.Tensor, torch.Tensor]:
        """(before, after), each [1, 3, S, S] in [0, 1]."""
        return tuple(side[number].permute(2, 0, 1)[None].float() / 255 for side in (self.before, self.after))

    def save(self, path: Path, identity: str) -> None:
        arrays = {"before": self.before.numpy(), "after": self.after.numpy(), "descriptors": self.descriptors.numpy()}
        texts = json.dumps({"identity": identity, "names": self.names, "sources": self.sources})
        write_whole(path, lambda stream: np.savez(stream, texts=np.array(texts), **arrays))

    @classmethod
    def load(cls, path: Path, identity: str | None = None) -> PairBase | None:
        """A saved base; None where there is none, or one of another identity."""
        try:
            with np.load(path, allow_pickle=False) as file:
                texts = json.loads(str(file["texts"]))
                if identity is not None and texts["identity"] != identity:
                    return None
                sides = (torch.from_numpy(file[name]) for name in ("before", "after", "descriptors"))
                return cls(*sides, texts["names"], texts["sources"])
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as cause:
            raise SynthError(f"The pair database {path} cannot be read ({cause}). Delete it; it is made anew by the next run.") from cause


def identity_of(settings: dict, photos: PhotoCache, teachers: list[str], experts: str) -> str:
    """What a base is made of, as a hash: made of the same, it is the same."""
    told = json.dumps([settings, photos.names, sorted(teachers), experts], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()


def squashed(rgb: np.ndarray | torch.Tensor, size: int) -> torch.Tensor:
    return torch.from_numpy(images.squash(np.asarray(rgb), size))


@torch.no_grad()
def build(
    photos: PhotoCache, teachers: dict[str, Teacher], count: int, size: int, seed: int,
    experts: Iterable[tuple[np.ndarray, np.ndarray]] = (),
) -> PairBase:  # fmt: skip
    """`count` pairs of our own, by the teachers in turn, and all of `experts`: (before, after) as uint8 [H, W, 3].

    Raises SynthError when that gives no pair at all.
    """
    before, after, names, sources = [], [], [], []
    rng = random.Random(f"{seed} pairs")
    # Few photos come round again, each time degraded otherwise.
    order = rng.sample(range(len(photos)), len(photos)) if len(photos) else []
    for number in range(count if teachers and order else 0):
        index = order[number % len(order)]
        generator = torch.Generator().manual_seed(rng.getrandbits(60))
        small = F.adaptive_avg_pool2d(photos[index].permute(2, 0, 1)[None].float() / 255, size)[0].permute(1, 2, 0)
        kind = "raw" if rng.random() < _DULL else "broad"
        dull = (run(degradation(kind, generator), small.reshape(-1, 3)) * 255).round().to(torch.uint8)
        teacher = sorted(teachers)[number % len(teachers)]
        expert = teachers[teacher].retouch(dull.view(small.shape), dull.float() / 255)
        before.append(dull.view(small.shape))
        after.append((expert * 255).round().to(torch.uint8).view(small.shape))
        names.append(photos.names[index])
        sources.append(teacher)
    for pair in experts:
        for side, into in zip(pair, (before, after), strict=True):
            into.append(squashed(side, size))
        names.append("")
        sources.append("expert")
    if not names:
        raise SynthError(
            "There is neither a teacher nor an expert pair, so there is no pair database and nothing was made. "
            "Pass --data or --experts, or --leave-out pairs."
        )
    results = torch.stack([descriptor(picture.view(-1, 3).float() / 255) for picture in after])
    return PairBase(torch.stack(before), torch.stack(after), results, names, sources)


def folder_pairs(folder: Path) -> Iterable[tuple[np.ndarray, np.ndarray]]:
    """Pairs of a folder with before/NAME and after/NAME (the endings may differ), in the order of the names.

    Raises SynthError by name when a side is missing.
    """
    sides = [{p.stem: p for p in sorted((folder / side).glob("*.*"))} for side in ("before", "after")]
    if not sides[0] or sides[0].keys() != sides[1].keys():
        lone = sorted(sides[0].keys() ^ sides[1].keys())
        what = f"{lone[0]} has one side only" if lone else "before/ and after/ are missing or empty"
        raise SynthError(f"Expert pairs in {folder}: {what}. Nothing was made; every photo must be in before/ and in after/.")
    for stem in sides[0]:
        yield images.read_rgb(sides[0][stem]), images.read_rgb(sides[1][stem])
