"""A whole checkpoint folder of seeded random weights, in the files in which the published one comes.

    python -m veraretouch.official.synthetic --out DIR [--size twin|published] [--seed 1]

The published weights cannot be had everywhere: with these everything but the meaning of an answer can be tried, at the
published sizes ("published", about 1.3 GB) or on a shrunken twin ("twin", a megabyte).
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import ByteLevelBPETokenizer

from veraretouch.export.bundle_files import staged
from veraretouch.export.dialogue import added_tokens
from veraretouch.official.checkpoint import INDEX
from veraretouch.official.config import config_json
from veraretouch.official.encoder_renderer import EncoderRenderer
from veraretouch.official.errors import OfficialModelError
from veraretouch.official.model import HEAD, OfficialConfig, random_state
from veraretouch.official.prompts import prompt
from veraretouch.official.vision import VisionShape

CHAT = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
ALL_TOKENS = (*CHAT, *added_tokens())
# Words of the published tokenizer, and rows of its embedding, of which the last are no token's.
PUBLISHED_WORDS, PUBLISHED_ROWS = 151_643, 151_936
TWIN_WORDS = 400
SHARD_BYTES = {"twin": 200_000, "published": 700_000_000}
PAIR_FILE = "encoder_renderer.pth"
LICENCE = "Seeded random weights: nobody's work, for tests and timings only.\n"


def twin_config(vocabulary: int, layers: int = 2) -> OfficialConfig:
    """The published architecture, shrunken."""
    return OfficialConfig(
        vocabulary=vocabulary, hidden=64, layers=layers, heads=4, kv_heads=2, ffn=96, latent=6, adaptor=24,
        renderer=(8, 12), vision=VisionShape((1, 1, 1, 1, 1), (8, 16, 32, 64, 128), unused=10), image_size=128,
        encoder=16, reference_size=64,
    )  # fmt: skip


def write_tokenizer(folder: Path, tokens: tuple[str, ...] = ALL_TOKENS, words: int = TWIN_WORDS) -> int:
    """Files of the kind that a Qwen2 checkpoint has, over a vocabulary of a few words and, up to `words`, of fillers that no
    text is ever cut into. Returns how many tokens there are."""
    trained = ByteLevelBPETokenizer()
    texts = [prompt(mode, "warm, faded") for mode in ("auto", "style", "param")]
    trained.train_from_iterator(texts, vocab_size=TWIN_WORDS)
    trained.save_model(str(folder))
    path = folder / "vocab.json"
    vocabulary = json.loads(path.read_text())
    vocabulary |= {f"filler{i}": i for i in range(len(vocabulary), words)}
    path.write_text(json.dumps(vocabulary, ensure_ascii=False))
    kind = {"special": True, "lstrip": False, "rstrip": False, "normalized": False, "single_word": False}
    added = {str(len(vocabulary) + i): {"content": token, **kind} for i, token in enumerate(tokens)}
    config = {"tokenizer_class": "Qwen2Tokenizer", "added_tokens_decoder": added, "eos_token": "<|im_end|>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return len(vocabulary) + len(tokens)


def write_checkpoint(out_dir: Path, size: str = "twin", seed: int = 1) -> OfficialConfig:
    """Writes the folder whole or not at all: config.json, tokenizer, shards and their index in bfloat16,
    encoder_renderer.pth, a licence. Raises OfficialModelError when `out_dir` is there already."""
    if out_dir.exists():
        raise OfficialModelError(f"{out_dir} is there already. Nothing was written; choose a new folder.")
    with staged(out_dir) as staging:
        tokens = write_tokenizer(staging, words=PUBLISHED_WORDS if size == "published" else TWIN_WORDS)
        config = OfficialConfig(PUBLISHED_ROWS) if size == "published" else twin_config(tokens)
        (staging / "config.json").write_text(json.dumps(config_json(config), indent=2) + "\n")
        (staging / "LICENSE").write_text(LICENCE)
        state = random_state(config, seed)
        if config.tied:
            del state[HEAD]
        _write_shards(staging, state, SHARD_BYTES[size])
        del state
        torch.save({"model_state_dict": random_pair(config, seed).state_dict()}, staging / PAIR_FILE)
    return config


def random_pair(config: OfficialConfig, seed: int) -> EncoderRenderer:
    """Encoder and renderer of seeded random weights, whose batch norms do not all do the same."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        pair = EncoderRenderer(config.encoder, config.renderer, config.latent).eval().requires_grad_(False)
        for module in pair.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.weight.uniform_(0.5, 1.5)
                module.bias.normal_(0.0, 0.2)
    return pair


def _write_shards(folder: Path, state: dict[str, torch.Tensor], most: int) -> None:
    shards: list[dict[str, torch.Tensor]] = [{}]
    taken = 0
    for name, value in state.items():
        stored = value.to(torch.bfloat16) if value.is_floating_point() else value
        taken += stored.nbytes
        if taken > most and shards[-1]:
            shards.append({})
            taken = stored.nbytes
        shards[-1][name] = stored.contiguous()
    where: dict[str, str] = {}
    for i, shard in enumerate(shards, 1):
        name = f"model-{i:05}-of-{len(shards):05}.safetensors"
        save_file(shard, folder / name, {"format": "pt"})
        where |= dict.fromkeys(shard, name)
    (folder / INDEX).write_text(json.dumps({"metadata": {}, "weight_map": where}, indent=1))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="new folder")
    parser.add_argument("--size", choices=sorted(SHARD_BYTES), default="twin")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    try:
        write_checkpoint(args.out, args.size, args.seed)
    except (OfficialModelError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    size = sum(path.stat().st_size for path in args.out.iterdir())
    print(f"{args.out}: {len(list(args.out.iterdir()))} files, {size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
