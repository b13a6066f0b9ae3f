"""Draws training examples of the three tasks. `python -m veraretouch.synth.run` makes sets of them.

An example holds what the model sees (semantic features and the picture of the photo as it is, 256 x 256, or slider values),
pixels before and after for the loss through the renderer, the answer composed from measurements of those pixels, and, for
style, the instruction. It depends on nothing but the seed, the split, the task and its number.

auto: a good photo is degraded (`synth.auto`); the target is the photo itself or what a teacher makes of the degraded
picture. style: the target is a look that suits the scene (`synth.scenes`), or settings asked for in plain words. param:
random slider values on a photo's pixels.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from ..engine.develop import develop
from ..engine.params import sample_params
from ..reasoning.compose import Plain, compose
from ..reasoning.figures import figures
from ..reasoning.voice import Voice, voice_of_example
from ..synth.auto import AutoSource, Rejected
from ..synth.prepare import Sources, database, elements_of
from ..synth.scenes import Matcher, light_of
from ..synth.score import load_scorer
from ..synth.store import Sample, SynthError, key_of
from ..synth.teachers import load_teachers
from .elements import from_captions
from .experts_sets import ExpertTargets
from .features import SemanticEncoder
from .files import read_json
from .inverse import InverseDegradation, load_networks
from .looks import apply_look, load_looks
from .peer import Peer
from .photos import PhotoCache
from .spoken import spoken_for

# The networks see this many examples at once, the last ones filled up: results then do not hang on how a run is divided.
BATCH = 16
MEASURED = 4096
# Colours on which is tried whether a photo can follow an instruction.
TRIED = 1024
# Photos that are tried for one auto example before the rules for keeping a pair are said to be too strict.
PHOTOS_TRIED = 60


@dataclass
class Example:
    """One example before the shared work on pictures. `before` and `after` are [MEASURED, 3].

    picture: uint8 [256, 256, 3], the photo as it is (the model sees it unless the task is param); `whole` gives its target,
    the same shape in [0, 1].
    """

    task: str
    meta: dict
    picture: torch.Tensor
    before: torch.Tensor
    after: torch.Tensor
    params: torch.Tensor
    whole: Callable[[], torch.Tensor]


class Maker:
    """Draws examples of one split. Raises DataError or SynthError when something that the configuration needs is missing.

    cache: folder of the photos (default: `work`); experts: folder of real pairs; without: see `synth.prepare.PARTS`.
    """

    def __init__(
        self, config: dict, data: Path | None, work: Path, split: str, open_only: bool = False,
        cache: Path | None = None, experts: Path | None = None, without: Iterable[str] = (),
    ):  # fmt: skip
        sources = Sources(Path(work), Path(cache or work), data, experts, frozenset(without), open_only).settled()
        if split == "test":
            # Measured is the way back to the photo itself; no model of ours has a say in what is measured.
            sources = replace(sources, without=sources.without | {"score"})
        self.config, self.split, self.sources = config, split, sources
        self.photos = PhotoCache(sources.cache, split, open_only)
        self.names = self.photos.names
        # Photos with captions teach what is seen. The test set keeps to the others: its figures stay comparable.
        self.captioned_share = 0.0 if open_only or split == "test" else config.get("photos", {}).get("captioned", 0.0)
        self.captioned = PhotoCache(sources.cache, split, stem="flickr") if self.captioned_share else None
        if not self.names:
            raise SynthError(f"No photo of {sources.cache} is in the split {split}. Nothing was made; give more photos or another --split.")
        # Real experts, of a user who has cached some; measured is against our own test photos.
        self.real = None if open_only or split == "test" else ExpertTargets(sources.work, split) or None
        self.elements = elements_of(sources.cache) | (from_captions(sources.cache) if self.captioned else {})
        self.auto = self._auto_source()
        self.looks, self.instructions, self.matcher = [], {}, None
        if "looks" not in sources.without:
            self.looks = load_looks(data, "unseen" if split == "test" else "seen")
            told = read_json(sources.instructions, "Run `python -m veraretouch.data.instructions` first.")
            wording = "unseen" if split == "test" else "seen"
            self.instructions = {k: v[wording] or v["seen"] for k, v in told.items()}
            self.matcher = Matcher(self.looks, told, config["style"]["scene"])
        self.semantic = SemanticEncoder().eval().to(memory_format=torch.channels_last)

    def _auto_source(self) -> AutoSource:
        sources, settings = self.sources, self.config["auto"]
        teachers = {}
        if "teachers" not in sources.without:
            teachers = load_teachers(list(settings["teachers"]), sources.data)
        self.teachers = teachers
        shares = {kind: share for kind, share in settings["degradation"].items() if kind not in sources.without and share}
        expert = {kind: settings["expert"].get(kind, 0.0) for kind in shares}
        if self.split == "test":
            expert = dict.fromkeys(shares, 0.0)
        if self.split == "test" or not teachers:
            shares.pop("none", None)
        base = drawn = inverse = None
        if {"inverse", "ranges"} & set(shares):
            base, drawn = database(self.config, sources, teachers, "ranges" in shares)
        if "inverse" in shares:
            nets = load_networks(sources.work / self.config["encoder"])
            inverse = InverseDegradation(nets, base, self.config["pairs"]["near"])
        scorer = None if "score" in sources.without else load_scorer(sources.work)
        return AutoSource(
            shares, expert, settings["visible"], settings["margin"], teachers, dict(settings["teachers"]), drawn, inverse, scorer
        )

    @property
    def peer(self):
        """The 3D LUT peer itself, for comparisons."""
        if self.sources.data is None:
            raise SynthError("This maker has no 3D LUT peer: it was made without a data folder.")
        return Peer.load(self.sources.data)

    def draw(self, task: str, number: int) -> Example:
        seed = f"{self.config['seed']} {self.split} {task} {number}"
        rng, generator = random.Random(seed), torch.Generator()
        generator.manual_seed(rng.getrandbits(60))
        return {"auto": self._auto, "style": self._style, "param": self._param}[task](rng, generator)

    def _photo(self, rng: random.Random, generator: torch.Generator, task: str) -> tuple[torch.Tensor, torch.Tensor, dict]:
        """(uint8 [256, 256, 3], which pixels are measured, meta) of a random photo."""
        source = self.captioned if self.captioned and rng.random() < self.captioned_share else self.photos
        index = rng.randrange(len(source))
        photo = source[index]
        where = torch.randperm(photo.shape[0] * photo.shape[1], generator=generator)[:MEASURED]
        return photo, where, {"task": task, "photo": source.names[index], "class": source.classes[index]}

    def _auto(self, rng: random.Random, generator: torch.Generator) -> Example:
        if self.real and rng.random() < self.config["auto"].get("real", 0.0):
            return self._real(rng, generator)
        rejected = Rejected()
        kind, target = self.auto.kind(rng)
        for _ in range(PHOTOS_TRIED):
            photo, where, meta = self._photo(rng, generator, "auto")
            flaw = self.auto.draw(photo, meta["photo"], kind, target, generator, rejected)
            if flaw is not None:
                break
        else:
            raise SynthError(
                f"None of {PHOTOS_TRIED} photos gave a pair {kind} -> {target} that is kept ({rejected.invisible} draws could not be seen, "
                f"{rejected.unliked} were not scored better). No shard was written of it; lower auto.margin or raise auto.visible."
            )
        seen = flaw.picture.view(-1, 3).float() / 255
        retouch = flaw.retouch or (lambda rgb: photo.view(-1, 3).float() / 255)
        before = seen[where]
        after = photo.view(-1, 3)[where].float() / 255 if flaw.retouch is None else flaw.retouch(before)
        meta.update(degradation=flaw.kind, target=flaw.target, rejected=[rejected.invisible, rejected.unliked])
        return Example("auto", meta, flaw.picture, before, after, torch.zeros(38), lambda: retouch(seen).view(photo.shape))

    def _real(self, rng: random.Random, generator: torch.Generator) -> Example:
        """An untouched photo and what one of its experts made of it, from FiveK or PPR10K where the user has them cached."""
        before, after, meta = self.real.draw(rng)
        picture, target = torch.from_numpy(before), torch.from_numpy(after)
        where = torch.randperm(picture.shape[0] * picture.shape[1], generator=generator)[:MEASURED]
        pixels = [x.view(-1, 3)[where].float() / 255 for x in (picture, target)]
        meta.update(task="auto", degradation="untouched", target=f"expert {meta['expert']}", rejected=[0, 0])
        return Example("auto", meta, picture, *pixels, torch.zeros(38), lambda: target.float() / 255)

    def _style(self, rng: random.Random, generator: torch.Generator) -> Example:
        photo, where, meta = self._photo(rng, generator, "style")
        colours = photo.view(-1, 3).float() / 255
        # The test set keeps to looks, evenly drawn: its figures stay comparable.
        if not self.looks or (self.split != "test" and rng.random() < self.config["style"]["spoken"]):
            said, _ = spoken_for(colours[where[:TRIED]], rng, unseen=self.split == "val" and rng.random() < 0.5)
            meta.update(look="spoken", group="spoken", instruction=said.text)

            def retouch(rgb: torch.Tensor) -> torch.Tensor:
                return develop(rgb[None], said.params[None])[0].clamp(0, 1)
        else:
            if self.split == "test":
                look = rng.choice(self.looks)
            else:
                weights = self.matcher.weights(self.elements.get(meta["photo"], []), light_of(colours))
                look = rng.choices(self.looks, weights)[0]
            meta.update(look=look.key, group=look.category, instruction=rng.choice(self.instructions[look.key]))

            def retouch(rgb: torch.Tensor) -> torch.Tensor:
                return apply_look(rgb, look).clamp(0, 1)

        before = colours[where]
        return Example("style", meta, photo, before, retouch(before), torch.zeros(38), lambda: retouch(colours).view(photo.shape))

    def _param(self, rng: random.Random, generator: torch.Generator) -> Example:
        photo, where, meta = self._photo(rng, generator, "param")
        params = sample_params(1, generator)
        while not params.any():
            params = sample_params(1, generator)
        # Sliders move in whole steps of 1/100.
        params = (params * 100).round() / 100
        colours = photo.view(-1, 3).float() / 255

        def retouch(rgb: torch.Tensor) -> torch.Tensor:
            return develop(rgb[None], params)[0]

        before = colours[where]
        return Example("param", meta, photo, before, retouch(before), params[0], lambda: retouch(colours).view(photo.shape))

    def _answer(self, e: Example, task: str, words: random.Random) -> dict[str, str]:
        params = e.params.tolist() if task == "param" else None
        elements = self.elements.get(e.meta["photo"], [])
        return compose(e.before, e.after, words, elements, task, e.meta.get("instruction"), params)

    @torch.no_grad()
    def picture_pair(self, task: str, number: int) -> tuple[torch.Tensor, torch.Tensor]:
        """The picture of an example and its target, both [256, 256, 3] in [0, 1], to be looked at."""
        example = self.draw(task, number)
        return example.picture.float() / 255, example.whole()

    @torch.no_grad()
    def samples(self, task: str, first: int, count: int) -> list[Sample]:
        """Examples first, ..., first + count - 1 as they are stored; `first` is a multiple of BATCH."""
        found = []
        for start in range(first, first + count, BATCH):
            numbers = range(start, min(start + BATCH, first + count))
            found += self._batch(task, numbers, [self.draw(task, n) for n in numbers])
        return found

    def _batch(self, task: str, numbers: range, examples: list[Example]) -> list[Sample]:
        arrays: list[dict[str, np.ndarray]] = [{} for _ in examples]
        if task != "param":
            pictures = torch.stack([e.picture for e in examples]).permute(0, 3, 1, 2).float() / 255
            filled = torch.cat((pictures, pictures[-1:].expand(BATCH - len(pictures), -1, -1, -1)))
            features = self.semantic(filled.contiguous(memory_format=torch.channels_last)).half().numpy()
            for own, e, feature in zip(arrays, examples, features):
                own.update(picture=e.picture.numpy(), features=feature, figures=figures(e.before).numpy())
        kept = self.config["pixels"]
        for number, own, e in zip(numbers, arrays, examples, strict=True):
            e.meta["voice"] = voice_of_example(number)
            e.meta["fields"] = self._answer(e, task, Voice(e.meta["voice"]))
            # The same claims always in the same words: what is left to learn is what depends on the photo.
            e.meta["plainFields"] = self._answer(e, task, Plain())
            e.meta["names"] = self.elements.get(e.meta["photo"], [])
            for name, values in (("before", e.before), ("after", e.after)):
                own[name] = (values[:kept] * 255).round().to(torch.uint8).numpy()
            own["params"] = e.params.numpy()
        return [Sample(key_of(task, n), e.meta, own) for n, e, own in zip(numbers, examples, arrays, strict=True)]
