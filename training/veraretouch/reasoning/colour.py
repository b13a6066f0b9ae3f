"""sRGB -> CIE L*a*b* (D65) and OKLab, vectorised in torch.

Formulas: IEC 61966-2-1 (sRGB), CIE 15:2004 (L*a*b*), B. Ottosson 2020 (OKLab).
Kept apart from the develop engine so that words are checked by other code than the code that made the pixels.
"""

from __future__ import annotations

import torch

_XYZ = torch.tensor(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
# Rows divided by the white point that the matrix itself gives, so that white is exactly neutral.
_XYZ_OVER_WHITE = _XYZ / _XYZ.sum(1, keepdim=True)
_LMS = torch.tensor(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_OKLAB = torch.tensor(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
_EPSILON = 216.0 / 24389.0
_KAPPA = 24389.0 / 27.0


def srgb_to_linear(rgb: torch.Tensor) -> torch.Tensor:
    """sRGB in [0, 1], any shape -> linear light in [0, 1], same shape."""
    return torch.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055).clamp_min(0).pow(2.4))


def linear_to_lab(linear: torch.Tensor) -> torch.Tensor:
    """Linear sRGB [N, 3] -> L* in [0, 100], a*, b* as [N, 3]."""
    xyz = linear @ _XYZ_OVER_WHITE.T
    f = torch.where(xyz > _EPSILON, xyz.clamp_min(0).pow(1 / 3), (_KAPPA * xyz + 16) / 116)
    return torch.stack((116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])), 1)


def linear_to_oklab(linear: torch.Tensor) -> torch.Tensor:
    """Linear sRGB [N, 3] -> OKLab [N, 3], L in [0, 1]."""
    return (linear @ _LMS.T).clamp_min(0).pow(1 / 3) @ _OKLAB.T
