"""PPR10K with its three experts, for who owns it: finds the pairs in a folder and puts them into the cache.

    python -m veraretouch.data.ppr10k --folder DIR --work WORK [--experts a] [--augmented] [--check]

Folders that are understood, below DIR or its train_val_images_tif_360p:
    source, target_a, target_b, target_c                       all photos together
    train/source, train/target_a ..., val/source ...           as the paper's code lays them out
    source_aug or source_aug_6 with GROUP_INDEX_1.tif to _5    sources developed with other settings; taken with --augmented
Files are GROUP_INDEX.tif, .png or .jpg. Groups 0 to 1355 are training (8,875 photos), 1356 to 1680 test (2,286), by the number in
the name; folders named train and val must agree with it. Masks are not used.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from .experts_sets import ExpertPair, command, pictures_in, require_same
from .files import DataError

EXPERTS = "abc"
TRAIN_GROUPS = 1356
GROUPS = 1681
PUBLISHED = {"train": {"photos": 8875, "groups": 1356}, "test": {"photos": 2286, "groups": 325}}
_NAME = re.compile(r"^(\d{1,4})_(\d+)(?:_(\d+))?$")
_AUGMENTED = re.compile(r"^source_aug(?:_\d+)?$")


def _key(stem: str) -> str | None:
    """'12_3' or, of an augmented source, '12_3_1'; None for other names."""
    found = _NAME.match(stem)
    return stem if found and int(found[1]) < GROUPS else None


def split_of(name: str) -> str:
    """'12_3' -> train: the paper's split, by the number of the group."""
    return "train" if int(name.split("_")[0]) < TRAIN_GROUPS else "test"


def _roots(root: Path) -> list[tuple[Path, str | None]]:
    """(folder with source and targets, split that its name claims)."""
    found = []
    for base in (root, root / "train_val_images_tif_360p"):
        found += [(base / name, split) for name, split in (("train", "train"), ("val", "test"), ("test", "test")) if (base / name).is_dir()]
        found.append((base, None))
    return [(folder, split) for folder, split in found if folder.is_dir() and any(folder.glob("target_[abc]"))]


def _sources(folder: Path, augmented: bool) -> dict[str, Path]:
    """name (with the number of the augmentation) -> file. Where there is only an augmented folder, its plain photos are taken."""
    plain = pictures_in(folder / "source", _key) if (folder / "source").is_dir() else {}
    more = {}
    for inner in sorted(p for p in folder.iterdir() if p.is_dir() and _AUGMENTED.match(p.name)):
        more |= pictures_in(inner, _key)
    if not plain:
        plain = {name: path for name, path in more.items() if name.count("_") == 1}
    if not plain:
        raise DataError(f"{folder} holds no untouched photos (source/GROUP_INDEX.tif). Nothing was written; add the folder `source`.")
    return plain | {name: path for name, path in more.items() if augmented and name.count("_") == 2}


def find_pairs(root: Path, experts: str | None = None, augmented: bool = False) -> list[ExpertPair]:
    """All pairs by name and expert. Augmented sources are pairs of the training split only, with the plain photo's target.

    Raises DataError when a side is missing, as a folder or for a single photo, which is then named, or when a photo lies in
    a folder of the wrong split.
    """
    if not root.is_dir():
        raise DataError(f"No such folder: {root}. Nothing was written.")
    roots = _roots(root)
    if not roots:
        raise DataError(f"{root} holds no folder target_a, target_b or target_c. Nothing was written; point --folder at the set or its train_val_images_tif_360p.")
    pairs = []
    for folder, claimed in roots:
        sources = _sources(folder, augmented)
        plain = {name: path for name, path in sources.items() if name.count("_") == 1}
        for name in plain:
            if claimed and split_of(name) != claimed:
                raise DataError(f"{plain[name]} belongs to {split_of(name)} by its group, but lies in {folder.name}. Nothing was written; sort the folders by group (train: 0 to {TRAIN_GROUPS - 1}).")
        for expert in experts or "".join(e for e in EXPERTS if (folder / f"target_{e}").is_dir()):
            target = folder / f"target_{expert}"
            if not target.is_dir():
                raise DataError(f"{target} does not exist. Nothing was written; add it or choose other --experts.")
            after = pictures_in(target, _key)
            require_same(plain, after, ("source", f"target_{expert}"))
            for name, path in sources.items():
                photo = "_".join(name.split("_")[:2])
                if name != photo and (photo not in after or split_of(name) != "train"):
                    continue
                pairs.append(ExpertPair(name, name.split("_")[0], expert, split_of(name), path, after[photo]))
    return sorted(pairs, key=lambda p: ([int(x) for x in p.name.split("_")], p.expert))


def _find(options: argparse.Namespace) -> tuple[list[ExpertPair], str]:
    pairs = find_pairs(options.folder, options.experts, options.augmented)
    told = []
    for split, published in PUBLISHED.items():
        own = [p for p in pairs if p.split == split and p.name.count("_") == 1]
        got = {"photos": len({p.name for p in own}), "groups": len({p.group for p in own})}
        told.append(f"{split} as published" if got == published else f"{split} has {got['photos']} of {published['photos']} photos, {got['groups']} of {published['groups']} groups")
    return pairs, "; ".join(told)


def main() -> int:
    def add(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--augmented", action="store_true", help="take the sources developed with other settings too")

    return command(__doc__, "ppr10k", _find, add)


if __name__ == "__main__":
    raise SystemExit(main())
