"""Retouch Renderer: a per-pixel MLP whose hidden layers are shifted by the three control latents.

Structure as published for VeraRetouch (`decoder.*` of its checkpoint); widths and latent size are configuration.
For fixed latents it is a pure function RGB -> RGB, so a retouch can be baked into a 3D LUT.
"""

import itertools

import torch
from torch import nn

FACTOR_COUNT = 3


class Renderer(nn.Module):
    def __init__(self, widths: tuple[int, ...] = (64, 128, 128), latent: int = 64):
        super().__init__()
        self.widths, self.latent = tuple(widths), latent
        sizes = (3, *widths)
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in itertools.pairwise(sizes))
        self.layer_norms = nn.ModuleList(nn.LayerNorm(w) for w in widths)
        self.z_projs = nn.ModuleList(nn.Linear(FACTOR_COUNT * latent, w) for w in widths)
        self.out_layer = nn.Linear(widths[-1], 3)

    def forward(self, rgb: torch.Tensor, latents: torch.Tensor) -> torch.Tensor:
        """rgb [B, N, 3] sRGB in [0, 1], latents [B, 3, D] (a masked factor is all zeros) -> [B, N, 3] in [0, 1]."""
        z = torch.relu(latents.flatten(1))
        x = rgb * 2 - 1
        for layer, norm, projection in zip(self.layers, self.layer_norms, self.z_projs, strict=True):
            x = norm(torch.relu(layer(x))) + projection(z)[:, None]
        return torch.sigmoid(self.out_layer(x))
