"""From a training checkpoint to the bundle that ships.

    python -m veraretouch.export.release --checkpoint WORK/rsft/last.pt --renderer WORK/renderer/last.pt \
        --work WORK --out models --version 0.1.0

Also writes WORK/reference.pt, the PyTorch networks with exactly the bundle's weights, for `export.check` and the
benchmark.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from veraretouch.export.bundle import BundleInfo, StoredModels, add_file, write_bundle
from veraretouch.export.check import save_reference
from veraretouch.export.dialogue import Dialogue
from veraretouch.export.parity import parity_bytes
from veraretouch.export.tokenizer import smollm2_tokenizer
from veraretouch.train.tone import load_networks
from veraretouch.train.vlm import PRETRAINED_TOKENS, build_vlm, load_trained


def load_checkpoint(checkpoint: Path, renderer: Path, work: Path):
    """(vlm, stage-1 networks, output token ids, tokenizer) with the averaged weights of a training stage."""
    state = torch.load(checkpoint, weights_only=True, map_location="cpu")
    nets = load_networks(renderer)
    tokenizer = smollm2_tokenizer()
    added = tokenizer.get_vocab_size() - PRETRAINED_TOKENS
    vlm = build_vlm(work, state["config"]["layers"], nets, state["output_ids"], added)
    load_trained(vlm, state["average"])
    vlm.merge_added_rows()
    return vlm.eval().requires_grad_(False), nets, state["output_ids"], tokenizer


def bundle_info(name: str, version: str, encoder_size: int) -> BundleInfo:
    return BundleInfo(name=name, version=version, reference_size=encoder_size)


def release(checkpoint: Path, renderer: Path, work: Path, out: Path, name: str, version: str) -> StoredModels:
    """Write the bundle and the reference file; the folder `out` is replaced whole."""
    vlm, nets, output_ids, tokenizer = load_checkpoint(checkpoint, renderer, work)
    info = bundle_info(name, version, nets.encoder.size)
    models = write_bundle(out, vlm, nets.renderer, nets.encoder, nets.head, tokenizer, output_ids, info)
    dialogue = Dialogue(tokenizer, output_ids, info.prompts, info.answer)
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
