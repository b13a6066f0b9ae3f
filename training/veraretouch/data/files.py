"""Errors and whole-or-nothing file writing shared by the data commands."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import numpy as np

# Small tables that are committed with the project: training/data/.
TABLES = Path(__file__).resolve().parents[2] / "data"


class DataError(RuntimeError):
    """Input data is missing, damaged or does not fit; the message says what was left untouched and what to do."""


def write_whole(path: Path, write: Callable[[IO[bytes]], None]) -> None:
    """Writes a file through a temporary sibling and a rename, so that a reader never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            write(stream)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise


def write_json(path: Path, value: Any, indent: int | None = 1) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=False, sort_keys=False) + "\n"
    write_whole(path, lambda stream: stream.write(text.encode()))


def write_array(path: Path, array: np.ndarray) -> None:
    write_whole(path, lambda stream: np.save(stream, array, allow_pickle=False))


def read_json(path: Path, hint: str) -> Any:
    """Reads a JSON file; `hint` tells the reader how such a file comes to be."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as cause:
        raise DataError(f"No such file: {path}. Nothing was changed. {hint}") from cause
    except ValueError as cause:
        raise DataError(f"{path} is not valid JSON ({cause}). Nothing was changed. {hint}") from cause


def sha256_of(path: Path) -> str:
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def fraction_of_hash(text: str) -> float:
    """A number in [0,1) that depends on nothing but the text: the way every split here is drawn."""
    return int(hashlib.sha256(text.encode()).hexdigest()[:13], 16) / 16**13
