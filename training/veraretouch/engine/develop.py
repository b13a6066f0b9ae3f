"""The develop engine: 38 parameters to pixels, a pure function of one pixel's colour.

Order: white balance (linear light), tone (encoded values), colour mixer, vibrance and saturation (Oklab).
A picture whose parameters are all 0 comes back bit for bit.
"""

import torch

from .color import linear_to_srgb, srgb_to_linear
from .color_controls import apply_mixer, apply_saturation, white_balance
from .params import FACTOR_SLICES, INDEX, PARAMETERS
from .tone import apply_tone


class DevelopError(ValueError):
    """The input of the develop engine has a wrong shape or a value outside its range; nothing was computed."""


def _check(rgb: torch.Tensor, params: torch.Tensor) -> None:
    if rgb.dim() != 3 or rgb.shape[-1] != 3:
        raise DevelopError(f"rgb must have shape [B, N, 3], not {tuple(rgb.shape)}")
    if params.shape != (rgb.shape[0], len(PARAMETERS)):
        raise DevelopError(f"params must have shape [{rgb.shape[0]}, {len(PARAMETERS)}], not {tuple(params.shape)}")
    if not torch.isfinite(params).all() or params.abs().max() > 1:
        raise DevelopError("params must be finite and in [-1, 1]; divide slider values by 100")


def develop(rgb: torch.Tensor, params: torch.Tensor) -> torch.Tensor:
    """Develop sRGB pictures.

    rgb: [B, N, 3], sRGB-encoded in [0, 1]. params: [B, 38] in [-1, 1], order of `params.PARAMETERS`.
    Returns [B, N, 3] in [0, 1]. Raises DevelopError for a wrong shape or range.
    """
    _check(rgb, params)
    used = [bool((params[:, s] != 0).any()) for s in FACTOR_SLICES]
    out = rgb
    if bool((params[:, [INDEX["IncrementalTemperature"], INDEX["IncrementalTint"]]] != 0).any()):
        out = linear_to_srgb(white_balance(srgb_to_linear(out), params)).clamp(0, 1)
    if used[0]:
        out = apply_tone(out, params)
    chroma = bool((params[:, [INDEX["Vibrance"], INDEX["Saturation"]]] != 0).any())
    if used[2] or chroma:
        linear = srgb_to_linear(out)
        if used[2]:
            linear = apply_mixer(linear, params)
        if chroma:
            linear = apply_saturation(linear, params)
        out = linear_to_srgb(linear).clamp(0, 1)
    untouched = (params == 0).all(dim=1)
    return torch.where(untouched[:, None, None], rgb, out)
