"""Training examples of the three tasks, written as chunks of arrays that training reads many times.

    python -m veraretouch.data.shards --config training/configs/data.toml --data DATA --work WORK --split train

An example holds what the model sees (semantic features and the 112-pixel picture of the photo as it is, or slider values),
pixels before and after for the loss through the renderer, the answer composed from measurements of those pixels, and, for
style, the instruction. Chunks are written whole or not at all and existing ones are kept, so a stopped run goes on.

auto: a good photo is degraded (`degrade.KINDS`); the target is the photo itself or what the expert-C peer makes of the
degraded picture. style: the target is a look applied to the photo. param: random slider values on a photo's pixels.
"""

import json
import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from ..engine.develop import develop
from ..engine.params import sample_params
from ..reasoning.compose import Plain, compose
from ..reasoning.figures import figures
from ..train.common import read_config, stage_arguments
from .degrade import degradation, run
from .features import SemanticEncoder
from .inverse import InverseDegradation
from .looks import apply_look, load_looks
from .peer import Peer
from .photos import load_photos
from .spoken import spoken_for

BATCH = 16
CHUNK = 256
GRID = 17
MEASURED = 4096
DRAWS = 8


def bake(function, size: int = GRID) -> torch.Tensor:
    """A colour function [N, 3] -> [N, 3] as a LUT [B, G, R, 3]; exact enough for pictures that only stand for 'a bad photo'."""
    axis = torch.linspace(0, 1, size)
    blue, green, red = torch.meshgrid(axis, axis, axis, indexing="ij")
    return function(torch.stack((red, green, blue), -1).view(-1, 3)).view(size, size, size, 3)


def apply_trilinear(lut: torch.Tensor, rgb: torch.Tensor) -> torch.Tensor:
    """lut [B, G, R, 3], rgb [N, 3] in [0, 1] -> [N, 3]; ten times as fast as exact interpolation in PyTorch."""
    grid = (rgb * 2 - 1)[None, None, None]
    return F.grid_sample(lut.permute(3, 0, 1, 2)[None], grid, align_corners=True)[0, :, 0, 0].T


@dataclass
class Example:
    """One example before the shared work on pictures. `before` and `after` are [MEASURED, 3]."""

    task: str
    meta: dict
    picture: torch.Tensor | None
    before: torch.Tensor
    after: torch.Tensor
    params: torch.Tensor


class Maker:
    """Draws examples; every example depends only on the seed, the split, the task and its number."""

    def __init__(self, config: dict, data: Path, work: Path, split: str, open_only: bool):
        self.config, self.split = config, split
        self.photos, self.names = load_photos(work, split, open_only=open_only)
        elements = work / "elements.json"
        self.elements = json.loads(elements.read_text()) if elements.exists() else {}
        seen = "unseen" if split == "test" else "seen"
        self.looks = load_looks(data, seen)
        instructions = json.loads((work / "instructions.json").read_text())
        wording = "unseen" if split == "test" else "seen"
        self.instructions = {k: v[wording] or v["seen"] for k, v in instructions.items()}
        self.peer = Peer.load(data).eval()
        self.inverse = InverseDegradation(work / config["encoder"], self.photos, self.peer)
        self.semantic = SemanticEncoder().eval().to(memory_format=torch.channels_last)

    def draw(self, task: str, number: int) -> Example:
        seed = f"{self.config['seed']} {self.split} {task} {number}"
        rng, generator = random.Random(seed), torch.Generator()
        generator.manual_seed(rng.getrandbits(60))
        index = rng.randrange(len(self.photos))
        photo = self.photos[index].view(-1, 3).float() / 255
        where = torch.randperm(len(photo), generator=generator)[:MEASURED]
        meta = {"task": task, "photo": self.names[index]}
        draw = {"auto": self._auto, "style": self._style, "param": self._param}[task]
        return draw(photo, where, meta, rng, generator)

    def _auto(self, photo, where, meta, rng, generator) -> Example:
        shares = dict(self.config["auto"])
        kinds = dict(shares["degradation"])
        if self.split == "test":
            # Measured is the way back from a perturbation to the photo itself.
            shares["original"] = 1.0
            kinds.pop("none", None)
        kind = rng.choices(list(kinds), list(kinds.values()))[0]
        target = rng.choices(["original", "peer"], [shares["original"], 1 - shares["original"]])[0]
        if kind == "none":
            degraded, target = photo, "peer"
        else:
            degraded = self._degraded(photo, where, kind, generator)
        picture = (degraded * 255).round().to(torch.uint8)
        before = picture[where].float() / 255
        if target == "original":
            after = photo[where]
        else:
            weights = self.peer.weights(picture.view(1, 224, 224, 3).permute(0, 3, 1, 2).float() / 255)
            after = self.peer.apply(before[None], weights)[0]
        meta.update(degradation=kind, target=target)
        return Example("auto", meta, picture.view(224, 224, 3), before, after, torch.zeros(38))

    def _degraded(self, photo, where, kind: str, generator) -> torch.Tensor:
        """The photo degraded so that it can be seen: a change of a few levels is no fault to be found and mended."""
        for _ in range(DRAWS):
            lut = bake(lambda rgb: run(degradation(kind, generator, self.inverse.draw), rgb))
            degraded = apply_trilinear(lut, photo).clamp(0, 1)
            if (degraded[where] - photo[where]).square().mean() >= 10 ** (-self.config["auto"]["visible"] / 10):
                break
        return degraded

    def _style(self, photo, where, meta, rng, generator) -> Example:
        # The test set keeps to looks: its figures stay comparable.
        if self.split != "test" and rng.random() < self.config["style"]["spoken"]:
            said, after = spoken_for(photo[where], rng, unseen=self.split == "val" and rng.random() < 0.5)
            meta.update(look="spoken", instruction=said.text)
            return Example("style", meta, (photo * 255).round().to(torch.uint8).view(224, 224, 3), photo[where], after, torch.zeros(38))
        look = rng.choice(self.looks)
        texts = self.instructions[look.key]
        meta.update(look=look.key, instruction=rng.choice(texts))
        after = apply_look(photo[where], look).clamp(0, 1)
        return Example("style", meta, (photo * 255).round().to(torch.uint8).view(224, 224, 3), photo[where], after, torch.zeros(38))

    def _param(self, photo, where, meta, rng, generator) -> Example:
        params = sample_params(1, generator)
        while not params.any():
            params = sample_params(1, generator)
        # Sliders move in whole steps of 1/100.
        params = (params * 100).round() / 100
        after = develop(photo[where][None], params)[0]
        return Example("param", meta, None, photo[where], after, params[0])

    def _answer(self, e: Example, task: str, words: random.Random) -> dict[str, str]:
        params = e.params.tolist() if task == "param" else None
        elements = self.elements.get(e.meta["photo"], [])
        return compose(e.before, e.after, words, elements, task, e.meta.get("instruction"), params)

    @torch.no_grad()
    def picture_pair(self, task: str, number: int) -> tuple[torch.Tensor, torch.Tensor]:
        """The picture of an auto or style example and its target, both [224, 224, 3] in [0, 1], to be looked at."""
        example = self.draw(task, number)
        before = example.picture.float() / 255
        index = self.names.index(example.meta["photo"])
        photo = self.photos[index].float() / 255
        if task == "auto":
            return before, photo
        look = next(look for look in self.looks if look.key == example.meta["look"])
        return before, apply_look(photo.view(1, -1, 3), look).view(photo.shape).clamp(0, 1)

    @torch.no_grad()
    def chunk(self, task: str, first: int, count: int) -> tuple[dict[str, np.ndarray], list[dict]]:
        arrays: dict[str, list] = {"before": [], "after": [], "params": []}
        if task != "param":
            arrays.update(tone=[], features=[], figures=[])
        metas = []
        for start in range(first, first + count, BATCH):
            examples = [self.draw(task, n) for n in range(start, min(start + BATCH, first + count))]
            if task != "param":
                pictures = torch.stack([e.picture for e in examples]).permute(0, 3, 1, 2).float() / 255
                pictures = pictures.contiguous(memory_format=torch.channels_last)
                arrays["features"].append(self.semantic(pictures).half().numpy())
                tone = F.avg_pool2d(pictures, 2).permute(0, 2, 3, 1)
                arrays["tone"].append((tone * 255).round().to(torch.uint8).numpy())
            for number, e in enumerate(examples, start):
                words = f"{self.config['seed']} words {self.split} {task} {number}"
                e.meta["fields"] = self._answer(e, task, random.Random(words))
                # The same claims always in the same words: what is left to learn is what depends on the photo.
                e.meta["plainFields"] = self._answer(e, task, Plain())
                e.meta["names"] = self.elements.get(e.meta["photo"], [])
                metas.append(e.meta)
            if task != "param":
                arrays["figures"].append(torch.stack([figures(e.before) for e in examples]).numpy())
            kept = self.config["pixels"]
            for name, values in (("before", "before"), ("after", "after")):
                stacked = torch.stack([getattr(e, values)[:kept] for e in examples])
                arrays[name].append((stacked * 255).round().to(torch.uint8).numpy())
            arrays["params"].append(torch.stack([e.params for e in examples]).numpy())
        return {name: np.concatenate(parts) for name, parts in arrays.items()}, metas


def build(config: dict, data: Path, work: Path, split: str, part: tuple[int, int] = (0, 1), open_only: bool = False) -> None:
    """Write WORK/shards/NAME/SPLIT/TASK-NNNN.npz and .json; `part` (k, n) makes every n-th chunk from k on."""
    torch.manual_seed(0)
    folder = work / "shards" / config["name"] / split
    folder.mkdir(parents=True, exist_ok=True)
    maker = Maker(config, data, work, split, open_only)
    plan = [
        (task, first) for task, total in config["counts"][split].items() for first in range(0, total, CHUNK)
    ]
    # Interleaved tasks, so that a set that is not complete yet is already balanced.
    plan.sort(key=lambda entry: (entry[1] / config["counts"][split][entry[0]], entry[0]))
    for task, first in plan[part[0] :: part[1]]:
        path = folder / f"{task}-{first // CHUNK:04d}.npz"
        if path.with_suffix(".json").exists():
            continue
        arrays, metas = maker.chunk(task, first, min(CHUNK, config["counts"][split][task] - first))
        partial = path.with_suffix(".part.npz")
        np.savez(partial, **arrays)
        partial.rename(path)
        partial = path.with_suffix(".json.part")
        partial.write_text(json.dumps(metas))
        partial.rename(path.with_suffix(".json"))
        print(f"{path.name}: {len(metas)} examples", flush=True)


def main() -> None:
    parser = stage_arguments(__doc__.splitlines()[0])
    parser.add_argument("--split", default="train", choices=("train", "val", "test"))
    parser.add_argument("--part", default="0/1", help="k/n: make every n-th chunk from k on")
    parser.add_argument("--open-only", action="store_true", help="use photos of open licences only")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads or 1)
    k, n = (int(x) for x in arguments.part.split("/"))
    build(read_config(arguments.config), arguments.data, arguments.work, arguments.split, (k, n), arguments.open_only)


if __name__ == "__main__":
    main()
