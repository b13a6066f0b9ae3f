"""Held-out prompts, how a bundle answers them in the product's own program, and what the answers are worth."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch

from veraretouch.eval.metrics import psnr
from veraretouch.export.bundle_files import write_checksums
from veraretouch.export.check import cosine
from veraretouch.export.errors import ExportError
from veraretouch.export.graph import save
from veraretouch.export.pictures import as_json
from veraretouch.export.quantise_rule import Loss, same_directions
from veraretouch.export.runner import BundleRunner

ROOT = Path(__file__).resolve().parents[3]
MODES = ("auto", "style", "param")
# A look that leaves a photo as it is has no finite figure.
CAP = 50.0
LONGEST_RUN_S = 3600


@dataclass(frozen=True)
class Prompt:
    """case: as parity.json says inputs; before, after: float32 [N,3] in [0,1], pixels of the photo and of its target."""

    case: dict
    before: np.ndarray
    after: np.ndarray


@dataclass(frozen=True)
class Answer:
    """fields: texts by name; latents float32 [3,D]; token_ms and prefill_ms: as the program timed itself."""

    fields: dict[str, str]
    latents: np.ndarray
    tokens: int
    vision_ms: float
    prefill_ms: float
    decode_ms: float


def prompts(config: dict, data: Path, work: Path, count: int) -> list[Prompt]:
    """`count` test examples of each mode: photos of the test split, looks and wordings that training never saw.

    Raises DataError or SynthError when something that they are made of is missing.
    """
    from veraretouch.data.shards import Maker

    maker = Maker(config, data, work, "test", without=("inverse", "ranges"))
    found = []
    for mode in MODES:
        for example in (maker.draw(mode, number) for number in range(count)):
            if mode == "param":
                case = {"mode": mode, "params": [round(v, 4) for v in example.params.tolist()]}
            else:
                case = {"mode": mode, "image": as_json(example.picture.numpy())}
            if mode == "style":
                case["instruction"] = example.meta["instruction"]
            found.append(Prompt(case, example.before.numpy(), example.after.numpy()))
    return found


def answers(bundle: Path, device: str, threads: int, asked: Sequence[Prompt]) -> list[Answer]:
    """Runs the product's program over the bundle. Raises ExportError with its last words when it fails."""
    with tempfile.TemporaryDirectory() as folder:
        given, out = Path(folder, "prompts.json"), Path(folder, "answers.json")
        given.write_text(json.dumps({"cases": [prompt.case for prompt in asked]}))
        command = ["node", str(ROOT / "scripts/answer-prompts.mjs"), str(bundle), device, str(threads), str(given), str(out)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST_RUN_S)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ExportError(f"Node could not answer with {bundle} ({error}). Nothing was written; install Node and the packages.") from error
        if done.returncode != 0 or not out.exists():
            raise ExportError(f"The program failed on {bundle}, device {device}: {done.stderr[-800:].strip()}. Nothing was written.")
        return [_answer(entry) for entry in json.loads(out.read_text())["answers"]]


def _answer(entry: dict) -> Answer:
    said, times = entry["reasoning"], entry["timingsMs"]
    fields = {"elements": said["elements"]}
    for part in ("problems", "plan"):
        fields |= {f"{part}.{factor}": text for factor, text in said[part].items()}
    latents = np.asarray(entry["latents"], np.float32).reshape(3, -1)
    return Answer(fields, latents, entry["tokens"], times["vision"], times["prefill"], times["decode"])


def candidate(bundle: Path, out: Path, graphs: dict[str, onnx.ModelProto]) -> Path:
    """A copy of the bundle in the new folder `out`, with other graphs for every device; the unchanged files are links."""
    out.mkdir(parents=True)
    manifest = json.loads((bundle / "bundle.json").read_text())
    for name in graphs:
        manifest["graphs"][name] = {"default": f"{name}.onnx"}
    for path in bundle.iterdir():
        if path.name not in ("bundle.json", "SHA256SUMS", *(f"{name}.onnx" for name in graphs)):
            _link(path, out / path.name)
    for name, graph in graphs.items():
        save(graph, out / f"{name}.onnx")
    (out / "bundle.json").write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")
    write_checksums(out)
    return out


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source.resolve(), target)
    except OSError:
        shutil.copyfile(source, target)


def renderings(bundle: Path, asked: Sequence[Prompt], given: Sequence[Answer]) -> list[torch.Tensor]:
    """Pixels of each prompt through the bundle's renderer, float32 [N,3] in [0,1]."""
    runner = BundleRunner(bundle)
    return [
        torch.from_numpy(runner.render(prompt.before, answer.latents)) for prompt, answer in zip(asked, given, strict=True)
    ]


def times(given: Sequence[Answer]) -> dict[str, float]:
    """Medians in milliseconds; of prompts with a photo for `vision`."""
    return {
        "visionMs": round(float(np.median([a.vision_ms for a in given if a.vision_ms > 0] or [0])), 1),
        "prefillMs": round(float(np.median([a.prefill_ms for a in given])), 1),
        "tokenMs": round(float(np.median([a.decode_ms / a.tokens for a in given])), 2),
        "tokens": int(np.median([a.tokens for a in given])),
    }


def compare(
    bundle: Path, asked: Sequence[Prompt], wanted: Sequence[Answer], given: Sequence[Answer]
) -> tuple[Loss, dict]:
    """The loss of `given` against the answers `wanted` of float32, and all figures for the table."""
    exact, other = renderings(bundle, asked, wanted), renderings(bundle, asked, given)
    targets = [torch.from_numpy(prompt.after) for prompt in asked]
    best, mine = (_psnr(outs, targets) for outs in (exact, other))
    modes = [prompt.case["mode"] for prompt in asked]
    drop = {m: float(np.mean([b - o for b, o, mode in zip(best, mine, modes, strict=True) if mode == m])) for m in MODES}
    same = [same_directions(w.fields, a.fields) for w, a in zip(wanted, given, strict=True)]
    cosines = [cosine(w.latents, a.latents) for w, a in zip(wanted, given, strict=True)]
    loss = Loss(drop, float(np.mean(same)))
    return loss, {
        "psnr": {m: round(float(np.mean([o for o, mode in zip(mine, modes, strict=True) if mode == m])), 3) for m in MODES},
        "drop": {m: round(value, 4) for m, value in drop.items()},
        "largestDrop": round(max(b - o for b, o in zip(best, mine, strict=True)), 3),
        "between": round(float(np.mean(_psnr(exact, other, cap=80.0))), 2),
        "sameDirections": round(loss.same, 4),
        "samePrompts": round(float(np.mean([all(each) for each in same])), 4),
        "sameText": round(float(np.mean([w.fields == a.fields for w, a in zip(wanted, given, strict=True)])), 4),
        "cosineMean": round(float(np.mean(cosines)), 5),
        "cosineMin": round(float(np.min(cosines)), 5),
        "kept": loss.kept,
    }


def _psnr(outs: Sequence[torch.Tensor], targets: Sequence[torch.Tensor], cap: float = CAP) -> list[float]:
    return [min(cap, psnr(out[None], target[None]).item()) for out, target in zip(outs, targets, strict=True)]
