"""What each section of an answer is written with, and an output head that grows with it."""

from __future__ import annotations

import numpy as np
import torch

from ..data.files import TABLES, read_json
from ..export.dialogue import VOICED_PROMPTS, VOICES, Dialogue, answer_sections
from .examples import section_vocabulary


def vocabulary(metas: list[dict], tokenizer) -> dict[str, list[int]]:
    """What each section of an answer may be written with: see `section_vocabulary`."""
    nouns = read_json(TABLES / "nouns.json", "It is part of the project; restore it.")
    plain = Dialogue(tokenizer, list(range(tokenizer.get_vocab_size())))
    return section_vocabulary(metas, sorted({*nouns["captions"], *nouns["classes"]}), plain.encode)


def united(first: dict[str, list[int]], second: dict[str, list[int]]) -> dict[str, list[int]]:
    """Section -> token ids of either vocabulary, in ascending order."""
    return {name: sorted({*first.get(name, []), *second.get(name, [])}) for name in {**first, **second}}


def with_rows(head: torch.Tensor, ids: np.ndarray, fresh: torch.Tensor, wanted: np.ndarray) -> torch.Tensor:
    """An output head for the tokens `wanted` [K]: rows of `head` [N, hidden] for those of `ids` [N], of `fresh` [K, hidden]
    for those that are new."""
    known = {token: row for row, token in enumerate(ids.tolist())}
    rows = [known.get(token) for token in wanted.tolist()]
    return torch.stack([fresh[i] if row is None else head[row] for i, row in enumerate(rows)])


def dialogue_with(tokenizer, section_ids: dict[str, list[int]], latents_first: bool = True, words: bool = True) -> Dialogue:
    """The dialogue of a model that writes each section with its own tokens, and its end, in voices; without `words` an answer
    has no sections, only its latents, which then have to stand first (ValueError)."""
    if not words and not latents_first:
        raise ValueError("answers = 'none' needs latents_first: latents that stand behind the words need words. Nothing was trained.")
    answer = answer_sections(tokens=section_ids)
    ends = {tokenizer.token_to_id(section.end) for section in answer["auto"]}
    outputs = sorted(ends.union(*section_ids.values()))
    if not words:
        answer = {mode: [] for mode in answer}
    return Dialogue(tokenizer, outputs, VOICED_PROMPTS, answer, latents_first=latents_first, voices=VOICES)
