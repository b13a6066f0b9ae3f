"""Teachers: what makes an expert-like retouch of a picture. One small interface, so that any number of them can be used."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import torch

from ..data.peer import Peer
from .store import SynthError


class Teacher(Protocol):
    """`retouch`: sees a picture, uint8 [H, W, 3] sRGB, and retouches colours of it, [N, 3] in [0, 1] -> the same."""

    def retouch(self, picture: torch.Tensor, colours: torch.Tensor) -> torch.Tensor: ...


class PeerTeacher:
    """The image-adaptive 3D LUT trained on expert C."""

    def __init__(self, peer: Peer):
        self.peer = peer

    @torch.no_grad()
    def retouch(self, picture: torch.Tensor, colours: torch.Tensor) -> torch.Tensor:
        weights = self.peer.weights(picture.permute(2, 0, 1)[None].float() / 255)
        return self.peer.apply(colours[None], weights)[0]


# Name in the configuration -> how the teacher is read from the data folder.
TEACHERS: dict[str, Callable[[Path], Teacher]] = {"peer": lambda data: PeerTeacher(Peer.load(data))}


def load_teachers(names: list[str], data: Path) -> dict[str, Teacher]:
    """Teachers by name. Raises SynthError for an unknown one and DataError where its weights are missing."""
    if unknown := sorted(set(names) - set(TEACHERS)):
        raise SynthError(f"There is no teacher {unknown[0]!r}; known are {', '.join(TEACHERS)}. Nothing was loaded.")
    return {name: TEACHERS[name](data) for name in names}
