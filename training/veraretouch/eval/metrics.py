"""Image metrics. Pictures are sRGB-encoded in [0, 1]; every function gives one figure per picture (or per colour).

Sources: SSIM by Wang, Bovik, Sheikh and Simoncelli (2004); CIEDE2000 as written by Sharma, Wu and Dalal (2005); GMSD by
Xue, Zhang, Mou and Bovik (IEEE TIP 2014, arXiv 1308.3052). Histograms: `eval.histograms`; ST-LPIPS: `eval.perceptual`.
"""

from __future__ import annotations

import torch
from torch.nn import functional

from ..engine.color import srgb_to_lab

# Figures above this mean "the same to within rounding": identical pictures would otherwise be infinitely good.
PSNR_CAP = 80.0
_SSIM_WINDOW, _SSIM_SIGMA, _SSIM_K1, _SSIM_K2 = 11, 1.5, 0.01, 0.03
_25_TO_7 = 25.0**7
# Xue et al. give 170 for values up to 255.
_GMSD_C = 170 / 255**2
# Luma of Rec. 601 to the three digits of Matlab's rgb2ntsc, which the authors' script uses.
_LUMA = (0.299, 0.587, 0.114)


class MetricError(ValueError):
    """Two pictures cannot be compared; nothing was computed."""


def _check(out: torch.Tensor, target: torch.Tensor) -> None:
    if out.shape != target.shape:
        raise MetricError(
            f"Pictures of different shapes cannot be compared: {tuple(out.shape)} and {tuple(target.shape)}. "
            "Bring both to the same size first."
        )


def psnr(out: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """[B, ...] in [0, 1] -> dB [B], over all values of a picture, at most PSNR_CAP."""
    _check(out, target)
    mse = (out - target).double().square().flatten(1).mean(dim=1)
    return -10 * torch.log10(mse.clamp(min=10 ** (-PSNR_CAP / 10)))


def l1(out: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """[B, ...] -> mean absolute difference [B]."""
    _check(out, target)
    return (out - target).abs().flatten(1).mean(dim=1)


def ssim(out: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """[B, C, H, W] in [0, 1] -> [B].

    11 x 11 Gaussian window (sigma 1.5, sum 1), K1 = 0.01, K2 = 0.03, population covariance, each encoded channel by
    itself, only where the whole window fits (no padding), mean over positions and channels. Raises MetricError below
    11 pixels a side.
    """
    _check(out, target)
    if out.dim() != 4 or min(out.shape[2:]) < _SSIM_WINDOW:
        raise MetricError(f"SSIM needs [B, C, H, W] with H and W at least {_SSIM_WINDOW}, not {tuple(out.shape)}.")
    channels = out.shape[1]
    offset = torch.arange(_SSIM_WINDOW, dtype=out.dtype, device=out.device) - _SSIM_WINDOW // 2
    window = torch.exp(-(offset**2) / (2 * _SSIM_SIGMA**2))
    window = (window / window.sum()).expand(channels, 1, 1, -1)

    def mean(x: torch.Tensor) -> torch.Tensor:
        return functional.conv2d(functional.conv2d(x, window, groups=channels), window.transpose(2, 3), groups=channels)

    mean_a, mean_b = mean(out), mean(target)
    variance_a, variance_b = mean(out * out) - mean_a**2, mean(target * target) - mean_b**2
    covariance = mean(out * target) - mean_a * mean_b
    c1, c2 = _SSIM_K1**2, _SSIM_K2**2
    index = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    index = index / ((mean_a**2 + mean_b**2 + c1) * (variance_a + variance_b + c2))
    return index.flatten(1).mean(dim=1)


def gmsd(out: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Gradient magnitude similarity deviation: [B, 3, H, W] in [0, 1] -> [B], 0 when equal.

    Of the luma (0.299, 0.587, 0.114), averaged over 2 x 2 and halved in size (an odd last row or column is left out);
    gradients by 3 x 3 Prewitt filters whose columns sum to one, zeros beyond the border; similarity
    (2 a b + c) / (a^2 + b^2 + c), c = 170 / 255^2; the figure is its standard deviation over the picture (divided by N).
    Raises MetricError below 6 pixels a side.
    """
    _check(out, target)
    if out.dim() != 4 or out.shape[1] != 3 or min(out.shape[2:]) < 6:
        raise MetricError(f"GMSD needs [B, 3, H, W] with H and W at least 6, not {tuple(out.shape)}.")
    weights = torch.tensor(_LUMA, dtype=out.dtype, device=out.device)[:, None, None]
    step = torch.tensor([1.0, 0.0, -1.0], dtype=out.dtype, device=out.device) / 3
    prewitt = torch.stack((step.expand(3, 3), step[:, None].expand(3, 3)))[:, None]

    def magnitude(x: torch.Tensor) -> torch.Tensor:
        half = functional.avg_pool2d((x * weights).sum(1, keepdim=True), 2)
        return functional.conv2d(half, prewitt, padding=1).square().sum(1).sqrt()

    a, b = magnitude(out), magnitude(target)
    similarity = (2 * a * b + _GMSD_C) / (a * a + b * b + _GMSD_C)
    return similarity.flatten(1).std(dim=1, unbiased=False)


def delta_e_2000(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """CIEDE2000 with kL = kC = kH = 1. CIE L*a*b* [..., 3] twice -> difference [...]. Use double for reference values."""
    _check(first, second)
    l1_, a1, b1 = first.unbind(-1)
    l2_, a2, b2 = second.unbind(-1)
    mean_chroma7 = ((torch.hypot(a1, b1) + torch.hypot(a2, b2)) / 2) ** 7
    stretch = 1.5 - 0.5 * torch.sqrt(mean_chroma7 / (mean_chroma7 + _25_TO_7))
    a1, a2 = a1 * stretch, a2 * stretch
    c1, c2 = torch.hypot(a1, b1), torch.hypot(a2, b2)
    h1, h2 = (torch.rad2deg(torch.atan2(b, a)) % 360 for a, b in ((a1, b1), (a2, b2)))
    # A neutral colour has no hue: then the hue difference is 0 and the mean hue is the other colour's.
    neutral = c1 * c2 == 0
    dh = torch.remainder(h2 - h1 + 180, 360) - 180
    # An exact half turn keeps the sign of h2 - h1, as the standard's case distinction has it.
    dh = torch.where((dh == -180) & (h2 > h1), -dh, dh).masked_fill(neutral, 0)
    total = h1 + h2
    mean_h = torch.where((h1 - h2).abs() <= 180, total / 2, torch.where(total < 360, total + 360, total - 360) / 2)
    mean_h = torch.where(neutral, total, mean_h)
    d_l, d_c = l2_ - l1_, c2 - c1
    d_h = 2 * torch.sqrt(c1 * c2) * torch.sin(torch.deg2rad(dh / 2))
    mean_l, mean_c = (l1_ + l2_) / 2, (c1 + c2) / 2

    def cosine(degrees: torch.Tensor) -> torch.Tensor:
        return torch.cos(torch.deg2rad(degrees))

    t = 1 - 0.17 * cosine(mean_h - 30) + 0.24 * cosine(2 * mean_h)
    t = t + 0.32 * cosine(3 * mean_h + 6) - 0.20 * cosine(4 * mean_h - 63)
    off_middle = (mean_l - 50) ** 2
    s_l = 1 + 0.015 * off_middle / torch.sqrt(20 + off_middle)
    s_c, s_h = 1 + 0.045 * mean_c, 1 + 0.015 * mean_c * t
    mean_c7 = mean_c**7
    rotation_angle = 60 * torch.exp(-(((mean_h - 275) / 25) ** 2))
    rotation = -2 * torch.sqrt(mean_c7 / (mean_c7 + _25_TO_7)) * torch.sin(torch.deg2rad(rotation_angle))
    squared = (d_l / s_l) ** 2 + (d_c / s_c) ** 2 + (d_h / s_h) ** 2 + rotation * (d_c / s_c) * (d_h / s_h)
    return torch.sqrt(squared.clamp(min=0))


def delta_e(out: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Mean CIEDE2000 of sRGB pictures: [B, ..., 3] in [0, 1], channels last -> [B]."""
    _check(out, target)
    return delta_e_2000(srgb_to_lab(out), srgb_to_lab(target)).flatten(1).mean(dim=1)


def histogram_intersection(out: torch.Tensor, target: torch.Tensor, bins: int = 64) -> torch.Tensor:
    """Shared share of the per-channel histograms, mean over channels: [B, ..., 3] in [0, 1] -> [B], 1 when equal."""
    if out.shape[0] != target.shape[0] or bins < 2:
        raise MetricError(f"Histograms need the same number of pictures and at least 2 bins, not {bins}.")

    def histogram(x: torch.Tensor) -> torch.Tensor:
        index = (x.clamp(0, 1) * bins).long().clamp(max=bins - 1).reshape(x.shape[0], -1, 3).transpose(1, 2)
        counts = torch.zeros(x.shape[0], 3, bins, device=x.device).scatter_add_(2, index, torch.ones_like(index).float())
        return counts / counts.sum(dim=2, keepdim=True)

    return torch.minimum(histogram(out), histogram(target)).sum(dim=2).mean(dim=1)
