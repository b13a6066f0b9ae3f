"""How long a bundle takes for an answer in onnxruntime: until the picture is there, and until the last word is.

    python -m veraretouch.eval.latency --bundle models --photos FILE... --threads 1 2

With latents first the picture needs one pass of the decoder, the adaptor and the rendering of a lattice of colours; the
words come behind. With words first it waits for all of them.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from ..data.files import DataError
from ..export.answer import GenerationResult
from ..export.runner import BundleRunner


@dataclass(frozen=True)
class Timing:
    """Seconds from the decoded photo to the lattice of the picture, and to the last word; None where there are no words."""

    picture: float
    words: float | None
    tokens: int


class TimedRunner(BundleRunner):
    """Keeps (graph, began, ended) of every graph it runs."""

    def __init__(self, folder: str | Path, threads: int):
        super().__init__(folder, threads)
        self.ran: list[tuple[str, float, float]] = []

    def run(self, graph: str, **inputs: np.ndarray) -> dict[str, np.ndarray]:
        self._session(graph)  # Loading a file is no part of an answer.
        began = time.perf_counter()
        out = super().run(graph, **inputs)
        self.ran.append((graph, began, time.perf_counter()))
        return out

    def time_auto(self, photo: np.ndarray) -> tuple[Timing, GenerationResult]:
        """One Auto answer to a photo, uint8 [H, W, 3]."""
        self.ran = []
        began = time.perf_counter()
        result = self.generate("auto", image=photo)
        self.render(self.lattice(), result.latents)
        ended = {graph: [end for name, _, end in self.ran if name == graph] for graph in ("decoder", "adaptor", "renderer")}
        first, last = ended["decoder"][0] - began, ended["decoder"][-1] - began
        behind = sum(end - start for graph, start, end in self.ran if graph in ("adaptor", "renderer"))
        picture = first + behind if self.dialogue.latents_first else ended["renderer"][-1] - began
        words = last if self.dialogue.answer["auto"] else None
        return Timing(picture, words, len(result.token_ids)), result

    def lattice(self) -> np.ndarray:
        """The colours that a picture's table holds, [N, 3] in [0, 1]."""
        size = self.manifest["lutSize"]
        axis = np.linspace(0, 1, size, dtype=np.float32)
        return np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)


def measure(bundle: Path, photos: list[np.ndarray], threads: int) -> dict:
    """Medians over the photos, after one answer that is not counted: {"picture", "words" in seconds, "tokens" of the answer};
    "words" is None for a bundle without them. Raises DataError without photos."""
    if not photos:
        raise DataError("There is no photo to answer. Nothing was timed; give some.")
    runner = TimedRunner(bundle, threads)
    runner.time_auto(photos[0])
    found = [runner.time_auto(photo)[0] for photo in photos]
    words = [t.words for t in found if t.words is not None]
    return {
        "picture": round(statistics.median(t.picture for t in found), 4),
        "words": round(statistics.median(words), 4) if words else None,
        "tokens": statistics.median(t.tokens for t in found),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--photos", type=Path, nargs="+", required=True)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    a = parser.parse_args()
    photos = [np.asarray(Image.open(path).convert("RGB")) for path in a.photos]
    for threads in a.threads:
        print(json.dumps({"threads": threads, **measure(a.bundle, photos, threads)}), flush=True)


if __name__ == "__main__":
    main()
