"""Stage 7: DAPO-AE, reinforcement learning after RSFT with format, similarity and aesthetic rewards.

Every step draws groups of answers to examples of one task (auto, style, param in turn), drops groups that are all worth the
same and draws others (dynamic sampling), and moves the policy by DAPO's loss: advantages within the group, a clip that is wider
upwards, the mean over all actions of the batch, no KL term. The text is the published policy; the latents are actions too
(`latent_sigma`, 0 for text alone), because it is they that make the picture. Where words follow the picture, words and latents
have advantages of their own (`rewards.worths`). Held-out renderings are watched (`guard`): a
checkpoint is written only when they pass, and RL ends when they do not.

    python -m veraretouch.train.dapo --config training/configs/dapo.toml --data DATA --work WORK
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from pathlib import Path

import torch

from ..data.files import DataError, read_json, write_json
from ..export.dialogue import Dialogue
from ..models.preference import load_preference
from .common import Log, read_config, save_atomically, stage_arguments
from .examples import Shards
from .guard import TASKS, figures_of, held_out_rows, objections
from .policy import Actions, Policy, action_count, dapo_loss, group_advantages, informative
from .rewards import COMPONENTS, Judge, total, worths
from .rollout import Rollout, draw
from .vlm import StateAverage, Step, parameter_groups, prepare, trained_state


def usable_rows(shards: Shards) -> dict[str, list[int]]:
    """Task -> examples with a target: the mixture of two looks has none."""
    rows = {task: [row for row in shards.rows(task) if "mix" not in shards.metas[row]] for task in TASKS}
    return {task: own for task, own in rows.items() if own}


@dataclass
class Groups:
    """Answers of one step, group by group, with what they are worth.

    advantages [2, B]: of the words and of the latents; `seen`: all that the judge saw, [B].
    """

    rollouts: list[Rollout]
    advantages: torch.Tensor
    seen: dict[str, torch.Tensor]
    rewards: torch.Tensor
    drawn: int
    dropped: int


class Sampler:
    """Draws groups of one task until enough of them differ among themselves."""

    def __init__(self, model, dialogue: Dialogue, shards: Shards, judge: Judge, config: dict):
        self.model, self.dialogue, self.shards, self.judge, self.config = model, dialogue, shards, judge, config
        self.pools = usable_rows(shards)

    def __call__(self, task: str, step: int) -> Groups | None:
        """None when no group of any draw differs: then there is nothing to learn in this step."""
        c = self.config
        group, wanted = c["group"], c["prompts"]
        rollouts: list[Rollout] = []
        parts: list[dict[str, torch.Tensor]] = []
        drawn = dropped = 0
        for attempt in range(c["draws"]):
            seed = [c["seed"], step, attempt]
            missing = wanted - len(rollouts) // group
            pool = self.pools[task]
            rows = random.Random(repr(seed)).sample(pool, min(missing, len(pool)))
            fresh = draw(
                self.model, self.dialogue, self.shards, rows, group, c["temperature"], c["latent_sigma"], seed, c.get("half", False)
            )
            latents = torch.stack([r.latents for r in fresh])
            seen = self.judge(task, [r.row for r in fresh], [r.result for r in fresh], latents)
            worth = self._worths(seen, task).view(2, -1, group)
            # Either kind of action has something to learn.
            keep = informative(worth[0], c["least_spread"]) | informative(worth[1], c["least_spread"])
            kept = keep.repeat_interleave(group)
            rollouts += [r for r, k in zip(fresh, kept.tolist(), strict=True) if k]
            parts.append({name: values[kept] for name, values in seen.items()})
            drawn, dropped = drawn + len(rows), dropped + int((~keep).sum())
            if len(rollouts) >= wanted * group:
                break
        if not rollouts:
            return None
        seen = {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
        rewards = total(seen, c["rewards"][task])
        worth = self._worths(seen, task).view(2, -1, group)
        # Where one kind of action is worth the same in a whole group, what differs are rounding errors.
        differs = torch.stack([informative(own, c["least_spread"]) for own in worth])
        advantages = torch.stack([group_advantages(own) for own in worth]) * differs[..., None]
        advantages = advantages.flatten(1)
        return Groups(rollouts, advantages, seen, rewards, drawn, dropped)

    def _worths(self, seen: dict[str, torch.Tensor], task: str) -> torch.Tensor:
        return worths(seen, self.config["rewards"][task], self.dialogue.latents_first)


class Update:
    """One or more passes of the optimiser over the answers of a step."""

    def __init__(self, policy: Policy, optimiser: torch.optim.Optimizer, config: dict):
        self.policy, self.optimiser, self.config = policy, optimiser, config
        self.trained = [p for group in optimiser.param_groups for p in group["params"]]

    def _parts(self, groups: Groups) -> list[list[list[int]]]:
        """Minibatches, each in parts that fit into memory. Neighbours in length go together only within a minibatch."""
        order = list(range(len(groups.rollouts)))
        random.Random(len(order)).shuffle(order)
        count = min(self.config["minibatches"], len(order))
        batches = [sorted(order[i::count], key=lambda j: len(groups.rollouts[j].sequence.ids)) for i in range(count)]
        size = self.config["micro"]
        return [[batch[i : i + size] for i in range(0, len(batch), size)] for batch in batches]

    def __call__(self, groups: Groups, device: str) -> dict[str, float]:
        c = self.config
        batches = self._parts(groups)
        once = c["epochs"] == 1 and len(batches) == 1
        # The probabilities at the time of sampling, computed as the new ones are: rounding must not look like a change.
        old: dict[tuple[int, int], Actions] = {}
        if not once:
            with torch.no_grad():
                old = {
                    (i, j): self.policy.score([groups.rollouts[k] for k in part])[0]
                    for i, batch in enumerate(batches) for j, part in enumerate(batch)
                }  # fmt: skip
        losses, entropies, over, actions, gap = 0.0, [], 0.0, 0.0, 0.0
        for epoch in range(c["epochs"]):
            for i, batch in enumerate(batches):
                count = action_count([groups.rollouts[k] for part in batch for k in part], c["latent_weight"])
                self.optimiser.zero_grad(set_to_none=True)
                for j, part in enumerate(batch):
                    rollouts = [groups.rollouts[k] for k in part]
                    new, entropy = self.policy.score(rollouts)
                    was = new.detached() if once else old[i, j]
                    present = torch.stack([r.present for r in rollouts]).to(device) * bool(c["latent_sigma"])
                    loss, clipped = dapo_loss(
                        new, was, groups.advantages[:, part].to(device), present, count, c["clip_low"], c["clip_high"],
                        c["latent_weight"],
                    )  # fmt: skip
                    loss.backward()
                    if epoch == 0 and i == 0:
                        sampled = torch.tensor([p for r in rollouts for p in r.logprobs])
                        gap = max(gap, float((sampled - was.tokens.cpu()).abs().max()))
                    losses, over, actions = losses + loss.item(), over + clipped, actions + new.tokens.numel() + new.latents.numel()
                    entropies.append(float(entropy))
                norm = torch.nn.utils.clip_grad_norm_(self.trained, c["gradient"])
                self.optimiser.step()
        return {
            "loss": losses / (c["epochs"] * len(batches)), "entropy": sum(entropies) / len(entropies), "clipped_actions": over / actions,
            "gradient": float(norm), "sampling_gap": gap,
        }  # fmt: skip


def reinforce(
    model, renderer, preference, dialogue: Dialogue, shards: Shards, held_out: Shards, config: dict, folder: Path,
    section_ids: dict, device: str = "cpu", minutes: float = 0, resumed: dict | None = None,
) -> list[str]:  # fmt: skip
    """RL on a model, written to `folder`; returns what the guard objected to (empty: all steps or the time are up).

    `folder`/last.pt has the form of `train.vlm`'s checkpoints, so whatever reads those reads it.
    """
    stopped = folder / "stopped.json"
    if stopped.exists():
        raise DataError(
            f"RL in {folder} was stopped by the guard: {read_json(stopped, '')['why']}. Nothing was trained; its checkpoint is the "
            "last that passed. Change the rewards or the limits and give the run another name, or delete stopped.json."
        )
    groups = parameter_groups(model, config)
    optimiser = torch.optim.AdamW(groups, lr=config["lr"], betas=(0.9, 0.99), weight_decay=0.0)
    average = StateAverage(model, config["average_decay"], resumed["average"] if resumed else None)
    for group in optimiser.param_groups:
        group["lr"] = group["peak"]
    step = 0
    log = Log(folder / "log.jsonl")
    model.eval()  # No dropout: the same words must have the same probability twice.
    half = config.get("half", False)
    judge = Judge(renderer, shards, preference, device, config["longest"], config["buffer"])
    check = Judge(renderer, held_out, preference, device, config["longest"], config["buffer"])
    rows = held_out_rows(held_out, config["evaluate_count"])
    if resumed:
        optimiser.load_state_dict(resumed["optimiser"])
        step = average.updates = resumed["step"]
        before = resumed["before"]
    else:
        before = figures_of(model, dialogue, held_out, check, rows, half)
        log.write(step=0, held_out=before)
    sampler = Sampler(model, dialogue, shards, judge, config)
    update = Update(Policy(Step(model, renderer, shards, device, half), dialogue, config["temperature"], config["latent_sigma"]),
                    optimiser, config)  # fmt: skip
    tasks = [task for task in config["tasks"] if task in sampler.pools]

    def keep() -> None:
        save_atomically(
            {"model": trained_state(model), "average": average.state, "optimiser": optimiser.state_dict(), "step": step,
             "config": config, "section_ids": section_ids, "before": before},
            folder / "last.pt",
        )  # fmt: skip

    began, guarded, against = time.time(), step, []

    def watch() -> list[str]:
        average.swap()
        now = figures_of(model, dialogue, held_out, check, rows, half)
        average.swap()
        found = objections(before, now, config["guard"])
        log.write(step=step, held_out=now, **({"stopped": found} if found else {}))
        if found:
            write_json(stopped, {"step": step, "why": found})
        else:
            keep()
        return found

    while step < config["steps"] and not against and not (minutes and time.time() - began > minutes * 60):
        task = tasks[step % len(tasks)]
        drawn = sampler(task, step)
        figures: dict = {"groups": 0} if drawn is None else {
            "groups": len(drawn.rollouts) // config["group"], "drawn": drawn.drawn, "dropped": drawn.dropped,
            "reward": drawn.rewards.mean().item(), "spread": drawn.rewards.view(-1, config["group"]).std(1).mean().item(),
            **{name: drawn.seen[name].mean().item() for name in (*COMPONENTS, "psnr", "claims", "length") if name in drawn.seen},
            **update(drawn, device),
        }  # fmt: skip
        average.update()
        step += 1
        log.write(step=step, task=task, **figures)
        if step % config["evaluate_every"] == 0:
            against, guarded = watch(), step
    if guarded != step and not against:
        against = watch()
    return against


def train(config: dict, work: Path, device: str, minutes: float) -> list[str]:
    torch.manual_seed(config["seed"])
    preference = load_preference(work / config["preference"]).to(device)
    model, nets, shards, held_out, dialogue, section_ids, resumed = prepare(config, work, device)
    return reinforce(
        model, nets.renderer, preference, dialogue, shards, held_out, config, work / config["name"], section_ids, device, minutes,
        resumed,
    )  # fmt: skip


def main() -> None:
    arguments = stage_arguments(__doc__.splitlines()[0]).parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    for reason in train(read_config(arguments.config), arguments.work, arguments.device, arguments.minutes):
        print(f"stopped: {reason}")


if __name__ == "__main__":
    main()
