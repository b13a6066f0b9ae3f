"""What a retouch does to this very photo, as one token per factor: the plan is written by what it says.

The factor tokens of a plan say what shall be done; what becomes of the photo follows from the renderer. So the latents
that the tokens say are tried on a few hundred of the photo's colours, and the pairs (before, after) are summed up for
the language model. It then describes what it would otherwise have to foresee.
"""

import torch
import torch.nn.functional as F
from torch import nn

from ..reasoning.colour import linear_to_lab, linear_to_oklab, srgb_to_linear

STRIDE = 4


def coordinates(rgb: torch.Tensor) -> torch.Tensor:
    """sRGB [B, N, 3] in [0, 1] -> [B, N, 9], each about 1: L*, ln(L* + 16), a*, b*, chroma, OKLab chroma, the same
    saturating at the chroma from which a hue has a name, and the OKLab hue as a direction of that length."""
    shape = rgb.shape[:2]
    linear = srgb_to_linear(rgb.clamp(0, 1)).reshape(-1, 3)
    lab, ok = linear_to_lab(linear), linear_to_oklab(linear)
    chroma = (lab[:, 1:].square().sum(1, keepdim=True) + 1e-4).sqrt()
    ok_chroma = (ok[:, 1:].square().sum(1, keepdim=True) + 1e-8).sqrt()
    named = ok_chroma / (ok_chroma + 0.04)
    parts = (
        lab[:, :1] / 50 - 1, ((lab[:, :1] + 16) / 66).log(), lab[:, 1:] / 30, chroma / 30, 8 * ok_chroma, named,
        named * ok[:, 1:] / ok_chroma,
    )  # fmt: skip
    return torch.cat(parts, dim=1).view(*shape, -1)


def rank(values: torch.Tensor) -> torch.Tensor:
    """Values [B, N] -> [B, N]: the share of the N that are smaller; a zone of tones is a stretch of ranks."""
    return (values[:, None, :] < values[:, :, None]).float().mean(dim=2)


class Effect(nn.Module):
    """Permutation-invariant summary of the colours before and after.

    Each of some learnt zones (of tone, of hue) is a weighting of the colours before, by which the pairs are averaged:
    what was done to the highlights, to the blues, to the near-neutral. A mean and a maximum over all join them.
    """

    def __init__(
        self, hidden: int, scale: float, zones: int = 32, width: int = 96, values: int = 48, middle: int = 384
    ):
        super().__init__()
        seen, moved = 9 + 2, 2 * 9
        self.hidden = hidden
        self.zones = nn.Sequential(nn.Linear(seen, 64), nn.GELU(), nn.Linear(64, zones))
        self.pairs = nn.Sequential(
            nn.Linear(seen + moved, width), nn.GELU(), nn.Linear(width, width), nn.GELU(), nn.Linear(width, values)
        )
        inputs = zones * (values + moved) + 2 * values
        self.mlp = nn.Sequential(
            nn.LayerNorm(inputs), nn.Linear(inputs, middle), nn.GELU(), nn.Linear(middle, middle), nn.GELU(),
            nn.Linear(middle, 3 * hidden),
        )  # fmt: skip
        self.norm = nn.LayerNorm(hidden)
        nn.init.constant_(self.norm.weight, scale)

    def forward(self, before: torch.Tensor, after: torch.Tensor) -> torch.Tensor:
        """The same colours before and after, [B, N, 3] sRGB in [0, 1] each -> [B, 3, hidden]."""
        p, q = coordinates(before), coordinates(after)
        seen = torch.cat((p, rank(p[..., 0])[..., None], rank(p[..., 4])[..., None]), dim=2)
        # Changes are small beside the colours themselves.
        moved = torch.cat((q, 8 * (q - p)), dim=2)
        pairs = self.pairs(torch.cat((seen, moved), dim=2))
        weights = torch.softmax(self.zones(seen), dim=1).transpose(1, 2)
        means = weights @ torch.cat((pairs, moved), dim=2)
        summary = torch.cat((means.flatten(1), pairs.mean(dim=1), pairs.amax(dim=1)), dim=1)
        return self.norm(self.mlp(summary).view(-1, 3, self.hidden))


def colours_of(image: torch.Tensor) -> torch.Tensor:
    """Picture [B, 3, S, S], S 224 or 256 -> colours of it [B, (S/8)^2, 3]: of its half size every fourth in both directions."""
    return F.avg_pool2d(image, 2)[:, :, ::STRIDE, ::STRIDE].flatten(2).transpose(1, 2)


def foresee(effect: Effect, adaptor: nn.Module, renderer: nn.Module, colours: torch.Tensor, plan: torch.Tensor) -> torch.Tensor:
    """Effect tokens [B, 3, hidden] of what plan tokens [B, 3, hidden] say, tried on colours [B, N, 3] in [0, 1].

    No gradient reaches the plan: what is done is not to be bent towards what is easily said.
    """
    with torch.no_grad():
        after = renderer(colours, adaptor.read(plan))
    return effect(colours, after)


class Foresight(nn.Module):
    """`foresee` as one network from a picture, for export."""

    def __init__(self, effect: Effect, adaptor: nn.Module, renderer: nn.Module):
        super().__init__()
        self.effect, self.adaptor, self.renderer = effect, adaptor, renderer

    def forward(self, image: torch.Tensor, plan: torch.Tensor) -> torch.Tensor:
        """image [B, 3, S, S] sRGB in [0, 1], plan tokens [B, 3, hidden] -> effect tokens [B, 3, hidden]."""
        return foresee(self.effect, self.adaptor, self.renderer, colours_of(image), plan)
