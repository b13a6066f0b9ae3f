"""Inverse degradation: an expert's retouch, undone on another photo.

As the paper does it: an expert-like pair whose result looks like the photo (`synth.pairs`) is encoded backwards
(result -> picture) and the latents are applied to the photo through the renderer.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch

from ..synth.pairs import PairBase
from ..train.renderer import Networks
from .files import DataError


def load_networks(checkpoint: Path) -> Networks:
    """Averaged networks of stage 1. Raises DataError when there are none."""
    try:
        state = torch.load(checkpoint, weights_only=True)
    except (OSError, RuntimeError, EOFError) as cause:
        raise DataError(
            f"The encoder {checkpoint} cannot be read ({cause}). Nothing was made. Train it with "
            "`python -m veraretouch.train.renderer`, or pass --leave-out inverse."
        ) from cause
    nets = Networks(state["config"])
    nets.load_state_dict(state["average"])
    return nets.eval().requires_grad_(False)


class InverseDegradation:
    """near: among how many retrieved pairs one is drawn."""

    def __init__(self, nets: Networks, base: PairBase, near: int):
        self.nets, self.base, self.near = nets, base, near
        self._latents: dict[int, torch.Tensor] = {}

    @torch.no_grad()
    def latents(self, number: int) -> torch.Tensor:
        """[1, 3, D] of a pair of the base, backwards. One at a time, so that they do not depend on what else is asked."""
        if number not in self._latents:
            before, after = self.base.pair(number)
            self._latents[number] = self.nets.encoder(after, before)
        return self._latents[number]

    def draw(self, rgb: torch.Tensor, generator: torch.Generator, but: str = "") -> Callable[[torch.Tensor], torch.Tensor]:
        """A retouch of a photo like this one (colours [N, 3]), undone, as a function of colours; never of the photo `but`."""
        latents = self.latents(self.base.draw(rgb, self.near, generator, but))

        @torch.no_grad()
        def undone(colours: torch.Tensor) -> torch.Tensor:
            return self.nets.renderer(colours[None], latents)[0]

        return undone
