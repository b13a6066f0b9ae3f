"""Between stages 2 and 3: answers retold as what the perception itself would do.

An expert's retouch and a look known by name only can be foreseen in part. A language model that is taught their exact
words learns the commonest ones, while the picture follows the tokens: words and pixels part. So the plan of every
example, and the problems that answer it, are composed anew from the photo and its rendering with the latents that the
tokens say. The picture's target stays what it was.

    python -m veraretouch.train.retell --config training/configs/tone.toml --split train --data DATA --work WORK

Writes WORK/NAME/retold-SPLIT.json, the answers in the order of the examples.
"""

import json
import random
from collections.abc import Iterator
from multiprocessing import get_context
from pathlib import Path

import torch

from ..engine.params import factor_mask
from ..models.vlm import load_language_model
from ..reasoning.compose import Plain, compose
from .common import read_config, stage_arguments
from .examples import Shards
from .tone import Labels, Step, build_perception, load_networks

BATCH = 64
# Whether a change comes out just beyond its dead zone or just within it depends on every pixel, which no model of a few
# tokens can foresee: taught such claims, it makes them where nothing happens. So only what is clear is claimed.
CLEAR = 2.0


def load_step(config: dict, work: Path, shards: Shards) -> Step:
    """The averaged perception of stage 2, to be asked about the examples of `shards`."""
    nets = load_networks(work / config["renderer"])
    table = load_language_model(work, 1)[0].embed_tokens.weight.detach()
    model = build_perception(nets, table)
    model.load_state_dict(torch.load(work / config["name"] / "last.pt", weights_only=True)["average"])
    return Step(model.eval(), nets, shards, Labels(shards), table, config, "cpu")


@torch.no_grad()
def rendered(step: Step, rows: torch.Tensor, task: str) -> tuple[torch.Tensor, torch.Tensor]:
    """(pixels before, the same as the tokens' latents render them), each [B, P, 3], for rows of one task."""
    model, shards = step.model, step.shards
    before, _ = shards.pixels(rows, shards.arrays["before"].shape[1])
    mask: torch.Tensor | float = 1.0
    if task == "param":
        params = shards.arrays["params"][rows]
        tokens, mask = model.param_projector(params), factor_mask(params)[..., None]
    else:
        seen, _, _ = model.see(shards.features(rows), shards.tone(rows))
        tokens = model.factors(seen) if task == "auto" else mixed_styles(step, rows, seen)
    return before, step.nets.renderer(before, model.read(tokens)[1] * mask)


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


def tell(example: tuple) -> tuple[int, dict]:
    """(row, answers) of one example: row, seed, task, names, instruction, parameters, pixels before and after."""
    row, seed, task, names, instruction, params, before, after = example
    before, after = torch.from_numpy(before), torch.from_numpy(after)
    return row, {
        name: compose(before, after, words, names, task, instruction, params, CLEAR)
        for name, words in (("fields", random.Random(f"{seed} {row}")), ("plainFields", Plain()))
    }


def examples_of(step: Step, seed: int) -> Iterator[tuple]:
    """What `tell` takes, for every example."""
    shards = step.shards
    for task in ("auto", "style", "param"):
        for rows in torch.tensor(shards.rows(task)).split(BATCH):
            before, after = (x.numpy() for x in rendered(step, rows, task))
            for i, row in enumerate(rows.tolist()):
                meta = shards.metas[row]
                params = shards.arrays["params"][row].tolist() if task == "param" else None
                yield row, seed, task, meta.get("names", []), meta.get("instruction"), params, before[i], after[i]
        print(f"{task}: rendered", flush=True)


def retell(step: Step, seed: int, processes: int = 1) -> list[dict]:
    """For every example its answers {"fields", "plainFields"}, from what the perception does."""
    examples = examples_of(step, seed)
    if processes == 1:
        told = dict(map(tell, examples))
    else:
        with get_context("spawn").Pool(processes, torch.set_num_threads, (1,)) as pool:
            told = dict(pool.imap_unordered(tell, examples, chunksize=32))
    return [told[row] for row in range(len(step.shards))]


def use_retold(shards: Shards, path: Path) -> None:
    """Put retold answers in place of the composed ones. Raises ValueError when they belong to other examples."""
    answers = json.loads(path.read_text())
    if len(answers) != len(shards):
        raise ValueError(f"{path} holds {len(answers)} answers for {len(shards)} examples; retell them. Nothing was trained.")
    for meta, own in zip(shards.metas, answers, strict=True):
        meta.update(own)


def main() -> None:
    parser = stage_arguments(__doc__.splitlines()[0])
    parser.add_argument("--split", default="train", choices=("train", "val"))
    parser.add_argument("--mix", type=float, default=0.0, help="share of the style examples that are mixed with another")
    parser.add_argument("--processes", type=int, default=1, help="processes that write answers")
    a = parser.parse_args()
    torch.set_num_threads(a.threads or 1)
    config = read_config(a.config)
    shards = Shards(a.work / "shards" / config["shards"] / a.split)
    draw_mixtures(shards, a.mix, config["seed"])
    answers = retell(load_step(config, a.work, shards), config["seed"], a.processes)
    for row, answer in enumerate(answers):
        if "mix" in shards.metas[row]:
            answer["mix"] = shards.metas[row]["mix"]
    partial = a.work / config["name"] / f"retold-{a.split}.part"
    partial.write_text(json.dumps(answers))
    partial.rename(partial.with_suffix(".json"))


if __name__ == "__main__":
    main()
