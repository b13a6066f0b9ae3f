"""Draws the test sets of `eval.benches`: by the rules that the first releases' examples were drawn by, so that the first
200 of Auto and Style and the first 1,000 of Param are the ones their model cards report on.

These rules stay as they are when `data.shards` learns to draw other training examples.
"""

from __future__ import annotations

import random
from pathlib import Path

import torch
from torch.nn import functional

from ..data.degrade import broad_params, raw_params
from ..data.files import read_json
from ..data.inverse import load_networks
from ..data.looks import load_looks
from ..data.peer import Peer
from ..data.photos import PhotoCache
from ..engine.develop import develop
from ..engine.params import factor_mask, sample_params
from ..synth.auto import apply_trilinear, bake
from .benches import LUT_SIZE, SETS, pack, unpack

SEED = 11
COUNTS = {"auto": 200, "style": 200, "param": 1000, "masks": 200, "reference": 200, "elements": 200, "prompts": 8}
# The side of the pictures that the first examples were drawn on: their random numbers depend on it.
SIDE, MEASURED, DRAWS, VISIBLE = 224, 4096, 8, 24.0
KINDS = {"raw": 0.4, "broad": 0.3, "inverse": 0.2}
OPERATIONS = {"develop": 0.6, "preset": 0.2, "film": 0.2}
# How much two drawings of a colour map may differ, in levels: the encoder behind it may be stored with rounded weights.
SAME_LUT = 2.5


class _Draw:
    def __init__(self, data: Path, work: Path, nets, split: str = "test", looks: str = "unseen") -> None:
        """nets: with `renderer` and `encoder`, as of stage 1 or of a bundle's reference."""
        self.split, self.photos = split, PhotoCache(work, split)
        self.looks = load_looks(data, looks)
        told = read_json(Path(work) / "instructions.json", "Run `python -m veraretouch.data.instructions` first.")
        self.told = {key: wording[looks] or wording["seen"] for key, wording in told.items()}
        self.nets, self.peer = nets, Peer.load(data)

    def start(self, task: str, number: int) -> tuple[random.Random, torch.Generator, int, torch.Tensor]:
        """(numbers, numbers of tensors, row of the photo, which of SIDE^2 pixels are measured)."""
        rng, generator = random.Random(f"{SEED} {self.split} {task} {number}"), torch.Generator()
        generator.manual_seed(rng.getrandbits(60))
        index = rng.randrange(len(self.photos))
        return rng, generator, index, torch.randperm(SIDE * SIDE, generator=generator)[:MEASURED]

    def colours(self, index: int) -> torch.Tensor:
        """[SIDE^2, 3]."""
        photo = self.photos[index].permute(2, 0, 1)[None].float() / 255
        return functional.adaptive_avg_pool2d(photo, SIDE)[0].flatten(1).T

    def auto(self, number: int) -> dict:
        rng, generator, index, where = self.start("auto", number)
        kind = rng.choices(list(KINDS), list(KINDS.values()))[0]
        colours = self.colours(index)[where]
        for _ in range(DRAWS):
            if kind == "inverse":
                function = self.undone(generator)
                flaw = {"lut": pack(bake(function, LUT_SIZE))}
            else:
                params = (raw_params if kind == "raw" else broad_params)(generator)
                flaw = {"params": [round(float(v) * 1000) for v in params]}
                function = lambda rgb, params=params: develop(rgb[None], params[None])[0]
            worse = apply_trilinear(bake(function), colours).clamp(0, 1)
            # A change of a few levels is no fault to be found and mended.
            if (worse - colours).square().mean() >= 10 ** (-VISIBLE / 10):
                break
        return {"photo": self.photos.names[index], "kind": kind, **flaw}

    @torch.no_grad()
    def undone(self, generator: torch.Generator):
        """The expert-C peer's retouch of a dull photo, encoded backwards, as a function of colours [N, 3]."""
        index = int(torch.randint(len(self.photos), (), generator=generator))
        size = self.nets.encoder.size
        small = functional.avg_pool2d(self.colours(index).T.view(1, 3, SIDE, SIDE), SIDE // size)
        dull = develop(small.flatten(2).transpose(1, 2), raw_params(generator)[None])
        picture = dull.transpose(1, 2).unflatten(2, (size, size))
        expert = self.peer.apply(dull, self.peer.weights(picture)).transpose(1, 2).unflatten(2, (size, size))
        latents = self.nets.encoder(expert, picture)
        return lambda rgb: self.nets.renderer(rgb[None], latents)[0]

    def style(self, number: int) -> dict:
        rng, _, index, _ = self.start("style", number)
        look = rng.choice(self.looks)
        return {"photo": self.photos.names[index], "look": look.key, "instruction": rng.choice(self.told[look.key])}

    def param(self, number: int) -> dict:
        _, generator, index, _ = self.start("param", number)
        params = sample_params(1, generator)
        while not params.any():
            params = sample_params(1, generator)
        return {"photo": self.photos.names[index], "params": [round(float(v) * 100) for v in params[0]]}

    def reference(self, number: int) -> dict:
        rng = random.Random(f"{SEED} {self.split} reference {number}")
        generator = torch.Generator().manual_seed(rng.getrandbits(60))
        photo, other = rng.sample(self.photos.names, 2)
        kind = rng.choices(list(OPERATIONS), list(OPERATIONS.values()))[0]
        if kind != "develop":
            return {"photo": photo, "other": other, "look": rng.choice([k.key for k in self.looks if k.kind == kind])}
        params = sample_params(1, generator)
        while not params.any():
            params = sample_params(1, generator)
        return {"photo": photo, "other": other, "params": [round(float(v) * 100) for v in params[0]]}


def draw(data: Path, work: Path, renderer: Path) -> dict:
    """The whole table. renderer: stage 1 of the first release (or what `export.restore` makes of its bundle)."""
    maker = _Draw(data, work, load_networks(renderer))
    table: dict = {
        "version": 1,
        "rule": f"test split, seed {SEED}, numbers 0, 1, ...; see veraretouch/eval/benches_draw.py",
        **{task: [getattr(maker, task)(n) for n in range(COUNTS[task])] for task in ("auto", "style", "param")},
    }
    all_three = [n for n, e in enumerate(table["param"]) if factor_mask(torch.tensor([e["params"]]).float()).all()]
    table["masks"] = all_three[: COUNTS["masks"]]
    table["reference"] = [maker.reference(n) for n in range(COUNTS["reference"])]
    captioned = [name for name, (split, _) in read_json(Path(work) / "flickr.json", "Run `python -m veraretouch.data.flickr` first.").items() if split == "test"]
    table["elements"] = sorted(random.Random(f"{SEED} elements").sample(captioned, COUNTS["elements"]))
    rows = torch.linspace(0, len(maker.photos) - 1, COUNTS["prompts"]).round().long().tolist()
    table["prompts"] = [maker.photos.names[row] for row in rows]
    return table


def train_pairs(data: Path, work: Path, nets, task: str, count: int) -> list[dict]:
    """Entries of auto or style drawn by the same rules from training photos and seen looks, for what has to be fitted."""
    maker = _Draw(data, work, nets, "train", "seen")
    return [getattr(maker, task)(n) for n in range(count)]


def differences(kept: dict, drawn: dict) -> list[str]:
    """One line per entry that another drawing gives differently; colour maps may differ by SAME_LUT levels."""
    lines = []
    for name in SETS:
        if len(kept[name]) != len(drawn[name]):
            lines.append(f"{name}: {len(kept[name])} entries, drawn again {len(drawn[name])}")
        for number, (a, b) in enumerate(zip(kept[name], drawn[name])):
            if isinstance(a, dict) and "lut" in a and "lut" in b:
                if float((unpack(a["lut"]) - unpack(b["lut"])).abs().max()) * 255 <= SAME_LUT:
                    a, b = ({k: v for k, v in e.items() if k != "lut"} for e in (a, b))
            if a != b:
                lines.append(f"{name} {number}: {a if not isinstance(a, dict) else [k for k in {*a, *b} if a.get(k) != b.get(k)]}")
    return lines
