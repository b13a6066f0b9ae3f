"""How long the PyTorch reference takes for one photo, part by part: what a bundle's runtime is compared with.

    python -m veraretouch.official.timing CHECKPOINT_DIR [--dtype bfloat16] [--tokens 8] [--threads 2]

Prints JSON: milliseconds of reading the checkpoint, seeing the photo, taking the prompt, each token, rendering 33^3 colours.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from PIL import Image

from veraretouch.export.errors import ExportError
from veraretouch.export.pictures import picture
from veraretouch.official.convert import read_models
from veraretouch.official.model import OfficialVlm
from veraretouch.official.preprocess import letterbox
from veraretouch.official.prompts import prompt
from veraretouch.official.tokens import encode_prompt

LUT_POINTS = 33**3
# Of the seeing, the prompt and the rendering, of which the fastest counts.
ROUNDS = 1


@torch.no_grad()
def timings(vlm: OfficialVlm, first: list[int], last: list[int], tokens: int) -> dict[str, float]:
    """Of one photo in mode "auto", whose prompt has `first` before the photo's rows and `last` behind them."""
    kind = next(vlm.parameters()).dtype
    photo = Image.fromarray(picture(1, 768, 512))

    def seen() -> torch.Tensor:
        return vlm.see(letterbox(photo, vlm.config.short_edge, vlm.config.image_size)[None].to(kind))

    def asked():
        rows = torch.cat((vlm.embed(first), image, vlm.embed(last)), dim=1)
        out = vlm.model(inputs_embeds=rows, use_cache=True)
        return out, vlm.lm_head(out.last_hidden_state[0, -1])

    vision, image = _best(seen)
    print(f"vision {vision:.0f} ms", file=sys.stderr, flush=True)
    prefill, (out, scores) = _best(asked)
    print(f"prompt {prefill:.0f} ms", file=sys.stderr, flush=True)
    started = time.perf_counter()
    for _ in range(tokens):
        embeds = vlm.embed([int(scores.argmax())])
        out = vlm.model(inputs_embeds=embeds, past_key_values=out.past_key_values, use_cache=True)
        scores = vlm.lm_head(out.last_hidden_state[0, -1])
    token = (time.perf_counter() - started) * 1000 / tokens
    colours = torch.rand(1, LUT_POINTS, 3, generator=torch.Generator().manual_seed(1)).to(kind)
    latents = torch.randn(1, 3, vlm.config.latent, generator=torch.Generator().manual_seed(2)).to(kind)
    render, _ = _best(lambda: vlm.retouch_decoder(colours, latents))
    rows = len(first) + image.shape[1] + len(last)
    return {"visionMs": vision, "prefillMs": prefill, "promptTokens": rows, "tokenMs": token, "renderMs": render}


def _best(work: Callable) -> tuple[float, object]:
    """Milliseconds of the fastest of ROUNDS, and the result."""
    best, result = float("inf"), None
    for _ in range(ROUNDS):
        started = time.perf_counter()
        result = work()
        best = min(best, (time.perf_counter() - started) * 1000)
    return best, result


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("checkpoint", type=Path, metavar="CHECKPOINT_DIR")
    parser.add_argument("--dtype", choices=("bfloat16", "float32"), default="bfloat16")
    parser.add_argument("--tokens", type=int, default=8)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    started = time.perf_counter()
    try:
        vlm, tokenizer, _ = read_models(args.checkpoint, None)
    except (ExportError, OSError) as error:
        print(f"timing: {error}", file=sys.stderr)
        return 2
    vlm = vlm.to(getattr(torch, args.dtype))
    load = (time.perf_counter() - started) * 1000
    first, last = encode_prompt(tokenizer, prompt("auto"))
    figures = {"dtype": args.dtype, "threads": args.threads, "loadMs": load, **timings(vlm, first, last, args.tokens)}
    print(json.dumps({name: round(value, 1) if isinstance(value, float) else value for name, value in figures.items()}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
