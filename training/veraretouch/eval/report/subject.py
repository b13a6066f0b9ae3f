"""The model under test, its answers kept from run to run, and what every part shares."""

from __future__ import annotations

import hashlib
import json
import pickle
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from ...data.files import DataError, write_json
from ...export.answer import GenerationResult
from ...export.errors import ExportError
from ...export.grounding import Grounding
from ...export.reference import generate_many
from ...export.runner import dialogue_of
from ..benches import Benches

NETWORKS = ("vlm", "renderer", "encoder", "param_head")
BATCH = 25
# Every fourth pixel in both directions of a cached photo: where whole pictures are too slow.
STEP = 4


def digest(*texts: str | bytes) -> str:
    total = hashlib.sha256()
    for text in texts:
        total.update(text if isinstance(text, bytes) else text.encode())
        total.update(b"\0")
    return total.hexdigest()[:16]


def grid(picture: torch.Tensor) -> torch.Tensor:
    """[S, S, 3] -> colours [(S / 4)^2, 3]."""
    return picture[::STEP, ::STEP].reshape(-1, 3)


def resized(picture: torch.Tensor, size: int) -> torch.Tensor:
    """[H, W, 3] in [0, 1] -> [3, size, size]; averaged down, or bicubic where it has to grow."""
    planes = picture.permute(2, 0, 1)[None]
    if min(planes.shape[2:]) >= size:
        return functional.adaptive_avg_pool2d(planes, size)[0]
    return functional.interpolate(planes, (size, size), mode="bicubic", antialias=True).clamp(0, 1)[0]


def weights_of(module: torch.nn.Module) -> str:
    """A hash of a network's weights, whatever file they came in."""
    state = module.state_dict()
    return digest(*(part for name in sorted(state) for part in (name, state[name].contiguous().numpy().tobytes())))


class Subject:
    """One set of networks. `fingerprint` stands for its weights and its bundle; answers are kept under it in `kept`."""

    def __init__(self, bundle: Path, reference: Path, kept: Path) -> None:
        try:
            # A file of our own export, named on the command line; unpickling runs code, as the help says.
            self.models = torch.load(reference, weights_only=False)
            self.manifest = json.loads((bundle / "bundle.json").read_text())
            self.dialogue = dialogue_of(bundle, self.manifest)
            self.size = self.manifest["preprocess"]["image"]["size"]
            self.reference_size = self.manifest["preprocess"]["reference"]["size"]
        except OSError as cause:
            raise DataError(f"{cause}. Nothing was measured; write the reference with `python -m veraretouch.export.restore`.") from cause
        except (ValueError, KeyError, TypeError, AttributeError, RuntimeError, EOFError, pickle.UnpicklingError, ExportError) as cause:
            raise DataError(
                f"{bundle} and {reference} cannot be read as a bundle and its networks ({type(cause).__name__}: {cause}). Nothing was measured; "
                "check the bundle's files against SHA256SUMS, and write the reference anew with `python -m veraretouch.export.restore`."
            ) from cause
        if absent := [name for name in NETWORKS if not isinstance(getattr(self.models, name, None), torch.nn.Module)]:
            raise DataError(f"{reference} holds no network {absent[0]!r}. Nothing was measured; write it with `python -m veraretouch.export.restore`.")
        # With a wording what it lets be said counts too.
        said = [(bundle / self.manifest["wording"]).read_bytes()] if "wording" in self.manifest else []
        self.fingerprint = digest((bundle / "bundle.json").read_bytes(), *said, *map(weights_of, vars(self.models).values()))
        self.kept = kept / self.fingerprint
        # As the product has it: where the bundle has a wording, words are kept to what the picture shows.
        self.grounding = Grounding(self.models.renderer, self.dialogue) if "wording" in self.manifest else None

    def answers(
        self, mode: str, pictures: list[torch.Tensor] | None = None, texts: list[str] | None = None,
        params: torch.Tensor | None = None,
    ) -> list[GenerationResult]:  # fmt: skip
        """One answer per picture [H, W, 3] in [0, 1] (with its text for style), or per row of params [N, 38], whose pictures are those
        that the words are of.

        Answers that were given before, to the same inputs by the same weights, are read from the disk.
        """
        inputs = b"".join(
            hashlib.sha256((p * 255).round().to(torch.uint8).contiguous().numpy().tobytes()).digest() for p in pictures or []
        ) + (b"" if params is None else params.numpy().tobytes())  # fmt: skip
        path = self.kept / f"answers-{mode}-{digest(inputs, *(texts or []))}.json"
        if path.exists():
            return [_result(row) for row in json.loads(path.read_text())]
        found: list[GenerationResult] = []
        total = len(params) if params is not None else len(pictures)
        for first in range(0, total, BATCH):
            part = slice(first, first + BATCH)
            images = None if pictures is None else torch.stack([resized(p, self.size) for p in pictures[part]])
            found += generate_many(
                self.models.vlm, self.dialogue, mode, images if params is None else None, None if texts is None else texts[part],
                None if params is None else params[part], batch_size=BATCH, grounding=self.grounding,
                photos=None if params is None else images,
            )  # fmt: skip
        write_json(path, [_row(r) for r in found], indent=None)
        return found

    @torch.no_grad()
    def render(self, rgb: torch.Tensor, latents) -> torch.Tensor:
        """Colours [..., 3] under latents [3, D] -> the same shape."""
        latents = torch.as_tensor(latents)[None]
        parts = [self.models.renderer(part[None], latents)[0] for part in rgb.reshape(-1, 3).split(65536)]
        return torch.cat(parts).view(rgb.shape)

    @torch.no_grad()
    def encode(self, before: torch.Tensor, after: torch.Tensor) -> torch.Tensor:
        """Pair of pictures [H, W, 3] in [0, 1] -> latents [3, D]."""
        pair = (resized(p, self.reference_size)[None] for p in (before, after))
        return self.models.encoder(*pair)[0]


def _row(result: GenerationResult) -> dict:
    return {"fields": result.fields, "latents": [[round(float(v), 6) for v in z] for z in result.latents], "wellFormed": result.well_formed}


def _result(row: dict) -> GenerationResult:
    return GenerationResult(row["fields"], [], np.asarray(row["latents"], np.float32), row["wellFormed"])


@dataclass
class Context:
    """What parts work on. count: at most so many examples of each set; tools: metrics with weights, loaded once; identity: what
    stands for those weights."""

    subject: Subject
    benches: Benches
    config: dict
    data: Path
    work: Path
    kept: Path
    count: int = 0
    tools: dict[str, Callable] = field(default_factory=dict)
    identity: dict[str, str] = field(default_factory=dict)

    def numbers(self, name: str) -> range:
        """Numbers of a set's entries that are to be measured."""
        wanted = min(self.config["counts"][name], len(self.benches.table[name]))
        return range(min(wanted, self.count) if self.count else wanted)

    def auto(self):
        return [self.benches.auto(n) for n in self.numbers("auto")]

    def style(self):
        return [self.benches.style(n) for n in self.numbers("style")]

    def param(self):
        return [self.benches.param(n) for n in self.numbers("param")]

    def auto_answers(self, items):
        return self.subject.answers("auto", [i.before for i in items])

    def style_answers(self, items):
        return self.subject.answers("style", [i.before for i in items], [i.instruction for i in items])

    def param_answers(self, items):
        return self.subject.answers("param", [i.before for i in items], params=torch.stack([i.params for i in items]))
