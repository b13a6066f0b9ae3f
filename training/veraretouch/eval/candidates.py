"""What a variant of the architecture search is worth: quality on held-out photos, size, and latency of its bundle.

Quality is that of answers the model writes by itself (`eval.answers`), beside the cross-entropy of its words under teacher
forcing. Latency is that of the exported bundle, answering in onnxruntime (`eval.latency`).
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import torch

from ..export.dialogue import Dialogue
from ..export.reference import generate_many
from ..export.release import write_model
from ..train.adaptor import answering
from ..train.common import psnr_per_image
from ..train.examples import Shards, encode_example, split_of
from ..train.retell import use_retold
from ..train.tone import load_networks
from ..train.vlm import TASKS, Step, evaluate, load_answering
from .answers import judge
from .latency import measure


@torch.no_grad()
def judge_pictures(model, nets, dialogue: Dialogue, shards: Shards, task: str, count: int) -> dict:
    """PSNR of `count` pictures of one task by a model without words, as `eval.answers.judge` has it."""
    numbers = torch.tensor(shards.rows(task)[:count])
    inputs: dict = {"params": shards.arrays["params"][numbers]} if task == "param" else {"images": numbers}
    if task == "style":
        inputs["instructions"] = [shards.metas[row]["instruction"] for row in numbers.tolist()]
    results = generate_many(answering(model, shards), dialogue, task, batch_size=32, **inputs)
    before, after = shards.pixels(numbers, 512)
    out = nets.renderer(before, torch.stack([torch.from_numpy(r.latents) for r in results]))
    return {
        "psnr": round(psnr_per_image(out, after).mean().item(), 2),
        "nothing": round(psnr_per_image(before, after).clamp(max=50).mean().item(), 2),
    }


def quality(model, nets, dialogue: Dialogue, shards: Shards, retold: Path, config: dict, count: int) -> dict[str, dict]:
    """Task -> figures on `count` held-out examples. First claims are compared with those composed from the true target, which
    are the same for all variants; the cross-entropy is that of the answers retold by the variant's own perception (`retold`),
    which is what it was taught."""
    if config.get("answers") == "none":
        return {task: judge_pictures(model, nets, dialogue, shards, task, count) for task in TASKS}
    found = {task: judge(model, nets, dialogue, shards, task, count) for task in TASKS}
    use_retold(shards, retold)
    class_of = torch.full((dialogue.tokenizer.get_vocab_size(),), -100)
    class_of[torch.from_numpy(dialogue.output_ids)] = torch.arange(len(dialogue.output_ids))
    tokens = model.vision.layout.count
    sequences = [encode_example(meta, dialogue, config.get("answers", "fields"), tokens) for meta in shards.metas]
    forced = evaluate(Step(model, nets.renderer, shards, "cpu"), sequences, class_of, count)
    model.eval()
    for task in TASKS:
        found[task]["words"] = round(forced[f"{task}_words"], 4)
        del found[task]["read"], found[task]["different"]
    return found


def cost(model, nets, dialogue: Dialogue, shards: Shards, scratch: Path, photos: int, threads: list[int]) -> dict:
    """Weights, bytes of the bundle, and its latency on `photos` held-out photos. The bundle is made below `scratch` and deleted."""
    pictures = [shards.arrays["picture"][shards.image_row[i]].numpy() for i in shards.rows("auto")[:photos]]
    with tempfile.TemporaryDirectory(prefix="bundle-", dir=scratch) as folder:
        bundle = Path(folder) / "bundle"
        write_model(model, nets, dialogue, bundle, "candidate", "0.0.0")
        size = sum(path.stat().st_size for path in bundle.iterdir())
        latency = {str(count): measure(bundle, pictures, count) for count in threads}
    # Whether the machine did something else meanwhile.
    return {
        "parameters": sum(p.numel() for p in model.parameters()), "bytes": size,
        "imageTokens": model.vision.layout.count, "latency": latency, "load": round(os.getloadavg()[0], 2),
    }  # fmt: skip


def _opened(checkpoint: Path, work: Path) -> tuple:
    """(configuration, networks of stage 1, model, dialogue, held-out examples) of a checkpoint."""
    config = torch.load(checkpoint, weights_only=True, map_location="cpu", mmap=True)["config"]
    nets = load_networks(work / config["renderer"])
    model, dialogue, _ = load_answering(checkpoint, nets, work)
    return config, nets, model, dialogue, split_of(config, work, "val")


def judge_candidate(checkpoint: Path, work: Path, settings: dict) -> dict:
    """All figures of a checkpoint; `settings` is the table `[judge]` of the search's configuration."""
    config, nets, model, dialogue, shards = _opened(checkpoint, work)
    retold = work / config["retold"] / "retold-val.json"
    tasks = quality(model, nets, dialogue, shards, retold, config, settings["count"])
    return {"tasks": tasks, **cost(model, nets, dialogue, shards, checkpoint.parent, settings["photos"], settings["threads"])}


def time_candidate(checkpoint: Path, work: Path, settings: dict) -> dict:
    """Of these figures those of `cost` alone, measured anew."""
    _, nets, model, dialogue, shards = _opened(checkpoint, work)
    return cost(model, nets, dialogue, shards, checkpoint.parent, settings["photos"], settings["threads"])
