"""Tone encoder: what the light and the colours of a picture are, as tokens.

Features of a network trained on ImageNet are made to ignore exposure and white balance; a retoucher lives on them. So a
small network is trained from scratch on the proxy, beside histograms that no convolution can blur.
"""

import itertools

import torch
import torch.nn.functional as F
from torch import nn

from .param_head import begin_alive

BINS = 32
CUBE = 6


def soft_histogram(values: torch.Tensor, bins: int) -> torch.Tensor:
    """Triangular weights of values in [0, 1] on `bins` centres: [..., P] -> [..., P, bins]; they sum to 1."""
    centres = torch.linspace(0, 1, bins, device=values.device)
    return torch.relu(1 - (values[..., None] - centres).abs() * (bins - 1))


def colour_statistics(rgb: torch.Tensor) -> torch.Tensor:
    """Square-rooted histograms of R, G, B, luma and channel spread, and a joint one of colour.

    rgb [B, 3, S, S] in [0, 1] -> [B, 5 * 32 + 6 ** 3].
    """
    flat = rgb.flatten(2)
    luma = 0.2126 * flat[:, 0:1] + 0.7152 * flat[:, 1:2] + 0.0722 * flat[:, 2:3]
    spread = flat.amax(dim=1, keepdim=True) - flat.amin(dim=1, keepdim=True)
    single = soft_histogram(torch.cat((flat, luma, spread), dim=1), BINS).mean(dim=2)
    red, green, blue = soft_histogram(flat, CUBE).unbind(1)
    pairs = (red[..., :, None] * green[..., None, :]).flatten(2)
    joint = pairs.transpose(1, 2) @ blue / flat.shape[2]
    # + 1e-6: the slope of a square root at an empty bin is infinite.
    return torch.cat((single.flatten(1), joint.flatten(1)), dim=1).add(1e-6).sqrt()


class ToneEncoder(nn.Module):
    """`fine`: sees the model's whole square (256 pixels), its first convolution covering 8 of them in steps of 4; else half
    of it (112 or 128), in steps of 2. Teachers that see 256 pixels lose 1.2 dB on FiveK when shown 112."""

    def __init__(self, width: int = 32, hidden: int = 384, latent: int = 64, fine: bool = False):
        super().__init__()
        w, self.fine = width, fine
        # Convolutions in bfloat16 while training, where the processor is faster at it.
        self.half = False
        channels = (3, w, 2 * w, 3 * w, 4 * w, 4 * w)
        layers: list[nn.Module] = []
        for i, (inputs, outputs) in enumerate(itertools.pairwise(channels)):
            kernel, stride, padding = (8, 4, 2) if fine and i == 0 else (3, 2, 1)
            layers += [nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False), nn.BatchNorm2d(outputs), nn.GELU()]
        self.trunk = nn.Sequential(*layers)
        self.spatial_size, self.hidden = channels[-1], hidden
        statistics = 5 * BINS + CUBE**3
        self.mix = nn.Sequential(
            nn.Linear(channels[-1] + statistics, hidden), nn.LayerNorm(hidden), nn.GELU(), nn.Linear(hidden, hidden),
            nn.LayerNorm(hidden), nn.GELU(),
        )  # fmt: skip
        # What the tokens of the factors carry (`models.carry`).
        self.direct = nn.Linear(hidden, 3 * latent)
        begin_alive(self.direct)
        self.latent = latent

    def forward(self, rgb: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """rgb [B, 3, S, S] in [0, 1], S 112 or 128 (fine: 256) -> global [B, hidden], spatial [B, 4, C] (a 2x2 grid, row by row)."""
        with torch.autocast(rgb.device.type, torch.bfloat16, enabled=self.half and self.training):
            maps = self.trunk(rgb * 2 - 1)
        maps = maps.float()
        # S -> 4x4 maps; 2x2 mean pooling gives quadrants with a fixed kernel, which every ONNX runtime has.
        spatial = F.avg_pool2d(maps, 2).flatten(2).transpose(1, 2)
        # Every fourth pixel in both directions (fine: every eighth): single colours, not averages, and a sixteenth of the work.
        step = 8 if self.fine else 4
        statistics = colour_statistics(rgb[:, :, ::step, ::step])
        return self.mix(torch.cat((maps.mean(dim=(2, 3)), statistics), dim=1)), spatial

    def latents(self, overall: torch.Tensor) -> torch.Tensor:
        """What `forward` says of the whole picture [B, hidden] -> the latents of an Auto retouch [B, 3, D]."""
        return self.direct(overall).view(-1, 3, self.latent)

    def direct_latents(self, rgb: torch.Tensor) -> torch.Tensor:
        """The same from the picture [B, 3, S, S], without tokens and language: the baseline "latent regressor"."""
        return self.latents(self.forward(rgb)[0])
