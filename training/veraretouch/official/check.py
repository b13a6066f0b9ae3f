"""Judges by PyTorch what a bundle, or any program that ran one, made of its inputs.

    python -m veraretouch.official.check CHECKPOINT_DIR --bundle BUNDLE [--encoder-renderer FILE] [--answers FILE] [--cases 20]

Without --answers the bundle's files are run here by onnxruntime. FILE holds answers of another program, in the form of
parity.json: tokens, latents and rendered colours for the inputs of `judge.inputs`.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import torch

from veraretouch.export.errors import ExportError
from veraretouch.export.parity import parity_case
from veraretouch.export.runner import BundleRunner
from veraretouch.official.bundle import DEVICES, OfficialBundle
from veraretouch.official.convert import LEAST_COSINE, read_models
from veraretouch.official.errors import OfficialModelError
from veraretouch.official.forms import with_held_pair, with_held_weights
from veraretouch.official.judge import figures, inputs, judge, modes_of
from veraretouch.official.parity import runner_cases


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("checkpoint", type=Path, metavar="CHECKPOINT_DIR")
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--encoder-renderer", type=Path, metavar="FILE")
    parser.add_argument("--answers", type=Path, metavar="FILE")
    parser.add_argument("--device", choices=("node", *DEVICES), default="node", help="without --answers: whose files are run")
    parser.add_argument("--cases", type=int, default=20, help="without --answers: of each mode")
    parser.add_argument("--least", type=float, default=LEAST_COSINE, help="cosine of the latents that is good enough")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    try:
        content = read_content(args.checkpoint, args.encoder_renderer, args.bundle)
        if args.answers:
            cases = _entry(args.answers, "cases")
        else:
            asked = [inputs(mode, index) for mode in modes_of(content) for index in range(args.cases)]
            # Only the colours that are to be rendered are taken of what this gives.
            blank = torch.zeros(3, content.vlm.config.latent).numpy()
            asked = [parity_case(content.vlm.retouch_decoder, given, [], blank) for given in asked]
            cases = runner_cases(BundleRunner(args.bundle, args.threads, args.device), asked)
        result = figures(judge(content, cases))
    except (ExportError, OSError) as error:
        print(f"check: {error}", file=sys.stderr)
        return 2
    print(json.dumps(result, indent=2))
    return 0 if result and all(mode["cosineMin"] >= args.least for mode in result.values()) else 1


def read_content(checkpoint: Path, pair: Path | None, bundle: Path) -> OfficialBundle:
    """The checkpoint's parts with the weights that `bundle`, made from it, holds. Raises OfficialModelError, OSError."""
    vlm, tokenizer, both = read_models(checkpoint, pair)
    precision = _entry(bundle / "bundle.json", "precision")
    if precision == "int4":
        with_held_weights(vlm)
        if both:
            with_held_pair(both)
    return OfficialBundle(vlm, tokenizer, both, precision)


def _entry(path: Path, name: str):
    try:
        return json.loads(path.read_text())[name]
    except (ValueError, KeyError, TypeError) as error:
        raise OfficialModelError(
            f"{path} has no entry {name!r} ({error!r}). Nothing was judged; give a bundle that the converter made, and answers in "
            "the form of its parity.json."
        ) from error


if __name__ == "__main__":
    sys.exit(main())
