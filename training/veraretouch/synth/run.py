"""Makes examples of the three tasks from photos, into WebDataset shards.

    python -m veraretouch.synth.run --photos FOLDER --work WORK --pairs auto=1000,style=1000,param=1000
    python -m veraretouch.synth.run --data DATA --work WORK --config training/configs/data.toml --split train

Without --photos the cache of `veraretouch.data.photos` in WORK is used. --data gives looks and teachers; without it,
styles are plain instructions and Auto goes back to the photo itself. A stopped run goes on when called again; how many
workers there are does not change a byte.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from ..data.files import TABLES, DataError
from ..data.photos import SPLITS
from ..data.shards import BATCH, Maker
from ..train.common import read_config
from . import cluster, folder
from .prepare import PARTS, Sources, fingerprint, need_instructions
from .store import TASKS, Index, SynthError, write_shard

CONFIG = TABLES.parent / "configs" / "data.toml"
_EVERY = 5.0  # seconds between lines of progress


def counts_of(text: str) -> dict[str, int]:
    """auto=8,param=16 -> {"auto": 8, "param": 16}. Raises SynthError."""
    counts = {}
    for part in text.split(","):
        task, _, number = part.strip().partition("=")
        if task not in TASKS or not number.isdigit():
            raise SynthError(f"--pairs takes TASK=N, joined by commas, TASK one of {', '.join(TASKS)}; not {part!r}. Nothing was made.")
        counts[task] = int(number)
    return counts


def shards_to_make(index: Index, counts: dict[str, int]) -> list[cluster.Row]:
    """(task, first, count) of shards that do not stand yet, tasks interleaved: a set that is not complete is balanced."""
    wanted = [
        (first / total, task, first, min(index.size, total - first))
        for task, total in counts.items()
        for first in range(0, total, index.size)
    ]
    return [(task, first, count) for _, task, first, count in sorted(wanted) if not index.holds(task, first, count)]


@dataclass
class Assembly:
    """Puts rows of examples together to shards and writes each as soon as it is whole."""

    index: Index
    shards: list[cluster.Row]
    say: Callable[[str], None]
    done: int = 0

    def __post_init__(self) -> None:
        # Counted from the first row on: how long workers take to start says nothing of how fast they are.
        self._began: tuple[float, int] | None = None
        self.total = sum(count for _, _, count in self.shards)
        self._open: dict[tuple[str, int], dict[int, cluster.Packed]] = {}
        self._count = {(task, first): count for task, first, count in self.shards}
        self._told = 0.0

    def rows(self) -> list[cluster.Row]:
        """The shards in pieces of one batch each."""
        return [
            (task, start, min(BATCH, first + count - start))
            for task, first, count in self.shards
            for start in range(first, first + count, BATCH)
        ]

    def add(self, row: cluster.Row, packed: cluster.Packed) -> None:
        task, start, count = row
        first = start // self.index.size * self.index.size
        parts = self._open.setdefault((task, first), {})
        parts[start] = packed
        self.done += count
        wanted = self._count[task, first]
        if sum(map(len, parts.values())) == wanted:
            del self._open[task, first]
            write_shard(self.index.path_of(task, first), (one for at in sorted(parts) for one in parts[at]))
            self.index.add(task, first, wanted)
        self._progress()

    def _progress(self) -> None:
        now = time.monotonic()
        self._began = self._began or (now, self.done)
        if now - self._told >= _EVERY or self.done == self.total:
            self._told = now
            line = f"{self.done}/{self.total} examples"
            since, before = self._began
            if self.done > before:
                rate = (self.done - before) / max(1e-9, now - since)
                left = (self.total - self.done) / rate
                line += f", {rate:.1f} a second, {int(left // 60)} min {int(left % 60):02d} s left"
            self.say(line)


def produce(rows: list[cluster.Row], settings: dict, maker: Maker, workers: int, address: str | None) -> Iterator:
    """(row, examples) of all rows; `workers` 0 makes them in this process."""
    if workers == 0:
        for row in rows:
            yield row, cluster.make_row(maker, row)
        return
    cluster.start(workers, address)
    try:
        yield from cluster.examples(rows, settings, workers)
    finally:
        cluster.stop()


def build(
    config: dict, sources: Sources, split: str, counts: dict[str, int], out: Path, workers: int,
    address: str | None, say: Callable[[str], None],
) -> Index:  # fmt: skip
    """Makes what is missing of a set in `out`. Raises DataError, SynthError; what stands then is whole.

    say: takes lines of progress; it must hold its own stream, as Ray's are put aside.
    """
    torch.manual_seed(0)
    need_instructions(sources)
    settings = {
        "config": config, "data": sources.data, "work": sources.work, "split": split, "open_only": sources.open_only,
        "cache": sources.cache, "experts": sources.experts, "without": sorted(sources.without),
    }  # fmt: skip
    # Made here first: what is missing is told before anything starts, and the pair database stands when workers ask for it.
    maker = Maker(**settings)
    say(f"{split}: {len(maker.photos)} photos, {len(maker.looks)} looks; left out: {', '.join(sorted(maker.sources.without)) or 'nothing'}")
    with writing(out):
        index = Index.open(out, fingerprint(config, maker.sources, split, maker.teachers))
        if standing := sum(index.count(task) for task in counts):
            say(f"{standing} examples stand already in {out}")
        assembly = Assembly(index, shards_to_make(index, counts), say)
        if assembly.total:
            for row, packed in produce(assembly.rows(), settings, maker, workers, address):
                assembly.add(row, packed)
        index.finish()
    say(", ".join(f"{task} {index.count(task)}" for task in TASKS if index.count(task)) + f" examples in {out}")
    return index


@contextmanager
def writing(out: Path) -> Iterator[None]:
    """Holds a set alone, and clears away what a killed run left half written. Raises SynthError when another run holds it."""
    out.mkdir(parents=True, exist_ok=True)
    with (out / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as cause:
            raise SynthError(f"Another run is writing to {out}; nothing was made. Wait for it, or choose another --out.") from cause
        for partial in out.glob(".*.tar.*"):
            partial.unlink()
        yield


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What this command and its companions take in common."""
    parser.add_argument("--photos", type=Path, help="any folder of photos, with all folders in it")
    parser.add_argument("--data", type=Path, help="folder with presets, film looks and peers")
    parser.add_argument("--work", type=Path, required=True, help="folder for caches, checkpoints and shards")
    parser.add_argument("--config", type=Path, default=CONFIG, help="TOML file (default: training/configs/data.toml)")
    parser.add_argument("--split", default="train", choices=SPLITS)
    parser.add_argument("--experts", type=Path, help="folder of real expert pairs: before/NAME and after/NAME")
    parser.add_argument("--leave-out", default="", help=f"do without some of {','.join(PARTS)}")
    parser.add_argument("--open-only", action="store_true", help="use no photo of licence class research")


def sources_of(options: argparse.Namespace, threads: int, say: Callable[[str], None]) -> Sources:
    """The sources that the arguments name; a folder of photos is read and cached. Raises DataError."""
    if options.photos is None and options.data is None:
        raise SynthError("Give --photos FOLDER, or --data DATA for the photos that veraretouch.data.photos has cached. Nothing was made.")
    cache = folder.prepare(options.photos, options.work, options.data, threads, say) if options.photos else options.work
    without = frozenset(part.strip() for part in options.leave_out.split(",") if part.strip())
    return Sources(options.work, cache, options.data, options.experts, without, options.open_only).settled()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser)
    parser.add_argument("--pairs", help="auto=N,style=N,param=N (default: the configuration's counts)")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes; 0: this one alone, without Ray")
    parser.add_argument("--address", help="the Ray cluster that this machine is part of: auto or HOST:PORT (default: a Ray of its own)")
    parser.add_argument("--out", type=Path, help="folder of the shards (default: WORK/shards/NAME/SPLIT)")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)

    say = partial(print, file=sys.stdout, flush=True)

    def stop(*_) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    out = None
    try:
        config = read_config(options.config)
        counts = counts_of(options.pairs) if options.pairs else config["counts"][options.split]
        sources = sources_of(options, max(1, options.workers), say)
        name = options.photos.resolve().name if options.photos else config["name"]
        out = options.out or options.work / "shards" / name / options.split
        build(config, sources, options.split, counts, out, options.workers, options.address, say)
    except DataError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"Stopped. Only whole shards stand in {out}; the same command goes on." if out else "Stopped.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
