"""Stage 2: tone encoder, pretrained to say the latents of an Auto retouch directly, without a language model.

The direct head is dropped afterwards; its score is the baseline "latent regressor without language".

    python -m veraretouch.train.tone --config training/configs/tone.toml --data DATA --work WORK
"""

import time
from pathlib import Path

import torch

from ..models.tone import ToneEncoder
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
from .examples import Shards
from .renderer import Networks


def load_networks(path: Path) -> Networks:
    """The averaged networks of stage 1, frozen."""
    state = torch.load(path, weights_only=True, map_location="cpu")
    nets = Networks(state["config"])
    nets.load_state_dict(state["average"])
    return nets.eval().requires_grad_(False)


@torch.no_grad()
def evaluate(model: ToneEncoder, renderer, shards: Shards) -> dict:
    rows = torch.tensor(shards.rows("auto"))
    after_nothing, after_model = [], []
    for part in rows.split(64):
        before, after = shards.pixels(part, 512)
        after_nothing.append(psnr_per_image(before, after))
        after_model.append(psnr_per_image(renderer(before, model.direct_latents(shards.tone(part))), after))
    return {"auto": torch.cat(after_model).mean().item(), "nothing": torch.cat(after_nothing).mean().item()}


def train(config: dict, work: Path, device: str, minutes: float) -> None:
    torch.manual_seed(config["seed"])
    nets = load_networks(work / config["renderer"]).to(device)
    shards = Shards(work / "shards" / config["shards"] / "train", ("auto",))
    held_out = Shards(work / "shards" / config["shards"] / "val", ("auto",))
    model = ToneEncoder(latent=nets.renderer.latent).to(device)
    average = Average(model)
    optimiser = torch.optim.AdamW(model.parameters(), lr=config["lr"], weight_decay=0.02)
    log = Log(work / config["name"] / "log.jsonl")
    checkpoint, step = work / config["name"] / "last.pt", 0
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        model.load_state_dict(state["model"])
        average.module.load_state_dict(state["average"])
        optimiser.load_state_dict(state["optimiser"])
        step = average.updates = state["step"]
    rng = torch.Generator().manual_seed(config["seed"] + step)

    def keep() -> None:
        save_atomically(
            {"model": model.state_dict(), "average": average.module.state_dict(), "optimiser": optimiser.state_dict(),
             "step": step, "config": config},
            checkpoint,
        )  # fmt: skip

    deadline = time.time() + minutes * 60 if minutes else float("inf")
    saved, total = time.time(), 0.0
    while step < config["steps"] and time.time() < deadline:
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step, config["steps"], config["lr"], config["warmup"])
        rows = torch.randint(len(shards), (config["batch"],), generator=rng)
        before, after = (x.to(device) for x in shards.pixels(rows, config["pixels"], rng))
        loss = pixel_loss(nets.renderer(before, model.direct_latents(shards.tone(rows, rng).to(device))), after)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        average.update(model)
        total += loss.item()
        step += 1
        if step % config["evaluate_every"] == 0 or step == config["steps"]:
            log.write(step=step, loss=total / config["evaluate_every"], **evaluate(average.module, nets.renderer, held_out))
            total = 0.0
        if time.time() - saved > 120:
            keep()
            saved = time.time()
    keep()


def main() -> None:
    arguments = stage_arguments(__doc__.splitlines()[0]).parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    train(read_config(arguments.config), arguments.work, arguments.device, arguments.minutes)


if __name__ == "__main__":
    main()
