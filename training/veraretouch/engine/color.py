"""Colour spaces used by the develop engine and the measurements.

All functions take and return float tensors whose last dimension is the three channels.
Sources: sRGB transfer function IEC 61966-2-1; Oklab by B. Ottosson (2020); CIE L*a*b* CIE 15:2004, D65 white.
"""

import torch

_RGB_TO_XYZ = torch.tensor(
    [[0.4123908, 0.3575843, 0.1804808], [0.2126390, 0.7151687, 0.0721923], [0.0193308, 0.1191948, 0.9505322]]
)
_RGB_TO_LMS = torch.tensor(
    [[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
     [0.0883024619, 0.2817188376, 0.6299787005]]
)
_LMS_TO_LAB = torch.tensor(
    [[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099],
     [0.0259040371, 0.7827717662, -0.8086757660]]
)
# Inverted in double precision so that Oklab there and back stays within float rounding.
_LAB_TO_LMS = torch.linalg.inv(_LMS_TO_LAB.double()).float()
_LMS_TO_RGB = torch.linalg.inv(_RGB_TO_LMS.double()).float()
_WHITE_D65 = _RGB_TO_XYZ.sum(dim=1)


def _apply(matrix: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    return values @ matrix.to(values).T


def srgb_to_linear(rgb: torch.Tensor) -> torch.Tensor:
    """sRGB-encoded values in [0, 1] to linear light in [0, 1]."""
    return torch.where(rgb <= 0.04045, rgb / 12.92, ((rgb.clamp(min=0.04045) + 0.055) / 1.055) ** 2.4)


def linear_to_srgb(linear: torch.Tensor) -> torch.Tensor:
    """Linear light to sRGB-encoded values; negative input is treated by the linear segment."""
    curved = 1.055 * linear.clamp(min=0.0031308) ** (1 / 2.4) - 0.055
    return torch.where(linear <= 0.0031308, linear * 12.92, curved)


def linear_to_oklab(linear: torch.Tensor) -> torch.Tensor:
    """Linear sRGB to Oklab (L in [0, 1], a and b about [-0.4, 0.4])."""
    lms = _apply(_RGB_TO_LMS, linear).clamp(min=0.0)
    return _apply(_LMS_TO_LAB, lms ** (1 / 3))


def oklab_to_linear(lab: torch.Tensor) -> torch.Tensor:
    """Oklab to linear sRGB; colours outside the sRGB gamut give values outside [0, 1]."""
    return _apply(_LMS_TO_RGB, _apply(_LAB_TO_LMS, lab) ** 3)


def srgb_to_lab(rgb: torch.Tensor) -> torch.Tensor:
    """sRGB-encoded values in [0, 1] to CIE L*a*b* under D65 (L* in [0, 100])."""
    xyz = _apply(_RGB_TO_XYZ, srgb_to_linear(rgb)) / _WHITE_D65.to(rgb)
    cut = (6 / 29) ** 3
    f = torch.where(xyz > cut, xyz.clamp(min=cut) ** (1 / 3), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = f.unbind(-1)
    return torch.stack((116 * y - 16, 500 * (x - y), 200 * (y - z)), dim=-1)
