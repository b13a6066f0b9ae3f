"""Makes a bundle for this product of a copy of the published VeraRetouch checkpoint.

    python -m veraretouch.official.convert CHECKPOINT_DIR --out BUNDLE [--encoder-renderer FILE] [--accept-licence]

CHECKPOINT_DIR holds the published files: config.json, model*.safetensors, vocab.json, merges.txt and the tokenizer's others.
FILE is the published encoder_renderer.pth; without it the bundle cannot take the look of a pair of photos.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer

from veraretouch.export.errors import ExportError
from veraretouch.export.runner import BundleRunner
from veraretouch.official.bundle import DEVICES, SUMMARY, OfficialBundle, check_place, write_official_bundle
from veraretouch.official.checkpoint import read_pickled, read_safetensors
from veraretouch.official.config import read_config
from veraretouch.official.encoder_renderer import EncoderRenderer
from veraretouch.official.errors import OfficialModelError
from veraretouch.official.forms import with_held_pair, with_held_weights
from veraretouch.official.free import free_answers
from veraretouch.official.judge import judge
from veraretouch.official.model import OfficialVlm
from veraretouch.official.parity import parity_bytes, runner_cases
from veraretouch.official.skeleton import LONGEST, MODES, Skeleton, measured_skeleton
from veraretouch.official.tokens import read_tokenizer

LICENCE_NAMES = ("LICENSE", "LICENSE.txt", "LICENSE.md", "LICENCE", "LICENCE.txt", "LICENCE.md")
# Below this the files that were written are not the model that was read.
LEAST_COSINE = 0.99
NO_LICENCE = "No licence text lies beside the weights; read the one where you got them.\n"

Say = Callable[[str], None]


@dataclass(frozen=True)
class Conversion:
    """`answers`: how many free answers of each mode the skeleton is measured on; 0 takes the one that the prompts ask for.
    `cases`: how many cases of each mode parity.json gets."""

    checkpoint: Path
    out: Path
    pair: Path | None = None
    precision: str = "int4"
    devices: tuple[str, ...] = DEVICES
    answers: int = 2
    section: int = LONGEST
    cases: int = 1
    exact: bool = False


def licence_of(checkpoint: Path) -> str:
    """The text of the licence beside the weights, empty where there is none. Raises OfficialModelError."""
    path = next((checkpoint / name for name in LICENCE_NAMES if (checkpoint / name).is_file()), None)
    try:
        return path.read_text(encoding="utf-8") if path else ""
    except (OSError, UnicodeDecodeError) as error:
        raise OfficialModelError(f"{path} cannot be read ({error}). Nothing was converted.") from error


def read_models(checkpoint: Path, pair: Path | None) -> tuple[OfficialVlm, Tokenizer, EncoderRenderer | None]:
    """All parts of a checkpoint, checked against each other. Raises OfficialModelError."""
    config, tokenizer = read_config(checkpoint), read_tokenizer(checkpoint)
    if tokenizer.get_vocab_size() > config.vocabulary:
        raise OfficialModelError(
            f"The tokenizer has {tokenizer.get_vocab_size()} tokens, the model {config.vocabulary}: they do not belong together. "
            "Nothing was converted."
        )
    # The smaller file first, so that a wrong one is told at once.
    both = EncoderRenderer(config.encoder, config.renderer, config.latent).load(read_pickled(pair)) if pair else None
    return OfficialVlm(config).load(read_safetensors(checkpoint)), tokenizer, both


def convert(job: Conversion, say: Say = lambda _text: None) -> None:
    """Reads, checks, measures, writes `job.out` whole or not at all, and compares what was written with PyTorch.

    Raises OfficialModelError (a part missing, damaged, of another shape, not tensors), ExportError, OSError; `job.out` is
    then as it was.
    """
    started = time.monotonic()

    def step(text: str) -> None:
        say(f"[{time.monotonic() - started:6.1f} s] {text}")

    check_place(job.out)
    step("reading the weights")
    vlm, tokenizer, pair = read_models(job.checkpoint, job.pair)
    skeleton = Skeleton(longest=job.section)
    if job.answers > 0:
        step(f"answering freely, {job.answers} times in each mode, to see the form of its answers")
        free = free_answers(vlm, tokenizer, job.answers)
        skeleton, counts = measured_skeleton(free, tokenizer)
        step(_form_in_words(skeleton, counts, job.answers))
    if job.precision == "int4":
        step("rounding the weights")
        with_held_weights(vlm)
        if pair:
            with_held_pair(pair)
    licence = licence_of(job.checkpoint)
    content = OfficialBundle(vlm, tokenizer, pair, job.precision, job.devices, licence, skeleton, job.exact)

    def more() -> dict[str, bytes]:
        step("answering with PyTorch, to compare with")
        return {"parity.json": parity_bytes(content, job.cases)}

    def check(folder: Path) -> None:
        step("answering with the written files")
        asked = [case for case in json.loads((folder / "parity.json").read_text())["cases"] if "given" not in case]
        for device in ("node", *(job.devices if job.precision == "int4" else [])):
            # Of the others their graphs are tried, once: what differs between inputs is the same everywhere.
            given = asked if device == "node" else [case for case in asked if case["mode"] == "auto"][:1]
            step(f"{device}: {_checked(content, BundleRunner(folder, torch.get_num_threads(), device), given)}")

    write_official_bundle(job.out, content, more, check, lambda name, size: step(f"{name}, {size / 1e6:.1f} MB"))
    step(f"{job.out} is ready, {sum(path.stat().st_size for path in job.out.iterdir()) / 1e6:.0f} MB")


def _checked(content: OfficialBundle, runner: BundleRunner, asked: list[dict]) -> str:
    """Answers `asked` with written files; raises OfficialModelError where they do not compute what PyTorch does."""
    cases = runner_cases(runner, asked)
    verdicts = judge(content, cases)
    worst = min(verdicts, key=lambda verdict: verdict.cosine)
    # Written so that what is not a number is refused.
    if not all(verdict.cosine >= LEAST_COSINE for verdict in verdicts):
        raise OfficialModelError(
            f"The files written for the device {runner.device} do not compute what the weights say ({worst.mode}: cosine "
            f"{worst.cosine:.4f}, at least {LEAST_COSINE} is needed). Nothing was kept; convert without it (--devices), and report "
            "this with the versions of torch and onnxruntime."
        )
    same = sum(case["tokens"] == other["tokens"] for case, other in zip(cases, asked))
    colour = max(verdict.colour for verdict in verdicts)
    return f"{len(cases)} cases, cosine of the latents at least {worst.cosine:.6f}, colours within {colour:.3f} dE2000, same words in {same}"


def _form_in_words(skeleton: Skeleton, counts: dict[str, int], of: int) -> str:
    seen = ", ".join(f"{mode} {counts[mode]} of {of}" for mode in MODES)
    if not any(counts.values()):
        return f"no answer had a form that can be held ({seen}); the one that the prompts ask for is used"
    return f"the same form in {seen}; {skeleton.longest} tokens for each text"


def _ask(text: str, accepted: bool) -> bool:
    print(f"{text}\n", file=sys.stderr)
    if accepted:
        return True
    try:
        agreed = sys.stdin.isatty() and input('Type "yes" if you agree: ').strip().lower() == "yes"
    except EOFError:
        agreed = False
    if not agreed:
        print("The licence was not accepted, so nothing was converted. Add --accept-licence if you agree.", file=sys.stderr)
    return agreed


def _at_least(least: int) -> Callable[[str], int]:
    def whole(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number from {least} on")
        return int(text)

    return whole


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n\n")[0], epilog=__doc__.split("\n\n")[2], formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checkpoint", type=Path, metavar="CHECKPOINT_DIR")
    parser.add_argument("--out", type=Path, required=True, metavar="BUNDLE", help="folder of the bundle; an older bundle is replaced")
    parser.add_argument("--encoder-renderer", type=Path, metavar="FILE")
    parser.add_argument("--accept-licence", action="store_true", help="you have read the licence of the weights and agree")
    parser.add_argument("--precision", choices=("int4", "fp32"), default="int4", help="fp32: to compare with, for Node only")
    parser.add_argument("--devices", nargs="*", choices=DEVICES, default=list(DEVICES), help="beside Node")
    parser.add_argument("--exact", action="store_true", help="int4 without rounding of activations: slower, to compare with")
    parser.add_argument("--answers", type=_at_least(0), default=2, help="free answers of each mode that its form is measured on")
    parser.add_argument("--section", type=_at_least(1), default=LONGEST, help="with --answers 0: tokens of one text at most")
    parser.add_argument("--cases", type=_at_least(1), default=1, help="cases of each mode in parity.json")
    parser.add_argument("--threads", type=_at_least(1), help="of PyTorch and onnxruntime")
    args = parser.parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)
    devices = tuple(device for device in DEVICES if device in args.devices)
    job = Conversion(
        args.checkpoint, args.out, args.encoder_renderer, args.precision, devices, args.answers, args.section, args.cases, args.exact
    )
    try:
        if not _ask(f"{SUMMARY}\n\n{licence_of(args.checkpoint) or NO_LICENCE}", args.accept_licence):
            return 3
        convert(job, lambda text: print(text, file=sys.stderr, flush=True))
    except (ExportError, OSError) as error:
        print(f"convert: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("convert: stopped. Nothing was written.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
