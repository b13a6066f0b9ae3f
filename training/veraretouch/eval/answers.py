"""Generated answers of a training checkpoint on held-out examples: what teacher-forced figures hide.

A model that writes one answer to every photo scores well while it is told the true words before each word. So per task:
how many different plans there are, how often the first claim is the composer's, whether pixels and plans agree, PSNR.

    python -m veraretouch.eval.answers --checkpoint WORK/align/last.pt --config training/configs/align.toml \
        --data DATA --work WORK --count 64
"""

from __future__ import annotations

import json
from pathlib import Path

import torch

from ..export.dialogue import Dialogue
from ..export.reference import generate_many
from ..reasoning.labels import SLOTS, plan_labels
from ..reasoning.parse import agreement
from ..train.adaptor import answering
from ..train.common import psnr_per_image, read_config, stage_arguments
from ..train.examples import Shards, split_of
from ..train.tone import load_networks
from ..train.vlm import TASKS, load_answering


@torch.no_grad()
def judge(model, nets, dialogue: Dialogue, shards: Shards, task: str, count: int) -> dict:
    """Figures of `count` generated answers of one task, and three of them to read."""
    rows = shards.rows(task)[:count]
    numbers = torch.tensor(rows)
    metas = [shards.metas[row] for row in rows]
    inputs: dict = {"params": shards.arrays["params"][numbers]} if task == "param" else {"images": numbers}
    if task == "style":
        inputs["instructions"] = [meta["instruction"] for meta in metas]
    results = list(generate_many(answering(model, shards), dialogue, task, batch_size=32, **inputs))
    before, after = shards.pixels(numbers, 512)
    out = nets.renderer(before, torch.stack([torch.from_numpy(r.latents) for r in results]))
    counted, agreed, first = dict.fromkeys(SLOTS, 0), dict.fromkeys(SLOTS, 0), dict.fromkeys(SLOTS, 0)
    for row, (result, meta) in enumerate(zip(results, metas, strict=True)):
        texts = {factor: result.fields[f"plan.{factor}"] for factor in SLOTS}
        for factor, found in agreement(texts, before[row], out[row], settings=task == "param").items():
            counted[factor] += found.claims
            agreed[factor] += found.agreed
        for factor, wrote, truth in zip(SLOTS, plan_labels(result.fields), plan_labels(meta["plainFields"]), strict=True):
            first[factor] += int(wrote[0] == truth[0])
    return {
        "psnr": round(psnr_per_image(out, after).mean().item(), 2),
        "nothing": round(psnr_per_image(before, after).clamp(max=50).mean().item(), 2),
        "different": {f: len({r.fields[f"plan.{f}"] for r in results}) for f in SLOTS},
        "firstRight": {f: round(first[f] / len(rows), 3) for f in SLOTS},
        "agreement": {f: round(agreed[f] / max(1, counted[f]), 3) for f in SLOTS},
        "claims": counted,
        "wellFormed": round(sum(r.well_formed for r in results) / len(results), 4),
        "read": [{k: v for k, v in r.fields.items() if v} for r in results[:3]],
    }


def main() -> None:
    parser = stage_arguments(__doc__.splitlines()[0])
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--count", type=int, default=64, help="held-out examples per task")
    a = parser.parse_args()
    torch.set_num_threads(a.threads or 2)
    config = read_config(a.config)
    nets = load_networks(a.work / config["renderer"])
    model, dialogue, _ = load_answering(a.checkpoint, nets, a.work)
    held_out = split_of(config, a.work, "val")
    for task in TASKS:
        print(json.dumps({task: judge(model, nets, dialogue, held_out, task, a.count)}, indent=1), flush=True)


if __name__ == "__main__":
    main()
