"""Shards of examples: WebDataset tars of 256, written whole, with an index from which a stopped run goes on.

OUT/TASK-000123.tar holds samples `TASK-0000NNNNN` of one `.json` (what is told and asked) and `.npy` arrays (`before`,
`after`, `params`; for picture tasks also `tone`, `features`, `figures`). The same examples give the same bytes.
OUT/index.jsonl: the first line says what the set is made of, every further line names one whole shard.
"""

from __future__ import annotations

import io
import json
import os
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import webdataset

from ..data.files import DataError, sha256_of, write_whole

SHARD = 256
TASKS = ("auto", "style", "param")
INDEX = "index.jsonl"
VERSION = 1


class SynthError(DataError):
    """Examples cannot be made or read as asked; the message says what was left untouched and what to do."""


@dataclass(frozen=True)
class Sample:
    """One example as it is stored: `meta` is JSON, `arrays` name -> array without a batch dimension."""

    key: str
    meta: dict
    arrays: dict[str, np.ndarray]


@dataclass(frozen=True)
class Entry:
    """One whole shard. sha256 and bytes are of the file."""

    name: str
    task: str
    first: int
    count: int
    bytes: int
    sha256: str


def key_of(task: str, number: int) -> str:
    return f"{task}-{number:09d}"


def shard_name(task: str, first: int, size: int = SHARD) -> str:
    return f"{task}-{first // size:06d}.tar"


def pack(sample: Sample) -> dict[str, bytes]:
    """Members of one sample as bytes, the form in which workers hand them on."""
    members = {"json": json.dumps(sample.meta, ensure_ascii=False).encode()}
    for name, array in sample.arrays.items():
        stream = io.BytesIO()
        np.lib.format.write_array(stream, np.ascontiguousarray(array), version=(1, 0), allow_pickle=False)
        members[f"{name}.npy"] = stream.getvalue()
    return members


def write_shard(path: Path, samples: Iterable[tuple[str, dict[str, bytes]]]) -> None:
    """Writes (key, members) pairs as one tar, whole or not at all; no clock and no user name gets into it."""

    def write(stream) -> None:
        with webdataset.TarWriter(stream, encoder=False, mtime=0) as tar:
            for key, members in samples:
                tar.write({"__key__": key, **members})

    write_whole(path, write)


class _Arrays:
    """Reads .npy members; headers repeat in every sample, so each is parsed once."""

    def __init__(self) -> None:
        self.known: dict[bytes, tuple[np.dtype, tuple[int, ...]]] = {}

    def read(self, data: bytes) -> np.ndarray:
        start = 10 + int.from_bytes(data[8:10], "little")
        header = data[:start]
        if header not in self.known:
            stream = io.BytesIO(data)
            np.lib.format.read_magic(stream)
            shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
            self.known[header] = (dtype, shape)
        dtype, shape = self.known[header]
        return np.frombuffer(data, dtype, offset=start).reshape(shape)


def read_shard(path: Path) -> Iterator[Sample]:
    """Samples of one tar in their order. Raises SynthError when it is no whole shard."""
    arrays, key, meta, found = _Arrays(), None, None, {}
    try:
        with tarfile.open(path, "r:") as tar:
            for member in tar:
                stem, _, kind = member.name.partition(".")
                if key is not None and stem != key:
                    yield Sample(key, meta, found)
                    meta, found = None, {}
                key = stem
                data = tar.extractfile(member).read()
                if kind == "json":
                    meta = json.loads(data)
                else:
                    found[kind.removesuffix(".npy")] = arrays.read(data)
    except (OSError, tarfile.TarError, ValueError) as cause:
        raise SynthError(f"{path} is no whole shard ({cause}). Nothing was changed. Delete it and run synth.run again.") from cause
    if key is not None:
        yield Sample(key, meta, found)


class Index:
    """What a folder of shards holds. Lines are appended; a line cut short by a kill counts as not written."""

    def __init__(self, folder: Path, header: dict):
        self.folder, self.path, self.header = folder, folder / INDEX, header
        self.entries: dict[str, Entry] = {}
        # Examples of a shard; what a configuration may change.
        self.size: int = header.get("shard", SHARD)

    @classmethod
    def read(cls, folder: Path) -> Index:
        """The index of an existing set. Raises SynthError."""
        try:
            lines = (folder / INDEX).read_text(encoding="utf-8").split("\n")
            index = cls(folder, json.loads(lines[0]))
        except (OSError, ValueError) as cause:
            raise SynthError(f"There are no examples in {folder} ({cause}). Make them with `python -m veraretouch.synth.run`.") from cause
        for line in lines[1:-1]:
            entry = Entry(**json.loads(line))
            index.entries[entry.name] = entry
        return index

    @classmethod
    def open(cls, folder: Path, header: dict) -> Index:
        """Begin a set, or go on with one made of the same. Raises SynthError when it was made of something else."""
        if not (folder / INDEX).exists():
            index = cls(folder, header)
            index._rewrite()
            return index
        index = cls.read(folder)
        if not index.entries:
            # Nothing was made of what it names.
            index.header, index.size = header, header.get("shard", SHARD)
        differing = sorted(k for k in {*header, *index.header} if header.get(k) != index.header.get(k))
        if differing:
            raise SynthError(
                f"The examples in {folder} were made with another {', '.join(differing)}; they are not mixed and nothing was "
                "written. Choose another --out, or delete the folder to make them anew."
            )
        # What a kill left of a last line goes.
        index._rewrite()
        return index

    def path_of(self, task: str, first: int) -> Path:
        return self.folder / shard_name(task, first, self.size)

    def holds(self, task: str, first: int, count: int) -> bool:
        """Whether a whole shard with at least `count` examples stands on disk."""
        path = self.path_of(task, first)
        entry = self.entries.get(path.name)
        return entry is not None and entry.count >= count and path.exists() and path.stat().st_size == entry.bytes

    def add(self, task: str, first: int, count: int) -> Entry:
        """Enter a shard that has just been written."""
        path = self.path_of(task, first)
        entry = Entry(path.name, task, first, count, path.stat().st_size, sha256_of(path))
        self.entries[entry.name] = entry
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(entry)) + "\n")
            file.flush()
            os.fsync(file.fileno())
        return entry

    def finish(self) -> None:
        """Puts the lines in order, so that the same set has the same index whatever way it came about."""
        self._rewrite()

    def _rewrite(self) -> None:
        lines = [self.header, *(asdict(self.entries[name]) for name in sorted(self.entries))]
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        write_whole(self.path, lambda stream: stream.write(text.encode()))

    def count(self, task: str) -> int:
        return sum(e.count for e in self.entries.values() if e.task == task)
