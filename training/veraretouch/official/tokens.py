"""The published model's tokenizer, in the form in which its files come, and prompts as tokens."""

from __future__ import annotations

from pathlib import Path

from tokenizers import Tokenizer
from transformers import Qwen2Tokenizer

from veraretouch.export.dialogue import RETOUCH_TOKENS, TASK_TOKENS
from veraretouch.official.errors import OfficialModelError
from veraretouch.official.prompts import IMAGE_PLACE

END = "<|im_end|>"
NEEDED = ("<|im_start|>", END, *TASK_TOKENS, *RETOUCH_TOKENS)


def read_tokenizer(folder: Path) -> Tokenizer:
    """The tokenizer of a checkpoint: `vocab.json`, `merges.txt` and what its other files add.

    Raises OfficialModelError when files are missing or damaged, or when it lacks a token that this model was
    trained with.
    """
    for name in ("vocab.json", "merges.txt"):
        if not (folder / name).is_file():
            raise OfficialModelError(
                f"{folder} has no {name}. Nothing was converted; get the tokenizer's files from where the weights were."
            )
    try:
        tokenizer = Qwen2Tokenizer.from_pretrained(str(folder), local_files_only=True).backend_tokenizer
    except Exception as error:  # the library throws whatever its parts throw
        raise OfficialModelError(
            f"The tokenizer of {folder} cannot be read ({type(error).__name__}: {str(error)[:200]}). Nothing was converted."
        ) from error
    lacking = [token for token in NEEDED if tokenizer.token_to_id(token) is None]
    if lacking:
        raise OfficialModelError(
            f"The tokenizer of {folder} lacks {lacking[0]} ({len(lacking)} in all): it is not that of a VeraRetouch "
            "checkpoint. Nothing was converted."
        )
    return tokenizer


def encode_prompt(tokenizer: Tokenizer, prompt: str) -> list[list[int]]:
    """Token ids of the texts between the places of a picture: one list more than there are places."""
    return [tokenizer.encode(text, add_special_tokens=False).ids for text in prompt.split(IMAGE_PLACE)]
