"""The form of this model's answers: which sections in which order, what stands between them, how long they become.

A bundle's runtime gives the skeleton and lets the model write only the text. What the published model was trained to write
between its sections is nowhere said, so it is measured on answers that it gives freely.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tokenizers import Tokenizer

from veraretouch.export.dialogue import RETOUCH_TOKENS, Dialogue, answer_sections

MODES = ("auto", "style", "param")
# Tokens of one section's text, where nothing was measured.
LONGEST = 96
# Measured lengths get this much room, within these bounds: six sections and a prompt must fit into the cache.
ROOM, FEWEST, MOST = 1.5, 32, 192


def _published_order() -> dict[str, tuple[str, ...]]:
    """As the prompts ask: problems and plans in "auto", plans in the others."""
    sections = answer_sections()
    plans = tuple(section.field for section in sections["param"])
    return {"auto": tuple(s.field for s in sections["auto"] if s.field != "elements"), "style": plans, "param": plans}


@dataclass(frozen=True)
class Skeleton:
    """`fields`: the sections of each mode in their order. `separators` of a mode: plain texts before each of them, and last
    before the retouch tokens."""

    fields: Mapping[str, tuple[str, ...]] = field(default_factory=_published_order)
    longest: int = LONGEST
    separators: Mapping[str, list[str]] | None = None

    def dialogue(self, tokenizer: Tokenizer, vocabulary: int) -> Dialogue:
        """Every token of the vocabulary can be written."""
        known = {s.field: s for s in answer_sections(problem=self.longest, plan=self.longest)["auto"]}
        answer = {mode: [known[name] for name in names] for mode, names in self.fields.items()}
        separators = None if self.separators is None else dict(self.separators)
        return Dialogue(tokenizer, list(range(vocabulary)), {}, answer, separators=separators)


@dataclass(frozen=True)
class Form:
    fields: tuple[str, ...]
    separators: tuple[str, ...]


def measured_skeleton(
    answers: Mapping[str, Sequence[Sequence[int]]], tokenizer: Tokenizer
) -> tuple[Skeleton, dict[str, int]]:
    """From free answers (token ids) by mode: each mode's most frequent form, and how many answers had it.

    A mode of which no answer is well formed keeps the order that the prompts ask for, with nothing in between; its count is 0.
    """
    fields, separators, counts = _published_order(), {}, {}
    longest = 0
    for mode in MODES:
        read = [found for ids in answers.get(mode, ()) if (found := read_answer(ids, tokenizer))]
        longest = max([longest, *(length for _, lengths in read for length in lengths)])
        counted = Counter(form for form, _ in read).most_common(1)
        counts[mode] = counted[0][1] if counted else 0
        if counted:
            form = counted[0][0]
            fields[mode] = form.fields
            if any(form.separators):
                separators[mode] = list(form.separators)
    room = LONGEST if longest == 0 else min(MOST, max(FEWEST, round(longest * ROOM)))
    return Skeleton(fields, room, separators or None), counts


def read_answer(ids: Sequence[int], tokenizer: Tokenizer) -> tuple[Form, list[int]] | None:
    """The form of one answer and the lengths of its sections in tokens; None where it is not sections, each once and closed,
    with plain text between them, and then the three retouch tokens in a row."""
    sections = [section for section in answer_sections()["auto"] if section.field != "elements"]
    starts = {tokenizer.token_to_id(section.start): section for section in sections}
    retouch = [tokenizer.token_to_id(token) for token in RETOUCH_TOKENS]
    special = {i for i, token in tokenizer.get_added_tokens_decoder().items() if token.special}
    fields: list[str] = []
    between: list[list[int]] = [[]]
    lengths: list[int] = []
    at = 0
    while at < len(ids) and list(ids[at : at + len(retouch)]) != retouch:
        token = ids[at]
        section = starts.get(token)
        if section:
            length = next((n for n, other in enumerate(ids[at + 1 :]) if other in special), None)
            if length is None or ids[at + 1 + length] != tokenizer.token_to_id(section.end) or section.field in fields:
                return None
            fields.append(section.field)
            lengths.append(length)
            between.append([])
            at += length + 2
        elif token in special:
            return None
        else:
            between[-1].append(token)
            at += 1
    texts = tuple(tokenizer.decode(part) for part in between)
    # A runtime encodes the texts anew.
    same = all(tokenizer.encode(text, add_special_tokens=False).ids == part for text, part in zip(texts, between))
    return (Form(tuple(fields), texts), lengths) if fields and same and at < len(ids) else None
