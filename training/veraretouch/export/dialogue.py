"""Words and rules of the conversation between the product and the language model.

A prompt is a template with places for image rows, parameter rows and the user's text. An answer
has a fixed skeleton of sections; the model only chooses the text inside them. The same rules are
written in `bundle.json`, so whatever reads a bundle needs nothing from this file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from tokenizers import Tokenizer

from veraretouch.export.errors import ExportError
from veraretouch.reasoning.voice import COUNT

RETOUCH_TOKENS = ("<retouch_light>", "<retouch_color&temp>", "<retouch_colormixer>")
TASK_TOKENS = ("<Auto_Retouch_Task>", "<Style_Retouch_Task>", "<Professional_Retouch_Task>")
_FACTORS = (("light", "light"), ("globalColor", "globalcolor"), ("specificColor", "specificcolor"))

MODES = ("auto", "style", "param")
# Ways of wording an answer (`reasoning.voice`), one token each.
VOICES = tuple(f"<voice_{number}>" for number in range(COUNT))
# Short on purpose: every token of a prompt costs as much in training as one of the answer. The first token stays the one
# that the pretrained model saw first.
PROMPTS = {
    "auto": "<|im_start|>{image}<Auto_Retouch_Task>\n",
    "style": "<|im_start|>{image}<Style_Retouch_Task>{instruction}\n",
    "param": "<|im_start|>{params}<Professional_Retouch_Task>\n",
}
VOICED_PROMPTS = {mode: prompt.replace("\n", "{voice}\n") for mode, prompt in PROMPTS.items()}
MAX_INSTRUCTION_TOKENS = 96


# The first of the rows of focus that are added where the latents are read.
LATENT_ROW = 6


def focus_of(field: str) -> int | None:
    """Which of the nine rows of focus (three problems, three plans, three latents) is added where a section opens; None
    for elements."""
    kind, _, factor = field.partition(".")
    if not factor:
        return None
    return 3 * (kind == "plan") + [name for name, _ in _FACTORS].index(factor)


@dataclass(frozen=True)
class Section:
    """One part of an answer: `start`, at most `max_tokens` tokens of text, `end`.

    `tokens`: the ids that its text may consist of, None for all text. A plan has no use for the
    names of things, key elements none for verbs.
    """

    field: str
    start: str
    end: str
    max_tokens: int
    tokens: tuple[int, ...] | None = None

    @staticmethod
    def from_json(entry: dict, tokens: dict[str, list[int]] | None = None) -> Section:
        """`tokens` of each field are kept in a file of their own."""
        own = tuple(tokens[entry["field"]]) if tokens else None
        return Section(entry["field"], entry["start"], entry["end"], entry["maxTokens"], own)

    def as_json(self) -> dict:
        return {
            "field": self.field,
            "start": self.start,
            "end": self.end,
            "maxTokens": self.max_tokens,
        }


def tokens_by_field(answer: dict[str, list[Section]]) -> dict[str, list[int]] | None:
    """Each field's own tokens, None when sections may hold all text. Raises ExportError for a mixture."""
    sections = [section for mode in answer.values() for section in mode]
    found = {section.field: section.tokens for section in sections}
    if any(section.tokens != found[section.field] for section in sections):
        raise ExportError("A field has other tokens in another mode. Nothing was made; derive them anew.")
    if set(found.values()) == {None}:
        return None
    if None in found.values():
        raise ExportError("Only some fields have tokens of their own. Nothing was made; derive them anew.")
    return {field: list(tokens) for field, tokens in found.items()}


def answer_sections(
    elements: int = 32, problem: int = 48, plan: int = 64, tokens: dict[str, list[int]] | None = None
) -> dict[str, list]:
    """The sections of every mode; the numbers are the longest texts in tokens, `tokens` each field's own."""

    def section(field: str, tag: str, longest: int) -> Section:
        own = tuple(tokens[field]) if tokens else None
        return Section(field, f"<{tag}_start>", f"<{tag}_end>", longest, own)

    problems = [section(f"problems.{f}", f"problem_{t}", problem) for f, t in _FACTORS]
    plans = [section(f"plan.{f}", f"plan_{t}", plan) for f, t in _FACTORS]
    full = [section("elements", "elements", elements), *problems, *plans]
    return {"auto": full, "style": full, "param": plans}


def added_tokens(voices: Sequence[str] = VOICES) -> list[str]:
    """The 20 tokens that the product adds and those of the voices, in the order of their ids (from 49152 on)."""
    sections = [tag for s in answer_sections()["auto"] for tag in (s.start, s.end)]
    return [*TASK_TOKENS, *sections, *RETOUCH_TOKENS, *voices]


class Dialogue:
    """Prompts, answer skeleton and output vocabulary over one tokenizer.

    `tokenizer` is a `tokenizers.Tokenizer` that knows every added token as a special one.
    `output_token_ids` are the ids that the decoder's reduced head can emit, in its row order.
    `separators` of a mode are plain texts of the skeleton: one before each section, and one before the retouch tokens.
    `latents_first`: the retouch tokens stand right behind the prompt, and the latents are read where they are fed; else they
    stand behind the words (as published), and the latents are read from the states that predict them.
    `voices` are the tokens of which one stands where a prompt says {voice}.
    Raises ExportError when a token of the skeleton is missing from either.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        output_token_ids: list[int],
        prompts: dict[str, str] | None = None,
        answer: dict[str, list[Section]] | None = None,
        retouch_tokens: tuple[str, ...] = RETOUCH_TOKENS,
        max_instruction_tokens: int = MAX_INSTRUCTION_TOKENS,
        separators: dict[str, list[str]] | None = None,
        latents_first: bool = False,
        voices: Sequence[str] = (),
    ) -> None:
        self.tokenizer = tokenizer
        self.output_ids = np.asarray(output_token_ids, dtype=np.int64)
        self.prompts = dict(prompts or PROMPTS)
        self.answer = answer or answer_sections()
        self.max_instruction_tokens = max_instruction_tokens
        if len(set(self.output_ids.tolist())) != len(self.output_ids):
            raise ExportError("The list of output tokens names a token twice. Nothing was made.")
        self.retouch_ids = [self.token_id(text) for text in retouch_tokens]
        self.latents_first = latents_first
        self.voice_ids = [self.token_id(text) for text in voices]
        if not voices and any("{voice}" in prompt for prompt in self.prompts.values()):
            raise ExportError("A prompt has a place for a voice, but there is none. Nothing was made; give the voices' tokens.")
        if latents_first and separators:
            raise ExportError("Separators belong to answers whose latents come last. Nothing was made; leave one of both out.")
        self._separators = {mode: [self.encode(text) for text in texts] for mode, texts in (separators or {}).items()}
        emittable = set(self.output_ids.tolist())
        for section in {s for sections in self.answer.values() for s in sections}:
            self.token_id(section.start)
            if strange := set(section.tokens or ()) - (emittable - self.special_ids):
                raise ExportError(
                    f"The section {section.field} may hold the tokens {sorted(strange)[:5]}, which "
                    "the model cannot write as text. Nothing was made; derive them anew."
                )
            if self.token_id(section.end) not in emittable:
                raise ExportError(
                    f"The output vocabulary lacks {section.end}, so that section could never end. "
                    "Nothing was made; add its id to the output tokens."
                )

    def token_id(self, text: str) -> int:
        """Id of one whole token; ExportError when the tokenizer does not know it."""
        token = self.tokenizer.token_to_id(text)
        if token is None:
            raise ExportError(
                f"The tokenizer has no token {text!r}. Nothing was made; add the product's tokens "
                "with veraretouch.export.tokenizer.add_product_tokens."
            )
        return token

    def separator_ids(self, mode: str, index: int) -> list[int]:
        """What stands before section `index` of a mode, or, behind the last one, before the retouch tokens."""
        return self._separators[mode][index] if mode in self._separators else []

    @cached_property
    def special_ids(self) -> frozenset[int]:
        added = self.tokenizer.get_added_tokens_decoder()
        return frozenset(i for i, token in added.items() if token.special)

    def encode(self, text: str) -> list[int]:
        """Ids of text of our own, in which special tokens are recognised."""
        self.tokenizer.encode_special_tokens = False
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    def encode_user_text(self, text: str) -> list[int]:
        """Ids of the user's text, trimmed: the text of a special token stays plain text."""
        text = text.strip()
        self.tokenizer.encode_special_tokens = True
        try:
            ids = self.tokenizer.encode(text, add_special_tokens=False).ids
        finally:
            self.tokenizer.encode_special_tokens = False
        if len(ids) > self.max_instruction_tokens:
            raise ExportError(
                f"The instruction is {len(ids)} tokens long, at most {self.max_instruction_tokens} "
                "fit. Nothing was generated; shorten it."
            )
        return ids

    def prompt_parts(self, mode: str, instruction: str = "", voice: int = 0) -> list[list[int] | str]:
        """A prompt as lists of token ids and the place names "image" or "params". `voice`: number of a voice, if there are any.

        Every stretch of the template between two places is encoded apart, and so is the user's
        text: what is put into a place never changes how the text around it is cut into tokens.
        """
        if mode not in self.prompts:
            raise ExportError(f"There is no mode {mode!r}, only {', '.join(self.prompts)}.")
        parts: list[list[int] | str] = []
        for piece in _split_template(self.prompts[mode]):
            if piece == "{instruction}":
                _append_ids(parts, self.encode_user_text(instruction))
            elif piece == "{voice}":
                _append_ids(parts, [self.voice_ids[voice]])
            elif piece in ("{image}", "{params}"):
                parts.append(piece[1:-1])
            else:
                _append_ids(parts, self.encode(piece))
        return parts

    def section_mask(self, section: Section) -> np.ndarray:
        """bool [Vout]: what may be emitted inside a section: its text, or that section's own end."""
        return self._masks[section]

    @cached_property
    def _masks(self) -> dict[Section, np.ndarray]:
        text = ~np.isin(self.output_ids, list(self.special_ids))
        return {
            section: (text if section.tokens is None else np.isin(self.output_ids, section.tokens))
            | (self.output_ids == self.token_id(section.end))
            for sections in self.answer.values()
            for section in sections
        }

    def piece(self, token: int) -> str:
        """The text of one token by itself, with the blank before it."""
        return self._pieces[token]

    @cached_property
    def _pieces(self) -> dict[int, str]:
        return {token: self.tokenizer.decode([token], skip_special_tokens=False) for token in self.output_ids.tolist()}

    def decode_text(self, ids: list[int]) -> str:
        """The trimmed text of a section; pieces of characters that are no UTF-8 are left out."""
        text = self.tokenizer.decode(ids, skip_special_tokens=False)
        return text.replace("\ufffd", "").strip()


def _append_ids(parts: list[list[int] | str], ids: list[int]) -> None:
    if parts and isinstance(parts[-1], list):
        parts[-1].extend(ids)
    else:
        parts.append(list(ids))


def _split_template(template: str) -> list[str]:
    places = ("{image}", "{params}", "{instruction}", "{voice}")
    pieces, text = [], template
    while text:
        hits = [(text.find(p), p) for p in places if p in text]
        if not hits:
            pieces.append(text)
            break
        at, place = min(hits)
        if at:
            pieces.append(text[:at])
        pieces.append(place)
        text = text[at + len(place) :]
    return pieces
