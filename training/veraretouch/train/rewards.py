"""Rewards of sampled answers, and the statistics that tell whether they are being gamed.

Components, each in [0, 1]: `format` (every section closed by itself, every plan says something), `similarity` (1 - L1 to the
target), `histogram` (cosine of histogram features to the target's), `aesthetic` (sigmoid of the preference model's score of
the rendering less that of the input; pictures only) and, ours, `agreement` (announced changes that the pixels show).
`overlong` in [-1, 0] is DAPO's length shaping.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from ..data.files import DataError
from ..engine.color import srgb_to_lab
from ..export.answer import GenerationResult
from ..models.tone import colour_statistics
from ..reasoning.axes import GIVEN
from ..reasoning.labels import SLOTS
from ..reasoning.measure import Pixels, change
from ..reasoning.parse import agreement_with, parse_plan
from .common import psnr_per_image
from .examples import Shards
from .policy import overlong_penalty

COMPONENTS = ("format", "similarity", "histogram", "aesthetic", "agreement", "overlong")
# What an answer's words earn by themselves; the rest is the picture's.
WORDS = ("format", "agreement", "overlong")
STATISTICS = ("lightness", "contrast", "chroma", "clipped")


def statistics(rgb: torch.Tensor) -> dict[str, torch.Tensor]:
    """Of pictures [B, N, 3] in [0, 1], each [B]: mean and standard deviation of L*, mean CIE chroma, share of clipped pixels."""
    lab = srgb_to_lab(rgb)
    edge = ((rgb > 254.5 / 255) | (rgb < 0.5 / 255)).any(dim=-1)
    return {
        "lightness": lab[..., 0].mean(1), "contrast": lab[..., 0].std(1), "chroma": lab[..., 1:].norm(dim=-1).mean(1),
        "clipped": edge.float().mean(1),
    }  # fmt: skip


def histogram_cosine(out: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Cosine of the colour statistics of [B, N, 3] and [B, N, 3] -> [B] in [0, 1]."""
    a, b = (colour_statistics(x.transpose(1, 2)[..., None]) for x in (out, target))
    return functional.cosine_similarity(a, b, dim=1).clamp(0, 1)


def format_score(result: GenerationResult) -> float:
    """1 when no section had to be cut and every plan says something; half of it for each."""
    plans = [text for name, text in result.fields.items() if name.startswith("plan.")]
    return 0.5 * result.well_formed + 0.5 * sum(bool(text) for text in plans) / max(1, len(plans))


def agreement_score(result: GenerationResult, before: torch.Tensor, after: torch.Tensor, settings: bool) -> tuple[float, int]:
    """(share of announced changes that pixels [N, 3] show, number of announcements that count).

    A text that announces nothing agrees with nothing; one whose settings this photo cannot show is not blamed.
    """
    measured = change(Pixels(before), Pixels(after))
    texts = {factor: result.fields.get(f"plan.{factor}", "") for factor in SLOTS}
    found = [agreement_with(measured, text, factor, settings) for factor, text in texts.items()]
    claims, agreed = sum(f.claims for f in found), sum(f.agreed for f in found)
    if claims:
        return agreed / claims, claims
    excused = any(f.unseen for f in found) or any(GIVEN in parse_plan(text, factor) for factor, text in texts.items())
    return float(excused), 0


class Judge:
    """Looks at answers to examples of one task. `pixels`: how many of each example's colours are compared."""

    def __init__(self, renderer: nn.Module, shards: Shards, preference: nn.Module, device: str, longest: int, buffer: int,
                 pixels: int = 512):  # fmt: skip
        self.renderer, self.shards, self.preference, self.device = renderer, shards, preference, device
        self.longest, self.buffer, self.pixels = longest, buffer, pixels

    @torch.no_grad()
    def __call__(self, task: str, rows: list[int], results: list[GenerationResult], latents: torch.Tensor) -> dict[str, torch.Tensor]:
        """latents [B, 3, D] are rendered -> the components, `psnr`, `nothing`, `claims`, and the statistics; all [B] on the CPU.

        Pictures also get `gain`, what the rendering scores more than its input.
        """
        numbers = torch.tensor(rows)
        before, after = (x.to(self.device) for x in self.shards.pixels(numbers, self.pixels))
        out = self.renderer(before, latents.to(self.device))
        told = [agreement_score(r, b, o, task == "param") for r, b, o in zip(results, before.cpu(), out.cpu(), strict=True)]
        lengths = torch.tensor([float(len(r.token_ids)) for r in results])
        seen = {
            "format": torch.tensor([format_score(r) for r in results]),
            "well_formed": torch.tensor([float(r.well_formed) for r in results]),
            "similarity": 1 - (out - after).abs().flatten(1).mean(1),
            "histogram": histogram_cosine(out, after),
            "agreement": torch.tensor([share for share, _ in told]),
            "claims": torch.tensor([float(count) for _, count in told]),
            "overlong": overlong_penalty(lengths, self.longest, self.buffer),
            "length": lengths,
            "psnr": psnr_per_image(out, after).clamp(max=50),
            "nothing": psnr_per_image(before, after).clamp(max=50),
            **statistics(out),
        }
        if task != "param":
            gain = self._gain(numbers, latents.to(self.device))
            seen |= {"gain": gain, "aesthetic": torch.sigmoid(gain)}
        return {name: values.float().cpu() for name, values in seen.items()}

    def _gain(self, numbers: torch.Tensor, latents: torch.Tensor) -> torch.Tensor:
        gains = []
        for part, z in zip(numbers.split(16), latents.split(16), strict=True):
            picture = self.shards.pictures(part).to(self.device)
            rendered = self.renderer(picture.flatten(2).transpose(1, 2), z).transpose(1, 2).unflatten(2, picture.shape[2:])
            gains.append(self.preference.score(rendered) - self.preference.score(picture))
        return torch.cat(gains)


def total(seen: dict[str, torch.Tensor], weights: dict[str, float]) -> torch.Tensor:
    """Weighted sum of the components [B]. Raises DataError for a weight on what was not or cannot be measured."""
    wrong = [name for name, weight in weights.items() if name not in COMPONENTS or (weight and name not in seen)]
    if wrong:
        raise DataError(
            f"The rewards {wrong} are unknown or cannot be measured for this task (sliders come without a picture). "
            f"Nothing was trained; known are {', '.join(COMPONENTS)}."
        )
    return sum(weight * seen[name] for name, weight in weights.items() if weight)


def worths(seen: dict[str, torch.Tensor], weights: dict[str, float], picture_first: bool) -> torch.Tensor:
    """What the words and what the latents of each answer are worth: [2, B].

    Words behind the picture (`picture_first`) cannot change it, so paying them for it, or the latents for the words, would
    only be noise: each earns its own components. Words before the picture make it, and both earn everything.
    """
    everything = total(seen, weights)
    if not picture_first:
        return torch.stack((everything, everything))
    zero = torch.zeros_like(next(iter(seen.values())))
    words = zero + total(seen, {name: weight for name, weight in weights.items() if name in WORDS})
    return torch.stack((words, zero + total(seen, {name: weight for name, weight in weights.items() if name not in WORDS})))
