"""Teachers: published retouching networks that stand in for experts, each a function of one photo's colours.

Beside the image-adaptive 3D LUT (`data.peer`) two of its successors, trained by their authors on MIT-Adobe FiveK's expert C:
AdaInt (Yang et al., CVPR 2022; a LUT on learnt, uneven vertices) and SepLUT (Yang et al., ECCV 2022; a curve per channel
before the LUT). Both Apache-2.0; structure after the papers, weights as published (`data/sources.json`). Their views differ
by what no photo decides: an example takes one of them, or their mean.

    python -m veraretouch.data.teachers --data DATA      PSNR of each and of their mean on the FiveK development pairs
"""

from __future__ import annotations

import argparse
import pickle
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Protocol

import torch
from torch import nn
from torch.nn import functional

from .files import DataError
from .peer import Peer

_INPUT = 256


class Teacher(Protocol):
    """A retouch of pictures; sRGB in [0, 1]."""

    def plan(self, images: torch.Tensor) -> object:
        """images [B, 3, H, W], any size -> what `colours` needs."""

    def colours(self, rgb: torch.Tensor, plan) -> torch.Tensor:
        """rgb [B, N, 3], colours of the same B pictures -> [B, N, 3] in [0, 1]."""


def _trilinear(luts: torch.Tensor, rgb: torch.Tensor) -> torch.Tensor:
    """luts [B, 3, b, g, r], rgb [B, N, 3] in [0, 1] -> [B, N, 3]."""
    grid = (rgb.clamp(0, 1) * 2 - 1)[:, :, None, None, :]
    out = functional.grid_sample(luts, grid, mode="bilinear", padding_mode="border", align_corners=True)
    return out[:, :, :, 0, 0].transpose(1, 2)


def _position(values: torch.Tensor, vertices: torch.Tensor) -> torch.Tensor:
    """Where values [B, N, 3] lie among ascending vertices [B, 3, V]: 0 at the first, 1 at the last, even steps between."""
    last = vertices.shape[2] - 1
    queries = values.transpose(1, 2).contiguous()
    left = (torch.searchsorted(vertices.contiguous(), queries, right=True) - 1).clamp(0, last - 1)
    low, high = vertices.gather(2, left), vertices.gather(2, left + 1)
    inside = ((queries - low) / (high - low).clamp(min=1e-9)).clamp(0, 1)
    return ((left + inside) / last).transpose(1, 2)


class AdaptiveLut(nn.Module):
    """AdaInt or SepLUT: five strided convolutions, a weighted sum of three LUTs, and what comes before the LUT. Frozen.

    widths: channels of the convolutions. vertices: points of the LUT along an edge. Exactly one of the heads is used:
    `intervals` (AdaInt: uneven vertices) or `curves` (SepLUT: one curve a channel, of as many points).
    """

    def __init__(self, widths: Sequence[int], vertices: int, uneven: bool) -> None:
        super().__init__()
        self.vertices, self.uneven = vertices, uneven
        blocks = []
        for i, (before, after) in enumerate(pairwise((3, *widths))):
            block = [nn.Conv2d(before, after, 3, stride=2, padding=1), nn.LeakyReLU(0.2)]
            if i < len(widths) - 1:
                block.append(nn.InstanceNorm2d(after, affine=True))
            blocks.append(nn.Sequential(*block))
        self.backbone = nn.Sequential(*blocks)
        features = 4 * widths[-1]
        self.weights = nn.Linear(features, 3)
        self.basis = nn.Linear(3, 3 * vertices**3, bias=False)
        self.before = nn.Linear(features, 3 * (vertices - 1 if uneven else vertices))
        self.eval().requires_grad_(False)

    @classmethod
    def load(cls, path: Path) -> AdaptiveLut:
        """Read a published checkpoint; which of the two it is follows from its own names. Raises DataError."""
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)["state_dict"]
            uneven = "adaint.intervals_generator.weight" in state
            generator, before = (
                ("lut_generator", "adaint.intervals_generator") if uneven
                else ("lut3d_generator", "lut1d_generator.lut1d_generator")
            )  # fmt: skip
            widths = [len(state[f"backbone.{i}.0.weight"]) for i in range(5)]
            vertices = round((len(state[f"{generator}.basis_luts_bank.weight"]) / 3) ** (1 / 3))
            teacher = cls(widths, vertices, uneven)
            names = {f"{generator}.weights_generator.": "weights.", f"{generator}.basis_luts_bank.": "basis.", f"{before}.": "before."}
            own = {}
            for name, value in state.items():
                prefix = next((p for p in names if name.startswith(p)), "")
                if prefix or name.startswith("backbone."):
                    own[names.get(prefix, "") + name.removeprefix(prefix)] = value
            teacher.load_state_dict(own)
        except (OSError, KeyError, TypeError, RuntimeError, pickle.UnpicklingError) as cause:
            raise DataError(
                f"The teacher {path} cannot be read ({cause}). Nothing was changed. Put the published sRGB checkpoint of AdaInt or "
                "SepLUT there (training/data/sources.json names it)."
            ) from cause
        return teacher

    def train(self, mode: bool = True) -> AdaptiveLut:
        """Stays in evaluation mode."""
        return super().train(False)

    def plan(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """images [B, 3, H, W] in [0, 1] -> (LUTs [B, 3, V, V, V], uneven vertices or curves [B, 3, V])."""
        small = functional.interpolate(images, size=(_INPUT, _INPUT), mode="bilinear", align_corners=False)
        codes = functional.adaptive_avg_pool2d(self.backbone(small), 2).flatten(1)
        size = self.vertices
        luts = self.basis(self.weights(codes)).view(-1, 3, size, size, size)
        before = self.before(codes).view(len(images), 3, -1)
        if self.uneven:
            return luts, functional.pad(before.softmax(2).cumsum(2), (1, 0))
        return luts, before.sigmoid()

    def colours(self, rgb: torch.Tensor, plan: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        luts, before = plan
        if self.uneven:
            placed = _position(rgb.clamp(0, 1), before)
        else:
            step = rgb.clamp(0, 1) * (self.vertices - 1)
            left = step.floor().long().clamp(max=self.vertices - 2)
            curves = before.transpose(1, 2)
            low, high = curves.gather(1, left), curves.gather(1, left + 1)
            placed = low + (step - left) * (high - low)
        return _trilinear(luts, placed).clamp(0, 1)


class PeerTeacher:
    """The 3D-LUT peer as a teacher."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer

    def plan(self, images: torch.Tensor) -> torch.Tensor:
        return self.peer.weights(images)

    def colours(self, rgb: torch.Tensor, plan: torch.Tensor) -> torch.Tensor:
        return self.peer.apply(rgb, plan)


# File below DATA/peers -> name. All are optional but the first, which every recipe had so far.
PUBLISHED = {
    "adaint": Path("adaint") / "AiLUT-FiveK-sRGB.pth",
    "seplut-33": Path("seplut") / "SepLUT-FiveK-sRGB-M8#3D33#1D33.pth",
    "seplut-17": Path("seplut") / "SepLUT-FiveK-sRGB-M8#3D17#1D17.pth",
}


def load_teachers(data: Path, wanted: Sequence[str] | None = None) -> dict[str, Teacher]:
    """Name -> teacher. `wanted`: names that must be there (default: the peer, and the others where their files are).

    Raises DataError when a wanted one is missing or unknown.
    """
    teachers: dict[str, Teacher] = {}
    for name in wanted or ["peer", *PUBLISHED]:
        if name == "peer":
            teachers[name] = PeerTeacher(Peer.load(data))
        elif name not in PUBLISHED:
            raise DataError(f"There is no teacher {name!r}, only peer, {', '.join(PUBLISHED)}. Nothing was loaded.")
        elif wanted is not None or (data / "peers" / PUBLISHED[name]).exists():
            teachers[name] = AdaptiveLut.load(data / "peers" / PUBLISHED[name])
    return teachers


def together(teachers: dict[str, Teacher], images: torch.Tensor, rgb: torch.Tensor) -> torch.Tensor:
    """What each teacher makes of the colours rgb [B, N, 3] of images [B, 3, H, W] -> [T, B, N, 3]."""
    return torch.stack([t.colours(rgb, t.plan(images)) for t in teachers.values()])


@torch.no_grad()
def main() -> None:
    from ..eval.fivek import load_pairs
    from ..eval.metrics import psnr

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    a = parser.parse_args()
    teachers = load_teachers(a.data)
    rows: dict[str, list[tuple[str, float]]] = {name: [] for name in ("nothing", *teachers, "mean")}
    for pair in load_pairs(a.data):
        rgb, target = pair.before.view(1, -1, 3), pair.after.view(1, -1, 3)
        views = together(teachers, pair.before.permute(2, 0, 1)[None], rgb)
        for name, out in zip(rows, (rgb, *views, views.mean(0)), strict=True):
            rows[name].append((pair.group, psnr(out, target).item()))
    for name, scores in rows.items():
        groups = {"all": [s for _, s in scores]} | {g: [s for h, s in scores if h == g] for g in sorted({g for g, _ in scores})}
        print(f"{name:12s}", ", ".join(f"{g} {sum(s) / len(s):.2f}" for g, s in groups.items()))


if __name__ == "__main__":
    main()
