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
from pathlib import Path

import torch

from ..engine.params import factor_mask
from ..models.vlm import load_language_model
from ..reasoning.compose import Plain, compose
from .common import read_config, stage_arguments
from .examples import Shards
from .tone import Labels, Step, build_perception, load_networks

BATCH = 64


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
        tokens = model.factors(seen) if task == "auto" else step.styles(rows, seen)
    return before, step.nets.renderer(before, model.read(tokens)[1] * mask)


def retell(step: Step, seed: int) -> list[dict]:
    """For every example its answers {"fields", "plainFields"}, from what the perception does."""
    shards, told = step.shards, {}
    for task in ("auto", "style", "param"):
        for rows in torch.tensor(shards.rows(task)).split(BATCH):
            for row, before, after in zip(rows.tolist(), *rendered(step, rows, task), strict=True):
                meta = shards.metas[row]
                params = shards.arrays["params"][row].tolist() if task == "param" else None
                told[row] = {
                    name: compose(before, after, words, meta.get("names", []), task, meta.get("instruction"), params)
                    for name, words in (("fields", random.Random(f"{seed} {row}")), ("plainFields", Plain()))
                }
            print(f"{task}: {len(told)}/{len(shards)}", flush=True)
    return [told[row] for row in range(len(shards))]


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
    a = parser.parse_args()
    torch.set_num_threads(a.threads or 1)
    config = read_config(a.config)
    shards = Shards(a.work / "shards" / config["shards"] / a.split)
    answers = retell(load_step(config, a.work, shards), config["seed"])
    partial = a.work / config["name"] / f"retold-{a.split}.part"
    partial.write_text(json.dumps(answers))
    partial.rename(partial.with_suffix(".json"))


if __name__ == "__main__":
    main()
