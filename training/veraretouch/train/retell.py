"""After stages 2 and 4: answers retold as what the perception itself would do.

An expert's retouch and a look known by name only can be foreseen in part. A language model that is taught their exact
words learns the commonest ones, while the picture follows the tokens: words and pixels part. So the plan of every
example, and the problems that answer it, are composed anew from the photo and its rendering with the latents that the
tokens say. The picture's target stays what it was. Likewise the names of what is seen: of the known ones only those that
the tokens are sure of are told.

    python -m veraretouch.train.retell --config training/configs/tone.toml --split train --data DATA --work WORK

Writes WORK/NAME/retold-SPLIT.json (beside the checkpoint where one is given), the answers in the order of the examples,
and retold-SPLIT.npz: the latents that the tokens say [N, 3, D] and what they do to the photo [N, 34]
(`reasoning.axes.effects`; zeros for sliders).
"""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch

from ..data.elements import choose
from ..engine.params import factor_mask
from ..models.layout import ImageTokens
from ..models.perception import Perception
from ..models.vlm import load_language_model
from ..reasoning.axes import EFFECTS, effects
from ..reasoning.compose import Plain, compose_measured
from ..reasoning.measure import Pixels, change, stats
from ..reasoning.voice import Voice, voice_of_example
from .common import read_config, stage_arguments
from .examples import Shards, split_of
from .tone import Labels, Step, build_perception, known_names, load_networks

BATCH = 64
# Whether a change comes out just beyond its dead zone or just within it depends on every pixel, which no model of a few
# tokens can foresee: taught such claims, it makes them where nothing happens. So only what is clear is claimed.
CLEAR = 2.0
# A name is told from this probability on; where there is none, the likeliest from the second. On 400 validation photos of
# Flickr8k all names told are then right for 73 % (68 % at 0.6) and 98 % of the photos have one.
SURE, LIKELIEST = 0.8, 0.3
MOST_NAMES = 3
# How many photos, and how many colours of each, sliders are tried on beside their own.
PALETTE, PALETTE_PIXELS = 8, 160


def load_step(config: dict, work: Path, shards: Shards, checkpoint: Path | None = None, device: str = "cpu") -> Step:
    """The averaged perception of stage 2, to be asked about the examples of `shards`; or what a checkpoint of the whole
    model has made of it."""
    nets = load_networks(work / config["renderer"])
    table = load_language_model(work, 1)[0].embed_tokens.weight.detach()
    model = build_perception(nets, table, ImageTokens.of(config))
    model.load_state_dict(torch.load(work / config["name"] / "last.pt", weights_only=True, map_location="cpu")["average"])
    if checkpoint:
        take_perception(model, torch.load(checkpoint, weights_only=True, map_location="cpu")["average"])
    model.aim()
    return Step(model.eval().to(device), nets.to(device), shards, Labels(shards), table, config, device)


def take_perception(model: Perception, whole: dict[str, torch.Tensor]) -> None:
    """Put the tone encoder, the projectors and the reading of latents of a whole model's state in place of the own."""
    own = model.state_dict()
    for name in own:
        # The adaptor's shortcut is what stage 2 calls the heads of latents.
        source = name.replace("latents.", "adaptor.shortcut.") if name.startswith("latents.") else name
        if source in whole:
            own[name] = whole[source]
    model.load_state_dict(own)


def sure_names(probabilities: dict[str, float], known: list[str]) -> list[str]:
    """The names of `known` that the perception is sure of, the surest first; without any known, of all names.

    A language model that is taught names which the tokens do not show learns to guess: 18 % of its answers to captioned
    photos had no wrong name.
    """
    open_to = {name: p for name, p in probabilities.items() if not known or name in known}
    said = choose({name: p for name, p in open_to.items() if p >= SURE})[:MOST_NAMES]
    likeliest = max(open_to, key=open_to.__getitem__, default=None)
    return said or ([likeliest] if likeliest is not None and open_to[likeliest] >= LIKELIEST else [])


@dataclass
class Shown:
    """What the perception makes of examples of one task: pixels before and as its latents render them, each [B, P, 3]; those
    latents [B, 3, D]; what it sees, as probabilities [B, names] (None for sliders)."""

    before: torch.Tensor
    after: torch.Tensor
    latents: torch.Tensor
    seen: torch.Tensor | None


@torch.no_grad()
def rendered(step: Step, rows: torch.Tensor, task: str) -> Shown:
    """What the perception makes of the examples `rows` of one task."""
    model, shards = step.model, step.shards
    before, _ = shards.pixels(rows, shards.arrays["before"].shape[1])
    mask: torch.Tensor | float = 1.0
    names = None
    if task == "param":
        params = shards.arrays["params"][rows]
        tokens, mask = model.param_projector(params), factor_mask(params)[..., None]
    else:
        seen, _, names = model.see(shards.features(rows), shards.pictures(rows))
        tokens = model.factors(seen) if task == "auto" else mixed_styles(step, rows, seen)
    latents = model.read(tokens)[1] * mask
    return Shown(before, step.nets.renderer(before, latents), latents, None if names is None else names.sigmoid())


def draw_mixtures(shards: Shards, share: float, seed: int) -> None:
    """Give a share of the style examples a second instruction and a weight: `meta["mix"] = [row, weight of its own]`.

    There are a few hundred looks, and a language model learns to read the tokens of each by heart. Between the tokens of
    two looks lie as many as one likes, and what they do can be rendered and told like any other.
    """
    rng, styles = random.Random(seed), shards.rows("style")
    for row in styles:
        shards.metas[row].pop("mix", None)
        if rng.random() < share:
            shards.metas[row]["mix"] = [rng.choice(styles), round(rng.uniform(0.2, 0.8), 3)]


def mixed_styles(step: Step, rows: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
    """Tokens of the styles of `rows`, mixed with others where an example says so."""
    tokens = step.styles(rows, seen)
    mixes = [step.shards.metas[row].get("mix", [row, 1.0]) for row in rows.tolist()]
    others, weights = torch.tensor([m[0] for m in mixes]), torch.tensor([m[1] for m in mixes])
    if bool((weights < 1).any()):
        tokens = torch.lerp(step.styles(others, seen), tokens, weights[:, None, None])
    return tokens


def tell(example: tuple) -> tuple[int, dict, list[float]]:
    """(row, answers, effects) of one example: row, voice, task, names, parameters, pixels before and after, and for sliders
    the pixels of other photos before and after."""
    row, voice, task, names, params, before, after, elsewhere = example
    p = Pixels(torch.from_numpy(before))
    measured = change(p, Pixels(torch.from_numpy(after)))
    described = None if task == "param" else stats(p)
    others = [change(Pixels(torch.from_numpy(b)), Pixels(torch.from_numpy(a))) for b, a in elsewhere]
    answers: dict = {"voice": voice}
    answers |= {
        name: compose_measured(described, measured, words, names, task, params, CLEAR, others)
        for name, words in (("fields", Voice(voice)), ("plainFields", Plain()))
    }
    return row, answers, [0.0] * EFFECTS if task == "param" else effects(measured)


def palette(shards: Shards, seed: int) -> torch.Tensor:
    """Pixels of PALETTE random photos, [PALETTE, P, 3], on which the claims about sliders are tried."""
    rows = random.Random(f"palette {seed}").sample(range(len(shards)), min(PALETTE, len(shards)))
    return shards.pixels(torch.tensor(rows), PALETTE_PIXELS)[0]


@torch.no_grad()
def examples_of(step: Step, seed: int, latents: torch.Tensor) -> Iterator[tuple]:
    """What `tell` takes, for every example; `latents` [N, 3, D] is filled."""
    shards = step.shards
    photos, every = palette(shards, seed), known_names()
    for task in ("auto", "style", "param"):
        for rows in torch.tensor(shards.rows(task)).split(BATCH):
            shown = rendered(step, rows, task)
            latents[rows] = shown.latents
            for i, row in enumerate(rows.tolist()):
                params = shards.arrays["params"][row].tolist() if task == "param" else None
                elsewhere = []
                if task == "param":
                    rendered_there = step.nets.renderer(photos, shown.latents[i].expand(len(photos), -1, -1))
                    elsewhere = list(zip(photos.numpy(), rendered_there.numpy(), strict=True))
                meta, names = shards.metas[row], []
                if shown.seen is not None:
                    names = sure_names(dict(zip(every, shown.seen[i].tolist(), strict=True)), meta.get("names", []))
                yield row, voice_of_example(row), task, names, params, shown.before[i].numpy(), shown.after[i].numpy(), elsewhere
        print(f"{task}: rendered", flush=True)


@dataclass
class Retold:
    answers: list[dict]  # per example {"voice", "fields", "plainFields"}
    latents: torch.Tensor  # [N, 3, D]
    effects: torch.Tensor  # [N, EFFECTS]


def retell(step: Step, seed: int, processes: int = 1) -> Retold:
    """For every example its answers, from what the perception does."""
    count = len(step.shards)
    latents = torch.zeros(count, 3, step.nets.renderer.latent)
    examples = examples_of(step, seed, latents)
    if processes == 1:
        told = list(map(tell, examples))
    else:
        with get_context("spawn").Pool(processes, torch.set_num_threads, (1,)) as pool:
            told = list(pool.imap_unordered(tell, examples, chunksize=32))
    told.sort(key=lambda one: one[0])
    return Retold([one[1] for one in told], latents, torch.tensor([one[2] for one in told]))


def use_retold(shards: Shards, path: Path) -> None:
    """Put retold answers in place of the composed ones. Raises ValueError when they belong to other examples."""
    answers = json.loads(path.read_text())
    if len(answers) != len(shards):
        raise ValueError(f"{path} holds {len(answers)} answers for {len(shards)} examples; retell them. Nothing was trained.")
    for meta, own in zip(shards.metas, answers, strict=True):
        meta.update(own)


def retell_split(config: dict, work: Path, split: str, mix: float, checkpoint: Path | None = None, processes: int = 1) -> None:
    """Tell the answers of one split anew and write them beside the checkpoint; `mix`: share of the styles mixed with another."""
    shards = split_of(config, work, split)
    # Told a second time, other styles are mixed.
    seed = config["seed"] + (checkpoint is not None)
    draw_mixtures(shards, mix, seed)
    told = retell(load_step(config, work, shards, checkpoint), seed, processes)
    for row, answer in enumerate(told.answers):
        if "mix" in shards.metas[row]:
            answer["mix"] = shards.metas[row]["mix"]
    folder = checkpoint.parent if checkpoint else work / config["name"]
    path = folder / f"retold-{split}.json"
    partial = path.with_suffix(".part")
    np.savez(path.with_suffix(".npz"), latents=told.latents.numpy(), effects=told.effects.numpy())
    partial.write_text(json.dumps(told.answers))
    partial.rename(path)


def main() -> None:
    parser = stage_arguments(__doc__.splitlines()[0])
    parser.add_argument("--split", default="train", choices=("train", "val"))
    parser.add_argument("--mix", type=float, default=0.0, help="share of the style examples that are mixed with another")
    parser.add_argument("--checkpoint", type=Path, help="last.pt of a later stage, whose perception is asked instead")
    parser.add_argument("--processes", type=int, default=1, help="processes that write answers")
    a = parser.parse_args()
    torch.set_num_threads(a.threads or 1)
    retell_split(read_config(a.config), a.work, a.split, a.mix, a.checkpoint, a.processes)


if __name__ == "__main__":
    main()
