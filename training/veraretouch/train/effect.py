"""Stage 3: effect tokens. A small network learns to say what latents do to a photo, without a language model.

Photos and styles of the retold examples, with the latents that their tokens say: from the effect token of a factor,
linear heads read the claims of that factor's retold plan and what was measured along every axis. The heads are dropped
afterwards.

    python -m veraretouch.train.effect --config training/configs/effect.toml --data DATA --work WORK
"""

import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from ..models.effect import Effect, colours_of
from ..models.vlm import load_language_model
from ..reasoning.axes import EFFECTS
from ..reasoning.labels import SLOTS, classes, plan_labels
from .common import Average, Log, learning_rate, optimiser_of, read_config, save_atomically, stage_arguments
from .examples import Shards, split_of
from .retell import use_retold
from .tone import claim_loss, first_right, load_networks


class EffectReader(nn.Module):
    """The effect tokens and the heads that are read from them."""

    def __init__(self, hidden: int, scale: float):
        super().__init__()
        self.effect, self.gain = Effect(hidden, scale), 1 / scale
        self.claims = nn.ModuleList(nn.Linear(hidden, SLOTS[f] * len(classes(f))) for f in SLOTS)
        self.measured = nn.Linear(3 * hidden, EFFECTS)

    def forward(self, before: torch.Tensor, after: torch.Tensor) -> tuple[list[torch.Tensor], torch.Tensor]:
        """Colours [B, N, 3] before and after -> logits per factor [B, slots, classes], effects [B, EFFECTS] as `scaled`."""
        tokens = self.gain * self.effect(before, after)
        claims = [
            head(tokens[:, i]).view(len(tokens), slots, -1)
            for i, (head, slots) in enumerate(zip(self.claims, SLOTS.values(), strict=True))
        ]
        return claims, self.measured(tokens.flatten(1))


def scaled(effects: torch.Tensor) -> torch.Tensor:
    """Effects in dead zones -> what is learnt: as they are up to about one, large ones by their logarithm."""
    return torch.asinh(effects)


class Step:
    """Losses of one batch of retold photos and styles."""

    def __init__(self, model: EffectReader, renderer, shards: Shards, arrays: dict, config: dict, device: str):
        self.model, self.renderer, self.shards, self.config, self.device = model, renderer, shards, config, device
        self.latents, self.effects = (torch.from_numpy(arrays[name]) for name in ("latents", "effects"))
        plans = (plan_labels(meta["plainFields"]) for meta in shards.metas)
        self.claims = [torch.stack(rows) for rows in zip(*plans, strict=True)]
        self.rows = torch.tensor([i for i, meta in enumerate(shards.metas) if meta["task"] != "param"])

    def read(self, rows: torch.Tensor, rng: torch.Generator | None) -> tuple:
        """(logits, effects read, claims, effects measured) of the examples `rows`."""
        pictures = self.shards.pictures(rows, rng)
        if rng is not None:
            # Which of the photo's colours are looked at is chance.
            x, y = torch.randint(8, (2,), generator=rng).tolist()
            pictures = pictures.roll((x, y), (2, 3))
        before = colours_of(pictures).to(self.device)
        with torch.no_grad():
            after = self.renderer(before, self.latents[rows].to(self.device))
        claims = [x[rows].to(self.device) for x in self.claims]
        return *self.model(before, after), claims, scaled(self.effects[rows]).to(self.device)

    def __call__(self, rows: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
        logits, read, claims, measured = self.read(rows, rng)
        loss = self.config["claims_weight"] * claim_loss(logits, claims)
        return loss + self.config["effects_weight"] * F.smooth_l1_loss(read, measured, beta=0.3)


@torch.no_grad()
def evaluate(step: Step) -> dict:
    """Share of first claims that are exactly right per factor, and the variance of the effects that is left, by task."""
    report: dict = {}
    for task in ("auto", "style"):
        logits, read, claims, measured = step.read(torch.tensor(step.shards.rows(task)), None)
        report[f"{task}_first"] = [round(x, 3) for x in first_right(logits, claims).tolist()]
        left = (read - measured).square().mean(0) / measured.var(0).clamp(min=1e-2)
        report[f"{task}_left"] = left.mean().item()
    return report


def train(config: dict, work: Path, device: str, minutes: float) -> None:
    torch.manual_seed(config["seed"])
    nets = load_networks(work / config["renderer"]).to(device)
    steps = {}
    table = load_language_model(work, 1)[0].embed_tokens.weight.detach()
    model = EffectReader(table.shape[1], table.std().item()).to(device)
    average = Average(model)
    for split, own in (("train", model), ("val", average.module)):
        shards, retold = split_of(config, work, split), work / config["tone"] / f"retold-{split}.json"
        use_retold(shards, retold)
        with np.load(retold.with_suffix(".npz")) as arrays:
            steps[split] = Step(own, nets.renderer, shards, dict(arrays), config, device)
    optimiser = optimiser_of(config, list(model.parameters()), 0.02)
    log, checkpoint, step = Log(work / config["name"] / "log.jsonl"), work / config["name"] / "last.pt", 0
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        model.load_state_dict(state["model"])
        average.module.load_state_dict(state["average"])
        optimiser.load_state_dict(state["optimiser"])
        step = average.updates = state["step"]

    def keep() -> None:
        save_atomically(
            {"model": model.state_dict(), "average": average.module.state_dict(), "optimiser": optimiser.state_dict(),
             "step": step, "config": config},
            checkpoint,
        )  # fmt: skip

    rng = torch.Generator().manual_seed(config["seed"] + step)
    began, saved, total = time.time(), time.time(), 0.0
    while step < config["steps"] and not (minutes and time.time() - began > minutes * 60):
        # With a time limit the schedule follows the clock, so that a shorter run still ends on a low learning rate.
        progress = max(step / config["steps"], (time.time() - began) / (minutes * 60) if minutes else 0.0)
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(max(step, int(progress * config["steps"])), config["steps"], config["lr"], config["warmup"])
        pool = steps["train"].rows
        loss = steps["train"](pool[torch.randint(len(pool), (config["batch"],), generator=rng)], rng)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        average.update(model)
        total += loss.item()
        step += 1
        if step % config["evaluate_every"] == 0 or step == config["steps"]:
            log.write(step=step, loss=total / config["evaluate_every"], **evaluate(steps["val"]))
            total = 0.0
        if time.time() - saved > 120:
            keep()
            saved = time.time()
    keep()
    log.write(step=step, **evaluate(steps["val"]))


def main() -> None:
    arguments = stage_arguments(__doc__.splitlines()[0]).parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    train(read_config(arguments.config), arguments.work, arguments.device, arguments.minutes)


if __name__ == "__main__":
    main()
