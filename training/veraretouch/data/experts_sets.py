"""Pairs of photos and their retouch by real experts, for who owns such a set: what FiveK and PPR10K have in common.

`fivek` and `ppr10k` find the pairs in a folder; here they are read, checked and put into a cache of 256-pixel squashes,
from which training takes (before, after) pairs. The sets are for research only, and nothing of them belongs into a repository.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from .files import DataError, fraction_of_hash, read_json, write_json, write_whole
from .photos import CACHE_SIZE, SPLITS
from .pictures import SUFFIXES, read_picture, resized

SETS = ("fivek", "ppr10k")
MOST_ROUNDING = 0.03  # by which the aspect ratios of two sides may differ: rounding of a 100-pixel edge
VALIDATION = 0.02  # of the training groups, where a set has no validation split


@dataclass(frozen=True)
class ExpertPair:
    """One photo and one expert's retouch of it, read when asked for. split: train, val or test, as the set's own lists say."""

    name: str
    group: str
    expert: str
    split: str
    before_path: Path
    after_path: Path

    def before(self) -> np.ndarray:
        """The untouched photo, sRGB float32 [H, W, 3] in [0, 1]."""
        return read_picture(self.before_path)

    def after(self, size: tuple[int, int] | None = None) -> np.ndarray:
        """The retouched photo; brought to `size` (height, width) of the untouched one when that is given."""
        rgb = read_picture(self.after_path)
        if size is None:
            return rgb
        ratio = (rgb.shape[1] / rgb.shape[0]) / (size[1] / size[0])
        if abs(ratio - 1) > MOST_ROUNDING:
            raise DataError(
                f"{self.after_path} is {rgb.shape[1]}x{rgb.shape[0]}, {self.before_path} {size[1]}x{size[0]}: not the same frame. "
                "Nothing was written; export both sides without cropping or turning."
            )
        return resized(rgb, *size)

    def read(self) -> tuple[np.ndarray, np.ndarray]:
        """(before, after) of the same size."""
        before = self.before()
        return before, self.after(before.shape[:2])


def pictures_in(folder: Path, key: Callable[[str], str | None]) -> dict[str, Path]:
    """key of the stem -> picture file, of the files directly in a folder. Files without a key are skipped; of two files with
    one key (a TIFF and its JPEG) the deeper format wins."""
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir(), key=lambda p: (SUFFIXES.index(p.suffix.lower()) if p.suffix.lower() in SUFFIXES else 99, p.name)):
        name = key(path.stem) if path.suffix.lower() in SUFFIXES and not path.name.startswith(".") else None
        if name is not None and path.is_file():
            found.setdefault(name, path)
    return found


def require_same(first: dict[str, Path], second: dict[str, Path], sides: tuple[str, str]) -> None:
    """Raises DataError naming the first photo that only one side has."""
    for own, other, (here, there) in ((first, second, sides), (second, first, sides[::-1])):
        missing = sorted(set(own) - set(other))
        if missing:
            raise DataError(
                f"{own[missing[0]]} ({here}) has no counterpart in {there}; {len(missing)} of {len(own)} photos miss one. "
                "Nothing was written; complete the folder or remove what has no counterpart."
            )


def with_validation(pairs: list[ExpertPair]) -> list[ExpertPair]:
    """The same pairs; 2 % of the training groups, by hash, become validation where a set has none. Test stays as published."""
    if any(pair.split == "val" for pair in pairs):
        return pairs
    held = {g for g in {p.group for p in pairs if p.split == "train"} if fraction_of_hash(f"experts {g}") < VALIDATION}
    return [replace(p, split="val") if p.split == "train" and p.group in held else p for p in pairs]


def squash(rgb: np.ndarray) -> np.ndarray:
    """Float [H, W, 3] in [0, 1] -> uint8 [256, 256, 3] by adaptive average pooling, as `images.squash` does for 8 bits."""
    planes = torch.from_numpy(np.ascontiguousarray(rgb)).permute(2, 0, 1)[None]
    pooled = torch.nn.functional.adaptive_avg_pool2d(planes, CACHE_SIZE)
    return (pooled[0].permute(1, 2, 0) * 255).round().to(torch.uint8).numpy()


def pair_cache(pairs: Iterable[ExpertPair], work: Path, name: str, progress: bool = False) -> int:
    """Writes WORK/NAME-before.npy and NAME-after.npy (uint8 [N, 256, 256, 3]) and NAME.json; returns the number of pairs.

    A photo that several experts retouched is kept once. The index is written last: without it there is no cache. Raises
    DataError by the name of the file when a picture cannot be read or two sides are not the same frame.
    """
    pairs = list(pairs)
    if not pairs:
        raise DataError(f"There are no pairs to put into {name}. Nothing was written.")
    photos = list(dict.fromkeys(pair.before_path for pair in pairs))
    row = {path: number for number, path in enumerate(photos)}
    work.mkdir(parents=True, exist_ok=True)
    index_path = work / f"{name}.json"
    index_path.unlink(missing_ok=True)
    temporary = {side: work / f".{name}-{side}.part.npy" for side in ("before", "after")}
    try:
        shapes = {"before": len(photos), "after": len(pairs)}
        arrays = {
            side: np.lib.format.open_memmap(temporary[side], "w+", np.uint8, (count, CACHE_SIZE, CACHE_SIZE, 3)) for side, count in shapes.items()
        }
        sizes: dict[Path, tuple[int, int]] = {}
        for number, pair in enumerate(pairs):
            if pair.before_path not in sizes:
                before = pair.before()
                sizes[pair.before_path] = before.shape[:2]
                arrays["before"][row[pair.before_path]] = squash(before)
            # Squashed from its own size: what the two differ by in rounding is gone at 256 pixels.
            height, width = sizes[pair.before_path]
            arrays["after"][number] = squash(pair.after((height, width)))
            if progress and number % 100 == 0:
                print(f"squashed {number}/{len(pairs)}", file=sys.stderr)
        for side, array in arrays.items():
            array.flush()
            os.replace(temporary[side], work / f"{name}-{side}.npy")
    finally:
        for path in temporary.values():
            path.unlink(missing_ok=True)
    entries = [{"name": p.name, "group": p.group, "expert": p.expert, "split": p.split, "before": row[p.before_path]} for p in pairs]
    write_json(index_path, {"set": name, "pairs": entries}, indent=None)
    return len(pairs)


class CachedPairs:
    """The pairs of one split out of a cache, as a sequence of (before, after), both uint8 [256, 256, 3] sRGB.

    Each expert's retouch is a pair of its own. `metas` holds name, group and expert of each.
    """

    def __init__(self, work: Path | str, name: str, split: str, experts: str | None = None):
        if split not in SPLITS:
            raise DataError(f"There is no split {split!r}; use one of {SPLITS}. Nothing was loaded.")
        work = Path(work)
        index = read_json(work / f"{name}.json", f"Run `python -m veraretouch.data.{name} --folder DIR --work DIR` first.")
        self.rows = [
            n for n, entry in enumerate(index["pairs"]) if entry["split"] == split and (experts is None or entry["expert"] in experts)
        ]
        self.metas = [index["pairs"][n] for n in self.rows]
        self._before = np.load(work / f"{name}-before.npy", mmap_mode="r")
        self._after = np.load(work / f"{name}-after.npy", mmap_mode="r")
        if len(self._after) != len(index["pairs"]):
            raise DataError(f"{name}-after.npy holds {len(self._after)} pictures, {name}.json {len(index['pairs'])}. Nothing was loaded; write the cache again.")

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        return np.array(self._before[self.metas[number]["before"]]), np.array(self._after[self.rows[number]])

    def __iter__(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        return (self[number] for number in range(len(self)))


class ExpertTargets:
    """Auto examples by real experts: untouched photos, and what one of their experts made of each, of all cached sets.

    Empty where a user has no such set. Sets are drawn from by their number of photos, a photo's experts evenly: five hands
    are five answers, and none of them is the mean.
    """

    def __init__(self, work: Path | str, split: str):
        self._choices: list[tuple[CachedPairs, str, list[int]]] = []
        for name in SETS:
            if (Path(work) / f"{name}.json").exists():
                pairs = CachedPairs(work, name, split)
                own: dict[int, list[int]] = {}
                for number, meta in enumerate(pairs.metas):
                    own.setdefault(meta["before"], []).append(number)
                self._choices += [(pairs, name, numbers) for numbers in own.values()]

    def __len__(self) -> int:
        """How many photos there are."""
        return len(self._choices)

    def draw(self, rng: random.Random) -> tuple[np.ndarray, np.ndarray, dict]:
        """(before, after, meta), both uint8 [256, 256, 3]; meta: "photo" with its set, "expert" and the licence "class"."""
        pairs, name, numbers = rng.choice(self._choices)
        number = rng.choice(numbers)
        meta = pairs.metas[number]
        return *pairs[number], {"photo": f"{name}/{meta['name']}", "expert": meta["expert"], "class": "research"}


def export_pairs(pairs: CachedPairs, folder: Path) -> int:
    """Writes before/NAME-EXPERT.png and after/NAME-EXPERT.png of 256 pixels; returns how many pairs."""
    for number, meta in enumerate(pairs.metas):
        for side, rgb in zip(("before", "after"), pairs[number]):
            picture = Image.fromarray(rgb)
            write_whole(folder / side / f"{meta['name']}-{meta['expert']}.png", lambda stream, p=picture: p.save(stream, "PNG"))
    return len(pairs)


def counts(pairs: list[ExpertPair]) -> dict[str, dict[str, int]]:
    """split -> {"photos", "groups", and pairs of each expert}."""
    table = {}
    for split in SPLITS:
        own = [p for p in pairs if p.split == split]
        if own:
            experts = Counter(p.expert for p in own)
            table[split] = {"photos": len({p.before_path for p in own}), "groups": len({p.group for p in own}), **{f"expert {e}": n for e, n in sorted(experts.items())}}
    return table


def command(description: str, name: str, find: Callable[[argparse.Namespace], tuple[list[ExpertPair], str]], add: Callable[[argparse.ArgumentParser], None]) -> int:
    """The command line of one set: find, print the counts against the published ones, write the cache unless --check."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="the set as it was unpacked or exported")
    parser.add_argument("--work", type=Path, help="folder for the cache")
    parser.add_argument("--experts", help="letters of the experts to take; default: all there are")
    parser.add_argument("--check", action="store_true", help="look only, write no cache")
    parser.add_argument("--export", type=Path, help="also write the training pairs as before/NAME and after/NAME into this folder")
    add(parser)
    options = parser.parse_args()
    if not options.check and options.work is None:
        parser.error("give --work DIR, or --check to look only")
    torch.set_num_threads(1)
    try:
        pairs, remark = find(options)
        print(remark)
        for split, row in counts(pairs).items():
            print(f"{split}: " + ", ".join(f"{count} {what}" for what, count in row.items()))
        if not options.check:
            written = pair_cache(with_validation(pairs), options.work, name, progress=True)
            print(f"{written} pairs in {options.work / name}.json")
            if options.export:
                print(f"{export_pairs(CachedPairs(options.work, name, 'train'), options.export)} training pairs in {options.export}")
    except DataError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0
