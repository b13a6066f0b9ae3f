"""Parameter head: slider values to latents, one small MLP per factor, trained with the renderer.

It makes sliders work live without the language model.
"""

import torch
from torch import nn

from ..engine.params import FACTOR_SLICES


def begin_alive(last: nn.Linear) -> None:
    """Let the latents begin above 0. The renderer sees them through a ReLU: one that is negative for every operation gets no
    gradient any more. Of the mixer's 64 latents 23 were ever positive, and 24 sliders in two directions had no room.
    """
    nn.init.uniform_(last.bias, 0.0, 0.5)


class ParamHead(nn.Module):
    def __init__(self, latent: int = 64, hidden: int = 256):
        super().__init__()
        self.heads = nn.ModuleList(
            nn.Sequential(
                nn.Linear(s.stop - s.start, hidden), nn.GELU(), nn.Linear(hidden, hidden), nn.GELU(),
                nn.Linear(hidden, latent),
            )
            for s in FACTOR_SLICES
        )  # fmt: skip
        for head in self.heads:
            begin_alive(head[-1])

    def forward(self, params: torch.Tensor) -> torch.Tensor:
        """params [B, 38] in [-1, 1] -> latents [B, 3, D], not yet masked (see `engine.params.factor_mask`)."""
        return torch.stack([head(params[:, s]) for head, s in zip(self.heads, FACTOR_SLICES, strict=True)], dim=1)
