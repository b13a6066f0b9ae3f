"""Any folder of photos as a cache that examples can be made from: read, filtered, squashed, split, named.

The rules are those of `data.photos`, measured at the size for which they were found. What cannot be read or is no
photograph is left out and reported by name; no file of the folder is touched.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps

from ..data import images
from ..data.elements import label_others
from ..data.files import TABLES, DataError, read_json, sha256_of, write_json, write_whole
from ..data.photos import CACHE_SIZE, NEAR_DUPLICATE, draw_split, group_near_duplicates, why_no_photograph

ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff")
SHORT_EDGE = 384
SMALLEST = 160
OWN = "own"  # licence class of photos that a user gives
REPORT = "folder-report.json"
_NOT_REVIEWED: dict[str, list[str]] = {"drawing": [], "photo": []}


@dataclass(frozen=True)
class Photo:
    """One file: why it was left out, or its squash (uint8 [256, 256, 3]), dHash and SHA-256."""

    name: str
    reason: str | None = None
    detail: str = ""
    squash: np.ndarray | None = None
    fingerprint: int = 0
    content: str = ""


def find(folder: Path) -> list[Path]:
    """Image files of a folder and all folders in it, in order of name. Raises DataError when there are none."""
    if not folder.is_dir():
        raise DataError(f"There is no folder {folder}. Nothing was made; give the folder of your photos with --photos.")
    if not os.access(folder, os.R_OK | os.X_OK):
        raise DataError(f"The folder {folder} may not be read. Nothing was made; change its permissions or copy the photos.")
    found = sorted(p for p in folder.rglob("*") if p.suffix.lower() in ENDINGS and not p.name.startswith("."))
    if not found:
        raise DataError(f"There are no photos ({', '.join(ENDINGS)}) in {folder} or its folders. Nothing was made.")
    return found


def read_photo(path: Path) -> np.ndarray:
    """An upright sRGB picture, uint8 [H, W, 3], scaled down to a short edge of SHORT_EDGE. Raises DataError."""
    try:
        with Image.open(path) as image:
            # A JPEG is decoded at a fraction of its size where that is enough.
            image.draft("RGB", (2 * SHORT_EDGE, 2 * SHORT_EDGE))
            upright = ImageOps.exif_transpose(image)
            if profile := image.info.get("icc_profile"):
                upright = _to_srgb(upright, profile)
            rgb = upright.convert("RGB")
            scale = SHORT_EDGE / min(rgb.size)
            if scale < 1:
                rgb = rgb.resize(tuple(max(1, round(side * scale)) for side in rgb.size), Image.Resampling.BOX)
            return np.array(rgb)
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as cause:
        raise DataError(f"{path} cannot be read as an image ({cause}). It was left untouched; remove or replace it.") from cause


def _to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    if image.mode not in ("RGB", "L", "CMYK"):
        return image
    try:
        return ImageCms.profileToProfile(image, io.BytesIO(profile), ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError):
        # A damaged profile: the numbers are taken as sRGB, as most viewers do.
        return image


def examine(folder: Path, path: Path, benchmark: list[int]) -> Photo:
    name = path.relative_to(folder).as_posix()
    try:
        rgb = read_photo(path)
        content = sha256_of(path)
    except (DataError, OSError) as cause:
        return Photo(name, "unreadable", str(cause.__cause__ or cause))
    if min(rgb.shape[:2]) < SMALLEST:
        return Photo(name, "small", f"{rgb.shape[1]} x {rgb.shape[0]}")
    if reason := why_no_photograph(name, rgb, _NOT_REVIEWED):
        return Photo(name, reason)
    fingerprint = images.difference_hash(rgb)
    if any(images.hash_distance(fingerprint, other) <= NEAR_DUPLICATE for other in benchmark):
        return Photo(name, "near-benchmark")
    return Photo(name, None, "", images.squash(rgb, CACHE_SIZE), fingerprint, content)


def _benchmark(data: Path | None) -> list[int]:
    found = sorted((data / "fivek-dev").glob("*/*.png")) if data else []
    return [images.difference_hash(images.read_rgb(path)) for path in found]


def _examined(folder: Path, files: list[Path], benchmark: list[int], threads: int, say: Callable[[str], None]) -> Iterator[Photo]:
    with ThreadPoolExecutor(max(1, threads)) as pool:
        for i, photo in enumerate(pool.map(lambda path: examine(folder, path, benchmark), files), 1):
            yield photo
            if i % 500 == 0:
                say(f"read {i} of {len(files)} files")


def prepare(folder: Path, work: Path, data: Path | None, threads: int, say: Callable[[str], None]) -> Path:
    """Makes the cache of a folder of photos in WORK/folders and returns its path; an unchanged folder is not read again.

    Raises DataError when the folder is missing, unreadable or without one usable photo.
    """
    files = find(folder)
    # The benchmark decides too what is left out.
    stated = [str(bool(data)), *(f"{p.relative_to(folder)} {p.stat().st_size} {p.stat().st_mtime_ns}" for p in files)]
    cache = work / "folders" / hashlib.sha256("\n".join(stated).encode()).hexdigest()[:16]
    if (cache / REPORT).exists():
        _tell(read_json(cache / REPORT, ""), say)
        return cache
    kept: list[Photo] = []
    dropped: dict[str, dict[str, str]] = {}
    contents: dict[str, str] = {}

    def write(stream) -> None:
        # The count is known at the end; NumPy leaves room in the header for it to grow.
        _header(stream, 1)
        for photo in _examined(folder, files, _benchmark(data), threads, say):
            reason, detail = photo.reason, photo.detail
            if reason is None and photo.content in contents:
                reason, detail = "duplicate", f"the same as {contents[photo.content]}"
            if reason is not None:
                dropped.setdefault(reason, {})[photo.name] = detail
                continue
            contents[photo.content] = photo.name
            stream.write(photo.squash.tobytes())
            kept.append(Photo(photo.name, None, "", None, photo.fingerprint, photo.content))
        if not kept:
            told = ", ".join(f"{len(names)} {reason}" for reason, names in sorted(dropped.items()))
            raise DataError(f"None of the {len(files)} files in {folder} is a usable photo ({told}). Nothing was made.")
        stream.seek(0)
        _header(stream, len(kept))

    write_whole(cache / "photos.npy", write)
    groups = group_near_duplicates([photo.fingerprint for photo in kept])
    key: dict[int, str] = {}
    for photo, g in zip(kept, groups, strict=True):
        key[g] = min(key.get(g, photo.content), photo.content)
    split = {photo.name: (draw_split(key[g]), OWN) for photo, g in zip(kept, groups, strict=True)}
    write_json(cache / "photos.json", split, indent=None)
    nouns = read_json(TABLES / "nouns.json", "It is part of the project; restore it.")
    elements, probed = label_others(work, np.load(cache / "photos.npy", mmap_mode="r"), nouns)
    write_json(cache / "elements.json", dict(zip(split, elements, strict=True)), indent=None)
    report = {
        "folder": folder.name, "files": len(files), "kept": len(kept), "probe": probed,
        "splits": {s: sum(own == s for own, _ in split.values()) for s in ("train", "val", "test")}, "dropped": dropped,
    }  # fmt: skip
    # Written last: a cache without it is made again.
    write_json(cache / REPORT, report)
    _tell(report, say)
    return cache


def _header(stream, count: int) -> None:
    shape = (count, CACHE_SIZE, CACHE_SIZE, 3)
    np.lib.format.write_array_header_1_0(stream, {"descr": "|u1", "fortran_order": False, "shape": shape})


def _tell(report: dict, say: Callable[[str], None], most: int = 10) -> None:
    say(f"{report['kept']} of {report['files']} files are used: " + ", ".join(f"{n} {s}" for s, n in report["splits"].items()))
    for reason, names in sorted(report["dropped"].items()):
        shown = [f"{name} ({detail})" if detail else name for name, detail in list(names.items())[:most]]
        say(f"left out as {reason}: {len(names)}: {', '.join(shown)}" + (" ..." if len(names) > most else ""))
    if not report["probe"]:
        say("key elements are named by ImageNet classes alone: the work folder has no Flickr8k cache (data.flickr)")
