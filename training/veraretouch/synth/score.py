"""Aesthetic scores: of two versions of a photo the better one has the higher. Used to keep only pairs that get better."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Protocol

import torch
import torch.nn.functional as F

from .store import SynthError

SIZE = 112
CHECKPOINT = Path("preference") / "last.pt"


class Scorer(Protocol):
    """`score`: uint8 [B, 112, 112, 3] sRGB -> [B], higher is better; only differences within one photo mean something."""

    def score(self, rgb: torch.Tensor) -> torch.Tensor: ...


class PreferenceScorer:
    """The preference model of `train.preference` behind the interface above."""

    def __init__(self, model):
        self.model = model

    @torch.no_grad()
    def score(self, rgb: torch.Tensor) -> torch.Tensor:
        return self.model.score(rgb.permute(0, 3, 1, 2).float() / 255).flatten()


def load_scorer(work: Path) -> Scorer | None:
    """The preference model of WORK, or None where none was trained. Raises SynthError when it cannot be read."""
    path = work / CHECKPOINT
    if not path.exists():
        return None
    try:
        from ..models.preference import load_preference

        return PreferenceScorer(load_preference(path))
    except (ImportError, OSError, EOFError, KeyError, RuntimeError, pickle.UnpicklingError) as cause:
        raise SynthError(
            f"The preference model {path} cannot be loaded ({cause}). Nothing was made. Train it anew, or pass --leave-out score."
        ) from cause


def small(rgb: torch.Tensor) -> torch.Tensor:
    """uint8 or float-in-[0, 1] picture [S, S, 3] -> uint8 [112, 112, 3], the size that is scored."""
    scaled = rgb.float() if rgb.dtype == torch.uint8 else rgb * 255
    planes = F.adaptive_avg_pool2d(scaled.permute(2, 0, 1)[None], SIZE)
    return planes[0].permute(1, 2, 0).round().clamp(0, 255).to(torch.uint8)


def improves(scorer: Scorer, worse: torch.Tensor, better: torch.Tensor, margin: float) -> bool:
    """Whether `better` scores higher than `worse` (uint8 [112, 112, 3] both) by more than `margin`."""
    low, high = scorer.score(torch.stack((worse, better))).tolist()
    return high > low + margin
