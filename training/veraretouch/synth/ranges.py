"""Operator perturbation: what experts do, as settings of the develop engine, and flaws drawn from its reverse.

For every pair the settings are fitted that turn the expert's result back into the photo as it was (gradient descent
through the engine). Kept are their quantiles, setting by setting, and how their ranks go together; a flaw is drawn from
both (a Gaussian copula: Nelsen, An Introduction to Copulas, 2006).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from ..data.files import read_json, write_json
from ..engine.develop import develop
from ..engine.params import INDEX
from .pairs import PairBase
from .store import SynthError

FILE = "expert-ranges.json"
FITTED = (
    "Exposure2012", "Contrast2012", "Highlights2012", "Shadows2012", "Whites2012", "Blacks2012",
    "IncrementalTemperature", "IncrementalTint", "Vibrance", "Saturation",
)  # fmt: skip
LEVELS = 21
FEWEST = 24
# A pair that these settings explain less well than this tells nothing of their ranges.
EXPLAINED = 22.0
_COLOURS = 144
_STEPS = 60
_BATCH = 128
# Settings that do nearly the same (whites, contrast) stay small rather than against each other.
_SMALL = 2e-4
_BLACK = 1 / 256


def fit(before: torch.Tensor, after: torch.Tensor, steps: int = _STEPS) -> tuple[torch.Tensor, torch.Tensor]:
    """Settings [B, 38] in [-1, 1] with develop(before) nearest to after, and how near in dB [B]. Colours [B, N, 3] in [0, 1]."""
    columns = torch.tensor([INDEX[name] for name in FITTED])
    # The cube root of Oklab has no slope at black.
    before = before.clamp(_BLACK, 1 - _BLACK)
    # The engine leaves out what is 0 and gives it no gradient, so settings begin beside 0.
    raw = torch.full((len(before), len(FITTED)), 1e-3, requires_grad=True)
    optimiser = torch.optim.Adam([raw], lr=0.08)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps, 0.005)

    def settings() -> torch.Tensor:
        return torch.zeros(len(before), 38).index_copy(1, columns, torch.tanh(raw))

    for _ in range(steps):
        params = settings()
        error = (develop(before, params) - after).square().mean((1, 2))
        loss = (error + _SMALL * params.square().sum(1)).sum()
        optimiser.zero_grad()
        loss.backward()
        raw.grad.nan_to_num_(0.0, 0.0, 0.0)
        optimiser.step()
        schedule.step()
    with torch.no_grad():
        params = settings()
        error = (develop(before, params) - after).square().mean((1, 2))
    return params, -10 * torch.log10(error.clamp(min=1e-8))


@dataclass
class Ranges:
    """quantiles [len(FITTED), LEVELS] of the settings in [-1, 1]; correlation [F, F] of their normal scores."""

    identity: str
    pairs: int  # how many were fitted
    explained: int  # how many of them are in the quantiles
    fit_db: float  # median over all pairs
    settings: list[str]
    quantiles: list[list[float]]
    correlation: list[list[float]]

    def draw(self, generator: torch.Generator) -> torch.Tensor:
        """One flaw: settings [38] in [-1, 1] for the develop engine."""
        root = torch.linalg.cholesky(torch.tensor(self.correlation, dtype=torch.float64))
        normal = root @ torch.randn(len(self.settings), generator=generator, dtype=torch.float64)
        at = torch.special.ndtr(normal) * (LEVELS - 1)
        low = at.floor().clamp(max=LEVELS - 2).long()
        table = torch.tensor(self.quantiles, dtype=torch.float64)
        rows = torch.arange(len(self.settings))
        values = torch.lerp(table[rows, low], table[rows, low + 1], at - low)
        params = torch.zeros(38)
        params[[INDEX[name] for name in self.settings]] = values.float()
        return params.clamp(-1, 1)

    def save(self, path: Path) -> None:
        write_json(path, asdict(self))

    @classmethod
    def load(cls, path: Path, identity: str) -> Ranges | None:
        if not path.exists():
            return None
        ranges = cls(**read_json(path, "Delete it; it is made anew by the next run."))
        return ranges if ranges.identity == identity else None


def build(base: PairBase, identity: str, seed: int = 0) -> Ranges:
    """Ranges of all pairs of a base. Raises SynthError when fewer than FEWEST can be explained."""
    where = torch.randperm(base.before[0].shape[0] ** 2, generator=torch.Generator().manual_seed(seed))[:_COLOURS]
    photo, expert = (side.flatten(1, 2)[:, where].float() / 255 for side in (base.before, base.after))
    parts = [fit(e, p) for e, p in zip(expert.split(_BATCH), photo.split(_BATCH), strict=True)]
    params, near = (torch.cat(part) for part in zip(*parts, strict=True))
    values = params[near > EXPLAINED][:, [INDEX[name] for name in FITTED]]
    if len(values) < FEWEST:
        raise SynthError(
            f"Only {len(values)} of {len(base)} expert pairs can be told as settings, {FEWEST} are needed; nothing was made. "
            "Give more pairs ([pairs] count in the configuration), or pass --leave-out ranges."
        )
    quantiles = values.quantile(torch.linspace(0, 1, LEVELS), dim=0).T
    ranks = values.argsort(0).argsort(0).double()
    scores = torch.special.ndtri((ranks + 0.5) / len(values))
    # A little of the identity keeps the matrix positive where two settings always move together.
    correlation = 0.98 * torch.corrcoef(scores.T) + 0.02 * torch.eye(len(FITTED), dtype=torch.float64)
    return Ranges(
        identity, len(base), len(values), round(near.median().item(), 2), list(FITTED),
        [[round(v, 4) for v in row] for row in quantiles.tolist()],
        [[round(v, 4) for v in row] for row in correlation.tolist()],
    )  # fmt: skip
