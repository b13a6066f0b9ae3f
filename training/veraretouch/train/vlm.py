"""Stages 4 and 5: domain alignment, then RSFT (reasoning supervised fine-tuning).

Both minimise the paper's equation 3: cross-entropy on the words of the answer plus L1 of the picture that the predicted
latents render. Domain alignment trains everything but the pretrained image encoder and the renderer; RSFT only the
language model and the adaptor, with the three tasks in equal share. Which one it is, the configuration says.

    python -m veraretouch.train.vlm --config training/configs/align.toml --data DATA --work WORK
"""

import time
from pathlib import Path

import torch
import torch.nn.functional as F

from ..data.features import SemanticEncoder
from ..engine.params import factor_mask
from ..export.dialogue import Dialogue
from ..export.tokenizer import smollm2_tokenizer
from ..models.effect import colours_of
from ..models.layout import ALL_TOKENS, ImageTokens
from ..models.tone import ToneEncoder
from ..models.vlm import (
    VeraRetouchVLM,
    add_tokens,
    focus_tokens,
    load_language_model,
)
from .common import (
    Log,
    learning_rate,
    pixel_loss,
    psnr_per_image,
    read_config,
    save_atomically,
    stage_arguments,
)
from .examples import (
    Batch,
    Shards,
    batches_by_length,
    collate,
    encode_example,
    mix_sequences,
    split_of,
)
from .retell import use_retold
from .sections import dialogue_with, grown, united, vocabulary
from .tone import load_networks

TASKS = ("auto", "style", "param")
PRETRAINED_TOKENS = 49152
AVERAGE_EVERY = 4
GIVEN = ("vision.semantic.", "lm.embed_tokens.", "renderer.")
# What the stages without a language model have taught.
LEARNT_BEFORE = ("vision.", "param_projector.", "style_projector.", "effect.", "adaptor.shortcut.")


def build_vlm(work: Path, layers: int, nets, output_ids: list[int], added: int, seed: int = 0,
              layout: ImageTokens = ALL_TOKENS) -> VeraRetouchVLM:  # fmt: skip
    lm, _ = load_language_model(work, layers)
    add_tokens(lm, added, torch.Generator().manual_seed(seed))
    torch.manual_seed(seed)
    tone = ToneEncoder(latent=nets.renderer.latent, fine=True) if layout.tone else None
    semantic = SemanticEncoder().requires_grad_(False) if layout.semantic else None
    return VeraRetouchVLM(lm, semantic, tone, nets.head, nets.renderer, torch.tensor(output_ids), added, layout)


def trained_state(model: VeraRetouchVLM) -> dict[str, torch.Tensor]:
    """State without what comes from packages or another stage: the image encoder, the frozen embedding, the renderer."""
    return {k: v for k, v in model.state_dict().items() if not k.startswith(GIVEN)}


def load_trained(model: VeraRetouchVLM, state: dict[str, torch.Tensor]) -> None:
    missing, unexpected = model.load_state_dict(state, strict=False)
    wrong = [k for k in missing if not k.startswith(GIVEN)] + unexpected
    if wrong:
        raise ValueError(f"the checkpoint does not fit the model, nothing was trained: {wrong[:5]}")


class Step:
    """One batch through the model: (cross-entropy, picture loss, PSNR of what is not mixed, share of right tokens)."""

    def __init__(self, model: VeraRetouchVLM, renderer, shards: Shards, device: str, half: bool = False):
        self.model, self.renderer, self.shards, self.device, self.half = model, renderer, shards, device, half

    def answer(self, batch: Batch, rng: torch.Generator | None) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits [K, Vout] of the batch's K targets, in their order, and latents [B, 3, D]."""
        model, shards, device = self.model, self.shards, self.device
        is_image = torch.tensor([shards.metas[i]["task"] != "param" for i in batch.rows.tolist()])
        image_tokens = param_tokens = None
        if bool(is_image.any()):
            rows = batch.rows[is_image]
            part = model.vision.project(shards.features(rows).to(device), shards.pictures(rows, rng).to(device))
            image_tokens = part.new_zeros(len(batch.rows), *part.shape[1:]).index_put((is_image.nonzero()[:, 0].to(device),), part)
        params = shards.arrays["params"][batch.rows].to(device)
        if not bool(is_image.all()):
            param_tokens = model.param_projector(params)
        plan = self._plan(batch, is_image, image_tokens, param_tokens)
        tokens = self._focus(batch.rows, is_image.to(device), image_tokens, plan, rng)
        embeds = model.embed(batch.ids.to(device), image_tokens, param_tokens, placed(batch, tokens))
        # Half the width is enough for the layers, and twice as fast where the processor knows it.
        with torch.autocast(torch.device(device).type, dtype=torch.bfloat16, enabled=self.half):
            hidden = model.hidden(embeds, batch.mask.to(device))
            logits = model.logits(hidden[batch.target_rows, batch.target_positions]).float()
        states = hidden.float()[torch.arange(len(batch.rows))[:, None], batch.states]
        mask = torch.where(is_image[:, None].to(device), torch.ones_like(params[:, :3]), factor_mask(params))
        return logits, model.adaptor(states.flatten(1), plan) * mask[..., None]

    def __call__(self, batch: Batch, pixels: int, rng: torch.Generator | None) -> tuple[torch.Tensor, ...]:
        shards, device = self.shards, self.device
        logits, latents = self.answer(batch, rng)
        classes = batch.target_tokens.to(device)
        words = F.cross_entropy(logits, classes) if len(classes) else logits.sum()
        before, after = (x.to(device) for x in shards.pixels(batch.rows, pixels, rng))
        out = self.renderer(before, latents)
        # The mixture of two looks has no target but what its own tokens render: only its words are learnt.
        mixed = torch.tensor(["mix" in shards.metas[i] for i in batch.rows.tolist()], device=out.device)
        after = torch.where(mixed[:, None, None], out.detach(), after)
        right = (logits.detach().argmax(-1) == classes).float().sum() / max(1, len(classes))
        return words, pixel_loss(out, after), psnr_per_image(out.detach()[~mixed], after[~mixed]), right

    def _plan(self, batch: Batch, is_image, image_tokens, param_tokens) -> torch.Tensor:
        """[B, 3, hidden]: the factor tokens of what shall be done: of the photo, of the style, or of the sliders."""
        model, device = self.model, self.device
        plan = torch.zeros(len(batch.rows), 3, model.vision.hidden, device=device)
        if image_tokens is not None:
            plan = image_tokens[:, model.focus_row : model.focus_row + 3]
        if param_tokens is not None:
            plan = torch.where(is_image[:, None, None].to(device), plan, param_tokens)
        styled = batch.words_mask.any(dim=1)
        if bool(styled.any()):
            words = model.lm.embed_tokens(batch.words[styled].to(device))
            photos = image_tokens[styled.to(device)]
            style = model.style_projector(words, photos, batch.words_mask[styled].to(device))
            if batch.weights is not None:
                other = model.lm.embed_tokens(batch.others[styled].to(device))
                other = model.style_projector(other, photos, batch.others_mask[styled].to(device))
                style = torch.lerp(other, style, batch.weights[styled, None, None].to(device))
            plan = plan.index_put((styled.nonzero()[:, 0].to(device),), style)
        return plan

    def _focus(self, rows: torch.Tensor, is_image: torch.Tensor, image_tokens, plan: torch.Tensor, rng) -> torch.Tensor:
        """[B, 9, hidden], see `focus_tokens`."""
        focus = focus_tokens(plan)
        if image_tokens is None:
            return focus
        seen = is_image.nonzero()[:, 0]
        before = colours_of(self.shards.pictures(rows[seen.cpu()], rng)).to(self.device)
        own = image_tokens[seen, self.model.focus_row : self.model.focus_row + 3]
        return focus.index_put((seen,), focus_tokens(plan[seen], own, self.model.foresee_on(before, plan[seen])))


def placed(batch: Batch, tokens: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """(rows [K], positions [K], tokens [K, hidden]) of the factor tokens [B, 9, hidden] that are added to a batch."""
    rows, positions, which = batch.focus.to(tokens.device).unbind(1)
    return rows, positions, tokens[rows, which]


@torch.no_grad()
def evaluate(step: Step, sequences: list, class_of: torch.Tensor, count: int) -> dict:
    """Teacher-forced figures per task on held-out photos (generation is measured by the evaluation command)."""
    step.model.eval()
    report = {}
    for task in TASKS:
        rows = step.shards.rows(task)[:count]
        words, psnr, right = [], [], []
        for start in range(0, len(rows), 16):
            part = rows[start : start + 16]
            batch = collate([sequences[i] for i in part], part, class_of)
            loss, _, quality, share = step(batch, 512, None)
            words.append(loss.item())
            right.append(share.item())
            psnr.append(quality)
        report[f"{task}_psnr"] = torch.cat(psnr).mean().item()
        report[f"{task}_words"] = sum(words) / len(words)
        report[f"{task}_right"] = sum(right) / len(right)
    step.model.train()
    return report


def parameter_groups(model: VeraRetouchVLM, config: dict) -> list[dict]:
    """Language model, what stages 2 and 3 have taught, and the rest, with their own learning rates.

    RSFT leaves the projectors and encoders alone.
    """
    groups: dict[str, list] = {"lr_language": [], "lr_perception": [], "lr": []}
    only = config.get("only")
    for name, parameter in model.named_parameters():
        frozen = name.startswith((*GIVEN, "param_projector.head.", "vision.tone.direct."))
        if frozen or (only and not name.startswith(tuple(only))):
            parameter.requires_grad_(False)
        elif parameter.requires_grad:
            perception = name.startswith(LEARNT_BEFORE)
            groups["lr_language" if name.startswith("lm.") else "lr_perception" if perception else "lr"].append(parameter)
    return [{"params": params, "peak": config[rate]} for rate, params in groups.items() if params]


class StateAverage:
    """Moving average of the trained state, kept apart from the model and swapped in for evaluation."""

    def __init__(self, model: VeraRetouchVLM, decay: float, state: dict[str, torch.Tensor] | None = None):
        self.model, self.decay, self.updates = model, decay, 0
        self.state = state or {k: v.detach().clone() for k, v in trained_state(model).items()}

    @torch.no_grad()
    def update(self) -> None:
        self.updates += 1
        weight = max(1 - self.decay, 1 / (self.updates + 1))
        for name, value in trained_state(self.model).items():
            if value.dtype.is_floating_point:
                self.state[name].lerp_(value, weight)

    @torch.no_grad()
    def swap(self) -> None:
        for name, value in trained_state(self.model).items():
            if value.dtype.is_floating_point:
                kept = value.clone()
                value.copy_(self.state[name])
                self.state[name].copy_(kept)


def set_mode(model: VeraRetouchVLM) -> None:
    """Batch statistics of the encoders stay as pretrained: batches here are small and of mixed tasks."""
    model.train()
    for encoder in (model.vision.semantic, model.vision.tone):
        if encoder is not None:
            encoder.eval()


def load_perception(model: VeraRetouchVLM, path: Path, effect: Path) -> None:
    """Tone encoder, projectors and the reading of latents of stage 2, effect tokens of stage 3."""
    learnt = torch.load(effect, weights_only=True)["average"]
    model.effect.load_state_dict({k.removeprefix("effect."): v for k, v in learnt.items() if k.startswith("effect.")})
    state = torch.load(path, weights_only=True)["average"]
    heads = {k.removeprefix("latents."): v for k, v in state.items() if k.startswith("latents.")}
    model.adaptor.shortcut.load_state_dict(heads)
    parts = {"vision.": model.vision, "param_projector.": model.param_projector, "style_projector.": model.style_projector}
    for prefix, part in parts.items():
        own = {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
        missing, unexpected = part.load_state_dict(own, strict=False)
        wrong = [k for k in missing if not k.startswith("semantic.")] + unexpected
        if wrong:
            raise ValueError(f"{path} does not fit the model, nothing was trained: {wrong[:5]}")
    aim(model)


def aim(model: VeraRetouchVLM) -> None:
    """Let the tokens of photos and of sliders carry their latents as the adaptor's shortcut reads them."""
    model.param_projector.aim(model.adaptor.shortcut, model.adaptor.gain)
    if model.vision.layout.tone:
        model.vision.aim(model.adaptor.shortcut, model.adaptor.gain)


def load_answering(checkpoint: Path, nets, work: Path) -> tuple[VeraRetouchVLM, Dialogue, dict]:
    """The averaged model of a checkpoint, frozen, with its dialogue and what else the checkpoint says."""
    state = torch.load(checkpoint, weights_only=True, map_location="cpu")
    tokenizer = smollm2_tokenizer()
    words = state["config"].get("answers") != "none"
    dialogue = dialogue_with(tokenizer, state["section_ids"], state["config"]["latents_first"], words)
    added = tokenizer.get_vocab_size() - PRETRAINED_TOKENS
    layout = ImageTokens.of(state["config"])
    model = build_vlm(work, state["config"]["layers"], nets, dialogue.output_ids.tolist(), added, layout=layout)
    load_trained(model, state["average"])
    return model.eval().requires_grad_(False), dialogue, state


def prepare(config: dict, work: Path, device: str):
    """Model, data and what is needed to encode them, from a checkpoint, the stage before, or the packages."""
    nets = load_networks(work / config["renderer"]).to(device)
    shards, held_out = split_of(config, work, "train"), split_of(config, work, "val")
    if config.get("retold"):
        for split, examples in (("train", shards), ("val", held_out)):
            use_retold(examples, work / config["retold"] / f"retold-{split}.json")
    tokenizer = smollm2_tokenizer()
    checkpoint = work / config["name"] / "last.pt"
    resumed = torch.load(checkpoint, weights_only=True) if checkpoint.exists() else None
    start = torch.load(work / config["start_from"], weights_only=True) if config.get("start_from") else None
    known = resumed or start
    section_ids = known["section_ids"] if known else {}
    if not known or (config.get("retold") and not resumed):
        # Answers that were told anew may have words that the stage before did not need.
        section_ids = united(section_ids, vocabulary(shards.metas, tokenizer))
    dialogue = dialogue_with(tokenizer, section_ids, config["latents_first"], config.get("answers") != "none")
    added = tokenizer.get_vocab_size() - PRETRAINED_TOKENS
    model = build_vlm(work, config["layers"], nets, dialogue.output_ids.tolist(), added, layout=ImageTokens.of(config))
    if known:
        state = known["model" if resumed else "average"]
        if not resumed:
            state = grown(state, model)
        load_trained(model, state)
        if not resumed:
            # The stage before has moved what the latents are read by.
            aim(model)
    else:
        load_perception(model, work / config["tone"], work / config["effect"])
    return model.to(device), nets, shards, held_out, dialogue, section_ids, resumed


def train(config: dict, work: Path, device: str, minutes: float) -> None:
    torch.manual_seed(config["seed"])
    model, nets, shards, held_out, dialogue, section_ids, resumed = prepare(config, work, device)
    class_of = torch.full((dialogue.tokenizer.get_vocab_size(),), -100)
    class_of[torch.from_numpy(dialogue.output_ids)] = torch.arange(len(dialogue.output_ids))
    groups = parameter_groups(model, config)
    optimiser = torch.optim.AdamW(groups, lr=config["lr"], betas=(0.9, 0.95), weight_decay=0.01, fused=True)
    average = StateAverage(model, config["average_decay"], resumed["average"] if resumed else None)
    step = 0
    if resumed:
        optimiser.load_state_dict(resumed["optimiser"])
        step = average.updates = resumed["step"]
    answers = config.get("answers", "fields")
    count = ImageTokens.of(config).count
    sequences = [encode_example(meta, dialogue, answers, count) for meta in shards.metas]
    mix_sequences(sequences, shards.metas)
    held_sequences = [encode_example(meta, dialogue, answers, count) for meta in held_out.metas]
    batches = batches_by_length(
        [len(s.ids) for s in sequences], [m["task"] for m in shards.metas], config["shares"], config["batch"],
        config["seed"] + step,
    )  # fmt: skip
    rng = torch.Generator().manual_seed(config["seed"] + step)
    half = config.get("half", False)
    run, check = (Step(model, nets.renderer, examples, device, half) for examples in (shards, held_out))
    log = Log(work / config["name"] / "log.jsonl")
    log.write(
        step=step, examples=len(shards), output_tokens=len(dialogue.output_ids),
        mean_length=sum(len(s.ids) for s in sequences) / len(sequences),
        trained=sum(p.numel() for g in groups for p in g["params"]),
    )  # fmt: skip

    def keep() -> None:
        save_atomically(
            {"model": trained_state(model), "average": average.state, "optimiser": optimiser.state_dict(), "step": step,
             "config": config, "section_ids": section_ids},
            work / config["name"] / "last.pt",
        )  # fmt: skip

    set_mode(model)
    began = saved = time.time()
    sums, quality = [], []
    # With a time limit the schedule follows the clock, so that a shorter run still ends on a low learning rate.
    while step < config["steps"] and not (minutes and time.time() - began > minutes * 60):
        progress = max(step / config["steps"], (time.time() - began) / (minutes * 60) if minutes else 0.0)
        for group in optimiser.param_groups:
            at = max(step, int(progress * config["steps"])) if step >= config["warmup"] else step
            group["lr"] = learning_rate(at, config["steps"], group["peak"], config["warmup"])
        part = next(batches)
        batch = collate([sequences[i] for i in part], part, class_of)
        words, picture, psnr, right = run(batch, config["pixels"], rng)
        optimiser.zero_grad(set_to_none=True)
        (words + config["picture_weight"] * picture).backward()
        torch.nn.utils.clip_grad_norm_([p for g in groups for p in g["params"]], 1.0)
        optimiser.step()
        step += 1
        if step % AVERAGE_EVERY == 0:
            average.update()
        sums.append((words.item(), picture.item(), right.item()))
        quality.append(psnr)
        if step % 50 == 0:
            words_mean, picture_mean, right_mean = torch.tensor(sums).mean(0).tolist()
            psnr_mean = torch.cat(quality).mean().item()
            log.write(step=step, words=words_mean, picture=picture_mean, psnr=psnr_mean, right=right_mean)
            sums, quality = [], []
        if step % config["evaluate_every"] == 0:
            average.swap()
            log.write(step=step, **evaluate(check, held_sequences, class_of, config["evaluate_count"]))
            average.swap()
            set_mode(model)
        if time.time() - saved > 180:
            keep()
            saved = time.time()
    keep()
    average.swap()
    log.write(step=step, **evaluate(check, held_sequences, class_of, 256))


def main() -> None:
    arguments = stage_arguments(__doc__.splitlines()[0]).parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    train(read_config(arguments.config), arguments.work, arguments.device, arguments.minutes)


if __name__ == "__main__":
    main()
