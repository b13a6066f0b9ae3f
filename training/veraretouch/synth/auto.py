"""Auto examples: a good photo made worse, and what it should become.

The flaw comes from the pair database where it can: an expert's retouch of a like photo, undone through the renderer
(`inverse`), or settings drawn from the ranges of such retouches (`ranges`); else from rules (`raw`, `broad`). A draw is
kept when the flaw can be seen and, with a scorer, when the target is scored above the degraded photo.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

import torch

from ..data.degrade import degradation, run
from .score import Scorer, improves, small
from .store import SynthError
from .teachers import Teacher

DRAWS = 8  # per photo
GRID = 17
Colours = Callable[[torch.Tensor], torch.Tensor]


def bake(function: Colours, size: int = GRID) -> torch.Tensor:
    """A colour function [N, 3] -> [N, 3] as a LUT [B, G, R, 3]; exact enough for pictures that only stand for 'a bad photo'."""
    axis = torch.linspace(0, 1, size)
    blue, green, red = torch.meshgrid(axis, axis, axis, indexing="ij")
    return function(torch.stack((red, green, blue), -1).view(-1, 3)).view(size, size, size, 3)


def apply_trilinear(lut: torch.Tensor, rgb: torch.Tensor) -> torch.Tensor:
    """lut [B, G, R, 3], rgb [N, 3] in [0, 1] -> [N, 3]; ten times as fast as exact interpolation in PyTorch."""
    grid = (rgb * 2 - 1)[None, None, None]
    planes = lut.permute(3, 0, 1, 2)[None]
    return torch.nn.functional.grid_sample(planes, grid, align_corners=True)[0, :, 0, 0].T


@dataclass
class Flaw:
    """One kept draw. picture: uint8 [256, 256, 3]; `retouch`: colours [N, 3] of it -> those of the target, None: the photo."""

    kind: str
    target: str
    picture: torch.Tensor
    retouch: Colours | None


@dataclass
class Rejected:
    """How many draws were dropped on the way to a kept one."""

    invisible: int = 0
    unliked: int = 0


@dataclass
class AutoSource:
    """Draws flaws. shares: kind -> share; expert: kind -> share of targets that are a teacher's, the others are the photo itself.

    A dull picture, as raw developers open it, asks for an expert's taste; a good photo made worse asks to be mended.

    visible: a degraded photo is no nearer to the photo than this many dB. margin: by how much a target's score must
    exceed that of the degraded photo. ranges, inverse: what the kinds of these names need (`ranges.Ranges`,
    `data.inverse.InverseDegradation`).
    """

    shares: dict[str, float]
    expert: dict[str, float]
    visible: float
    margin: float = 0.0
    teachers: dict[str, Teacher] = field(default_factory=dict)
    teacher_shares: dict[str, float] = field(default_factory=dict)
    ranges: object = None
    inverse: object = None
    scorer: Scorer | None = None

    def __post_init__(self) -> None:
        if not self.shares or sum(self.shares.values()) <= 0:
            raise SynthError("No kind of degradation is left ([auto.degradation] and --leave-out). Nothing was made.")

    def kind(self, rng: random.Random) -> tuple[str, str]:
        """(degradation, target) of an example. Drawn once, so that what is seldom kept does not become rarer."""
        kind = rng.choices(list(self.shares), list(self.shares.values()))[0]
        if kind == "none" or (self.teachers and rng.random() < self.expert.get(kind, 0.0)):
            return kind, rng.choices(list(self.teacher_shares), list(self.teacher_shares.values()))[0]
        return kind, "original"

    def draw(
        self, photo: torch.Tensor, name: str, kind: str, target: str, generator: torch.Generator, rejected: Rejected
    ) -> Flaw | None:
        """A flaw of one photo, uint8 [256, 256, 3]; None when none of DRAWS is kept, `rejected` counts them."""
        colours = photo.view(-1, 3).float() / 255
        for _ in range(1 if kind == "none" else DRAWS):
            picture = photo if kind == "none" else self._degraded(colours, kind, name, generator).view(photo.shape)
            if kind != "none" and not self._seen(colours, picture.view(-1, 3).float() / 255):
                rejected.invisible += 1
                continue
            retouch = self._retouch(target, picture)
            if self.scorer is not None:
                worse = small(picture)
                better = small(photo) if retouch is None else self._whole(retouch, worse)
                if not improves(self.scorer, worse, better, self.margin):
                    rejected.unliked += 1
                    continue
            return Flaw(kind, target, picture, retouch)
        return None

    def _degraded(self, colours: torch.Tensor, kind: str, name: str, generator: torch.Generator) -> torch.Tensor:
        """uint8 [N, 3]."""
        if kind == "ranges":
            from ..engine.develop import develop

            params = self.ranges.draw(generator)
            lut = bake(lambda rgb: develop(rgb[None], params[None])[0])
        else:
            draw = (lambda g: self.inverse.draw(colours, g, but=name)) if kind == "inverse" else None
            operation = degradation(kind, generator, draw)
            lut = bake(lambda rgb: run(operation, rgb))
        return (apply_trilinear(lut, colours).clamp(0, 1) * 255).round().to(torch.uint8)

    def _seen(self, before: torch.Tensor, after: torch.Tensor) -> bool:
        """A change of a few levels is no fault to be found and mended."""
        return (after - before).square().mean().item() >= 10 ** (-self.visible / 10)

    def _retouch(self, target: str, picture: torch.Tensor) -> Colours | None:
        if target == "original":
            return None
        teacher = self.teachers[target]
        return lambda rgb: teacher.retouch(picture, rgb)

    @staticmethod
    def _whole(retouch: Colours, picture: torch.Tensor) -> torch.Tensor:
        out = retouch(picture.view(-1, 3).float() / 255).clamp(0, 1)
        return (out * 255).round().to(torch.uint8).view(picture.shape)
