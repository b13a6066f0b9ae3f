"""How fast examples are made with so many workers, and what a million of each task would take.

    python -m veraretouch.synth.throughput --data DATA --work WORK --workers 1,2,4 --pairs 256 --result FILE

Rates are measured on this machine with Ray, from the moment that all workers are at work; nothing is kept. Beside them stand
the CPU seconds of one example without Ray, which hardly depend on what else the machine does. The projection takes the rate of the best number of workers as it is and, for other machines, the rate of one worker times
the cores times the efficiency that was measured here at the most workers that still had a core each.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from importlib.metadata import version
from pathlib import Path

import torch

from ..data.files import DataError, write_json
from ..data.shards import BATCH, Maker
from ..train.common import read_config
from . import cluster
from .prepare import need_instructions
from .run import add_arguments, sources_of
from .store import TASKS, SynthError

MILLION = 1_000_000
_CORES = (8, 32, 96)
_ALONE = 128
_HEADER = 512  # bytes that a tar spends on each member, whose own bytes are filled up to as many


def stored_bytes(packed: cluster.Packed) -> int:
    """Bytes of examples in a tar."""
    return sum(_HEADER + -(-len(data) // _HEADER) * _HEADER for _, members in packed for data in members.values())


def measure(settings: dict, task: str, workers: int, pairs: int) -> tuple[float, float]:
    """(examples a second, bytes of one example). Ray must have been started."""
    # Two rows a worker until all run evenly; their time does not count.
    warm = 2 * workers
    rows = [(task, n * BATCH, BATCH) for n in range(warm + -(-pairs // BATCH))]
    begun, done, size, count = 0.0, 0, 0, 0
    for _, packed in cluster.examples(rows, settings, workers):
        done += 1
        size += stored_bytes(packed)
        count += len(packed)
        if done == warm:
            begun = time.monotonic()
    return (len(rows) - warm) * BATCH / (time.monotonic() - begun), size / count


def processor_seconds(maker: Maker, task: str, pairs: int) -> float:
    """CPU seconds of one example, made in this process: a figure that hardly depends on what else the machine does."""
    maker.samples(task, 0, BATCH)
    begun = time.process_time()
    maker.samples(task, BATCH, pairs)
    return (time.process_time() - begun) / pairs


def projection(rates: dict[int, dict[str, float]], sizes: dict[str, float], cores: int) -> dict:
    """Hours and gigabytes of a million of each task, from rates[workers][task] in examples a second."""
    def hours(rate_of: dict[str, float]) -> float:
        return round(sum(MILLION / rate_of[task] for task in rate_of) / 3600, 1)

    best = min(rates, key=lambda workers: hours(rates[workers]))
    alone = rates[min(rates)]
    fed = max(w for w in rates if w <= max(cores, min(rates)))
    efficiency = min(1.0, hours(alone) * min(rates) / (hours(rates[fed]) * fed))
    return {
        "pairs": {task: MILLION for task in sizes}, "hoursHere": hours(rates[best]), "workersHere": best,
        "efficiency": {"workers": fed, "share": round(efficiency, 3)},
        "hoursOnCores": {str(n): round(hours(alone) * min(rates) / (n * efficiency), 1) for n in _CORES},
        "gigabytes": {task: round(size * MILLION / 1e9, 1) for task, size in sizes.items()},
    }  # fmt: skip


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or "unknown"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser)
    parser.add_argument("--workers", default="1,2,4", help="numbers of workers, joined by commas")
    parser.add_argument("--pairs", type=int, default=256, help="examples of each task that are timed")
    parser.add_argument("--result", type=Path, required=True, help="JSON file for the figures")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    terminal = sys.stdout

    def say(line: str) -> None:
        print(line, file=terminal, flush=True)

    try:
        numbers = sorted({int(n) for n in options.workers.split(",") if n.strip().isdigit() and int(n) > 0})
        if not numbers or options.pairs < 1:
            raise SynthError("--workers takes numbers above 0, joined by commas, and --pairs one above 0. Nothing was measured.")
        config, sources = read_config(options.config), sources_of(options, max(numbers), say)
        need_instructions(sources)
        settings = {
            "config": config, "data": sources.data, "work": sources.work, "split": options.split, "open_only": sources.open_only,
            "cache": sources.cache, "experts": sources.experts, "without": sorted(sources.without),
        }  # fmt: skip
        # Builds the pair database where it is missing, so that no worker is timed at it.
        maker = Maker(**settings)
        left_out = sorted(maker.sources.without)
        rates: dict[int, dict[str, float]] = {}
        sizes: dict[str, float] = {}
        alone = {task: processor_seconds(maker, task, min(options.pairs, _ALONE)) for task in TASKS}
        load = [round(x, 2) for x in os.getloadavg()]
        for workers in numbers:
            cluster.start(workers, None)
            try:
                rates[workers] = {}
                for task in TASKS:
                    rates[workers][task], sizes[task] = measure(settings, task, workers, options.pairs)
                    say(f"{workers} workers, {task}: {rates[workers][task]:.1f} examples a second")
            finally:
                cluster.stop()
    except DataError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    cores = os.cpu_count() or 1
    result = {
        "processor": processor(), "cores": cores, "versions": {name: version(name) for name in ("torch", "ray", "webdataset")},
        "loadBefore": load, "loadAfter": [round(x, 2) for x in os.getloadavg()], "leftOut": left_out, "timed": options.pairs,
        "examplesPerSecond": {str(w): {t: round(r, 1) for t, r in by.items()} for w, by in rates.items()},
        "processorSecondsPerExample": {task: round(seconds, 4) for task, seconds in alone.items()},
        "processorHoursOfAMillion": round(sum(alone.values()) * MILLION / 3600, 1),
        "bytesPerExample": {task: round(size) for task, size in sizes.items()}, "million": projection(rates, sizes, cores),
    }  # fmt: skip
    write_json(options.result, result)
    say(f"a million of each: {result['million']['hoursHere']} hours here with {result['million']['workersHere']} workers, {result['million']['gigabytes']} GB")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
