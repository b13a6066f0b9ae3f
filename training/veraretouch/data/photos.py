"""Photos for training: which files are photographs, which split each belongs to, and a cache of 256-pixel squashes.

python -m veraretouch.data.photos --data DIR --work DIR [--resplit] [--open-only]

`DIR/photos.json` lists the files of `DIR/photos`. The split is drawn once from the content of the files, written to
training/data/split.json and from then on only read, so that no later filter can move a test photo into training.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch

from . import images
from .files import (
    TABLES,
    DataError,
    fraction_of_hash,
    read_json,
    sha256_of,
    write_array,
    write_json,
)

CACHE_SIZE = 256
SPLITS = ("train", "val", "test")
CLASSES = ("open", "stock", "research")
NEAR_DUPLICATE = 6  # dHash bits
# Measured on this collection and looked at on contact sheets: every file above was a drawing, a render or a studio
# shot on seamless paper, and every file below the second one a greyscale, toned or one-colour picture.
MAX_FLAT_SHARE = 0.6
MIN_COLOUR_RESIDUAL = 4.9

_HINT = "Run `python -m veraretouch.data.photos --data DIR --work DIR` first."


def why_no_photograph(name: str, rgb: np.ndarray, reviewed: dict[str, list[str]]) -> str | None:
    """Reason to leave an image out, or None. A verdict given by eye (`reviewed`) precedes the measured rule."""
    if name in reviewed["drawing"]:
        return "drawing"
    if images.colour_residual(rgb) < MIN_COLOUR_RESIDUAL:
        return "colourless"
    if name not in reviewed["photo"] and images.flat_share(rgb) > MAX_FLAT_SHARE:
        return "flat"
    return None


def group_near_duplicates(hashes: list[int]) -> list[int]:
    """Group number per image: images within NEAR_DUPLICATE bits of each other share one (transitively)."""
    group = list(range(len(hashes)))
    bits = np.array(hashes, np.uint64)

    def root(i: int) -> int:
        while group[i] != i:
            group[i] = group[group[i]]
            i = group[i]
        return i

    for i in range(len(hashes)):
        for j in np.nonzero(np.bitwise_count(bits[:i] ^ bits[i]) <= NEAR_DUPLICATE)[0].tolist():
            group[root(i)] = root(j)
    return [root(i) for i in range(len(hashes))]


def draw_split(key: str) -> str:
    """80/10/10 by hash."""
    position = fraction_of_hash(key)
    return "train" if position < 0.8 else "val" if position < 0.9 else "test"


def make_split(data: Path, reviewed: dict[str, list[str]]) -> dict:
    """Reads every file once -> the table of split.json."""
    entries = read_json(data / "photos.json", "Point --data at the folder that holds photos.json and photos/.")
    benchmark = [
        images.difference_hash(images.read_rgb(path))
        for folder in ("input", "target")
        for path in sorted((data / "fivek-dev" / folder).glob("*.png"))
    ]
    dropped: dict[str, list[str]] = defaultdict(list)
    kept, hashes, contents = [], [], []
    for entry in entries:
        if entry["cls"] not in CLASSES:
            raise DataError(
                f"photos.json gives {entry['file']} the class {entry['cls']!r}; known are {CLASSES}. Nothing written."
            )
        path = data / "photos" / entry["file"]
        rgb = images.read_rgb(path)
        fingerprint = images.difference_hash(rgb)
        reason = why_no_photograph(entry["file"], rgb, reviewed)
        if reason is None and any(images.hash_distance(fingerprint, other) <= NEAR_DUPLICATE for other in benchmark):
            reason = "near-benchmark"
        if reason is not None:
            dropped[reason].append(entry["file"])
            continue
        kept.append(entry)
        hashes.append(fingerprint)
        contents.append(sha256_of(path))
    groups = group_near_duplicates(hashes)
    # The smallest content hash of a group draws for all of it, so the order of photos.json does not matter.
    key = {g: min(c for c, h in zip(contents, groups) if h == g) for g in set(groups)}
    table: dict[str, dict[str, list[str]]] = {s: {c: [] for c in CLASSES} for s in SPLITS}
    for entry, g in zip(kept, groups):
        table[draw_split(key[g])][entry["cls"]].append(entry["file"])
    for by_class in table.values():
        for names in by_class.values():
            names.sort()
    rule = (
        f"sha256 of the file content, 80/10/10; dHash distance <= {NEAR_DUPLICATE} stays together; dropped: drawings (by eye), "
        f"flat share > {MAX_FLAT_SHARE}, colour residual < {MIN_COLOUR_RESIDUAL}, near-duplicates of the benchmark"
    )
    return {"version": 1, "rule": rule, **table, "dropped": {k: sorted(v) for k, v in sorted(dropped.items())}}


def read_split(path: Path = TABLES / "split.json") -> dict[str, tuple[str, str]]:
    """File name -> (split, licence class)."""
    table = read_json(path, _HINT)
    return {name: (split, cls) for split in SPLITS for cls in CLASSES for name in table[split][cls]}


def build_cache(data: Path, work: Path, split: dict[str, tuple[str, str]], open_only: bool) -> list[str]:
    """Squashes every photo of the split to 256x256 and writes photos.npy and photos.json into the work folder."""
    names = sorted(name for name, (_, cls) in split.items() if not (open_only and cls == "research"))
    cache = np.empty((len(names), CACHE_SIZE, CACHE_SIZE, 3), np.uint8)
    for i, name in enumerate(names):
        cache[i] = images.squash(images.read_rgb(data / "photos" / name), CACHE_SIZE)
        if i % 200 == 0:
            print(f"squashed {i}/{len(names)}", file=sys.stderr)
    write_array(work / "photos.npy", cache)
    write_json(work / "photos.json", {name: split[name] for name in names}, indent=None)
    return names


def load_photos(
    work: Path | str, split: str, open_only: bool = False, include_flickr: bool = False
) -> tuple[torch.Tensor, list[str]]:
    """Cached photos of one split -> (uint8 [N,256,256,3] sRGB, file names), in the order of the names.

    open_only leaves out the licence class `research`, and with it all of Flickr8k.
    include_flickr appends the Flickr8k photos (see veraretouch.data.flickr) of the same split.
    """
    if split not in SPLITS:
        raise DataError(f"There is no split {split!r}; use one of {SPLITS}. Nothing was loaded.")
    if open_only and include_flickr:
        raise DataError("Flickr8k is of licence class research, so open_only and include_flickr exclude each other.")
    parts, names = [], []
    for stem in ("photos", "flickr") if include_flickr else ("photos",):
        command = "photos" if stem == "photos" else "flickr"
        hint = f"Run `python -m veraretouch.data.{command}` first."
        index = read_json(Path(work) / f"{stem}.json", hint)
        chosen = [
            i for i, (s, cls) in enumerate(index.values()) if s == split and not (open_only and cls == "research")
        ]
        cache = np.load(Path(work) / f"{stem}.npy", mmap_mode="r")
        if len(cache) != len(index):
            raise DataError(
                f"{stem}.npy holds {len(cache)} images but {stem}.json {len(index)}. Nothing was loaded. {hint}"
            )
        parts.append(torch.from_numpy(cache[chosen]))
        all_names = list(index)
        names += [all_names[i] for i in chosen]
    return torch.cat(parts), names


class PhotoCache:
    """Photos of one split, read from the mapped cache one at a time: many processes then share the memory of one.

    cache[i] is uint8 [256, 256, 3] sRGB; `names` and `classes` (licence) are in the same order. stem: photos, or flickr (see
    `data.flickr`), which is all of class research.
    """

    def __init__(self, work: Path | str, split: str, open_only: bool = False, stem: str = "photos"):
        if split not in SPLITS:
            raise DataError(f"There is no split {split!r}; use one of {SPLITS}. Nothing was loaded.")
        hint = f"Run `python -m veraretouch.data.{stem}` first."
        index = read_json(Path(work) / f"{stem}.json", hint)
        self._cache = np.load(Path(work) / f"{stem}.npy", mmap_mode="r")
        if len(self._cache) != len(index):
            raise DataError(f"{stem}.npy holds {len(self._cache)} images but {stem}.json {len(index)}. Nothing was loaded. {hint}")
        kept = [
            (i, name, cls)
            for i, (name, (s, cls)) in enumerate(index.items())
            if s == split and not (open_only and cls == "research")
        ]
        self._rows = [i for i, _, _ in kept]
        self.names = [name for _, name, _ in kept]
        self.classes = [cls for _, _, cls in kept]

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> torch.Tensor:
        return torch.from_numpy(self._cache[self._rows[index]].copy())


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with photos.json and photos/")
    parser.add_argument("--work", type=Path, required=True, help="folder for caches")
    parser.add_argument(
        "--split", type=Path, default=TABLES / "split.json", help="the split file (default: training/data)"
    )
    parser.add_argument("--resplit", action="store_true", help="draw the split anew although the file exists")
    parser.add_argument("--open-only", action="store_true", help="cache no photo of licence class research")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    try:
        if options.resplit or not options.split.exists():
            reviewed = read_json(TABLES / "reviewed.json", "It is part of the project; restore it.")
            write_json(options.split, make_split(options.data, reviewed))
        split = read_split(options.split)
        names = build_cache(options.data, options.work, split, options.open_only)
    except DataError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for part in SPLITS:
        counts = {cls: sum(split[name] == (part, cls) for name in names) for cls in CLASSES}
        print(f"{part}: {sum(counts.values())} photos {counts}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
