"""Variants of the architecture search: which configuration each stage gets, and which stages variants share.

A variant is a set of overrides of the stages' configurations (`configs/search.toml`). A stage's folder is named by the digest
of all that goes into it, so variants that differ later only share what comes before, and nothing stale is ever taken up.
"""

from __future__ import annotations

import copy
import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

from ..data.files import DataError, sha256_of
from ..synth.store import INDEX
from .common import read_config

STAGES = ("renderer", "tone", "effect", "align", "rsft")
# What two stages of one model have to say alike.
ALIKE = {"layers": ("align", "rsft"), "latents_first": ("align", "rsft"), "answers": ("align", "rsft"), "tokens": ("tone", "align", "rsft")}


class SearchError(DataError):
    """The search is not set up right; the message says what is wrong. Nothing was trained."""


@dataclass(frozen=True)
class Variant:
    name: str
    note: str
    overrides: dict[str, dict] = field(default_factory=dict)
    # Share of the training examples that it learns from, and what is added to its stages' seeds: the search's own where None.
    share: float | None = None
    seed: int | None = None


@dataclass(frozen=True)
class Job:
    """One stage of one variant, or the retelling of answers after it (`kind` "retell"). `folder` is below WORK; `minutes` 0: by
    the configuration's steps."""

    kind: str
    folder: str
    config: dict
    minutes: float = 0.0
    # For retelling by the whole model instead of the perception: its checkpoint below WORK.
    checkpoint: str | None = None
    mix: float = 0.0

    @property
    def marker(self) -> str:
        """The file below WORK that is there once the job is done."""
        return f"{self.folder}/{'retold' if self.kind == 'retell' else 'done'}.json"


def merge(base: dict, overrides: dict, where: str) -> dict:
    """`base` with `overrides`, tables within tables too. Raises SearchError for a key that the base does not have, or a value
    of another type."""
    result = copy.deepcopy(base)
    for key, value in overrides.items():
        if key not in base:
            raise SearchError(f"{where}.{key}: the stage's configuration has no such key. Nothing was trained; see its TOML file.")
        own = base[key]
        number = isinstance(own, float) and type(value) in (int, float)
        if type(value) is not type(own) and not number:
            raise SearchError(f"{where}.{key} is {value!r}, the stage's configuration has {own!r}. Nothing was trained.")
        result[key] = merge(own, value, f"{where}.{key}") if isinstance(own, dict) else copy.deepcopy(value)
    return result


def read_variants(search: dict) -> list[Variant]:
    """The variants of a search's configuration, in order. Raises SearchError."""
    variants = []
    for table in search["variants"]:
        overrides = {key: value for key, value in table.items() if key not in ("name", "note", "share", "seed")}
        name = table.get("name", "")
        if not name or not name.replace("-", "").replace("_", "").isalnum():
            raise SearchError(f"A variant is called {name!r}; letters, digits, - and _ make a name. Nothing was trained.")
        wrong = [key for key, value in overrides.items() if key not in STAGES or not isinstance(value, dict)]
        if wrong:
            raise SearchError(f"Variant {name}: {', '.join(wrong)} is no stage; there are {', '.join(STAGES)}. Nothing was trained.")
        variants.append(Variant(name, table.get("note", ""), overrides, table.get("share"), table.get("seed")))
    names = [v.name for v in variants]
    if not names or len(set(names)) != len(names):
        raise SearchError(f"Variants need names of their own, and there must be one: {names}. Nothing was trained.")
    return variants


def read_bases(folder: Path) -> dict[str, dict]:
    """Stage -> its configuration, from the TOML files beside the search's own."""
    missing = [stage for stage in STAGES if not (folder / f"{stage}.toml").is_file()]
    if missing:
        raise SearchError(f"{folder} has no {missing[0]}.toml, which the variants change. Nothing was trained.")
    return {stage: read_config(folder / f"{stage}.toml") for stage in STAGES}


def configurations(bases: dict[str, dict], variant: Variant, budget: dict, seed: int) -> dict[str, dict]:
    """Stage -> configuration of a variant: the base with its overrides, the budget's steps, the seed moved."""
    result = {}
    for stage in STAGES:
        config = merge(bases[stage], variant.overrides.get(stage, {}), f"{variant.name}.{stage}")
        config["seed"] += seed
        given = budget.get(stage, {})
        if strange := set(given) - {"steps", "minutes"}:
            raise SearchError(f"budget.{stage}: {', '.join(sorted(strange))} is neither steps nor minutes. Nothing was trained.")
        config["steps"] = given.get("steps", config["steps"])
        result[stage] = config
    trains_rsft = result["rsft"]["steps"] > 0
    for key, stages in ALIKE.items():
        said = [result[stage].get(key) for stage in stages if stage != "rsft" or trains_rsft]
        if any(value != said[0] for value in said):
            raise SearchError(f"Variant {variant.name}: {key} differs among {', '.join(stages)}. Nothing was trained; set it in each.")
    return result


def inputs_of(work: Path, bases: dict[str, dict]) -> dict[str, str]:
    """What all variants are trained from, by its bytes: the index of each split's examples, and stage 1's networks."""
    found = {}
    files = [work / "shards" / bases["align"]["shards"] / split / INDEX for split in ("train", "val")]
    for path in [*files, work / bases["tone"]["renderer"]]:
        if not path.is_file():
            raise SearchError(f"There is no {path}. Nothing was trained; make examples (`synth.run`) and stage 1 (`train.renderer`) first.")
        found[str(path.relative_to(work))] = sha256_of(path)
    return found


def digest(*parts: object) -> str:
    """Ten hex digits of anything JSON can hold."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:10]


def jobs_of(search: dict, bases: dict[str, dict], variant: Variant, inputs: dict[str, str]) -> list[Job]:
    """What has to be done for a variant, in order; the last training stage's `last.pt` is its checkpoint. Where alignment has no
    steps, the variant is its perception alone: with latents first that settles the picture."""
    budget, mix = search["budget"], search["mix"]
    configs = configurations(bases, variant, budget, search["seed"] if variant.seed is None else variant.seed)
    share = search.get("share", 1.0) if variant.share is None else variant.share
    for kind, config in configs.items():
        if kind != "renderer":
            config["share"] = float(share)
    jobs: list[Job] = []

    def stage(kind: str, **links) -> str:
        """Adds a training stage with paths to what it starts from; returns its folder."""
        config = {**configs[kind], **links}
        minutes = float(budget.get(kind, {}).get("minutes", 0))
        folder = f"{search['name']}/{kind}-{digest(kind, {**config, 'name': ''}, minutes, mix, inputs)}"
        config["name"] = folder
        jobs.append(Job(kind, folder, config, minutes))
        return folder

    renderer = f"{stage('renderer')}/last.pt" if "renderer" in variant.overrides else bases["tone"]["renderer"]
    tone = stage("tone", renderer=renderer)
    perception = jobs[-1].config
    if configs["align"]["steps"] == 0:
        return jobs
    jobs.append(Job("retell", tone, perception, mix=mix))
    effect = stage("effect", renderer=renderer, tone=tone)
    align = stage("align", renderer=renderer, tone=f"{tone}/last.pt", effect=f"{effect}/last.pt", retold=tone)
    if configs["rsft"]["steps"] > 0:
        jobs.append(Job("retell", align, perception, checkpoint=f"{align}/last.pt", mix=mix))
        stage("rsft", renderer=renderer, start_from=f"{align}/last.pt", retold=align)
    return jobs
