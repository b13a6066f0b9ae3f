"""The folder of a bundle: files put there whole, their checksums, and a new folder in the place of an old one.

Nothing here knows what is in a bundle, but for its wording, which belongs to the composer of today.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from veraretouch.export.errors import ExportError
from veraretouch.reasoning.sayable_problems import wording

MAX_FILE_BYTES = 50_000_000
WORDING = "wording.json"


def manifest_bytes(manifest: dict) -> bytes:
    return (json.dumps(manifest, indent=2, ensure_ascii=False) + "\n").encode()


def wording_bytes() -> bytes:
    return json.dumps(wording(), ensure_ascii=False, separators=(",", ":")).encode()


def add_wording(folder: Path) -> None:
    """Give a finished bundle the wording of today's composer, which its model must have been trained with, or renew it. Raises
    ExportError for a bundle whose words come before the picture."""
    manifest = json.loads((folder / "bundle.json").read_text())
    if manifest["latentStates"] != "first":
        raise ExportError(f"{folder} writes its words before the picture is known. Nothing was changed.")
    _write_file(folder, WORDING, wording_bytes())
    manifest["wording"] = WORDING
    _write_file(folder, "bundle.json", manifest_bytes(manifest))
    write_checksums(folder)


def write_checksums(folder: Path) -> None:
    """SHA256SUMS of every other file of a flat folder, in `sha256sum`'s format, sorted by name."""
    files = sorted(
        p for p in folder.iterdir() if p.name != "SHA256SUMS" and not p.name.startswith(".")
    )
    lines = [f"{hashlib.sha256(p.read_bytes()).hexdigest()}  {p.name}\n" for p in files]
    _write_file(folder, "SHA256SUMS", "".join(lines).encode())


def add_file(folder: Path, name: str, content: bytes) -> None:
    """Adds or replaces one file of a finished bundle and renews SHA256SUMS (each by rename)."""
    _write_file(folder, name, content)
    write_checksums(folder)


def _write_file(folder: Path, name: str, content: bytes) -> None:
    temporary = folder / f".{name}.part"
    temporary.write_bytes(content)
    os.replace(temporary, folder / name)


def check_sizes(folder: Path) -> None:
    for path in folder.iterdir():
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ExportError(
                f"{path.name} would have {path.stat().st_size / 1e6:.0f} MB, a file may have "
                f"{MAX_FILE_BYTES / 1e6:.0f}. Nothing was written; use int8 storage or fewer "
                "layers."
            )


@contextmanager
def staged(out_dir: Path) -> Iterator[Path]:
    """A folder beside `out_dir` that becomes it when all went well; else nothing is left of it and `out_dir` is as it was."""
    out_dir.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{out_dir.name}-", dir=out_dir.parent))
    try:
        staging.chmod(0o755)
        yield staging
        _put_in_place(staging, out_dir)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise


def _put_in_place(staging: Path, out_dir: Path) -> None:
    """Renames the finished folder to its place; the old one is removed last, or put back."""
    if not out_dir.exists():
        staging.rename(out_dir)
        return
    old = staging.with_name(staging.name + "-old")
    out_dir.rename(old)
    try:
        staging.rename(out_dir)
    except OSError:
        old.rename(out_dir)
        raise
    shutil.rmtree(old)
