"""What examples are made of: which sources are there, the databases built from them, and a fingerprint of it all."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from ..data.experts_sets import SETS
from ..data.files import DataError, read_json, sha256_of, write_json
from ..data.photos import PhotoCache, load_photos
from . import pairs, ranges
from .pairs import PairBase
from .ranges import Ranges
from .score import CHECKPOINT
from .store import SHARD, VERSION, SynthError
from .teachers import Teacher

# What can be left out on purpose.
PARTS = ("inverse", "ranges", "teachers", "looks", "score")


@dataclass(frozen=True)
class Sources:
    """Where examples come from. cache: folder of photos.npy, photos.json and what is derived from these photos.

    work: checkpoints of renderer and preference model. data: looks and teachers. experts: a folder of real pairs.
    """

    work: Path
    cache: Path
    data: Path | None = None
    experts: Path | None = None
    without: frozenset[str] = frozenset()
    open_only: bool = False

    def settled(self) -> Sources:
        """The same with left out what cannot be without data. Raises SynthError for parts that do not exist."""
        if unknown := sorted(self.without - set(PARTS)):
            raise SynthError(f"{unknown[0]!r} is nothing that can be left out; choose from {', '.join(PARTS)}. Nothing was made.")
        without = set(self.without)
        if self.data is None:
            without |= {"teachers", "looks"}
        if "teachers" in without and self.experts is None:
            without |= {"inverse", "ranges"}
        if not (self.work / CHECKPOINT).exists():
            without.add("score")
        return replace(self, without=frozenset(without))

    @property
    def instructions(self) -> Path:
        own = self.cache / "instructions.json"
        return own if own.exists() else self.work / "instructions.json"


def database(
    config: dict, sources: Sources, teachers: dict[str, Teacher], need_ranges: bool = True
) -> tuple[PairBase, Ranges | None]:
    """Pair database and ranges of the training photos, kept in the cache folder and made when missing (half a minute)."""
    settings = config["pairs"]
    photos = PhotoCache(sources.cache, "train", sources.open_only)
    experts = _experts_fingerprint(sources.experts)
    identity = pairs.identity_of({**settings, "seed": config["seed"]}, photos, list(teachers), experts)
    path = sources.cache / pairs.FILE.replace(".npz", f"-{identity[:8]}.npz")
    base = PairBase.load(path, identity)
    if base is None:
        real = pairs.folder_pairs(sources.experts) if sources.experts else ()
        base = pairs.build(photos, teachers, settings["count"], settings["size"], config["seed"], real)
        base.save(path, identity)
    path = sources.cache / ranges.FILE.replace(".json", f"-{identity[:8]}.json")
    drawn = Ranges.load(path, identity) if need_ranges else None
    if need_ranges and drawn is None:
        drawn = ranges.build(base, identity)
        drawn.save(path)
    return base, drawn


def _experts_fingerprint(folder: Path | None) -> str:
    if folder is None:
        return ""
    told = "".join(f"{p.relative_to(folder)} {p.stat().st_size} " for p in sorted(folder.rglob("*.*")))
    return hashlib.sha256(told.encode()).hexdigest()


def need_instructions(sources: Sources) -> None:
    """Makes the wordings for looks where neither the cache nor the work folder has them."""
    if "looks" in sources.without or sources.instructions.exists():
        return
    from ..data.instructions import build

    try:
        photos, _ = load_photos(sources.cache, "train", sources.open_only)
        write_json(sources.cache / "instructions.json", build(sources.data, photos))
    except DataError as cause:
        raise SynthError(f"{cause} Pass --leave-out looks to do without looks.") from cause


def _taste(teacher: Teacher) -> str:
    """A teacher's answer to one fixed picture, as a hash: other weights of the same name are another teacher."""
    ramp = torch.linspace(0, 1, 32)
    red, green = torch.meshgrid(ramp, ramp, indexing="ij")
    colours = torch.stack((red, green, (red + green) / 2), -1)
    out = teacher.retouch((colours * 255).round().to(torch.uint8), colours.view(-1, 3))
    # In thousandths: processors differ in the last digits.
    return hashlib.sha256((out * 1000).round().to(torch.int16).numpy().tobytes()).hexdigest()


def fingerprint(config: dict, sources: Sources, split: str, teachers: dict[str, Teacher]) -> dict:
    """First line of a set's index: everything that its bytes depend on. Counts are not among it, so a set can grow."""
    files = {
        "photos": sources.cache / "photos.npy",
        "names": sources.cache / "photos.json",
        "elements": sources.cache / "elements.json",
    }
    if config.get("photos", {}).get("captioned") and not sources.open_only:
        files |= {"captioned": sources.cache / "flickr.json", "captions": sources.cache / "captions.json"}
    if not sources.open_only:
        files |= {name: path for name in SETS if (path := sources.work / f"{name}.json").exists()}
    if "looks" not in sources.without:
        files["instructions"] = sources.instructions
    if "inverse" not in sources.without:
        files["encoder"] = sources.work / config["encoder"]
    if "score" not in sources.without:
        files["preference"] = sources.work / CHECKPOINT
    # Shares and rules make the examples; what the set is called and how many are wanted do not.
    told = {k: v for k, v in config.items() if k not in ("name", "counts")}
    return {
        "version": VERSION, "seed": config["seed"], "split": split, "openOnly": sources.open_only,
        "shard": config.get("shard", SHARD),
        "configuration": hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest(),
        "teachers": {name: _taste(teacher) for name, teacher in sorted(teachers.items())},
        "leftOut": sorted(sources.without), "experts": _experts_fingerprint(sources.experts),
        **{name: sha256_of(path) if path.exists() else None for name, path in files.items()},
    }  # fmt: skip


def elements_of(cache: Path) -> dict[str, list[str]]:
    path = cache / "elements.json"
    return read_json(path, "Run `python -m veraretouch.data.elements` first.") if path.exists() else {}
