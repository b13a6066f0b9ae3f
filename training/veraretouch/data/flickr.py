"""Flickr8k: extra photos (licence class research) and what their captions name.

python -m veraretouch.data.flickr --images REPO --captions REPO --work DIR

Both arguments are git directories (bare or not) of the public repositories named in training/data/sources.json; the
images are read from the object store at the stated commit and squashed straight into the cache, never checked out.
"""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from . import images
from .files import DataError, write_array, write_json
from .photos import CACHE_SIZE, MIN_COLOUR_RESIDUAL, draw_split

IMAGES_COMMIT = "56a15d913c3f290e2ee896386ece6076c1eea02e"
IMAGES_FOLDER = "data/images/"
CAPTIONS_COMMIT = "d27da85cff2dbf143fcaf365aece667d66c4298f"
CAPTIONS_FILE = "data/ignore_captions.txt"
LICENCE_CLASS = "research"


def _git(repository: Path, *arguments: str) -> bytes:
    try:
        return subprocess.run(["git", "-C", str(repository), *arguments], check=True, capture_output=True).stdout
    except (OSError, subprocess.CalledProcessError) as cause:
        detail = getattr(cause, "stderr", b"") or str(cause).encode()
        raise DataError(
            f"git could not read {repository}: {detail.decode(errors='replace').strip()} Nothing was written."
        ) from cause


def read_captions(text: str) -> dict[str, list[str]]:
    """Lines `image,caption` under a header -> image name -> captions."""
    captions: dict[str, list[str]] = {}
    for line in text.splitlines()[1:]:
        name, _, caption = line.partition(",")
        if name and caption:
            captions.setdefault(name.strip(), []).append(caption.strip().lower())
    return captions


def read_images(repository: Path):
    """Yields (name, uint8 [H,W,3]) of every image, in the order of the names, through one `git cat-file`."""
    rows = _git(repository, "ls-tree", IMAGES_COMMIT, IMAGES_FOLDER).decode().splitlines()
    blobs = sorted((row.split("\t")[1].rsplit("/", 1)[1], row.split()[2]) for row in rows if row.endswith(".jpg"))
    process = subprocess.Popen(
        ["git", "-C", str(repository), "cat-file", "--batch"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        for name, blob in blobs:
            process.stdin.write(f"{blob}\n".encode())
            process.stdin.flush()
            header = process.stdout.readline().split()
            if len(header) != 3 or header[1] != b"blob":
                raise DataError(
                    f"{repository} lacks the image {name}. Nothing was written; fetch the repository again."
                )
            content = process.stdout.read(int(header[2]) + 1)[:-1]
            yield name, np.array(Image.open(io.BytesIO(content)).convert("RGB"))
    finally:
        process.stdin.close()
        process.stdout.close()
        process.wait()


def _enlarged(rgb: np.ndarray) -> np.ndarray:
    """uint8 [224, 224, 3] as published -> [256, 256, 3]: bicubic, since averaging cannot enlarge."""
    return np.array(Image.fromarray(rgb).resize((CACHE_SIZE, CACHE_SIZE), Image.Resampling.BICUBIC))


def build(images_repository: Path, captions_repository: Path, work: Path, limit: int | None = None) -> dict:
    """Writes flickr.npy, flickr.json (name -> [split, class]) and captions.json into the work folder."""
    captions = read_captions(_git(captions_repository, "show", f"{CAPTIONS_COMMIT}:{CAPTIONS_FILE}").decode())
    names, squashed, index = [], [], {}
    for name, rgb in read_images(images_repository):
        # Colourless pictures teach no colour; the rule is the one for the other photos.
        if name not in captions or images.colour_residual(rgb) < MIN_COLOUR_RESIDUAL:
            continue
        names.append(name)
        squashed.append(_enlarged(rgb))
        # The name is Flickr's photo number and secret, so it stands for the content.
        index[name] = (draw_split(f"flickr8k {name}"), LICENCE_CLASS)
        if len(names) % 1000 == 0:
            print(f"squashed {len(names)}", file=sys.stderr)
        if limit is not None and len(names) >= limit:
            break
    write_array(work / "flickr.npy", np.stack(squashed))
    write_json(work / "flickr.json", index, indent=None)
    write_json(work / "captions.json", {name: captions[name] for name in names}, indent=None)
    return index


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=Path, required=True, help="git directory of the repository with the images")
    parser.add_argument(
        "--captions", type=Path, required=True, help="git directory of the repository with the captions"
    )
    parser.add_argument("--work", type=Path, required=True, help="folder for caches")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    try:
        index = build(options.images, options.captions, options.work)
    except DataError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{len(index)} photos {dict(Counter(split for split, _ in index.values()))}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
