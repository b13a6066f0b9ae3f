"""FastViTHD, the image encoder of the published model, in the form in which its checkpoint holds it.

Vasu et al., "FastViT" (2023) and "FastVLM" (2024). The checkpoint has the inference form: the branches of training are
already merged into one convolution each (`reparam_conv`, `lkb_reparam`). Modules are named as its tensors are.
`timm` holds the same family; it is not used, for it needs torchvision, which does not load beside this project's PyTorch.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from veraretouch.models.renderer import FACTOR_COUNT

HEAD_DIM = 32
SQUEEZE = 0.0625
EXPANSION = 4
LAYER_SCALE = 1e-5


@dataclass(frozen=True)
class VisionShape:
    """Blocks and channels of each stage; the first three mix by convolution, the others by attention."""

    layers: tuple[int, ...] = (2, 12, 24, 4, 2)
    widths: tuple[int, ...] = (96, 192, 384, 768, 1536)
    convolutional: int = FACTOR_COUNT
    # Channels of the result, as a multiple of the last width.
    expand: int = 2
    # Width of the class projection, which the checkpoint has and nothing here uses.
    unused: int = 768

    @property
    def channels(self) -> int:
        """Width of one row of the result."""
        return self.widths[-1] * self.expand

    @property
    def patch(self) -> int:
        """Pixels of the photo, in each direction, that one row stands for: the stem takes 4, each later stage 2."""
        return 4 * 2 ** (len(self.widths) - 1)


class _Squeeze(nn.Module):
    """Squeeze and excitation. Hu et al. (2018)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(channels, int(channels * SQUEEZE), 1)
        self.expand = nn.Conv2d(int(channels * SQUEEZE), channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        weights = self.expand(torch.relu(self.reduce(x.mean(dim=(2, 3), keepdim=True))))
        return x * torch.sigmoid(weights)


class _MobileOne(nn.Module):
    """One merged convolution, perhaps squeezed, then GELU."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1, squeeze=False) -> None:
        super().__init__()
        self.reparam_conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups)
        self.se = _Squeeze(outputs) if squeeze else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.gelu(self.se(self.reparam_conv(x)))


class _LargeKernel(nn.Module):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.lkb_reparam = nn.Conv2d(inputs, outputs, 7, 2, 3, groups=inputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.gelu(self.lkb_reparam(x))


class _Down(nn.Module):
    """Half the resolution, another width."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.proj = nn.Sequential(_LargeKernel(inputs, outputs), _MobileOne(outputs, outputs, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.proj(x)


class _Merged(nn.Module):
    """A depthwise convolution that has its own skip connection merged into it: RepMixer, and the position encoding."""

    def __init__(self, channels: int, kernel: int) -> None:
        super().__init__()
        self.reparam_conv = nn.Conv2d(channels, channels, kernel, 1, kernel // 2, groups=channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.reparam_conv(x)


class _ConvFfn(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Sequential()
        self.conv.add_module("conv", nn.Conv2d(channels, channels, 7, 1, 3, groups=channels, bias=False))
        self.conv.add_module("bn", nn.BatchNorm2d(channels))
        self.fc1 = nn.Conv2d(channels, EXPANSION * channels, 1)
        self.fc2 = nn.Conv2d(EXPANSION * channels, channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc2(nn.functional.gelu(self.fc1(self.conv(x))))


class _MixerBlock(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.token_mixer = _Merged(channels, 3)
        self.convffn = _ConvFfn(channels)
        self.layer_scale = nn.Parameter(torch.full((channels, 1, 1), LAYER_SCALE))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.token_mixer(x)
        return x + self.layer_scale * self.convffn(x)


class _ChannelNorm(nn.Module):
    """Layer norm over the channels of each place."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        moved = x.permute(0, 2, 3, 1)
        return nn.functional.layer_norm(moved, moved.shape[-1:], self.weight, self.bias, 1e-5).permute(0, 3, 1, 2)


class _Attention(nn.Module):
    """Attention of all places to all, heads of 32; queries, keys and values without bias."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.qkv = nn.Linear(channels, 3 * channels, bias=False)
        self.proj = nn.Linear(channels, channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, channels, height, width = x.shape
        rows = self.qkv(x.flatten(2).transpose(1, 2))
        q, k, v = rows.reshape(batch, height * width, 3, -1, HEAD_DIM).permute(2, 0, 3, 1, 4)
        mixed = nn.functional.scaled_dot_product_attention(q, k, v)
        rows = self.proj(mixed.transpose(1, 2).reshape(batch, height * width, channels))
        return rows.transpose(1, 2).reshape(batch, channels, height, width)


class _AttentionBlock(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = _ChannelNorm(channels)
        self.token_mixer = _Attention(channels)
        self.convffn = _ConvFfn(channels)
        self.layer_scale_1 = nn.Parameter(torch.full((channels, 1, 1), LAYER_SCALE))
        self.layer_scale_2 = nn.Parameter(torch.full((channels, 1, 1), LAYER_SCALE))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.layer_scale_1 * self.token_mixer(self.norm(x))
        return x + self.layer_scale_2 * self.convffn(x)


class _ClassHead(nn.Module):
    """Only there to hold the checkpoint's tensor."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.proj = nn.Parameter(torch.zeros(inputs, outputs))


class FastViTHD(nn.Module):
    def __init__(self, shape: VisionShape | None = None) -> None:
        super().__init__()
        self.shape = shape = shape or VisionShape()
        widths = shape.widths
        first = widths[0]
        self.patch_embed = nn.Sequential(
            _MobileOne(3, first, 3, 2), _MobileOne(first, first, 3, 2, groups=first), _MobileOne(first, first, 1)
        )
        network: list[nn.Module] = []
        for i, (count, width) in enumerate(zip(shape.layers, widths, strict=True)):
            if i > 0:
                network.append(_Down(widths[i - 1], width))
            attends = i >= shape.convolutional
            if attends:
                network.append(_Merged(width, 7))
            block = _AttentionBlock if attends else _MixerBlock
            network.append(nn.Sequential(*(block(width) for _ in range(count))))
        self.network = nn.ModuleList(network)
        self.conv_exp = _MobileOne(widths[-1], shape.channels, 3, groups=widths[-1], squeeze=True)
        self.head = _ClassHead(shape.channels, shape.unused)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Pictures [B,3,S,S] in [0,1], S a multiple of `shape.patch` -> rows [B,(S/patch)^2,channels], row by row."""
        x = self.patch_embed(image)
        for stage in self.network:
            x = stage(x)
        return self.conv_exp(x).flatten(2).transpose(1, 2)
