"""Colour controls: white balance, colour mixer by eight hue bands, vibrance and saturation.

White balance is a von Kries adaptation with Bradford responses (Lam 1985) towards a white moved along the Planckian
locus (temperature, in mired; cubic approximation by Kim et al. 2002) and across it (tint, in CIE 1960 uv).
The other controls work in Oklab. Gains of chroma are weighted by the distance to the gamut boundary, so a colour can
reach the boundary but never cross it, and no hard clip is needed.
"""

import math

import torch

from .color import linear_to_oklab, oklab_to_linear
from .params import HUES, INDEX, SPECIFIC_COLOR

_BRADFORD = torch.tensor([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
_RGB_TO_XYZ = torch.tensor(
    [[0.4123908, 0.3575843, 0.1804808], [0.2126390, 0.7151687, 0.0721923], [0.0193308, 0.1191948, 0.9505322]]
)
_RGB_TO_CONE = _BRADFORD @ _RGB_TO_XYZ
_CONE_TO_RGB = torch.linalg.inv(_RGB_TO_CONE.double()).float()
_NEUTRAL_MIRED = 1e6 / 6504
MIRED_AT_FULL_TEMPERATURE = 75.0
DUV_AT_FULL_TINT = 0.03
# 0 keeps lightness, a high value keeps chroma.
GAMUT_ADAPTATION = 5.0

# Oklab hue angles of the band centres in degrees: sRGB's primaries and secondaries, orange, and violet (#8000ff).
HUE_CENTRES = torch.tensor([29.2, 57.0, 109.8, 142.5, 194.8, 264.1, 299.0, 331.0])


def _planckian_uv(mired: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Chromaticity (u, v of CIE 1960) of a black body; valid for 4,000 K to 25,000 K."""
    k = mired * 1e-3  # 1e3 / T
    x = -3.0258469 * k**3 + 2.1070379 * k**2 + 0.2226347 * k + 0.240390
    y = 3.0817580 * x**3 - 5.87338670 * x**2 + 3.75112997 * x - 0.37001483
    denominator = -2 * x + 12 * y + 3
    return 4 * x / denominator, 6 * y / denominator


def _white_cone(mired: torch.Tensor, duv: torch.Tensor) -> torch.Tensor:
    """Bradford responses [..., 3] of the white with Y = 1."""
    u, v = _planckian_uv(mired)
    u_step, v_step = (a - b for a, b in zip(_planckian_uv(mired + 1.0), (u, v), strict=True))
    length = torch.sqrt(u_step**2 + v_step**2)
    u, v = u - duv * v_step / length, v + duv * u_step / length
    x, y = 3 * u / (2 * u - 8 * v + 4), 2 * v / (2 * u - 8 * v + 4)
    xyz = torch.stack((x / y, torch.ones_like(x), (1 - x - y) / y), dim=-1)
    return xyz @ _BRADFORD.to(xyz).T


def white_balance(linear: torch.Tensor, params: torch.Tensor) -> torch.Tensor:
    """linear [B, N, 3]; temperature + is warmer, tint + is more magenta. Bright tones roll off instead of clipping."""
    temperature = params[:, INDEX["IncrementalTemperature"]]
    # Below about 4,370 K the fit of the locus no longer holds: the warm end stops there by construction (229 mired).
    mired = _NEUTRAL_MIRED + MIRED_AT_FULL_TEMPERATURE * temperature
    duv = -DUV_AT_FULL_TINT * params[:, INDEX["IncrementalTint"]]
    neutral = _white_cone(torch.full_like(mired, _NEUTRAL_MIRED), torch.zeros_like(duv))
    gain = _white_cone(mired, duv) / neutral - 1
    # (M - 1) rather than M, so that a setting of 0 changes nothing at all.
    delta = _CONE_TO_RGB.to(linear) @ (gain[:, :, None] * _RGB_TO_CONE.to(linear))
    moved = (linear + linear @ delta.transpose(1, 2)).clamp(min=0)
    top = (1 + delta.sum(dim=2)).amax(dim=1).clamp(min=1.0)[:, None, None]
    peak = moved.amax(dim=-1, keepdim=True)
    return moved / (1 + (top**8 - 1) * (peak / top) ** 8) ** (1 / 8)


def gamut_ratio(lab: torch.Tensor, linear: torch.Tensor) -> torch.Tensor:
    """How far a colour is on the way from the grey of its lightness to the gamut boundary: [..., 1], 1 on the boundary."""
    grey = lab[..., :1] ** 3
    offset = linear - grey
    room = torch.where(offset > 0, 1 - grey, grey).clamp(min=1e-6)
    return (offset.abs() / room).amax(dim=-1, keepdim=True)


def _fit_gamut(lab: torch.Tensor) -> torch.Tensor:
    """Oklab -> linear sRGB in [0, 1], pulling what lies outside towards a grey nearer to middle lightness.

    The grey's lightness follows Ottosson (2021, "sRGB gamut clipping", adaptive L0 towards 0.5): towards the grey of the
    same lightness a light yellow or cyan whose hue was turned would lose nearly all its chroma.
    """
    linear = oklab_to_linear(lab)
    lightness = lab[..., :1].clamp(0, 1)
    chroma = torch.sqrt(lab[..., 1:2] ** 2 + lab[..., 2:] ** 2 + 1e-12)
    offset = lightness - 0.5
    reach = 0.5 + offset.abs() + GAMUT_ADAPTATION * chroma
    anchor = 0.5 + 0.5 * torch.sign(offset) * (reach - torch.sqrt((reach**2 - 2 * offset.abs()).clamp(min=0)))
    grey = anchor**3
    distance = linear - grey
    room = torch.where(distance > 0, 1 - grey, grey).clamp(min=1e-6)
    scale = 1 / (distance.abs() / room).amax(dim=-1, keepdim=True).clamp(min=1.0)
    return (grey + distance * scale).clamp(0, 1)


def _chroma_gain(amount: torch.Tensor, ratio: torch.Tensor) -> torch.Tensor:
    """1 + amount, where a positive amount fades out towards the gamut boundary (ratio 1): monotone, never beyond it."""
    return 1 + torch.where(amount > 0, amount * (1 - ratio.clamp(0, 1)), amount)


def hue_weights(hue: torch.Tensor) -> torch.Tensor:
    """Eight overlapping hue bands, raised cosines between neighbouring centres; they sum to 1.

    hue in radians [...] -> weights [..., 8].
    """
    centres = HUE_CENTRES.to(hue)
    degrees = torch.rad2deg(hue)[..., None]
    after = torch.remainder(torch.roll(centres, -1) - centres, 360)
    before = torch.roll(after, 1)
    distance = torch.remainder(degrees - centres + 180, 360) - 180
    position = torch.where(distance >= 0, distance / after, -distance / before).clamp(max=1.0)
    return 0.5 + 0.5 * torch.cos(math.pi * position)


def _mixer(lab: torch.Tensor, linear: torch.Tensor, params: torch.Tensor) -> torch.Tensor:
    """Hue, saturation and luminance per hue band. Neutral pixels have no hue and stay as they are."""
    shift, saturation, luminance = params[:, -len(SPECIFIC_COLOR) :].view(-1, 1, 3, len(HUES)).unbind(2)
    lightness, a, b = lab.unbind(-1)
    chroma = torch.sqrt(a * a + b * b + 1e-12)
    weights = hue_weights(torch.atan2(b, a + 1e-12)) * (1 - torch.exp(-((chroma / 0.03) ** 2)))[..., None]
    after = torch.remainder(torch.roll(HUE_CENTRES, -1) - HUE_CENTRES, 360).to(lab)
    # At most 0.3 of the way to the neighbour: opposite settings of two neighbours still never fold the hue circle.
    reach = torch.deg2rad(torch.where(shift >= 0, 0.3 * after, 0.3 * torch.roll(after, 1)))
    angle = (weights * shift * reach).sum(-1)
    cos, sin = torch.cos(angle), torch.sin(angle)
    gain = _chroma_gain((weights * saturation).sum(-1), gamut_ratio(lab, linear)[..., 0])
    lift = (weights * luminance).sum(-1) * (1 - torch.exp(-chroma / 0.06))
    lightness = lightness + 0.5 * lift * lightness * (1 - lightness)
    return torch.stack((lightness, (a * cos - b * sin) * gain, (a * sin + b * cos) * gain), dim=-1)


def _vibrance(lab: torch.Tensor, linear: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """Chroma gain that spares colours already saturated and the hues of skin (Oklab hue about 55 degrees)."""
    a, b = lab[..., 1], lab[..., 2]
    chroma = torch.sqrt(a * a + b * b + 1e-12)
    skin = ((a * math.cos(math.radians(55)) + b * math.sin(math.radians(55))) / chroma).clamp(min=0) ** 6
    weight = torch.exp(-((chroma / 0.15) ** 2)) * (1 - 0.5 * skin)
    gain = _chroma_gain(0.8 * value * weight, gamut_ratio(lab, linear)[..., 0])
    return torch.cat((lab[..., :1], lab[..., 1:] * gain[..., None]), dim=-1)


def _saturation(lab: torch.Tensor, linear: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """Chroma gain for all colours; -1 gives a monochrome picture of the same lightness."""
    gain = _chroma_gain(value, gamut_ratio(lab, linear)[..., 0])
    return torch.cat((lab[..., :1], lab[..., 1:] * gain[..., None]), dim=-1)


def apply_mixer(linear: torch.Tensor, params: torch.Tensor) -> torch.Tensor:
    """The 24 specific-colour parameters. linear [B, N, 3] in [0, 1] -> the same."""
    return _fit_gamut(_mixer(linear_to_oklab(linear), linear, params))


def apply_saturation(linear: torch.Tensor, params: torch.Tensor) -> torch.Tensor:
    """Vibrance, then saturation. linear [B, N, 3] in [0, 1] -> the same."""
    lab = _vibrance(linear_to_oklab(linear), linear, params[:, INDEX["Vibrance"]][:, None])
    linear = _fit_gamut(lab)
    return _fit_gamut(_saturation(lab, linear, params[:, INDEX["Saturation"]][:, None]))
