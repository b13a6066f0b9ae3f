"""The test sets of the evaluation as data: named photos, settings, looks, wordings, in training/data/benches.json.

    python -m veraretouch.eval.benches --data DATA --work WORK [--renderer WORK/renderer/last.pt] [--make | --check]

A set does not move when code that draws examples does: what is measured is read from the file, and only photos, looks and
the develop engine are needed. `--make` draws the file anew (`eval.benches_draw`), `--check` draws again and compares.
Without either the sets are counted and every name is looked up.

auto: a test photo made worse, to be led back to itself. "params" are the engine's, in thousandths, "lut" a colour map of
9^3 values (zlib, base64, red fastest) where the flaw is no setting. style: photo, unseen look, unseen wording. param:
photo and settings in hundredths. masks: numbers of param entries that touch all three factors. reference: an operation
on one photo, to be repeated on another. elements: captioned Flickr8k test photos. prompts: photos for the instructions.
"""

from __future__ import annotations

import argparse
import base64
import json
import sys
import zlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from ..data.files import TABLES, DataError, read_json, write_whole
from ..data.looks import Look, apply_look, load_looks
from ..data.photos import PhotoCache
from ..engine.develop import develop
from ..synth.auto import apply_trilinear, bake

FILE = TABLES / "benches.json"
SETS = ("auto", "style", "param", "masks", "reference", "elements", "prompts")
LUT_SIZE = 9
_HINT = "It is part of the project; restore it, or draw it anew with `python -m veraretouch.eval.benches --make`."


def pack(lut: torch.Tensor) -> str:
    """LUT [9, 9, 9, 3] (blue, green, red) in [0, 1] -> text, to 8 bits."""
    values = (lut.clamp(0, 1) * 255).round().to(torch.uint8).numpy()
    return base64.b64encode(zlib.compress(values.tobytes(), 9)).decode()


def unpack(text: str) -> torch.Tensor:
    """Inverse of `pack`. Raises DataError for text that is no such LUT."""
    try:
        values = np.frombuffer(zlib.decompress(base64.b64decode(text)), np.uint8)
        return torch.from_numpy(values.reshape(LUT_SIZE, LUT_SIZE, LUT_SIZE, 3).astype(np.float32)) / 255
    except (ValueError, zlib.error) as cause:
        raise DataError(f"A colour map of benches.json cannot be read ({cause}). Nothing was measured. {_HINT}") from cause


def save_benches(table: dict, path: Path = FILE) -> None:
    """One entry a line, so that a change of one is a change of one line."""
    def lines(entries: list) -> str:
        return "[\n" + ",\n".join(json.dumps(e, ensure_ascii=False, separators=(",", ":")) for e in entries) + "\n]"

    parts = [f"{json.dumps(k)}: {lines(v) if isinstance(v, list) else json.dumps(v)}" for k, v in table.items()]
    write_whole(path, lambda stream: stream.write(("{\n" + ",\n".join(parts) + "\n}\n").encode()))


@dataclass(frozen=True)
class Item:
    """One example. picture: uint8 [S, S, 3], what the model sees; target: float [S, S, 3] in [0, 1]; params [38] of param."""

    name: str
    photo: str
    picture: torch.Tensor
    target: torch.Tensor
    instruction: str = ""
    params: torch.Tensor | None = None
    kind: str = ""

    @property
    def before(self) -> torch.Tensor:
        return self.picture.float() / 255


class Benches:
    """The sets of a table on the cached photos of WORK. Raises DataError when the file, a photo or a look is missing."""

    def __init__(self, data: Path, work: Path, path: Path = FILE) -> None:
        table = read_json(path, _HINT)
        if missing := [name for name in SETS if name not in table]:
            raise DataError(f"{path} lacks the set {missing[0]!r}. Nothing was measured. {_HINT}")
        self._of(table, data, work, "test", "unseen")

    @classmethod
    def of_training(cls, table: dict, data: Path, work: Path) -> Benches:
        """The same for entries of training photos and seen looks (`benches_draw.train_pairs`)."""
        benches = cls.__new__(cls)
        benches._of(table, data, work, "train", "seen")
        return benches

    def _of(self, table: dict, data: Path, work: Path, split: str, looks: str) -> None:
        self.table, self.data, self.work = table, Path(data), Path(work)
        self.kind_of_looks, self.split = looks, split
        self.photos = PhotoCache(work, split)
        self._row = {name: i for i, name in enumerate(self.photos.names)}

    @cached_property
    def looks(self) -> dict[str, Look]:
        return {look.key: look for look in load_looks(self.data, self.kind_of_looks)}

    def photo(self, name: str) -> torch.Tensor:
        """uint8 [S, S, 3]."""
        if name not in self._row:
            raise DataError(
                f"The {self.split} photo {name} is not in {self.work}. Nothing was measured; run "
                "`python -m veraretouch.data.photos` on the whole collection."
            )
        return self.photos[self._row[name]]

    def look(self, key: str) -> Look:
        if key not in self.looks:
            raise DataError(f"The look {key} is not among the {self.kind_of_looks} ones. Nothing was measured. {_HINT}")
        return self.looks[key]

    def degrade(self, entry: dict, colours: torch.Tensor) -> torch.Tensor:
        """The flaw of an auto entry on colours [N, 3], as a map of 17^3 values where it is made of settings."""
        if "lut" in entry:
            return apply_trilinear(unpack(entry["lut"]), colours).clamp(0, 1)
        params = torch.tensor(entry["params"])[None] / 1000
        return apply_trilinear(bake(lambda rgb: develop(rgb[None], params)[0]), colours).clamp(0, 1)

    def auto(self, number: int) -> Item:
        entry = self.table["auto"][number]
        photo = self.photo(entry["photo"])
        worse = self.degrade(entry, photo.view(-1, 3).float() / 255)
        picture = (worse * 255).round().to(torch.uint8).view(photo.shape)
        return Item(f"auto {number}", entry["photo"], picture, photo.float() / 255, kind=entry["kind"])

    def style(self, number: int) -> Item:
        entry = self.table["style"][number]
        photo = self.photo(entry["photo"])
        target = apply_look(photo.view(-1, 3).float() / 255, self.look(entry["look"])).clamp(0, 1).view(photo.shape)
        return Item(f"style {number}", entry["photo"], photo, target, entry["instruction"], kind=entry["look"])

    def param(self, number: int) -> Item:
        """The target is not rendered here: 1,000 whole pictures are not needed (`develop` on what is measured)."""
        entry = self.table["param"][number]
        photo = self.photo(entry["photo"])
        params = torch.tensor(entry["params"]) / 100
        return Item(f"param {number}", entry["photo"], photo, photo.float() / 255, params=params)

    def operation(self, entry: dict):
        """The retouch of a reference entry as a function of colours [N, 3]."""
        if "look" in entry:
            look = self.look(entry["look"])
            return lambda rgb: apply_look(rgb, look).clamp(0, 1)
        params = torch.tensor(entry["params"])[None] / 100
        return lambda rgb: develop(rgb[None], params)[0].clamp(0, 1)

    def verify(self) -> dict[str, int]:
        """Looks up every name; -> set -> count."""
        for name in ("auto", "style", "param"):
            for entry in self.table[name]:
                self.photo(entry["photo"])
        for entry in self.table["style"]:
            self.look(entry["look"])
        for entry in self.table["reference"]:
            self.photo(entry["photo"])
            self.photo(entry["other"])
            self.operation(entry)
        return {name: len(self.table[name]) for name in SETS}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with looks and the 3D LUT peer")
    parser.add_argument("--work", type=Path, required=True, help="folder with the photo caches and instructions.json")
    parser.add_argument("--renderer", type=Path, help="checkpoint of stage 1 whose encoder undoes retouches (--make, --check)")
    parser.add_argument("--make", action="store_true", help="draw the file anew")
    parser.add_argument("--check", action="store_true", help="draw again and compare with the file")
    a = parser.parse_args()
    torch.set_num_threads(1)
    try:
        if a.make or a.check:
            from .benches_draw import differences, draw

            if a.renderer is None:
                parser.error("--make and --check need --renderer")
            drawn = draw(a.data, a.work, a.renderer)
            if a.make:
                save_benches(drawn)
            found = differences(read_json(FILE, _HINT), drawn)
            for line in found[:40]:
                print(line)
            print(f"{len(found)} entries of {sum(len(drawn[s]) for s in SETS)} differ")
            if found:
                return 1
        print(json.dumps(Benches(a.data, a.work).verify()))
    except DataError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
