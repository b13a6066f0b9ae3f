"""Answers kept to what is true of the picture (`reasoning.sayable`) while they are written, token by token."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import torch
from torch import nn

from veraretouch.export.dialogue import Dialogue, Section
from veraretouch.reasoning.axes import FACTORS
from veraretouch.reasoning.measure import Change, Pixels, change, stats
from veraretouch.reasoning.sayable import (
    LEAST_SHARE_STILL,
    NAMES_MARGIN,
    Sayable,
    sayable_of_change,
    sayable_of_sliders,
)
from veraretouch.reasoning.sayable_problems import HIGHEST, problems_of_change, wording, words_of

# Every second pixel in both directions of the photo as the model sees it is measured.
STEP = 2
# No word is cut into more tokens.
LONGEST_WORD = 6
# Signs that stand behind a word without a blank.
_SIGNS = ",;:."
# A word or sign with its blank.
_WORD = re.compile(r" ?(?:[A-Za-z]+|\d+|[^\sA-Za-z\d])")


def thinned(picture: torch.Tensor) -> Pixels:
    """Every STEP-th pixel of a picture [3, S, S] in [0, 1]."""
    return Pixels(picture[:, ::STEP, ::STEP].reshape(3, -1).T.contiguous())


class Words:
    """The words of a wording in the tokens that one section of a dialogue may hold, as its tokenizer cuts them: at the beginning of
    the section with a capital, else with the blank before them; and the figures that may stand among them."""

    def __init__(self, dialogue: Dialogue, section: Section) -> None:
        self.dialogue = dialogue
        self._tokens = set(dialogue.output_ids[dialogue.section_mask(section)].tolist())
        self._begun: dict[tuple[int, ...], set[str]] = {}
        self._known: set[str] = set()
        for word in words_of(wording()):
            for text in (word,) if word in _SIGNS else (" " + word, word[0].upper() + word[1:]):
                self._add(text)
        for number in range(HIGHEST + 1):
            self._add(f" {number}")

    def _add(self, text: str) -> None:
        ids = self.dialogue.encode(text)
        if not self._tokens.issuperset(ids):
            return
        self._known.add(text)
        for length in range(1, len(ids) + 1):
            self._begun.setdefault(tuple(ids[:length]), set()).add(text)

    def keep(self, sayable: Sayable) -> Sayable:
        """What of it the section's tokens can write."""
        return sayable.only(lambda text: self._writes(text[0].upper() + text[1:]), lambda text: self._writes(" " + text))

    @cache  # noqa: B019  a few thousand texts, for as long as the model is there
    def _writes(self, text: str) -> bool:
        return all(word in self._known for word in _WORD.findall(text))

    def readings(self, tokens: Sequence[int]) -> list[tuple[str, set[str]]]:
        """Ways to read tokens as whole words and a last one that is begun: (text of the whole ones, the words that the last may
        become). Empty where the tokens are no words of the wording, or otherwise cut."""
        found = []
        for first in range(max(0, len(tokens) - LONGEST_WORD), len(tokens)):
            words = self._begun.get(tuple(tokens[first:]))
            if words:
                found.append(("".join(map(self.dialogue.piece, tokens[:first])), words))
        return found


class AnswerGuide:
    """What the sections of one answer may say. `words`, `sayable`: by field; of key elements the list ends where another is not
    sure (`NAMES_MARGIN`)."""

    def __init__(self, words: Mapping[str, Words], sayable: Mapping[str, Sayable]) -> None:
        self.words = words
        self.sayable = {field: words[field].keep(one) for field, one in sayable.items()}

    def finish(self, field: str, text: str) -> None:
        """A section is complete. A plan begins with what answers the problem that was named."""
        kind, _, factor = field.partition(".")
        plan = self.sayable.get(f"plan.{factor}")
        if kind == "problems" and plan and field in self.sayable:
            named = self.sayable[field].axes_in(text) & set(plan.clauses.values())
            self.sayable[f"plan.{factor}"] = replace(plan, first=named)

    def pick(self, section: Section, text: Sequence[int], allowed: np.ndarray) -> int | None:
        """Index of the likeliest output token that keeps the section, whose tokens so far are `text`, to what may be said; None
        where nothing is guided: a free field, or a model without the words for it. `allowed` as in `AnswerWalk`."""
        if section.field == "elements":
            return self._sure_names(section, allowed)
        sayable = self.sayable.get(section.field)
        if sayable is None:
            return None
        words = self.words[section.field]
        dialogue = words.dialogue
        end = dialogue.token_id(section.end)
        for index in np.argsort(-allowed, kind="stable"):
            if allowed[index] == -np.inf:
                break
            token = int(dialogue.output_ids[index])
            if token == end:
                good = sayable.complete("".join(map(dialogue.piece, text)))
            else:
                good = any(sayable.goes_on(whole + word) for whole, last in words.readings([*text, token]) for word in last)
            if good:
                return int(index)
        return None


    def _sure_names(self, section: Section, allowed: np.ndarray) -> int | None:
        dialogue = next(iter(self.words.values())).dialogue
        best = int(np.argmax(allowed))
        end = int(np.flatnonzero(dialogue.output_ids == dialogue.token_id(section.end))[0])
        more = dialogue.piece(int(dialogue.output_ids[best])) == ","
        return end if more and allowed[best] - allowed[end] < NAMES_MARGIN else None


class Grounding:
    """Makes the guide of each answer. `renderer`: that of the answering model."""

    def __init__(self, renderer: nn.Module, dialogue: Dialogue) -> None:
        self.renderer = renderer
        sections = {section.field: section for mode in dialogue.answer.values() for section in mode if section.field != "elements"}
        self.words = {field: Words(dialogue, section) for field, section in sections.items()}

    @torch.no_grad()
    def of_photo(self, picture: torch.Tensor, latents: torch.Tensor, mode: str) -> AnswerGuide:
        """picture [3, S, S] in [0, 1], as the model sees it; latents [3, D]; mode auto or style."""
        before = thinned(picture)
        measured, photo = self._change(before, latents), stats(before)
        plans = {f"plan.{factor}": sayable_of_change(measured, factor) for factor in FACTORS}
        problems = {f"problems.{factor}": problems_of_change(measured, photo, factor, mode) for factor in FACTORS}
        return AnswerGuide(self.words, plans | problems)

    @torch.no_grad()
    def of_sliders(self, params: torch.Tensor, latents: torch.Tensor, picture: torch.Tensor | None = None) -> AnswerGuide:
        """params [38] in [-1, 1]; the picture, where there is one, as in `of_photo`."""
        values, measured = params.tolist(), None if picture is None else self._change(thinned(picture), latents)
        return AnswerGuide(self.words, {f"plan.{factor}": sayable_of_sliders(values, factor, measured) for factor in FACTORS})

    def _change(self, before: Pixels, latents: torch.Tensor) -> Change:
        after = self.renderer(before.rgb[None], latents[None])[0].clamp(0, 1)
        return change(before, after, LEAST_SHARE_STILL)
