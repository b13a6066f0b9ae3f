"""Stage 2: perception. The tone encoder and the projectors learn to say, without a language model, what an answer needs.

Photos: the latents of an Auto retouch, the claims of its plan, the measured figures and the names of what is seen.
Styles in words, with their photo, and sliders: the claims of the plan and the latents. The heads are dropped afterwards; the score of the latents is the
baseline "latent regressor without language".

    python -m veraretouch.train.tone --config training/configs/tone.toml --data DATA --work WORK
"""

import time
from pathlib import Path

import torch
import torch.nn.functional as F

from ..data.features import INPUT_SIZE
from ..data.files import TABLES, read_json
from ..engine.params import factor_mask
from ..eval.fivek import load_pairs
from ..export.dialogue import Dialogue
from ..export.tokenizer import smollm2_tokenizer
from ..models.layout import ALL_TOKENS, ImageTokens
from ..models.param_head import ParamHead
from ..models.perception import Perception
from ..models.tone import ToneEncoder
from ..models.vlm import ParamProjector, StyleProjector, Vision, load_language_model
from ..reasoning.labels import plan_labels
from .common import (
    Average,
    Log,
    harm,
    learning_rate,
    optimiser_of,
    pixel_loss,
    psnr_per_image,
    read_config,
    roused,
    save_atomically,
    stage_arguments,
)
from .examples import Shards, padded, split_of
from .renderer import Networks


def load_networks(path: Path) -> Networks:
    """The averaged networks of stage 1, frozen."""
    state = torch.load(path, weights_only=True, map_location="cpu")
    nets = Networks(state["config"])
    nets.load_state_dict(state["average"])
    return nets.eval().requires_grad_(False)


def known_names() -> list[str]:
    nouns = read_json(TABLES / "nouns.json", "It is part of the project; restore it.")
    return sorted({*nouns["captions"], *nouns["classes"]})


class Labels:
    """What the heads of every example of a split have to say."""

    def __init__(self, shards: Shards):
        tokenizer = smollm2_tokenizer()
        dialogue = Dialogue(tokenizer, list(range(tokenizer.get_vocab_size())))
        self.words = [
            dialogue.encode_user_text(meta["instruction"]) if meta["task"] == "style" else [] for meta in shards.metas
        ]
        self.claims = [torch.stack(rows) for rows in zip(*(plan_labels(m["plainFields"]) for m in shards.metas), strict=True)]
        index = {name: i for i, name in enumerate(known_names())}
        self.names = torch.zeros(len(shards), len(index))
        for row, meta in enumerate(shards.metas):
            for name in meta.get("names", []):
                if name in index:
                    self.names[row, index[name]] = 1


def build_perception(nets: Networks, table: torch.Tensor, layout: ImageTokens = ALL_TOKENS) -> Perception:
    """`table` [V, hidden]: the word embeddings, whose width and size the tokens share."""
    latent, hidden, scale = nets.renderer.latent, table.shape[1], table.std().item()
    head = ParamHead(latent, nets.head.heads[0][0].out_features)
    head.load_state_dict(nets.head.state_dict())
    tone = ToneEncoder(latent=latent, fine=True) if layout.tone else None
    vision = Vision(torch.nn.Identity(), tone, hidden, scale, layout=layout)
    sliders = ParamProjector(head.requires_grad_(False), latent, hidden, scale)
    styles = StyleProjector(hidden, scale, first_row=layout.focus_row, rows=layout.overall)
    return Perception(vision, sliders, styles, latent, len(known_names()))


@torch.no_grad()
def standardise(model: Perception, shards: Shards, count: int = 512) -> None:
    """Statistics of what comes frozen from elsewhere; the tone encoder learns its own scale."""
    pictures = torch.tensor([i for i, meta in enumerate(shards.metas) if meta["task"] != "param"])
    chosen = pictures[torch.linspace(0, len(pictures) - 1, count).long()]
    model.vision.set_feature_statistics(shards.features(chosen))
    model.param_projector.set_statistics(shards.arrays["params"][shards.rows("param")])


def claim_loss(logits: list[torch.Tensor], labels: list[torch.Tensor]) -> torch.Tensor:
    return sum(F.cross_entropy(x.flatten(0, 1), y.flatten()) for x, y in zip(logits, labels, strict=True))


def first_right(logits: list[torch.Tensor], labels: list[torch.Tensor]) -> torch.Tensor:
    """Per factor, the share of examples whose first claim is exactly right: [3]."""
    return torch.stack([(x[:, 0].argmax(-1) == y[:, 0]).float().mean() for x, y in zip(logits, labels, strict=True)])


class Step:
    """Losses of one batch of photos and one of sliders."""

    def __init__(self, model: Perception, nets, shards: Shards, labels: Labels, table: torch.Tensor, config, device: str):
        self.table = table
        self.model, self.nets, self.shards, self.labels, self.config, self.device = model, nets, shards, labels, config, device

    def _claims(self, rows: torch.Tensor) -> list[torch.Tensor]:
        return [x[rows].to(self.device) for x in self.labels.claims]

    def plan(self, tokens: torch.Tensor, rows: torch.Tensor, rng: torch.Generator, mask=1.0, harm_weight: float = 0.0) -> torch.Tensor:
        """What three factor tokens say of the plan of the examples `rows`: claims, and the picture."""
        claims, latents = self.model.read(tokens)
        before, after = (x.to(self.device) for x in self.shards.pixels(rows, self.config["pixels"], rng))
        loss = self.config["claims_weight"] * claim_loss(claims, self._claims(rows))
        out = self.nets.renderer(before, roused(latents, self.config["rouse"]) * mask)
        return loss + pixel_loss(out, after) + harm_weight * harm(out, before, after)

    def photos(self, auto: torch.Tensor, style: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
        model, shards, device, c = self.model, self.shards, self.device, self.config
        rows = torch.cat((auto, style))
        pictures = shards.pictures(rows, rng).to(device)
        tokens, figures, names = model.see(shards.features(rows).to(device), pictures)
        loss = c["figures_weight"] * F.smooth_l1_loss(figures, shards.figures(rows).to(device))
        loss = loss + c["names_weight"] * F.binary_cross_entropy_with_logits(names, self.labels.names[rows].to(device))
        # With a tone encoder tokens carry its latents, which are taught below.
        own_harm = 0.0 if model.vision.layout.tone else c["harm_weight"]
        loss = loss + self.plan(model.factors(tokens[: len(auto)]), auto, rng, harm_weight=own_harm)
        if model.vision.tone is not None:
            before, after = (x.to(device) for x in shards.pixels(auto, c["pixels"], rng))
            direct = model.vision.tone.direct_latents(model.vision.toned(pictures[: len(auto)]))
            out = self.nets.renderer(before, roused(direct, c["rouse"]))
            loss = loss + pixel_loss(out, after) + c["harm_weight"] * harm(out, before, after)
        # What a style changes must not teach the photo's tokens to expect it: they are taken as they are.
        return loss + self.plan(self.styles(style, tokens[len(auto) :].detach(), rng), style, rng)

    def styles(self, rows: torch.Tensor, image_tokens: torch.Tensor, rng: torch.Generator | None = None) -> torch.Tensor:
        """Factor tokens of the instructions of `rows`; some words are dropped when a generator is given."""
        ids, mask = padded([self.labels.words[row] for row in rows.tolist()])
        if rng is not None:
            kept = mask * (torch.rand(mask.shape, generator=rng) > self.config["drop_words"])
            mask = torch.where(kept.any(dim=1, keepdim=True), kept, mask)
        return self.model.style_projector(self.table[ids].to(self.device), image_tokens, mask.to(self.device))

    def sliders(self, rows: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
        params = self.shards.arrays["params"][rows].to(self.device)
        return self.plan(self.model.param_projector(params), rows, rng, factor_mask(params)[..., None])


@torch.no_grad()
def evaluate(step: Step) -> dict:
    """PSNR of the latents that the tokens say, and how often the first claim is exactly right, on held-out photos."""
    model, nets, shards = step.model, step.nets, step.shards
    model.eval()
    report: dict = {}

    def judge(task: str, tokens: torch.Tensor, rows: torch.Tensor, mask=1.0) -> None:
        claims, latents = model.read(tokens)
        before, after = shards.pixels(rows, 512)
        report[f"{task}_nothing"] = psnr_per_image(before, after).clamp(max=50).mean()
        out = nets.renderer(before, latents * mask)
        report[f"{task}_tokens"] = psnr_per_image(out, after).clamp(max=50).mean()
        report[f"{task}_harmed"] = (psnr_per_image(out, after) < psnr_per_image(before, after)).float().mean()
        report[f"{task}_first"] = first_right(claims, step._claims(rows))

    for task in ("auto", "style"):
        rows = torch.tensor(shards.rows(task))
        pictures = shards.pictures(rows)
        tokens, figures, names = model.see(shards.features(rows), pictures)
        judge(task, model.factors(tokens) if task == "auto" else step.styles(rows, tokens), rows)
        if task == "auto":
            if model.vision.tone is not None:
                before, after = shards.pixels(rows, 512)
                direct = nets.renderer(before, model.vision.tone.direct_latents(model.vision.toned(pictures)))
                report["auto_direct"] = psnr_per_image(direct, after).clamp(max=50).mean()
            truth, named = shards.figures(rows), step.labels.names[rows]
            has = named.sum(1) > 0
            report["figures_left"] = ((figures - truth).square().mean(0) / truth.var(0).clamp(min=1e-3)).mean()
            report["named"] = named[has].gather(1, names[has].argmax(1, keepdim=True)).mean()
    rows = torch.tensor(shards.rows("param"))
    params = shards.arrays["params"][rows]
    judge("param", model.param_projector(params), rows, factor_mask(params)[..., None])
    return {k: float(v) if v.ndim == 0 else [round(x, 3) for x in v.tolist()] for k, v in report.items()}


@torch.no_grad()
def on_expert_pairs(model: Perception, nets, pairs: list) -> dict:
    """PSNR of the latents that the photo's tokens are going to carry against expert C on `eval.fivek.load_pairs`, over all
    and by group; for looking at only: nothing is chosen or stopped by it."""
    found: dict[str, list[float]] = {}
    for pair in pairs:
        picture = F.adaptive_avg_pool2d(pair.before.permute(2, 0, 1), INPUT_SIZE)[None]
        latents = model.vision.tone.direct_latents(model.vision.toned(picture))
        out = torch.cat([nets.renderer(part[None], latents)[0] for part in pair.before.view(-1, 3).split(65536)])
        score = psnr_per_image(out[None], pair.after.view(1, -1, 3)).item()
        for group in ("all", pair.group):
            found.setdefault(group, []).append(score)
    return {f"fivek_{name.removeprefix('fivek_')}": sum(scores) / len(scores) for name, scores in found.items()}


def train(config: dict, work: Path, data: Path, device: str, minutes: float) -> None:
    torch.manual_seed(config["seed"])
    nets = load_networks(work / config["renderer"]).to(device)
    layout = ImageTokens.of(config)
    pairs = load_pairs(data) if layout.tone and (data / "fivek-dev").exists() else []
    shards, held_out = (split_of(config, work, split) for split in ("train", "val"))
    labels = Labels(shards)
    table = load_language_model(work, 1)[0].embed_tokens.weight.detach()
    model = build_perception(nets, table, layout).to(device)
    if layout.tone:
        model.vision.tone.half = config["half"]
        model.vision.tone.trunk.to(memory_format=torch.channels_last)
    standardise(model, shards)
    average = Average(model)
    trained = [p for p in model.parameters() if p.requires_grad]
    optimiser = optimiser_of(config, trained, 0.02)
    log = Log(work / config["name"] / "log.jsonl")
    checkpoint, step = work / config["name"] / "last.pt", 0
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        model.load_state_dict(state["model"])
        average.module.load_state_dict(state["average"])
        optimiser.load_state_dict(state["optimiser"])
        step = average.updates = state["step"]
    run = Step(model, nets, shards, labels, table, config, device)
    check = Step(average.module, nets, held_out, Labels(held_out), table, config, device)
    rng = torch.Generator().manual_seed(config["seed"] + step)
    pools = {task: torch.tensor(shards.rows(task)) for task in ("auto", "style", "param")}

    def draw(task: str) -> torch.Tensor:
        return pools[task][torch.randint(len(pools[task]), (config["batch"][task],), generator=rng)]

    def keep() -> None:
        save_atomically(
            {"model": model.state_dict(), "average": average.module.state_dict(), "optimiser": optimiser.state_dict(),
             "step": step, "config": config},
            checkpoint,
        )  # fmt: skip

    def judged() -> dict:
        if config["aim_every"]:
            average.module.aim()
        return evaluate(check) | on_expert_pairs(average.module, nets, pairs)

    began = time.time()
    saved, total = time.time(), 0.0
    # With a time limit the schedule follows the clock, so that a shorter run still ends on a low learning rate.
    while step < config["steps"] and not (minutes and time.time() - began > minutes * 60):
        progress = max(step / config["steps"], (time.time() - began) / (minutes * 60) if minutes else 0.0)
        for group in optimiser.param_groups:
            at = max(step, int(progress * config["steps"])) if step >= config["warmup"] else step
            group["lr"] = learning_rate(at, config["steps"], config["lr"], config["warmup"])
        if config["aim_every"] and step >= config["warmup"] and step % config["aim_every"] == 0:
            # From here on tokens carry their latents, as they will be used, and the other heads learn to read them so.
            model.aim()
        loss = run.photos(draw("auto"), draw("style"), rng) + run.sliders(draw("param"), rng)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimiser.step()
        average.update(model)
        total += loss.item()
        step += 1
        if step % config["evaluate_every"] == 0 or step == config["steps"]:
            log.write(step=step, loss=total / config["evaluate_every"], **judged())
            total = 0.0
        if time.time() - saved > 120:
            keep()
            saved = time.time()
    keep()
    if step % config["evaluate_every"]:
        log.write(step=step, **judged())


def main() -> None:
    arguments = stage_arguments(__doc__.splitlines()[0]).parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    train(read_config(arguments.config), arguments.work, arguments.data, arguments.device, arguments.minutes)


if __name__ == "__main__":
    main()
