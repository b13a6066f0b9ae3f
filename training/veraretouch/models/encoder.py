"""Retouch Encoder: a before/after pair of pictures to the three control latents.

The convolutional trunk is built as published (`encoder.*` of the VeraRetouch checkpoint): every conv-BN pair ends in a
ReLU before the sum, spatial attention in the first stages, CBAM in the middle, channel attention at the end.
Beside it, one branch of ours: the pixels of the two pictures seen as a set of (before, after) colour pairs, because a
retouch is a function of colour and the trunk's pooling blurs it.
"""

import torch
from torch import nn

from .param_head import begin_alive
from .renderer import FACTOR_COUNT


def _conv(inputs: int, outputs: int, stride: int = 1, kernel: int = 3) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()
    )


class SpatialAttention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 1, 7, padding=3, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        summary = torch.cat((x.amax(dim=1, keepdim=True), x.mean(dim=1, keepdim=True)), dim=1)
        return x * torch.sigmoid(self.conv(summary))


class ChannelAttention(nn.Module):
    def __init__(self, channels: int):
        super().__init__()
        self.mlp = nn.Sequential(nn.Linear(channels, channels // 16), nn.ReLU(), nn.Linear(channels // 16, channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * torch.sigmoid(self.mlp(x.mean(dim=(2, 3))))[:, :, None, None]


class _Same(nn.Module):
    """Two convolutions of equal width with a sum."""

    def __init__(self, channels: int):
        super().__init__()
        self.block = nn.Sequential(_conv(channels, channels), _conv(channels, channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.block(x) + x)


class _Down(nn.Module):
    """Stride-2 stage with a 1x1 shortcut and an attention after the sum."""

    def __init__(self, inputs: int, outputs: int, attention: nn.Module):
        super().__init__()
        self.block = nn.Sequential(_conv(inputs, outputs, 2), _conv(outputs, outputs))
        self.shortcut = _conv(inputs, outputs, 2, 1)
        self.attention = attention

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.attention(self.block(x) + self.shortcut(x)))


class _First(nn.Module):
    def __init__(self, channels: int):
        super().__init__()
        self.block = nn.Sequential(_conv(channels, channels), _conv(channels, channels))
        self.attention = SpatialAttention()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.attention(self.block(x) + x))


class _PairSet(nn.Module):
    """Permutation-invariant summary of (before, after) colour pairs: the same MLP on each, then mean and maximum.

    Every second pixel in both directions is taken, not averaged: an average of two colours is not a colour of the map.
    """

    def __init__(self, width: int):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(9, width // 2), nn.ReLU(), nn.Linear(width // 2, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU()
        )

    def forward(self, pair: torch.Tensor) -> torch.Tensor:
        before, after = pair[:, :, ::2, ::2].flatten(2).transpose(1, 2).split(3, dim=2)
        x = self.layers(torch.cat((before, after, 4 * (after - before)), dim=2))
        return torch.cat((x.mean(dim=1), x.amax(dim=1)), dim=1)


class RetouchEncoder(nn.Module):
    def __init__(self, width: int = 16, pair_width: int = 160, latent: int = 64, size: int = 56):
        super().__init__()
        self.width, self.pair_width, self.latent, self.size = width, pair_width, latent, size
        w = width
        self.stem = nn.Sequential(_conv(6, w, 2, 7), nn.MaxPool2d(3, 2, 1))
        self.stages = nn.Sequential(
            _First(w), _First(w),
            _Down(w, 2 * w, nn.Sequential(ChannelAttention(2 * w), SpatialAttention())), _Same(2 * w),
            _Down(2 * w, 4 * w, nn.Sequential(ChannelAttention(4 * w), SpatialAttention())), _Same(4 * w),
            _Down(4 * w, 8 * w, ChannelAttention(8 * w)), _Same(8 * w),
        )  # fmt: skip
        self.pairs = _PairSet(pair_width)
        self.fc = nn.Sequential(
            nn.Linear(8 * w + 2 * pair_width, 512), nn.GELU(), nn.Linear(512, FACTOR_COUNT * latent)
        )
        begin_alive(self.fc[-1])

    def forward(self, before: torch.Tensor, after: torch.Tensor) -> torch.Tensor:
        """Two pictures [B, 3, S, S], sRGB in [0, 1] -> latents [B, 3, D]."""
        pair = torch.cat((before, after), dim=1) * 2 - 1
        trunk = self.stages(self.stem(pair)).mean(dim=(2, 3))
        return self.fc(torch.cat((trunk, self.pairs(pair)), dim=1)).view(-1, FACTOR_COUNT, self.latent)
