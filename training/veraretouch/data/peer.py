"""The expert-C peer: the image-adaptive 3D LUT of Zeng et al. (TPAMI 2020), weights trained on MIT-Adobe FiveK.

Used twice: as the peer that Auto is compared with, and as a source of pseudo-expert targets.
A small convolutional network reads the picture at 256 x 256 and answers with three weights; the weighted sum of three
33^3 LUTs, applied with trilinear interpolation, is the retouch. Structure and weights: Apache-2.0.
"""

from __future__ import annotations

import pickle
from itertools import pairwise
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

from .files import DataError

FOLDER = Path("peers") / "image-adaptive-3dlut"
SIZE = 33
_INPUT = 256
_WIDTHS = (3, 16, 32, 64, 128, 128)


def _network() -> nn.Sequential:
    """Five convolutions of stride 2, the last without a norm, then one that covers the remaining 8 x 8 cells.

    The two parameterless placeholders (resize and dropout) keep the numbering of the published state dict.
    """
    layers: list[nn.Module] = [nn.Upsample(size=(_INPUT, _INPUT), mode="bilinear")]
    for i, (before, after) in enumerate(pairwise(_WIDTHS)):
        layers += [nn.Conv2d(before, after, 3, stride=2, padding=1), nn.LeakyReLU(0.2)]
        if i < len(_WIDTHS) - 2:
            layers.append(nn.InstanceNorm2d(after, affine=True))
    return nn.Sequential(*layers, nn.Dropout(0.5), nn.Conv2d(_WIDTHS[-1], 3, 8))


class Peer(nn.Module):
    """weights() -> lut() -> apply(). Pictures are sRGB-encoded in [0, 1]. Frozen, always in evaluation mode."""

    def __init__(self) -> None:
        super().__init__()
        self.model = _network()
        # [weight, output channel, blue, green, red]
        self.register_buffer("basis", torch.zeros(3, 3, SIZE, SIZE, SIZE))
        self.eval().requires_grad_(False)

    @classmethod
    def load(cls, data: Path) -> Peer:
        """Read classifier.pth and LUTs.pth from `data`/peers/image-adaptive-3dlut. Raises DataError."""
        folder = Path(data) / FOLDER
        peer = cls()
        try:
            classifier, luts = (
                torch.load(folder / name, map_location="cpu", weights_only=True) for name in ("classifier.pth", "LUTs.pth")
            )
            peer.load_state_dict({**classifier, "basis": torch.stack([luts[str(i)]["LUT"] for i in range(3)])})
        except (OSError, KeyError, TypeError, AttributeError, RuntimeError, pickle.UnpicklingError) as cause:
            raise DataError(
                f"The 3D LUT peer cannot be read from {folder} ({cause}). Nothing was changed. "
                "Put classifier.pth and LUTs.pth of HuiZeng/Image-Adaptive-3DLUT (sRGB, paired) there."
            ) from cause
        return peer

    def train(self, mode: bool = True) -> Peer:
        """Stays in evaluation mode even inside a model in training: its dropout must never be active."""
        return super().train(False)

    def weights(self, image: torch.Tensor) -> torch.Tensor:
        """image [B, 3, H, W] in [0, 1], any size (resized bilinearly to 256 x 256 within) -> LUT weights [B, 3]."""
        return self.model(image).flatten(1)

    def lut(self, weights: torch.Tensor) -> torch.Tensor:
        """weights [B, 3] -> LUT [B, 3, 33, 33, 33], indexed [output channel, blue, green, red], not clamped."""
        return torch.einsum("bw,wcxyz->bcxyz", weights, self.basis)

    def apply(self, rgb: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        """rgb [B, N, 3] in [0, 1], weights [B, 3] -> [B, N, 3] in [0, 1], by trilinear interpolation."""
        # grid_sample wants (x, y, z) = (red, green, blue) in [-1, 1]; its x runs along the last dimension.
        grid = (rgb.clamp(0, 1) * 2 - 1)[:, :, None, None, :]
        out = functional.grid_sample(self.lut(weights), grid, mode="bilinear", padding_mode="border", align_corners=True)
        return out[:, :, :, 0, 0].transpose(1, 2).clamp(0, 1)
