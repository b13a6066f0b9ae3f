"""Shift-tolerant LPIPS (ST-LPIPS), AlexNet: how far apart two pictures look, 0 when equal.

Ghildyal and Liu, "Shift-tolerant Perceptual Similarity Metric" (ECCV 2022), with the authors' weights from PyPI
`stlpips-pytorch` 0.0.2 (BSD-2-Clause). It is NOT the LPIPS of Zhang et al. (2018), whose figures are another scale. Only
the weight file of the package is used: its modules need torchvision and IPython, and those that blur before they halve
are marked non-commercial; the network below is written from the papers (anti-aliasing: Zhang, ICML 2019).
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

from .metrics import MetricError, _check

WEIGHTS = Path("weights") / "vST0.0" / "alex_shift_tolerant.pth"
LEAST = 32


def _halve(x: torch.Tensor) -> torch.Tensor:
    """Blurred by (1, 2, 1) / 4 in both directions, every second pixel kept; edges reflected by two pixels."""
    kernel = torch.tensor([1.0, 2.0, 1.0]) / 4
    kernel = (kernel[:, None] * kernel).to(x).expand(x.shape[1], 1, 3, 3)
    return functional.conv2d(functional.pad(x, (2, 2, 2, 2), mode="reflect"), kernel, stride=2, groups=x.shape[1])


class StLpips(nn.Module):
    """AlexNet whose first convolution has stride 1 and which blurs before every halving, read at five depths."""

    def __init__(self) -> None:
        super().__init__()
        sizes = ((3, 64, 11, 2), (64, 192, 5, 2), (192, 384, 3, 1), (384, 256, 3, 1), (256, 256, 3, 1))
        self.convolutions = nn.ModuleList(nn.Conv2d(a, b, k, padding=p) for a, b, k, p in sizes)
        self.weights = nn.ParameterList(nn.Parameter(torch.zeros(1, b, 1, 1)) for _, b, _, _ in sizes)
        self.register_buffer("shift", torch.zeros(1, 3, 1, 1))
        self.register_buffer("scale", torch.ones(1, 3, 1, 1))

    def features(self, rgb: torch.Tensor) -> list[torch.Tensor]:
        """[B, 3, H, W] in [0, 1] -> five maps, of length 1 at every pixel."""
        if rgb.dim() != 4 or rgb.shape[1] != 3 or min(rgb.shape[2:]) < LEAST:
            raise MetricError(f"ST-LPIPS needs [B, 3, H, W] with H and W at least {LEAST}, not {tuple(rgb.shape)}.")
        x, found = (rgb * 2 - 1 - self.shift) / self.scale, []
        for depth, convolution in enumerate(self.convolutions):
            if depth in (1, 2):
                x = _halve(functional.max_pool2d(x, 3, 1))
            x = convolution(x)
            x = torch.relu(_halve(x) if depth == 0 else x)
            found.append(x / (x.square().sum(1, keepdim=True).sqrt() + 1e-10))
        return found

    @torch.no_grad()
    def forward(self, out: torch.Tensor, target: torch.Tensor, known: list[torch.Tensor] | None = None) -> torch.Tensor:
        """[B, 3, H, W] in [0, 1] twice -> [B]. known: `features` of the target, where it is compared with more than one."""
        _check(out, target)
        pairs = zip(self.features(out), known or self.features(target), self.weights, strict=True)
        return sum(((a - b).square() * w).sum(1).mean((1, 2)) for a, b, w in pairs)


def load_st_lpips() -> StLpips:
    """The metric with the authors' weights. Raises MetricError when the package is not installed."""
    package = find_spec("stlpips_pytorch")
    if package is None or not package.origin or not (path := Path(package.origin).parent / WEIGHTS).is_file():
        raise MetricError("ST-LPIPS was not computed: its weights are not installed (training/requirements-nodeps.txt).")
    kept = torch.load(path, map_location="cpu", weights_only=True)
    model = StLpips()
    names = ("slice1.0", "slice2.5", "slice3.9", "slice4.11", "slice5.13")
    state = {"shift": kept["scaling_layer.shift"], "scale": kept["scaling_layer.scale"]}
    for i, name in enumerate(names):
        state |= {f"convolutions.{i}.{part}": kept[f"net.{name}.{part}"] for part in ("weight", "bias")}
        state[f"weights.{i}"] = kept[f"lin{i}.model.1.weight"]
    model.load_state_dict(state)
    return model.eval().requires_grad_(False)
