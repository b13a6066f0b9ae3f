"""What each section of an answer is written with, and an output head that grows with it."""

from __future__ import annotations

import torch
from torch import nn

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


def grown(state: dict[str, torch.Tensor], model: nn.Module) -> dict[str, torch.Tensor]:
    """A model's state for the output tokens of `model`: a row of its head for those that it has, that of `model` for new ones."""
    known = {token: row for row, token in enumerate(state["output_ids"].tolist())}
    fresh = model.head.detach()
    rows = [known.get(token) for token in model.output_ids.tolist()]
    head = torch.stack([fresh[i] if row is None else state["head"][row] for i, row in enumerate(rows)])
    return state | {"head": head, "output_ids": model.output_ids}


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
