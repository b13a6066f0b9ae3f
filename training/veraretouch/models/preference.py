"""Preference model: how good a picture looks beside other versions of itself, as one number.

Only differences between versions of the SAME photo mean anything: the model is fitted to such pairs (`train.preference`),
so the score of one photo says nothing about another. It sees colours and rough layout, not sharpness or subject.

What too much colour is depends on the hue and on the room that the gamut leaves, so beside the tone encoder's histograms
there is one of chroma by hue and lightness, and one of how far colours are on their way to the gamut boundary. A first model
without them, and with every over-edit drawn equally often, put a photo above its oversaturated self in 58 % of the pairs only;
with both it is 83 % (which of the two did it was not taken apart).
"""

from __future__ import annotations

import pickle
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

from ..data.files import DataError
from ..engine.color import linear_to_oklab, srgb_to_linear
from ..engine.color_controls import gamut_ratio, hue_weights
from .tone import ToneEncoder, soft_histogram

SIZE = 112
# Bins of lightness, of chroma up to MOST_CHROMA (Oklab), and of the way to the gamut boundary.
LIGHTNESS, CHROMA, ROOM = 4, 12, 12
MOST_CHROMA = 0.3
HUES = 8


def chroma_statistics(rgb: torch.Tensor) -> torch.Tensor:
    """Square-rooted joint histogram of hue, lightness and chroma, and one of the gamut ratio.

    rgb [B, 3, S, S] in [0, 1] -> [B, 8 * 4 * 12 + 12].
    """
    linear = srgb_to_linear(rgb.flatten(2).transpose(1, 2))
    lab = linear_to_oklab(linear)
    chroma = lab[..., 1:].norm(dim=-1)
    hue = hue_weights(torch.atan2(lab[..., 2], lab[..., 1] + 1e-12))
    place = soft_histogram(lab[..., 0].clamp(0, 1), LIGHTNESS)
    coloured = (hue[..., :, None] * place[..., None, :]).flatten(2)
    joint = coloured.transpose(1, 2) @ soft_histogram((chroma / MOST_CHROMA).clamp(0, 1), CHROMA) / rgb[0, 0].numel()
    room = soft_histogram(gamut_ratio(lab, linear)[..., 0].clamp(0, 1), ROOM).mean(1)
    return torch.cat((joint.flatten(1), room), dim=1).add(1e-6).sqrt()


class Preference(nn.Module):
    """The tone encoder, trained from scratch, and `chroma_statistics`, read by two layers."""

    def __init__(self, width: int = 24, hidden: int = 192):
        super().__init__()
        self.tone = ToneEncoder(width, hidden)
        # The part that predicts latents has no place here.
        del self.tone.direct
        inputs = hidden + HUES * LIGHTNESS * CHROMA + ROOM
        self.head = nn.Sequential(nn.Linear(inputs, hidden), nn.LayerNorm(hidden), nn.GELU(), nn.Linear(hidden, 1))

    def forward(self, rgb: torch.Tensor) -> torch.Tensor:
        """rgb [B, 3, 112, 112] sRGB in [0, 1] -> scores [B]; a difference of d prefers with probability sigmoid(d)."""
        # As the tone encoder's histograms: every fourth pixel in both directions.
        return self.head(torch.cat((self.tone(rgb)[0], chroma_statistics(rgb[:, :, ::4, ::4])), dim=1))[:, 0]

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
