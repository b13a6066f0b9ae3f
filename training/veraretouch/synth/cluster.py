"""Makes examples on Ray Data: embedded on this machine, or on a cluster by its address."""

from __future__ import annotations

import io
import logging
import os
import pickle
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from ..data.files import DataError
from .store import SynthError, pack

# Rows of one Ray dataset: its plan and what it remembers stay small however many examples are asked for.
WAVE = 2048
_OBJECTS = 512 << 20
_ROOT = Path(__file__).resolve().parents[2]
Row = tuple[str, int, int]  # task, first example, how many
Packed = list[tuple[str, dict[str, bytes]]]


def make_row(maker, row: Row) -> Packed:
    """Examples of one row as (key, members)."""
    return [(sample.key, pack(sample)) for sample in maker.samples(*row)]


class _Worker:
    """An actor that holds a maker. Rows come as columns, examples go as one pickled list per row; or what we raise as text,
    because of an exception Ray hands on no more than its traceback."""

    def __init__(self, settings: dict):
        import torch

        from ..data.shards import Maker

        torch.set_num_threads(1)
        self.maker = Maker(**settings)

    def __call__(self, batch: dict) -> dict:
        rows = [(str(t), int(f), int(c)) for t, f, c in zip(batch["task"], batch["first"], batch["count"], strict=True)]
        made, errors = [], []
        for row in rows:
            try:
                made.append(pickle.dumps(make_row(self.maker, row)))
                errors.append("")
            except DataError as error:
                made.append(b"")
                errors.append(str(error))
        return {"task": [row[0] for row in rows], "first": [row[1] for row in rows], "examples": made, "error": errors}


def _quiet() -> None:
    """Before Ray is imported: no usage statistics, no log lines or progress bars of its own."""
    os.environ.update(
        RAY_USAGE_STATS_ENABLED="0", RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO="0", RAY_DATA_DISABLE_PROGRESS_BARS="1",
        RAY_enable_metrics_collection="0",
    )  # fmt: skip
    # Workers of an embedded Ray find this package as the command did.
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))


class _Aside:
    """Keeps the process's error stream and Python's output off the terminal while Ray lives: its core and its threads
    write there whatever is asked of its logs. Who has something to say keeps hold of the stream from before."""

    def __init__(self) -> None:
        self._stream: int | None = None
        self._output = sys.stdout
        self.folder: str | None = None

    def begin(self) -> None:
        self._output, sys.stdout = sys.stdout, io.StringIO()
        sys.stderr.flush()
        self._stream = os.dup(2)
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, 2)
        os.close(nothing)

    def end(self) -> None:
        if self._stream is not None:
            sys.stderr.flush()
            sys.stdout = self._output
            os.dup2(self._stream, 2)
            os.close(self._stream)
            self._stream = None


_aside = _Aside()


def start(workers: int, address: str | None) -> None:
    """Start an embedded Ray of `workers` CPUs, or join a cluster. Raises SynthError."""
    if address and address.startswith("ray://"):
        raise SynthError(
            f"Ray Data does not run through Ray Client ({address}). Nothing was made. Start this command on a machine of the "
            "cluster, with --address auto."
        )
    _quiet()
    try:
        import ray
        import ray.data
    except ImportError as cause:
        raise SynthError(f"Ray is missing ({cause}). Nothing was made. Install training/requirements.txt, or pass --workers 0.") from cause
    _aside.begin()
    common = {"log_to_driver": False, "logging_level": logging.CRITICAL, "configure_logging": True}
    try:
        if address:
            # A cluster's machines get the package; data and work folders they must see under the same paths.
            environment = {"working_dir": str(_ROOT), "excludes": ["results", "tests", ".work", "**/__pycache__"]}
            ray.init(address=address, runtime_env=environment, **common)
        else:
            # "local": a cluster that happens to run on this machine is not joined unasked.
            context = ray.init(address="local", num_cpus=workers, include_dashboard=False, object_store_memory=_OBJECTS, **common)
            _aside.folder = context.address_info["session_dir"]
    except (OSError, RuntimeError, ValueError, ImportError) as cause:
        _aside.end()
        where = f"the cluster at {address}" if address else "Ray on this machine"
        hint = "If it asks for a token, set RAY_AUTH_MODE=token. " if address else ""
        raise SynthError(f"Cannot start {where} ({cause}). Nothing was made. {hint}--workers 0 does without Ray.") from cause
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    for name in ("ray", "ray.data"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def stop() -> None:
    """End an embedded Ray and clear its logs and sockets away, or leave a cluster."""
    import ray

    ray.shutdown()
    if _aside.folder:
        shutil.rmtree(_aside.folder, ignore_errors=True)
        _aside.folder = None
    _aside.end()


def examples(rows: list[Row], settings: dict, workers: int) -> Iterator[tuple[Row, Packed]]:
    """Examples of all rows, in whatever order they are done. Ray must have been started. Raises SynthError."""
    import ray
    import ray.exceptions

    counts = {(task, first): count for task, first, count in rows}
    try:
        for task, first, packed, error in _made(rows, settings, workers):
            if error:
                raise SynthError(error)
            yield (task, first, counts[task, first]), pickle.loads(packed)
    except ray.exceptions.RayError as error:
        # The first line of a traceback that names an error is the one that began it.
        told = re.search(r"^\w[\w.]*(?:Error|Exception|Interrupt)\b.*$", str(error), re.MULTILINE)
        what = told[0] if told else type(error).__name__
        raise SynthError(f"A worker stopped ({what}). What stands is whole shards; the same command goes on.") from error


def _made(rows: list[Row], settings: dict, workers: int) -> Iterator[tuple[str, int, bytes, str]]:
    """(task, first, pickled examples, error) as the workers give them."""
    import ray.data

    for begin in range(0, len(rows), WAVE):
        items = [{"task": task, "first": first, "count": count} for task, first, count in rows[begin : begin + WAVE]]
        # One row a block: what is done is handed on at once, and no worker waits for another's backlog.
        data = ray.data.from_items(items, override_num_blocks=len(items)).map_batches(
            _Worker, fn_constructor_args=(settings,), batch_size=1, num_cpus=1,
            compute=ray.data.ActorPoolStrategy(size=min(workers, len(items))),
        )  # fmt: skip
        for batch in data.iter_batches(batch_size=None, prefetch_batches=1):
            columns = (batch[name] for name in ("task", "first", "examples", "error"))
            for task, first, packed, error in zip(*columns, strict=True):
                yield str(task), int(first), packed, str(error)

