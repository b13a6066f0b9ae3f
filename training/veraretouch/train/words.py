"""Stage 2b: the style projector learns plain words, on instructions that are made as it goes.

The shards hold some thousand instructions with a photo each, and wishes for one hue hardly show on most photos. Here every
step draws fresh ones (`data.spoken`), tries them on photos of the shards and on colours of every hue, and holds what the
tokens do against what the develop engine does with the settings meant. Looks are rehearsed from the shards. All other
weights stay as they are; photos' tokens are computed once.

    python -m veraretouch.train.words --config training/configs/words.toml --data DATA --work WORK

Writes WORK/NAME/last.pt: the checkpoint it began with, with the new style projector.
"""

from __future__ import annotations

import random
import time
from collections import deque
from pathlib import Path

import torch

from ..data.spoken import LEAST, Spoken, spoken
from ..engine.develop import develop
from ..engine.params import factor_mask
from ..export.dialogue import Dialogue
from ..export.tokenizer import smollm2_tokenizer
from ..reasoning.axes import AXES, effect
from ..reasoning.measure import Pixels, change
from .common import (
    Average,
    Log,
    learning_rate,
    optimiser_of,
    pixel_loss,
    psnr_per_image,
    read_config,
    roused,
    save_atomically,
    stage_arguments,
)
from .examples import padded, split_of
from .retell import BATCH, load_step
from .tone import Step

PREFIX = "style_projector."


def every_hue(count: int, rng: torch.Generator) -> torch.Tensor:
    """Random colours of all hues [count, 3] in [0, 1], from nearly grey to saturated, from dark to bright."""
    hue, saturation, value = torch.rand(3, count, generator=rng)
    # The hexcone of HSV: each primary falls off with its distance on the circle.
    away = ((hue[:, None] - torch.tensor([0.0, 1 / 3, 2 / 3]) + 0.5) % 1 - 0.5).abs()
    pure = (2 - 6 * away).clamp(0, 1)
    return (0.1 + 0.88 * value[:, None]) * (1 - (0.1 + 0.8 * saturation[:, None]) * (1 - pure))


def left_over(out: torch.Tensor, before: torch.Tensor, after: torch.Tensor) -> torch.Tensor:
    """What is left to do as a share of what was to do, mean over the batch; all [B, N, 3]."""
    far = (after - before).abs().flatten(1).mean(1)
    return ((out - after).abs().flatten(1).mean(1) / (far + 0.01)).mean()


def astray(latents: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """Mean distance of latents from those of the parameter head, both [B, 3, D], as the renderer sees them, through a ReLU.

    Pixels alone cannot teach a factor that is off: where all its latents are below 0 no gradient comes back through the ReLU.
    After stage 2 this held for the specific colour of nearly every instruction, and hardly a wish for a hue was followed.
    """
    return torch.where(wanted > 0, (latents - wanted).abs(), torch.relu(latents)).mean()


@torch.no_grad()
def photo_tokens(step: Step) -> torch.Tensor:
    """What the style projector sees of each picture of the shards: [P, T, hidden], rows it does not look at left at 0."""
    model, shards, device = step.model, step.shards, step.device
    rows = torch.tensor([i for i, at in enumerate(shards.image_row) if at >= 0])
    projector = model.style_projector
    kept = slice(projector.first_row, projector.first_row + projector.rows)
    tokens = torch.zeros(len(rows), kept.stop, projector.hidden, device=device)
    for part in rows.split(BATCH):
        seen = model.vision.project(shards.features(part).to(device), shards.pictures(part).to(device))
        tokens[torch.tensor([shards.image_row[i] for i in part.tolist()]), kept] = seen[:, kept]
    return tokens


class HueWishes:
    """Instructions that ask for a change of one hue: as many that ask for nothing else as that ask for more beside it. At
    most `most` of either are held; newer ones take the place of the oldest."""

    def __init__(self, most: int):
        self.alone: deque[Spoken] = deque(maxlen=most)
        self.beside: deque[Spoken] = deque(maxlen=most)

    def keep(self, said: Spoken) -> None:
        if any("." in axis for axis, _ in said.asked):
            (self.alone if len(said.intents) == 1 else self.beside).append(said)

    def fill(self, chance: random.Random) -> None:
        while len(self.alone) < self.alone.maxlen or len(self.beside) < self.beside.maxlen:
            self.keep(spoken(chance))

    def draw(self, chance: random.Random) -> Spoken:
        return chance.choice(chance.choice((self.alone, self.beside)))


class Words:
    """Batches of instructions for one split, and what the style projector makes of them."""

    def __init__(self, step: Step, config: dict):
        self.step, self.config, self.shards = step, config, step.shards
        self.tokens = photo_tokens(step)
        tokenizer = smollm2_tokenizer()
        self.encode = Dialogue(tokenizer, list(range(tokenizer.get_vocab_size()))).encode_user_text
        self.hues = HueWishes(config["hue_wishes"])
        self.photos = torch.tensor([i for i, at in enumerate(self.shards.image_row) if at >= 0])
        self.looks = torch.tensor([i for i in self.shards.rows("style") if self.shards.metas[i]["look"] != "spoken"])

    def latents(self, texts: list[list[int]], rows: torch.Tensor, rng: torch.Generator | None = None) -> torch.Tensor:
        """Token ids of instructions for the photos `rows` -> latents [B, 3, D]. With a generator some words are dropped and
        the others blurred, so that what is near to a known word is read like it."""
        model, table, device = self.step.model, self.step.table, self.step.device
        ids, mask = padded(texts)
        words = table[ids]
        if rng is not None:
            kept = mask * (torch.rand(mask.shape, generator=rng) > self.config["drop_words"])
            mask = torch.where(kept.any(dim=1, keepdim=True), kept, mask)
            words = words + self.config["blur"] * table.std() * torch.randn(words.shape, generator=rng)
        seen = self.tokens[torch.tensor([self.shards.image_row[i] for i in rows.tolist()])]
        return model.read(model.style_projector(words.to(device), seen, mask.to(device)))[1]

    def draw(self, chance: random.Random) -> Spoken:
        """An instruction in training words. A share of them (`single_hues`) asks for a change of one hue, half of these for
        nothing else: drawn as they come, one in seven does, mostly among other wishes, and for thousands of steps
        the network says to all of them what is right for their mean."""
        if not self.hues.alone:
            self.hues.fill(chance)
        if chance.random() < self.config["single_hues"]:
            return self.hues.draw(chance)
        said = spoken(chance)
        self.hues.keep(said)
        return said

    def loss(self, rng: torch.Generator, chance: random.Random) -> torch.Tensor:
        c, render, device = self.config, self.step.nets.renderer, self.step.device
        said = [self.draw(chance) for _ in range(c["batch"]["spoken"])]
        rows = self.photos[torch.randint(len(self.photos), (len(said),), generator=rng)]
        own, _ = self.shards.pixels(rows, c["pixels"], rng)
        hues = every_hue(len(said) * c["palette"], rng).view(len(said), c["palette"], 3)
        before = torch.cat((own, hues), dim=1).to(device)
        params = torch.stack([s.params for s in said]).to(device)
        with torch.no_grad():
            after = develop(before, params).clamp(0, 1)
            wanted = self.step.nets.head(params) * factor_mask(params)[..., None]
        latents = self.latents([self.encode(s.text) for s in said], rows, rng)
        out = render(before, roused(latents, c["rouse"]))
        n = c["pixels"]
        loss = pixel_loss(out[:, :n], after[:, :n]) + c["palette_weight"] * pixel_loss(out[:, n:], after[:, n:])
        loss = loss + c["relative_weight"] * left_over(out, before, after) + c["latent_weight"] * astray(latents, wanted)
        if not len(self.looks):
            return loss
        rows = self.looks[torch.randint(len(self.looks), (c["batch"]["looks"],), generator=rng)]
        before, after = (x.to(device) for x in self.shards.pixels(rows, c["pixels"], rng))
        texts = [self.encode(self.shards.metas[row]["instruction"]) for row in rows.tolist()]
        out = render(before, roused(self.latents(texts, rows, rng), c["rouse"]))
        return loss + pixel_loss(out, after) + c["relative_weight"] * left_over(out, before, after)

    @torch.no_grad()
    def evaluate(self, seed: int = 0) -> dict[str, float]:
        """On held-out photos: PSNR of looks; of plain instructions in words never trained on the PSNR, what is left over, and
        the share of movements asked for that happen (those that the engine itself shows on the photo)."""
        report: dict[str, float] = {}
        count, render, device = self.config["evaluate_count"], self.step.nets.renderer, self.step.device
        if len(self.looks):
            rows = self.looks[:count]
            before, after = (x.to(device) for x in self.shards.pixels(rows, 512))
            out = render(before, self.latents([self.encode(self.shards.metas[i]["instruction"]) for i in rows.tolist()], rows))
            report["looks_nothing"] = psnr_per_image(before, after).clamp(max=50).mean().item()
            report["looks"] = psnr_per_image(out, after).clamp(max=50).mean().item()
        chance = random.Random(seed)
        said = [spoken(chance, unseen=True) for _ in range(count)]
        rows = self.photos[torch.linspace(0, len(self.photos) - 1, count).long()]
        before = self.shards.pixels(rows, 512)[0].to(device)
        after = develop(before, torch.stack([s.params for s in said]).to(device)).clamp(0, 1)
        out = render(before, self.latents([self.encode(s.text) for s in said], rows))
        report["spoken_nothing"] = psnr_per_image(before, after).clamp(max=50).mean().item()
        report["spoken"] = psnr_per_image(out, after).clamp(max=50).mean().item()
        report["spoken_left"] = left_over(out, before, after).item()
        report["asked"] = share_shown(said, *(x.cpu() for x in (before, after, out.clamp(0, 1))))
        return report


def share_shown(said: list[Spoken], before: torch.Tensor, meant: torch.Tensor, out: torch.Tensor) -> float:
    """Share of the movements asked for that pixels `out` [B, N, 3] show, of those that `meant` shows (`eval.prompts`)."""
    hits = []
    for one, b, m, o in zip(said, before, meant, out, strict=True):
        own = Pixels(b)
        should, does = change(own, Pixels(m)), change(own, Pixels(o))
        for axis, direction in one.asked:
            least = LEAST * AXES[axis].dead
            if direction * effect(should, axis) > least:
                hits.append(direction * effect(does, axis) > least)
    return sum(hits) / max(1, len(hits))


def learn(words: Words, held_out: Words, config: dict, folder: Path, minutes: float = 0) -> Average:
    """Trains the style projector of `words`, which `held_out` gets averaged; returns that average. Goes on from
    `folder`/partial.pt."""
    projector = words.step.model.style_projector.train().requires_grad_(True)
    average = Average(projector)
    held_out.step.model.style_projector = average.module
    optimiser = optimiser_of(config, list(projector.parameters()), 0.02)
    log, partial, step = Log(folder / "log.jsonl"), folder / "partial.pt", 0
    if partial.exists():
        state = torch.load(partial, weights_only=True, map_location="cpu")
        projector.load_state_dict(state["model"])
        average.module.load_state_dict(state["average"])
        optimiser.load_state_dict(state["optimiser"])
        step = average.updates = state["step"]
    seed = config["seed"] + step
    rng, chance = torch.Generator().manual_seed(seed), random.Random(seed)
    log.write(step=step, **held_out.evaluate())
    began = saved = time.time()
    total = 0.0
    # With a time limit the schedule follows the clock, so that a shorter run still ends on a low learning rate.
    while step < config["steps"] and not (minutes and time.time() - began > minutes * 60):
        progress = max(step / config["steps"], (time.time() - began) / (minutes * 60) if minutes else 0.0)
        at = max(step, int(progress * config["steps"])) if step >= config["warmup"] else step
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(at, config["steps"], config["lr"], config["warmup"])
        loss = words.loss(rng, chance)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(projector.parameters(), 1.0)
        optimiser.step()
        average.update(projector)
        total, step = total + loss.item(), step + 1
        if step % config["evaluate_every"] == 0:
            log.write(step=step, loss=total / config["evaluate_every"], **held_out.evaluate())
            total = 0.0
        if time.time() - saved > 120:
            save_atomically({"model": projector.state_dict(), "average": average.module.state_dict(),
                             "optimiser": optimiser.state_dict(), "step": step}, partial)  # fmt: skip
            saved = time.time()
    if step % config["evaluate_every"]:
        log.write(step=step, **held_out.evaluate())
    return average


def train(config: dict, work: Path, device: str, minutes: float) -> None:
    torch.manual_seed(config["seed"])
    start = work / config["start_from"]
    base = {**config, "name": config["tone"]}
    splits = []
    for split in ("train", "val"):
        step = load_step(base, work, split_of(config, work, split, ("auto", "style")), start, device)
        step.model.requires_grad_(False)
        splits.append(Words(step, config))
    average = learn(*splits, config, work / config["name"], minutes)
    state = torch.load(start, weights_only=True, map_location="cpu")
    learnt = {f"{PREFIX}{name}": value.cpu() for name, value in average.module.state_dict().items()}
    state = {k: v for k, v in state.items() if k != "optimiser"} | {part: state[part] | learnt for part in ("model", "average")}
    save_atomically(state, work / config["name"] / "last.pt")
    (work / config["name"] / "partial.pt").unlink(missing_ok=True)


def main() -> None:
    arguments = stage_arguments(__doc__.splitlines()[0]).parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    train(read_config(arguments.config), arguments.work, arguments.device, arguments.minutes)


if __name__ == "__main__":
    main()
