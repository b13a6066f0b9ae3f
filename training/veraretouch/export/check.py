"""Compares a bundle, run by onnxruntime from its files alone, with PyTorch.

    python -m veraretouch.export.check --bundle DIR [--reference FILE] [--prompts 50] [--device node|wasm] [--json FILE]

Without --reference the answers are compared with the bundle's own parity.json. With it (the file
that `save_reference` wrote at the export) with fresh PyTorch answers to that many prompts. On "wasm" weights that a graph dequantises itself are widened first, as PyTorch has them; on "node" onnxruntime may
multiply them as they are stored, with activations rounded.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from veraretouch.export.bundle import StoredModels
from veraretouch.export.errors import ExportError
from veraretouch.export.parity import INSTRUCTIONS, SETTINGS, SIZES, settings_vector
from veraretouch.export.pictures import picture, pixels_of, retouched, squash
from veraretouch.export.reference import generate
from veraretouch.export.runner import BundleRunner

LEAST_COSINE, LEAST_SAME_TEXT = 0.999, 0.95
LARGEST_RENDER_DIFFERENCE = 1e-3


@dataclass(frozen=True)
class Comparison:
    """One prompt: `cosine` of the latents (over what is not masked), `same_text` of the tokens,
    `render` the largest difference of rendered colours (0 where none were compared)."""

    mode: str
    cosine: float
    same_text: bool
    render: float


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    """Cosine of two latents of any shape; 1 when both are all zero."""
    a, b = np.ravel(a).astype(np.float64), np.ravel(b).astype(np.float64)
    size = np.linalg.norm(a) * np.linalg.norm(b)
    return float(a @ b / size) if size > 0 else float(np.allclose(a, b))


def summary(comparisons: list[Comparison]) -> dict:
    """The figures of a list of comparisons, with `passed`."""
    cosines = np.array([c.cosine for c in comparisons])
    worded = [c.same_text for c in comparisons if c.mode != "reference"]
    figures = {
        "prompts": len(comparisons),
        "cosineMean": float(cosines.mean()),
        "cosineMin": float(cosines.min()),
        "sameText": float(np.mean(worded)) if worded else 1.0,
        "renderMax": max(c.render for c in comparisons),
    }
    # A prompt whose text turned over at a near tie has other latents too; it counts once, as text.
    alike = [c.cosine for c in comparisons if c.same_text]
    passed = bool(alike) and min(alike) >= LEAST_COSINE
    figures["passed"] = (
        passed
        and figures["sameText"] >= LEAST_SAME_TEXT
        and figures["renderMax"] <= LARGEST_RENDER_DIFFERENCE
    )
    return figures


def compare_with_parity(runner: BundleRunner) -> list[Comparison]:
    """The bundle against its own parity.json."""
    cases = json.loads((runner.folder / "parity.json").read_text())["cases"]
    return [_against_case(runner, case) for case in cases]


def _against_case(runner: BundleRunner, case: dict) -> Comparison:
    mode = case["mode"]
    if mode == "reference":
        tokens: list[int] = []
        latents = runner.encode(pixels_of(case["before"]), pixels_of(case["after"]))
    else:
        image = pixels_of(case["image"]) if "image" in case else None
        result = runner.generate(mode, image, case.get("instruction", ""), case.get("params"), case.get("voice"))
        tokens, latents = result.token_ids, result.latents
    wanted = np.asarray(case["latents"], np.float32).reshape(3, -1)
    rgb = np.asarray([point["rgb"] for point in case["render"]], np.float32)
    out = np.asarray([point["out"] for point in case["render"]], np.float32)
    difference = float(np.abs(runner.render(rgb, wanted) - out).max())
    return Comparison(mode, cosine(latents, wanted), tokens == case["tokens"], difference)


def compare_with_models(
    runner: BundleRunner, models: StoredModels, prompts: int = 50
) -> list[Comparison]:
    """The bundle against PyTorch on `prompts` inputs, the four modes in turn."""
    modes = ("auto", "style", "param", "reference")
    return [_against_models(runner, models, modes[i % 4], i // 4) for i in range(prompts)]


def _against_models(runner: BundleRunner, models: StoredModels, mode: str, index: int):
    image = picture(index + 20, *SIZES[index % len(SIZES)])
    if mode == "reference":
        after = retouched(image, index)
        size = runner.manifest["preprocess"]["reference"]["size"]
        with torch.no_grad():
            pair = squash(image, size)[None], squash(after, size)[None]
            wanted = models.encoder(*pair)[0].numpy()
        return Comparison(mode, cosine(runner.encode(image, after), wanted), True, 0.0)
    given, torch_given = {}, {}
    if mode == "param":
        vector = np.asarray(settings_vector(SETTINGS[index % len(SETTINGS)]))
        vector = vector * (0.3 + 0.05 * index)
        given["params"] = vector.tolist()
        torch_given["params"] = torch.tensor(vector, dtype=torch.float32)
    else:
        given["image"] = image
        torch_given["image"] = squash(image, runner.manifest["preprocess"]["image"]["size"])
    if mode == "style":
        given["instruction"] = torch_given["instruction"] = INSTRUCTIONS[index % len(INSTRUCTIONS)]
    result = runner.generate(mode, **given)
    wanted = generate(models.vlm, runner.dialogue, mode, **torch_given)
    same = result.token_ids == wanted.token_ids and result.fields == wanted.fields
    return Comparison(mode, cosine(result.latents, wanted.latents), same, 0.0)


def save_reference(models: StoredModels, path: Path) -> None:
    """Keeps the PyTorch reference of a bundle (training machine only; it is a Python pickle)."""
    partial = path.with_name(path.name + ".part")
    torch.save(models, partial)
    partial.replace(path)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--reference", type=Path, help="file that save_reference wrote; trusted")
    parser.add_argument("--prompts", type=int, default=50)
    parser.add_argument("--device", choices=("node", "wasm"), default="node", help="whose files are run, and how")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path, help="also write the figures here")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    try:
        runner = BundleRunner(args.bundle, args.threads, args.device)
        if args.reference:
            # The file is our own export's; unpickling runs code, hence "trusted" in the help.
            models = torch.load(args.reference, weights_only=False)
            comparisons = compare_with_models(runner, models, args.prompts)
        else:
            comparisons = compare_with_parity(runner)
    except (ExportError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    figures = summary(comparisons)
    text = json.dumps(figures, indent=2)
    print(text)
    if args.json:
        args.json.write_text(text + "\n")
    return 0 if figures["passed"] else 1


if __name__ == "__main__":
    sys.exit(main())
