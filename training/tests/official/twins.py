"""A shrunken model of the published kind, and files of the kind in which its tokenizer comes."""

import json
from pathlib import Path

from tokenizers import ByteLevelBPETokenizer

from veraretouch.export.dialogue import added_tokens
from veraretouch.official.model import OfficialConfig
from veraretouch.official.prompts import prompt
from veraretouch.official.vision import VisionShape

CHAT = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
ALL_TOKENS = (*CHAT, *added_tokens())


def twin_config(vocabulary: int, layers: int = 2) -> OfficialConfig:
    return OfficialConfig(
        vocabulary=vocabulary, hidden=64, layers=layers, heads=4, kv_heads=2, ffn=96, latent=6, adaptor=24,
        renderer=(8, 12), vision=VisionShape((1, 1, 1, 1, 1), (8, 16, 32, 64, 128), unused=10), image_size=128,
    )  # fmt: skip


def write_tokenizer(folder: Path, tokens: tuple[str, ...] = ALL_TOKENS) -> None:
    """Files of the kind that a Qwen2 checkpoint has, over a vocabulary of a few words."""
    trained = ByteLevelBPETokenizer()
    trained.train_from_iterator([prompt(mode, "warm, faded") for mode in ("auto", "style", "param")], vocab_size=400)
    trained.save_model(str(folder))
    kind = {"special": True, "lstrip": False, "rstrip": False, "normalized": False, "single_word": False}
    added = {str(trained.get_vocab_size() + i): {"content": token, **kind} for i, token in enumerate(tokens)}
    config = {"tokenizer_class": "Qwen2Tokenizer", "added_tokens_decoder": added, "eos_token": "<|im_end|>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
