"""Light controls: monotone tone curves on encoded values.

Every control is a function [0, 1] -> [0, 1] that is monotone in its input for each setting, is the identity at 0 and
moves continuously with the setting; their composition therefore keeps gradients free of inversions.
The curve is applied to the largest and the smallest channel and the middle one is interpolated, which keeps the hue
(the approach the DNG specification describes for its reference tone curve).
"""

import torch

from .color import linear_to_srgb, srgb_to_linear
from .params import INDEX, STOPS_AT_FULL_EXPOSURE


def _shoulder(x: torch.Tensor, gain: torch.Tensor, power: float) -> torch.Tensor:
    """Slope `gain` (>= 1) at 0, exactly 1 at x = 1, monotone: gain without clipping the top end."""
    return gain * x / (1 + (gain**power - 1) * x.clamp(min=0) ** power) ** (1 / power)


def _exposure(t: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """Linear-light gain; a rise rolls off into white instead of clipping, a fall is a plain multiplication."""
    gain = torch.exp2(value * STOPS_AT_FULL_EXPOSURE)
    linear = srgb_to_linear(t)
    return linear_to_srgb(_shoulder(linear, gain.clamp(min=1.0), 3.0) * gain.clamp(max=1.0))


def _contrast(t: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """S-shaped cubic about middle grey; centre slope 0.55 to 1.45, end slope never below 0.1."""
    return t + 1.8 * value * t * (1 - t) * (t - 0.5)


def _bump(t: torch.Tensor, value: torch.Tensor, low: int, high: int, up: float, down: float) -> torch.Tensor:
    """Move the tones around low / (low + high) by at most `up` or `down` with a Bernstein weight; both ends stay."""
    peak = low / (low + high)
    norm = 1 / (peak**low * (1 - peak) ** high)
    amount = up * value.clamp(min=0) + down * value.clamp(max=0)
    return t + amount * norm * t**low * (1 - t) ** high


def _whites(t: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """Up: brightens the top with a roll-off. Down: lowers the white point to 0.8."""
    up, down = value.clamp(min=0), value.clamp(max=0)
    return _shoulder(t, 1 + 0.25 * up, 6.0) * (1 + 0.2 * down * t * t)


def _blacks(t: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """Up: lifts the black point to 0.12. Down: deepens the bottom with a toe instead of clipping it."""
    up, down = value.clamp(min=0), -value.clamp(max=0)
    deep = 1 - _shoulder(1 - t, 1 + 0.15 * down, 8.0)
    return deep + 0.12 * up * (1 - deep) ** 4


def tone_curve(t: torch.Tensor, params: torch.Tensor) -> torch.Tensor:
    """Compose the ten light parameters. t [B, ...] encoded in [0, 1], params [B, 38] in [-1, 1]."""
    shape = (-1,) + (1,) * (t.dim() - 1)

    def value(name: str) -> torch.Tensor:
        return params[:, INDEX[name]].view(shape)

    t = _exposure(t, value("Exposure2012"))
    t = _contrast(t, value("Contrast2012"))
    # Narrow weights, so that the middle tones stay and the eye sees recovered highlights, not a darker picture. Towards
    # the end of the scale the slope would fall to 0 at 0.082; away from it there is room for twice as much, and that is
    # the direction photographers need: recovering highlights, opening shadows.
    t = _bump(t, value("Highlights2012"), 4, 1, up=0.08, down=0.16)
    t = _bump(t, value("Shadows2012"), 1, 4, up=0.16, down=0.08)
    t = _whites(t, value("Whites2012"))
    t = _blacks(t, value("Blacks2012"))
    t = _bump(t, value("ParametricShadows"), 1, 5, 0.05, 0.05)
    t = _bump(t, value("ParametricDarks"), 2, 3, 0.07, 0.07)
    t = _bump(t, value("ParametricLights"), 3, 2, 0.07, 0.07)
    t = _bump(t, value("ParametricHighlights"), 5, 1, 0.05, 0.05)
    return t.clamp(0, 1)


def apply_tone(rgb: torch.Tensor, params: torch.Tensor) -> torch.Tensor:
    """Hue-keeping tone curve on encoded sRGB. rgb [B, N, 3] in [0, 1] -> the same."""
    high, low = rgb.amax(dim=-1, keepdim=True), rgb.amin(dim=-1, keepdim=True)
    new_high, new_low = tone_curve(torch.cat((high, low), dim=-1), params).split(1, dim=-1)
    spread = (high - low).clamp(min=1e-6)
    return (new_low + (rgb - low) * (new_high - new_low) / spread).clamp(0, 1)
