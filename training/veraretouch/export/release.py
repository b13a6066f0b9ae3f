"""From a training checkpoint to the bundle that ships.

    python -m veraretouch.export.release --checkpoint WORK/rsft/last.pt --renderer WORK/renderer/last.pt \
        --work WORK --out models --version 0.1.0

Also writes WORK/reference.pt, the PyTorch networks with exactly the bundle's weights, for `export.check` and the
evaluation.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from veraretouch.export.bundle import BundleInfo, StoredModels, write_bundle
from veraretouch.export.bundle_files import add_file
from veraretouch.export.check import save_reference
from veraretouch.export.dialogue import VOICES, Dialogue
from veraretouch.export.parity import parity_bytes
from veraretouch.train.tone import load_networks
from veraretouch.train.vlm import load_answering


def write_model(vlm, nets, dialogue: Dialogue, out: Path, name: str, version: str) -> tuple[StoredModels, BundleInfo]:
    """Write the bundle of a model (`load_answering`) and of stage 1's networks."""
    vlm.merge_added_rows()
    info = BundleInfo(
        name=name, version=version, reference_size=nets.encoder.size, answer=dialogue.answer, prompts=dialogue.prompts,
        latents_first=dialogue.latents_first, voices=VOICES, wording=dialogue.latents_first,
    )
    outputs = dialogue.output_ids.tolist()
    return write_bundle(out, vlm, nets.renderer, nets.encoder, nets.head, dialogue.tokenizer, outputs, info), info


def release(checkpoint: Path, renderer: Path, work: Path, out: Path, name: str, version: str) -> StoredModels:
    """Write the bundle and the reference file; the folder `out` is replaced whole."""
    nets = load_networks(renderer)
    vlm, dialogue, _ = load_answering(checkpoint, nets, work)
    models, info = write_model(vlm, nets, dialogue, out, name, version)
    add_file(out, "parity.json", parity_bytes(models, dialogue, info))
    save_reference(models, work / "reference.pt")
    return models


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkpoint", type=Path, required=True, help="last.pt of the last training stage")
    parser.add_argument("--renderer", type=Path, required=True, help="last.pt of stage 1")
    parser.add_argument("--work", type=Path, required=True, help="folder with the language model's cache")
    parser.add_argument("--out", type=Path, required=True, help="folder of the bundle")
    parser.add_argument("--name", default="veraretouch-mini")
    parser.add_argument("--version", default="0.1.0")
    arguments = parser.parse_args()
    release(arguments.checkpoint, arguments.renderer, arguments.work, arguments.out, arguments.name, arguments.version)


if __name__ == "__main__":
    main()
