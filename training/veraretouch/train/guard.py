"""The guard against reward hacking: what renderings of held-out photos look like before RL and now, and when to stop.

A policy that has found what a judge likes too much shows it in plain statistics before any reward does: everything brighter,
everything more colourful, plans that announce only what is safe. So these are compared with where RL began.
"""

from __future__ import annotations

import torch
from torch import nn

from ..data.files import DataError
from ..export.dialogue import Dialogue
from ..export.reference import generate_batch
from .adaptor import answering
from .examples import Shards
from .rewards import STATISTICS, Judge
from .rollout import generation_inputs

TASKS = ("auto", "style", "param")
MEANS = (
    "psnr", "nothing", "similarity", "histogram", "aesthetic", "gain", "agreement", "claims", "format", "well_formed", "length",
)  # fmt: skip
# Limit -> which mean it watches, and whether only a fall counts.
LIMITS = {
    "lightness": ("lightness", False), "chroma": ("chroma", False), "contrast": ("contrast", False), "clipped": ("clipped", False),
    "similarity": ("similarity", True), "agreement": ("agreement", True), "claims": ("claims", True),
    "well_formed": ("well_formed", True),
}  # fmt: skip


def held_out_rows(shards: Shards, count: int) -> dict[str, list[int]]:
    """The first `count` examples of every task that is there."""
    rows = {task: shards.rows(task)[:count] for task in TASKS}
    return {task: own for task, own in rows.items() if own}


def summarise(seen: dict[str, torch.Tensor]) -> dict[str, float | list[float]]:
    """Per-answer figures -> their means; of the statistics also the 10th, 50th and 90th percentile. `wins` is the share of
    renderings that the preference model puts above their input."""
    figures: dict = {name: float(seen[name].mean()) for name in (*MEANS, *STATISTICS) if name in seen}
    if "gain" in seen:
        figures["wins"] = float((seen["gain"] > 0).float().mean())
    tenths = torch.tensor([0.1, 0.5, 0.9])
    for name in STATISTICS:
        figures[f"{name}_spread"] = [round(x, 4) for x in torch.quantile(seen[name], tenths).tolist()]
    return {name: round(value, 5) if isinstance(value, float) else value for name, value in figures.items()}


@torch.no_grad()
def answers_judged(
    model: nn.Module, dialogue: Dialogue, shards: Shards, judge: Judge, rows: list[int], batch: int = 32, half: bool = False
) -> dict[str, torch.Tensor]:
    """The likeliest answers to examples of one task, as `Judge` sees them."""
    parts: list[dict[str, torch.Tensor]] = []
    task, device = shards.metas[rows[0]]["task"], model.head.device
    for first in range(0, len(rows), batch):
        own = rows[first : first + batch]
        results = generate_batch(answering(model, shards), dialogue, half=half, **generation_inputs(shards, own, device))
        parts.append(judge(task, own, results, torch.stack([torch.from_numpy(r.latents) for r in results])))
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


def figures_of(model, dialogue: Dialogue, shards: Shards, judge: Judge, rows: dict[str, list[int]], half: bool = False) -> dict:
    """Task -> `summarise`d figures."""
    return {task: summarise(answers_judged(model, dialogue, shards, judge, own, half=half)) for task, own in rows.items()}


def objections(before: dict[str, dict], now: dict[str, dict], limits: dict[str, float]) -> list[str]:
    """Why RL has to stop, in words; empty when it may go on. `limits` as in the configuration: see LIMITS.

    Every task's means are compared with the same task's before RL. Raises DataError for a limit that is not known.
    """
    if unknown := sorted(set(limits) - set(LIMITS)):
        raise DataError(f"The guard knows no limit {unknown}, only {', '.join(LIMITS)}. Nothing was trained.")
    found = []
    for task, figures in now.items():
        for limit, most in limits.items():
            name, fall_only = LIMITS[limit]
            moved = figures[name] - before[task][name]
            if (-moved if fall_only else abs(moved)) > most:
                found.append(f"{task}: mean {name} went from {before[task][name]:.4g} to {figures[name]:.4g}, more than {most:g}")
    return found
