"""Teachers: what makes an expert-like retouch of a picture. One small interface, so that any number of them can be used."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import torch

from ..data import teachers as networks
from .store import SynthError

# All that there are, at once.
MEAN = "mean"
NAMES = ("peer", *networks.PUBLISHED, MEAN)


class Teacher(Protocol):
    """`retouch`: sees a picture, uint8 [H, W, 3] sRGB, and retouches colours of it, [N, 3] in [0, 1] -> the same."""

    def retouch(self, picture: torch.Tensor, colours: torch.Tensor) -> torch.Tensor: ...


class Experts:
    """One published network, or the mean of several: what they agree on follows from the photo, the rest is taste."""

    def __init__(self, members: Sequence[networks.Teacher]):
        self.members = list(members)
        self._seen: tuple[torch.Tensor, list] | None = None

    @torch.no_grad()
    def retouch(self, picture: torch.Tensor, colours: torch.Tensor) -> torch.Tensor:
        # One picture is asked about several times: for colours, and for all of it.
        if self._seen is None or self._seen[0] is not picture:
            image = picture.permute(2, 0, 1)[None].float() / 255
            self._seen = (picture, [member.plan(image) for member in self.members])
        views = [member.colours(colours[None], plan)[0] for member, plan in zip(self.members, self._seen[1], strict=True)]
        return torch.stack(views).mean(0)


def load_teachers(names: list[str], data: Path) -> dict[str, Teacher]:
    """Teachers by name. Raises SynthError for an unknown one and DataError where its weights are missing."""
    if unknown := sorted(set(names) - set(NAMES)):
        raise SynthError(f"There is no teacher {unknown[0]!r}; known are {', '.join(NAMES)}. Nothing was loaded.")
    return {name: Experts(list(networks.load_teachers(data, None if name == MEAN else [name]).values())) for name in names}
