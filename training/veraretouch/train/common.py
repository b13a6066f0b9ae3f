"""What every training stage shares: configuration, schedule, checkpoints that survive a kill, logs, weight averaging."""

import argparse
import copy
import json
import math
import os
import time
import tomllib
from pathlib import Path

import torch
from torch import nn


def stage_arguments(description: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--config", type=Path, required=True, help="TOML file with the settings of this stage")
    parser.add_argument("--data", type=Path, required=True, help="folder with photos, presets, film looks, peers")
    parser.add_argument("--work", type=Path, required=True, help="folder for caches, checkpoints and logs")
    parser.add_argument("--device", default="cpu", help="cpu, cuda or cuda:N")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads; 0 leaves PyTorch's choice")
    parser.add_argument("--minutes", type=float, default=0, help="stop after this time and keep a checkpoint; 0: no limit")
    return parser


def read_config(path: Path) -> dict:
    with path.open("rb") as file:
        return tomllib.load(file)


def learning_rate(step: int, steps: int, peak: float, warmup: int) -> float:
    """Linear warm-up, then a cosine down to 2 % of the peak."""
    if step < warmup:
        return peak * (step + 1) / warmup
    progress = min(1.0, (step - warmup) / max(1, steps - warmup))
    return peak * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * progress)))


class Average:
    """Exponential moving average of a module's floating-point state; its copy is what gets evaluated and shipped."""

    def __init__(self, module: nn.Module, decay: float = 0.998):
        self.decay, self.module = decay, copy.deepcopy(module).eval().requires_grad_(False)
        self.updates = 0

    @torch.no_grad()
    def update(self, module: nn.Module) -> None:
        self.updates += 1
        decay = min(self.decay, self.updates / (self.updates + 10))
        for mean, value in zip(self.module.state_dict().values(), module.state_dict().values(), strict=True):
            if mean.dtype.is_floating_point:
                mean.lerp_(value, 1 - decay)
            else:
                mean.copy_(value)


def soap(groups: list, lr: float, weight_decay: float, most: int = 1100) -> torch.optim.Optimizer:
    """SOAP (Vyas et al. 2024, arXiv 2409.11321): Adam in the eigenbasis of Shampoo's preconditioner.

    Our small networks are badly conditioned regressions. On sliders of the mixer alone, 150 s on one core, AdamW leaves 79 %
    of the change undone (median), Muon 46 %, SOAP 30 %. Sides of matrices longer than `most` stay as they are.
    """
    # Loaded where it is needed: importing it takes as long as importing PyTorch, and those who only draw examples wait.
    from pytorch_optimizer import SOAP

    return SOAP(groups, lr=lr, betas=(0.95, 0.95), weight_decay=weight_decay, precondition_frequency=10, max_precondition_dim=most)


def optimiser_of(config: dict, parameters: list, weight_decay: float) -> torch.optim.Optimizer:
    """The configuration's `optimiser`: soap or adamw."""
    if config["optimiser"] == "soap":
        return soap(parameters, config["lr"], weight_decay)
    return torch.optim.AdamW(parameters, lr=config["lr"], weight_decay=weight_decay)


def save_atomically(state: dict, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(path.suffix + ".part")
    torch.save(state, partial)
    os.replace(partial, path)


class Log:
    """One JSON line per record, appended, so that a resumed run goes on in the same file."""

    def __init__(self, path: Path):
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path, self.start = path, time.time()

    def write(self, **values) -> None:
        record = {k: round(v, 5) if isinstance(v, float) else v for k, v in values.items()}
        record["seconds"] = round(time.time() - self.start, 1)
        with self.path.open("a") as file:
            file.write(json.dumps(record) + "\n")
        print(json.dumps(record), flush=True)


def psnr_per_image(out: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """PSNR in dB on [0, 1] values, one figure per first-dimension entry."""
    mse = (out - target).square().flatten(1).mean(dim=1)
    return -10 * torch.log10(mse.clamp(min=1e-8))


def roused(latents: torch.Tensor, slope: float) -> torch.Tensor:
    """The same latents as the renderer sees them, through a ReLU, but with a gradient where they are off: `slope` times what
    it would be if they were just on. Without it a factor whose latents have all fallen below 0 never comes back."""
    return torch.where(latents > 0, latents, 1e-6 + slope * (latents - latents.detach()))


def harm(out: torch.Tensor, before: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """How much farther from the target [B, N, 3] a retouch `out` is than the untouched photo `before`: mean over the batch of
    what the L1 distance exceeds, 0 for those that came nearer."""
    away = (out - target).abs().flatten(1).mean(1) - (before - target).abs().flatten(1).mean(1)
    return torch.relu(away).mean()


def pixel_loss(out: torch.Tensor, target: torch.Tensor, log_weight: float = 0.01) -> torch.Tensor:
    """L1, the paper's loss, plus a small share of the logarithm of the MSE, which keeps gentle edits from being ignored."""
    mse = (out - target).square().flatten(1).mean(dim=1)
    return (out - target).abs().mean() + log_weight * torch.log(mse + 1e-5).mean()
