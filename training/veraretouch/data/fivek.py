"""MIT-Adobe FiveK with all five experts, for who owns it: finds the pairs in a folder and puts them into the cache.

    python -m veraretouch.data.fivek --folder DIR --work WORK [--experts ac] [--check] [--split last500] [--input SUBFOLDER]

Folders that are understood, anywhere below DIR:
    input/JPG/480p and expertC/JPG/480p with train_input.txt, train_label.txt, test.txt   (the 3D-LUT papers; 4,500 / 500)
    the same with train.txt and test.txt                                                  (their successors)
    input and output with images_train.txt, images_valid.txt, images_test.txt             (DPE, CURL, DeepLPF; 2,250 / 2,250 / 500)
    tiff16_a ... tiff16_e, as the official archive names them, with an `input` folder of developed photos beside them and
    training.json, validation.json, testing.json                                          (3,500 / 500 / 1,000)
    expertA ... expertE, "Expert C 480p" and the like, with input, raw_photos, Zero, InputAsShotZeroed, original or source
Photos are matched by their number (a0001, a0001-jmac_DSC1459, 0001). Camera files (.dng) are no input: develop them with the
catalogue's zeroed settings and export them in sRGB. 16-bit XYZ inputs are not read either, the sRGB ones beside them are.
"""

from __future__ import annotations

import argparse
import json
import re
from dataclasses import replace
from pathlib import Path

from .experts_sets import ExpertPair, command, pictures_in, require_same
from .files import DataError, read_json

EXPERTS = "abcde"
PHOTOS = 5000
# Lists in a folder -> (split, file) and the counts that were published with them.
LISTS: tuple[tuple[tuple[tuple[str, str], ...], dict[str, int]], ...] = (
    ((("train", "train_input.txt"), ("train", "train_label.txt"), ("test", "test.txt")), {"train": 4500, "test": 500}),
    ((("train", "images_train.txt"), ("val", "images_valid.txt"), ("test", "images_test.txt")), {"train": 2250, "val": 2250, "test": 500}),
    ((("train", "train.txt"), ("test", "test.txt")), {"train": 4500, "test": 500}),
    ((("train", "training.json"), ("val", "validation.json"), ("test", "testing.json")), {"train": 3500, "val": 500, "test": 1000}),
)  # fmt: skip
# The photos of our development benchmark (DATA/fivek-dev): never for training, whatever list they are in.
BENCHMARK = frozenset("2803 2917 3102 3232 4232 4670 4680 4690 4714 4723 4857 4970 4980 4990".split())
_NUMBER = re.compile(r"^a?(\d{1,4})(?=$|[^0-9])", re.IGNORECASE)
_EXPERT = re.compile(r"^(?:expert|tiff16|retouched|exp)[ _-]?([a-e])(?![a-z])", re.IGNORECASE)
_INPUT = re.compile(r"^(?:input|raw|zero|original|source)", re.IGNORECASE)
_OUTPUT = re.compile(r"^(?:output|target|gt|groundtruth|label)s?$", re.IGNORECASE)
_DEPTH = 5


def number_of(stem: str) -> str | None:
    """'a0001-jmac_DSC1459', 'a0001', '1' -> '0001'; None for other names."""
    found = _NUMBER.match(stem)
    return found[1].zfill(4) if found and int(found[1]) >= 1 else None


def _side(parts: tuple[str, ...]) -> str | None:
    """'input', 'a' ... 'e', or None, by the folder names on the way to the pictures; the deepest that says so wins."""
    for part in reversed(parts):
        if expert := _EXPERT.match(part):
            return expert[1].lower()
        if _OUTPUT.match(part):
            return "c"
        if _INPUT.match(part):
            return "input"
    return None


def _folders(root: Path) -> dict[str, list[Path]]:
    """side -> folders with numbered pictures of it."""
    found: dict[str, list[Path]] = {}
    pending = [(root, 0)]
    while pending:
        folder, depth = pending.pop()
        inner = sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
        pending += [(p, depth + 1) for p in inner] if depth < _DEPTH else []
        parts = folder.relative_to(root).parts
        side = None if any("xyz" in part.lower() for part in parts) else _side(parts)
        if side and pictures_in(folder, number_of):
            found.setdefault(side, []).append(folder)
    return found


def _one(side: str, folders: list[Path], wanted: str | None) -> Path:
    """The folder of a side; of several the 480p one, else the one that was asked for."""
    if wanted:
        folders = [f for f in folders if f.as_posix().endswith(wanted.strip("/"))]
    if len(folders) > 1:
        folders = [f for f in folders if "480" in f.as_posix()] or folders
    if len(folders) != 1:
        names = ", ".join(map(str, folders)) or "none that fits"
        raise DataError(f"Several folders hold the side {side!r}: {names}. Nothing was written; name one with --input, or leave one expert folder each.")
    return folders[0]


def _listed(path: Path) -> set[str]:
    """Numbers of the photos in a list: one name a line, or JSON keyed by name."""
    if path.suffix == ".json":
        table = read_json(path, "It came with the set; restore it.")
        names = list(table) if isinstance(table, dict) else [entry["basename"] for entry in table]
    else:
        names = path.read_text(encoding="utf-8").split("\n")
    names = [name.strip() for name in names if name.strip()]
    numbers = [number_of(Path(name).name) for name in names]
    if not names or None in numbers:
        raise DataError(f"{path} is not a list of FiveK photos ({names[numbers.index(None)] if names else 'it is empty'!r}). Nothing was written; restore it.")
    return set(numbers)


def read_splits(root: Path, rule: str | None = None) -> tuple[dict[str, str], dict[str, int]]:
    """(number -> split, published counts) from the lists in the folder, or by the rule "last500": a4501 to a5000 are test.

    Raises DataError when there are no lists and no rule, or when a photo is in two splits.
    """
    if rule == "last500":
        return {f"{n:04d}": "train" if n <= PHOTOS - 500 else "test" for n in range(1, PHOTOS + 1)}, {"train": 4500, "test": 500}
    for lists, published in LISTS:
        for folder in (root, *sorted(p for p in root.glob("*") if p.is_dir())):
            if all((folder / name).is_file() for _, name in lists):
                splits: dict[str, str] = {}
                for split, name in lists:
                    for number in _listed(folder / name):
                        if splits.setdefault(number, split) != split:
                            raise DataError(f"{folder / name}: photo a{number} is also in the list of {splits[number]}. Nothing was written; restore the lists.")
                return splits, published
    raise DataError(
        f"{root} holds no list of a standard split ({'; '.join(', '.join(name for _, name in lists) for lists, _ in LISTS)}). Nothing was written; "
        "put the lists there, or choose --split last500 (a4501 to a5000 are test), which is not what every paper used."
    )


def find_pairs(root: Path, experts: str | None = None, rule: str | None = None, wanted: str | None = None) -> tuple[list[ExpertPair], dict[str, int]]:
    """(all pairs of the listed photos by number and expert, published counts). Photos in no list are left out.

    Raises DataError when a side is missing, as a folder or for a single photo, which is then named.
    """
    if not root.is_dir():
        raise DataError(f"No such folder: {root}. Nothing was written.")
    splits, published = read_splits(root, rule)
    folders = _folders(root)
    if "input" not in folders:
        raise DataError(
            f"{root} holds no folder of untouched photos (input, raw_photos, Zero, original or source with .tif, .png or .jpg). Nothing was written; "
            "develop the camera files with the catalogue's zeroed settings and export them in sRGB into a folder `input`."
        )
    there = "".join(e for e in EXPERTS if e in folders)
    chosen = experts or there
    missing = [e for e in chosen if e not in there]
    if missing or not chosen:
        raise DataError(f"{root} holds no folder of expert {(missing or ['a to e'])[0]!r}; found: {there or 'none'}. Nothing was written; add it or choose other --experts.")
    before = pictures_in(_one("input", folders["input"], wanted), number_of)
    before = {number: path for number, path in before.items() if number in splits}
    pairs = []
    for expert in chosen:
        after = pictures_in(_one(expert, folders[expert], None), number_of)
        after = {number: path for number, path in after.items() if number in splits}
        require_same(before, after, ("input", f"expert {expert.upper()}"))
        pairs += [ExpertPair(f"a{n}", f"a{n}", expert, splits[n], path, after[n]) for n, path in sorted(before.items())]
    return sorted(pairs, key=lambda p: (p.name, p.expert)), published


def without_benchmark(pairs: list[ExpertPair]) -> list[ExpertPair]:
    """The same pairs with those of the development benchmark in the test split."""
    return [replace(p, split="test") if p.name.removeprefix("a") in BENCHMARK else p for p in pairs]


def _find(options: argparse.Namespace) -> tuple[list[ExpertPair], str]:
    pairs, published = find_pairs(options.folder, options.experts, options.split, options.input)
    got = {split: len({p.name for p in pairs if p.split == split}) for split in published}
    told = "as published" if got == published else f"published: {json.dumps(published)}, here: {json.dumps(got)}"
    moved = len({p.name for p in pairs if p.split != "test" and p.name.removeprefix("a") in BENCHMARK})
    return without_benchmark(pairs), f"photos by split: {told}; {moved} of the development benchmark go to test"


def main() -> int:
    def add(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--split", choices=("last500",), help="a rule instead of the lists in the folder")
        parser.add_argument("--input", help="end of the path of the input folder, where there are several")

    return command(__doc__, "fivek", _find, add)


if __name__ == "__main__":
    raise SystemExit(main())
