"""Latents against parameters (the paper's Table 4): what 38 regressed develop settings do, from the same tokens.

    python -m veraretouch.eval.latents_or_parameters --bundle models --reference WORK/reference.pt \
        --config training/configs/evaluation.toml --data DATA --work WORK [--count 200]

Two probes of one architecture read the plan tokens of a photo (Auto) or of a photo and a style (Style): one says 38
settings, which the develop engine carries out, one says latents for the frozen renderer. Both are trained for the same
steps on the same training pairs by the pixels they give; test pairs are those of the benches. Beside them: the model
itself, and for each test photo the best settings and the best latents that gradient descent finds knowing the target.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from ..data.files import write_json
from ..engine.develop import develop
from ..export.reference import embedding_table
from ..train.common import learning_rate, pixel_loss, psnr_per_image, read_config
from .benches import Benches, Item
from .benches_draw import train_pairs
from .report.pictures import CAP
from .report.results import Column, Part, figures
from .report.subject import Context, Subject, grid, resized

TASKS = {"auto": "Auto", "style": "Style"}
WIDTH, BATCH, PIXELS, RATE = 512, 64, 256, 1e-3
HELD_OUT = 0.1
CHECKS = 8
FIT_STEPS, FIT_RATE, FIT_BATCH = 150, 0.05, 50


@torch.no_grad()
def plan_tokens(subject: Subject, items: list[Item], task: str, batch: int = 32) -> torch.Tensor:
    """The three plan tokens of each item, as one row [N, 3 * hidden]."""
    vlm, found = subject.models.vlm, []
    table = embedding_table(vlm)
    for first in range(0, len(items), batch):
        part = items[first : first + batch]
        images = vlm.vision(torch.stack([resized(i.before, subject.size) for i in part]))
        if task == "auto":
            found.append(images[:, vlm.focus_row : vlm.focus_row + 3].flatten(1))
            continue
        words = [table[torch.tensor(subject.dialogue.encode_user_text(i.instruction))][None] for i in part]
        found += [vlm.style_projector(w, images[row : row + 1]).flatten(1) for row, w in enumerate(words)]
    return torch.cat(found)


def as_settings(said: torch.Tensor, rgb: torch.Tensor) -> torch.Tensor:
    """What a probe says [B, 38] (any size), carried out by the engine on [B, N, 3]."""
    params = torch.tanh(said)
    if params.requires_grad:
        # At the ends of the gamut some curves have no slope: not a number in one set of several hundred, which then rests for a step.
        params.register_hook(lambda slope: torch.nan_to_num(slope, 0.0, 0.0, 0.0))
        rgb = rgb.clamp(1 / 255, 254 / 255)
    return develop(rgb, params)


def as_latents(renderer: nn.Module) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
    return lambda said, rgb: renderer(rgb, said.view(len(said), 3, -1))


class Probe(nn.Module):
    """Tokens [B, inputs], standardised, through one hidden layer -> [B, outputs]; begins near 0."""

    def __init__(self, tokens: torch.Tensor, outputs: int, seed: int) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.register_buffer("mean", tokens.mean(0))
        self.register_buffer("deviation", tokens.std(0).clamp(min=1e-6))
        self.layers = nn.Sequential(nn.Linear(tokens.shape[1], WIDTH), nn.GELU(), nn.Dropout(0.1), nn.Linear(WIDTH, outputs))
        nn.init.normal_(self.layers[-1].weight, std=1e-3)
        nn.init.zeros_(self.layers[-1].bias)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        return self.layers((tokens - self.mean) / self.deviation)


def train_probe(tokens, before, after, outputs: int, act, steps: int, seed: int) -> tuple[Probe, float]:
    """The probe at the step that did best on held-out training pairs, and its PSNR there. before, after [N, P, 3]."""
    kept = len(tokens) - max(1, int(HELD_OUT * len(tokens)))
    probe, rng = Probe(tokens[:kept], outputs, seed), torch.Generator().manual_seed(seed)
    optimiser = torch.optim.AdamW(probe.parameters(), lr=RATE, weight_decay=0.02)
    best, state = -1.0, None
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step, steps, RATE, min(50, steps // 4 + 1))
        rows = torch.randint(kept, (BATCH,), generator=rng)
        where = torch.randperm(before.shape[1], generator=rng)[:PIXELS]
        loss = pixel_loss(act(probe(tokens[rows]), before[rows][:, where]), after[rows][:, where])
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(probe.parameters(), 1.0)
        optimiser.step()
        if (step + 1) % max(1, steps // CHECKS) == 0 or step + 1 == steps:
            probe.eval()
            with torch.no_grad():
                out = act(probe(tokens[kept:]), before[kept:, :PIXELS])
                score = psnr_per_image(out, after[kept:, :PIXELS]).clamp(max=CAP).mean().item()
            if score > best:
                best, state = score, {k: v.clone() for k, v in probe.state_dict().items()}
            probe.train()
    probe.load_state_dict(state)
    return probe.eval(), best


def best_known(before: torch.Tensor, after: torch.Tensor, start: torch.Tensor, act, steps: int = FIT_STEPS) -> torch.Tensor:
    """Gradient descent from start [N, ...] to the values that bring before [N, P, 3] nearest to after, each photo by itself."""
    found = []
    for first in range(0, len(before), FIT_BATCH):
        part = slice(first, first + FIT_BATCH)
        said = start[part].clone().requires_grad_(True)
        optimiser = torch.optim.Adam([said], lr=FIT_RATE)
        for step in range(steps):
            optimiser.param_groups[0]["lr"] = learning_rate(step, steps, FIT_RATE, 10)
            # A sum, so that no photo's step depends on how many others there are.
            loss = (act(said, before[part]) - after[part]).square().mean((1, 2)).clamp(min=1e-8).log().sum()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        found.append(said.detach())
    return torch.cat(found)


def _colours(items: list[Item]) -> tuple[torch.Tensor, torch.Tensor]:
    """(before, after) [N, (S / 4)^2, 3]."""
    return tuple(torch.stack([grid(x) for x in side]) for side in ([i.before for i in items], [i.target for i in items]))


def compare(context: Context) -> Part:
    settings, subject = context.config["probe"], context.subject
    columns = {"psnr": Column("PSNR", "dB"), "p10": Column("PSNR, 10 %", "dB"), "l1": Column("L1", "", 4, -1)}
    part = Part("latents", "Latents against parameters (the paper's Table 4)", {}, columns, notes=[
        "From the same plan tokens, two probes of one architecture trained alike on the same pairs: one says 38 develop settings for the engine, one "
        "says latents for the renderer. \"Knowing the target\" is the best that gradient descent from nothing (latents: from the model's) finds for each photo: "
        "what each form could say at all. Every fourth pixel in both directions. The paper: 24.1 dB by latents, 18.1 by parameters.",
        f"Training pairs a task: {settings['pairs']}, {settings['steps']} steps of {BATCH} pairs, seed {settings['seed']}; the step that did best on "
        "a tenth of the training pairs, held out, is kept.",
    ])  # fmt: skip
    latent = subject.models.renderer.latent
    forms = {"parameters": (38, as_settings), "latents": (3 * latent, as_latents(subject.models.renderer))}
    for task, label in TASKS.items():
        drawn = train_pairs(context.data, context.work, subject.models, task, settings["pairs"])
        training = Benches.of_training({task: drawn}, context.data, context.work)
        items = [getattr(training, task)(n) for n in range(len(drawn))]
        tokens, (before, after) = plan_tokens(subject, items, task), _colours(items)
        test = getattr(context, task)()
        seen, (rgb, target) = plan_tokens(subject, test, task), _colours(test)
        answers = getattr(context, f"{task}_answers")(test)
        own = torch.stack([torch.from_numpy(a.latents) for a in answers])
        with torch.no_grad():
            outs = {"model": as_latents(subject.models.renderer)(own, rgb), "nothing": rgb}
        names = {"model": "this model's latents", "nothing": "nothing"}
        for form, (count, act) in forms.items():
            probe, score = train_probe(tokens, before, after, count, act, settings["steps"], settings["seed"])
            with torch.no_grad():
                outs[form] = act(probe(seen), rgb)
            names[form] = f"{form} by a probe ({score:.1f} dB on held-out training pairs)"
            # The engine returns settings of exactly 0 as they are, without a slope.
            start = torch.full((len(rgb), count), 1e-3) if form == "parameters" else own.flatten(1)
            few = torch.randperm(rgb.shape[1], generator=torch.Generator().manual_seed(settings["seed"]))[:1024]
            known = best_known(rgb[:, few], target[:, few], start, act)
            with torch.no_grad():
                outs[f"{form}Known"] = act(known, rgb)
            names[f"{form}Known"] = f"best {form}, knowing the target"
        for form, out in outs.items():
            row = f"{task}-{form}"
            part.rows[row] = f"{label}: {names[form]}"
            values = psnr_per_image(out, target).clamp(max=CAP).tolist()
            part.add(row, "psnr", values)
            part.add(row, "p10", values, "p10")
            part.add(row, "l1", (out - target).abs().mean((1, 2)).tolist())
    return part


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, text in (("bundle", "folder of the bundle"), ("reference", "its networks (a trusted pickle)"), ("config", "evaluation.toml"),
                       ("data", "looks and peer"), ("work", "photo caches")):  # fmt: skip
        parser.add_argument(f"--{name}", type=Path, required=True, help=text)
    parser.add_argument("--count", type=int, default=0, help="at most so many test examples a task")
    parser.add_argument("--out", type=Path, help="also write the figures to this JSON file")
    parser.add_argument("--threads", type=int, default=1)
    a = parser.parse_args()
    torch.set_num_threads(a.threads)
    subject = Subject(a.bundle, a.reference, a.work / "report")
    context = Context(subject, Benches(a.data, a.work), read_config(a.config), a.data, a.work, a.work / "report", a.count)
    part = compare(context)
    found = figures([part])
    for row, label in part.rows.items():
        figure = found[f"latents.{row}.psnr"]
        print(f"{label:70s} {figure['value']:6.2f} dB [{figure['low']:.2f}, {figure['high']:.2f}], 10 % {found[f'latents.{row}.p10']['value']:.2f}")
    if a.out:
        write_json(a.out, json.loads(json.dumps(found)))


if __name__ == "__main__":
    main()
