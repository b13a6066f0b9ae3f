"""Stage 6: the adaptor alone, on the states of answers that the model wrote itself.

The stages before are teacher-forced: the states that the adaptor sees have read the true plan. In use they have read the
model's own. Here the trained model answers training examples, the three states of every answer are kept, and only the
adaptor is trained on them through the renderer; that is cheap, so it can see every example many times.

    python -m veraretouch.train.adaptor --config training/configs/adaptor.toml --data DATA --work WORK
"""

import random
import time
from pathlib import Path
from types import SimpleNamespace

import torch

from ..engine.params import factor_mask
from ..export.dialogue import Dialogue
from ..export.reference import generate_batch
from ..models.effect import colours_of
from .common import (
    Average,
    Log,
    learning_rate,
    pixel_loss,
    psnr_per_image,
    read_config,
    save_atomically,
    stage_arguments,
)
from .examples import Shards, split_of
from .tone import load_networks
from .vlm import TASKS, load_answering, trained_state


def answering(model, shards: Shards, adaptor=None) -> SimpleNamespace:
    """The model as `generate_batch` takes it, with row numbers of `shards` in place of images: features are stored."""
    device = model.head.device
    return SimpleNamespace(
        lm=model.lm, head=model.head, added_rows=model.added_rows, param_projector=model.param_projector,
        adaptor=adaptor or model.adaptor, output_ids=model.output_ids, focus_row=model.focus_row,
        style_projector=model.style_projector,
        vision=lambda numbers: model.vision.project(shards.features(numbers).to(device), shards.pictures(numbers).to(device)),
        foresee=lambda numbers, plan: model.foresee_on(colours_of(shards.pictures(numbers)).to(device), plan),
    )  # fmt: skip


@torch.no_grad()
def collect_states(model, dialogue: Dialogue, shards: Shards, rows: list[int], batch: int, deadline: float):
    """Answer the examples `rows` until the deadline.

    Returns (states float16 [n, 3 * hidden], plan tokens float16 [n, 3, hidden], the rows that were answered).
    """
    kept: list[tuple[torch.Tensor, torch.Tensor]] = []

    def keep(states: torch.Tensor, plan: torch.Tensor) -> torch.Tensor:
        kept.append((states.half(), plan.half()))
        return torch.zeros(len(states), 3, 1)

    own_answers = answering(model, shards, keep)
    done: list[int] = []
    # Batches of one task and, so that they end together, of neighbouring answer lengths.
    groups = []
    for task in TASKS:
        own = [row for row in rows if shards.metas[row]["task"] == task]
        own.sort(key=lambda row: sum(len(text) for text in shards.metas[row]["fields"].values()))
        groups += [(task, own[i : i + batch]) for i in range(0, len(own), batch)]
    random.Random(0).shuffle(groups)
    for task, group in groups:
        if time.time() > deadline:
            break
        numbers, voices = torch.tensor(group), [shards.metas[row].get("voice", 0) for row in group]
        if task == "param":
            generate_batch(own_answers, dialogue, task, params=shards.arrays["params"][numbers], voices=voices)
        else:
            texts = [shards.metas[row]["instruction"] for row in group] if task == "style" else None
            generate_batch(own_answers, dialogue, task, images=numbers, instructions=texts, voices=voices)
        done += group
    states, plans = (torch.cat(parts) for parts in zip(*kept, strict=True))
    return states, plans, done


def masks_of(shards: Shards, rows: torch.Tensor) -> torch.Tensor:
    """[n, 3]: ones, but in param mode 0 for factors whose sliders are all 0."""
    params = shards.arrays["params"][rows]
    is_param = torch.tensor([shards.metas[row]["task"] == "param" for row in rows.tolist()])
    return torch.where(is_param[:, None], factor_mask(params), torch.ones(len(rows), 3))


@torch.no_grad()
def evaluate(adaptor, renderer, shards: Shards, states: torch.Tensor, plans: torch.Tensor, rows: torch.Tensor) -> dict:
    before, after = shards.pixels(rows, 512)
    latents = adaptor(states.float(), plans.float()) * masks_of(shards, rows)[..., None]
    out = torch.cat([renderer(b, z) for b, z in zip(before.split(64), latents.split(64), strict=True)])
    quality = psnr_per_image(out, after)
    tasks = [shards.metas[row]["task"] for row in rows.tolist()]
    return {
        f"{task}_psnr": quality[torch.tensor([t == task for t in tasks])].mean().item() for task in TASKS if task in tasks
    }


def train(config: dict, work: Path, minutes: float) -> None:
    torch.manual_seed(config["seed"])
    nets = load_networks(work / config["renderer"])
    model, dialogue, source = load_answering(work / config["start_from"], nets, work)
    shards, held_out = split_of(config, work, "train"), split_of(config, work, "val")
    log = Log(work / config["name"] / "log.jsonl")
    cache = work / config["name"] / "states.pt"
    if not cache.exists():
        rng = random.Random(config["seed"])
        chosen = [row for task in TASKS for row in rng.sample(shards.rows(task), config["examples"][task])]
        checked = [row for task in TASKS for row in held_out.rows(task)[: config["held_out"]]]
        held = collect_states(model, dialogue, held_out, checked, config["answer_batch"], float("inf"))
        deadline = time.time() + 60 * minutes if minutes else float("inf")
        own = collect_states(model, dialogue, shards, chosen, config["answer_batch"], deadline)
        save_atomically({"own": own, "held_out": held}, cache)
    kept = torch.load(cache, weights_only=True)
    states, plans, rows = kept["own"][0], kept["own"][1], torch.tensor(kept["own"][2])
    held = (*kept["held_out"][:2], torch.tensor(kept["held_out"][2]))
    log.write(answers=len(rows), **evaluate(model.adaptor, nets.renderer, held_out, *held))
    adaptor = model.adaptor.requires_grad_(True)
    average = Average(adaptor, 0.995)
    optimiser = torch.optim.AdamW(adaptor.parameters(), lr=config["lr"], weight_decay=config["weight_decay"])
    rng = torch.Generator().manual_seed(config["seed"])
    masks = masks_of(shards, rows)
    total = 0.0
    for step in range(config["steps"]):
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step, config["steps"], config["lr"], config["warmup"])
        part = torch.randint(len(rows), (config["batch"],), generator=rng)
        before, after = shards.pixels(rows[part], config["pixels"], rng)
        inputs = states[part].float()
        inputs = inputs + config["noise"] * inputs.std() * torch.randn(inputs.shape, generator=rng)
        latents = adaptor(inputs, plans[part].float()) * masks[part][..., None]
        loss = pixel_loss(nets.renderer(before, latents), after)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(adaptor.parameters(), 1.0)
        optimiser.step()
        average.update(adaptor)
        total += loss.item()
        if (step + 1) % config["evaluate_every"] == 0 or step + 1 == config["steps"]:
            figures = evaluate(average.module, nets.renderer, held_out, *held)
            log.write(step=step + 1, loss=total / config["evaluate_every"], **figures)
            total = 0.0
    model.adaptor.load_state_dict(average.module.state_dict())
    save_atomically(
        {"average": trained_state(model), "step": config["steps"], "config": source["config"] | {"adaptor": config},
         "section_ids": source["section_ids"]},
        work / config["name"] / "last.pt",
    )  # fmt: skip


def main() -> None:
    arguments = stage_arguments(__doc__.splitlines()[0]).parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    train(read_config(arguments.config), arguments.work, arguments.minutes)


if __name__ == "__main__":
    main()
