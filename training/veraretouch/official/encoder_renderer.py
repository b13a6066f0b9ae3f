"""The published Retouch Encoder and Retouch Renderer, under the names of `encoder_renderer.pth`.

The renderer is the one of `models/renderer.py` at the published widths. The encoder differs from `models/encoder.py`,
whose trunk follows it: its convolutions and attentions have biases, its head is one linear layer on the pooled trunk,
and it has no branch for colour pairs.
"""

from __future__ import annotations

import torch
from torch import nn

from veraretouch.models.renderer import FACTOR_COUNT, Renderer
from veraretouch.official.checkpoint import check_finite, check_tensors

LATENT = 896
RENDERER_WIDTHS = (128, 256, 512)
ENCODER_WIDTH = 64
ENCODER_SIZE = 512


def _pair(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """Two convolutions of 3x3, each with its norm and its ReLU: `model1` to `model8` of the checkpoint."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1), nn.BatchNorm2d(outputs), nn.ReLU(),
        nn.Conv2d(outputs, outputs, 3, 1, 1), nn.BatchNorm2d(outputs), nn.ReLU(),
    )  # fmt: skip


def _shortcut(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, 2), nn.BatchNorm2d(outputs), nn.ReLU())


def _extremes(x: torch.Tensor) -> torch.Tensor:
    """Largest and mean channel, in this order."""
    return torch.cat((x.amax(dim=1, keepdim=True), x.mean(dim=1, keepdim=True)), dim=1)


class SpatialAttention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 1, 7, padding=3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * torch.sigmoid(self.conv(_extremes(x)))


class ChannelAttention(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc = nn.Sequential(
            nn.Linear(channels, channels // 16), nn.ReLU(), nn.Linear(channels // 16, channels), nn.Sigmoid()
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.fc(x.mean(dim=(2, 3)))[:, :, None, None]


class Cbam(nn.Module):
    """Channel attention, then spatial attention. Woo et al., "CBAM" (2018)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channel_att = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(channels, channels // 16, 1), nn.ReLU(), nn.Conv2d(channels // 16, channels, 1), nn.Sigmoid(),
        )  # fmt: skip
        self.spatial_att = nn.Sequential(nn.Conv2d(2, 1, 7, padding=3), nn.Sigmoid())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x * self.channel_att(x)
        return x * self.spatial_att(_extremes(x))


class OfficialEncoder(nn.Module):
    """Two pictures -> latents. `width` 64 and `latent` 896 as published; smaller ones for tests."""

    def __init__(self, width: int = ENCODER_WIDTH, latent: int = LATENT) -> None:
        super().__init__()
        self.latent = latent
        w = width
        self.model0 = nn.Sequential(nn.Conv2d(6, w, 7, 2, 3), nn.BatchNorm2d(w), nn.ReLU(), nn.MaxPool2d(3, 2, 1))
        self.model1, self.attn_spatial1 = _pair(w, w), SpatialAttention()
        self.model2, self.attn_spatial2 = _pair(w, w), SpatialAttention()
        self.model3, self.en1, self.attn_mid1 = _pair(w, 2 * w, 2), _shortcut(w, 2 * w), Cbam(2 * w)
        self.model4 = _pair(2 * w, 2 * w)
        self.model5, self.en2, self.attn_mid2 = _pair(2 * w, 4 * w, 2), _shortcut(2 * w, 4 * w), Cbam(4 * w)
        self.model6 = _pair(4 * w, 4 * w)
        self.model7, self.en3 = _pair(4 * w, 8 * w, 2), _shortcut(4 * w, 8 * w)
        self.attn_deep = ChannelAttention(8 * w)
        self.model8 = _pair(8 * w, 8 * w)
        self.fc = nn.Linear(8 * w, FACTOR_COUNT * latent)

    def forward(self, before: torch.Tensor, after: torch.Tensor) -> torch.Tensor:
        """Two pictures [B,3,S,S] in [0,1], channels in the order BGR (as published), S = 512 -> latents [B,3,D]."""
        x = self.model0(torch.cat((before, after), dim=1) * 2 - 1)
        x = torch.relu(self.attn_spatial1(self.model1(x) + x))
        x = torch.relu(self.attn_spatial2(self.model2(x) + x))
        x = torch.relu(self.attn_mid1(self.model3(x) + self.en1(x)))
        x = torch.relu(self.model4(x) + x)
        x = torch.relu(self.attn_mid2(self.model5(x) + self.en2(x)))
        x = torch.relu(self.model6(x) + x)
        x = torch.relu(self.attn_deep(self.model7(x) + self.en3(x)))
        x = torch.relu(self.model8(x) + x)
        return self.fc(x.mean(dim=(2, 3))).view(-1, FACTOR_COUNT, self.latent)


class EncoderRenderer(nn.Module):
    """Both, under the names of the checkpoint: `encoder.*` and `decoder.*`."""

    def __init__(
        self, width: int = ENCODER_WIDTH, widths: tuple[int, ...] = RENDERER_WIDTHS, latent: int = LATENT
    ) -> None:
        super().__init__()
        self.encoder = OfficialEncoder(width, latent)
        self.decoder = Renderer(widths, latent)

    def load(self, state: dict[str, torch.Tensor]) -> EncoderRenderer:
        """Takes over the weights of `encoder_renderer.pth`, ready to run.

        Raises OfficialModelError naming tensors that are missing, extra, of another shape or not finite; then nothing is taken.
        """
        own = self.state_dict()
        # Counters of training, which say nothing at inference and which not every file keeps.
        counters = [name for name in own if name.endswith("num_batches_tracked")]
        check_tensors(state, {name: value.shape for name, value in own.items()}, counters)
        check_finite(state)
        self.load_state_dict({**{name: own[name] for name in counters}, **state})
        return self.eval().requires_grad_(False)
