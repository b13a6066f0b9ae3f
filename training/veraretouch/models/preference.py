"""Preference model: how good a picture looks beside other versions of itself, as one number.

Only differences between versions of the SAME photo mean anything: the model is fitted to such pairs (`train.preference`),
so the score of one photo says nothing about another. It sees colours and rough layout, not sharpness or subject.
"""

from __future__ import annotations

import pickle
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

from ..data.files import DataError
from .tone import ToneEncoder

SIZE = 112


class Preference(nn.Module):
    """The tone encoder's convolutions and colour histograms, trained from scratch, and a linear reading of them."""

    def __init__(self, width: int = 24, hidden: int = 192):
        super().__init__()
        self.tone = ToneEncoder(width, hidden)
        # The part that predicts latents has no place here.
        del self.tone.direct
        self.head = nn.Linear(hidden, 1)

    def forward(self, rgb: torch.Tensor) -> torch.Tensor:
        """rgb [B, 3, 112, 112] sRGB in [0, 1] -> scores [B]; a difference of d prefers with probability sigmoid(d)."""
        return self.head(self.tone(rgb)[0])[:, 0]

    @torch.no_grad()
    def score(self, rgb: torch.Tensor, batch: int = 128) -> torch.Tensor:
        """As forward, of any size of picture from 112 up ([B, 3, H, W], averaged down), in batches, without gradient."""
        if rgb.dim() != 4 or rgb.shape[1] != 3 or min(rgb.shape[2:]) < SIZE:
            raise DataError(f"The preference model takes [B, 3, H, W] from {SIZE} pixels up, not {tuple(rgb.shape)}. Nothing was scored.")
        parts = rgb.split(batch)
        if rgb.shape[2:] != (SIZE, SIZE):
            parts = [functional.interpolate(part, (SIZE, SIZE), mode="area") for part in parts]
        return torch.cat([self(part) for part in parts])


def bradley_terry(better: torch.Tensor, worse: torch.Tensor, smoothing: float = 0.0) -> torch.Tensor:
    """Mean negative log-likelihood that `better` [N] wins over `worse` [N] (Bradley and Terry 1952).

    smoothing: the share of pairs taken to be labelled the wrong way round; it keeps the margins of easy pairs finite.
    """
    margin = better - worse
    return ((1 - smoothing) * functional.softplus(-margin) + smoothing * functional.softplus(margin)).mean()


def load_preference(path: Path) -> Preference:
    """The averaged model of `train.preference`, frozen. Raises DataError."""
    try:
        state = torch.load(path, weights_only=True, map_location="cpu")
        model = Preference(state["config"]["width"], state["config"]["hidden"])
        model.load_state_dict(state["average"])
    except (OSError, KeyError, TypeError, RuntimeError, pickle.UnpicklingError) as cause:
        raise DataError(
            f"The preference model cannot be read from {path} ({cause}). Nothing was scored. Run veraretouch.train.preference first."
        ) from cause
    return model.eval().requires_grad_(False)
