"""Trivial enhancement methods that a trained model has to beat, on sRGB-encoded pictures [H, W, 3] in [0, 1]."""

from __future__ import annotations

from collections.abc import Sequence

import torch

AUTO_CONTRAST_CUT = 0.005
_LEVELS = 256
# Full-range Rec. 601 luma, as JPEG uses it.
_LUMA = torch.tensor([0.299, 0.587, 0.114])


class BaselineError(ValueError):
    """A baseline got pictures it cannot work on; nothing was computed."""


def _check(rgb: torch.Tensor) -> None:
    if rgb.dim() != 3 or rgb.shape[-1] != 3 or rgb.numel() == 0:
        raise BaselineError(f"A picture must have shape [H, W, 3], not {tuple(rgb.shape)}")


def do_nothing(rgb: torch.Tensor) -> torch.Tensor:
    """[H, W, 3] -> the same picture."""
    return rgb


def auto_contrast(rgb: torch.Tensor, cut: float = AUTO_CONTRAST_CUT) -> torch.Tensor:
    """Each channel by itself stretched so that its `cut` and 1 - `cut` quantiles become 0 and 1; rest clipped.

    [H, W, 3] -> the same. A channel without any spread stays as it is.
    """
    _check(rgb)
    flat = rgb.reshape(-1, 3)
    ranks = [round(q * (len(flat) - 1)) for q in (cut, 1 - cut)]
    # Sorting rather than torch.quantile, which refuses more than 2^24 values.
    low, high = flat.sort(dim=0).values[ranks]
    spread = high - low
    stretched = ((rgb - low) / spread.clamp(min=1e-6)).clamp(0, 1)
    return torch.where(spread > 1e-6, stretched, rgb)


def histogram_equalisation(rgb: torch.Tensor) -> torch.Tensor:
    """Luma moved to its own cumulative distribution in 256 levels, colour differences kept. [H, W, 3] -> the same."""
    _check(rgb)
    luma = rgb @ _LUMA.to(rgb)
    level = (luma * (_LEVELS - 1)).round().long().clamp(0, _LEVELS - 1)
    total = torch.bincount(level.flatten(), minlength=_LEVELS).cumsum(0)
    first = total[total > 0][0]
    if first == total[-1]:
        return rgb
    curve = (total - first).clamp(min=0).to(rgb) / (total[-1] - first)
    return (rgb + (curve[level] - luma)[..., None]).clamp(0, 1)


def _quadratic(rgb: torch.Tensor) -> torch.Tensor:
    """Colours [N, 3] -> their ten monomials of degree 0 to 2 [N, 10]."""
    r, g, b = rgb.unbind(-1)
    return torch.stack((torch.ones_like(r), r, g, b, r * r, g * g, b * b, r * g, r * b, g * b), dim=-1)


class QuadraticMap:
    """One fixed quadratic colour map for all pictures, by least squares; every pair of pictures weighs the same."""

    def __init__(self, pairs: Sequence[tuple[torch.Tensor, torch.Tensor]]):
        """pairs: (before, after), each [H, W, 3]."""
        if not pairs:
            raise BaselineError("A colour map needs at least one pair of pictures")
        left, right = torch.zeros(10, 10, dtype=torch.float64), torch.zeros(10, 3, dtype=torch.float64)
        for before, after in pairs:
            _check(before)
            _check(after)
            features = _quadratic(before.reshape(-1, 3).double())
            left += features.T @ features / len(features)
            right += features.T @ after.reshape(-1, 3).double() / len(features)
        # A ridge far below what is visible keeps pictures of a single colour solvable.
        self.coefficients = torch.linalg.solve(left + 1e-9 * torch.eye(10, dtype=torch.float64), right)

    def __call__(self, rgb: torch.Tensor) -> torch.Tensor:
        """[H, W, 3] -> the same."""
        _check(rgb)
        out = _quadratic(rgb.reshape(-1, 3).double()) @ self.coefficients
        return out.to(rgb).reshape(rgb.shape).clamp(0, 1)


def leave_one_out(pairs: Sequence[tuple[torch.Tensor, torch.Tensor]]) -> list[torch.Tensor]:
    """For each pair, its `before` developed by the colour map fitted to all the others."""
    if len(pairs) < 2:
        raise BaselineError("Leaving one pair out needs at least two pairs")
    pairs = list(pairs)
    return [QuadraticMap(pairs[:i] + pairs[i + 1 :])(before) for i, (before, _) in enumerate(pairs)]
