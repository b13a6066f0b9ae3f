"""The walk through one answer: which tokens are fed next, which may be emitted, what came out.

It knows the rules of decoding and nothing of any model, so PyTorch and onnxruntime are driven by
the same code: feed `pending`, show it the logits of the last position, repeat until `done`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from veraretouch.export.dialogue import LATENT_ROW, Dialogue, Section, focus_of
from veraretouch.export.grounding import AnswerGuide

# The three latents are read where the last section's end (or what stands behind it) and the first two retouch tokens are
# fed; with latents first, where the three retouch tokens are fed.
STATE_COUNT = 3


@dataclass
class GenerationResult:
    """What a generation gave.

    `fields` maps a section's field ("plan.light") to its text; `token_ids` are the ids of the
    answer, emitted and forced, in order, without a third retouch token at the end; `latents` is float32
    [3,D], masked by factor in param mode; `well_formed` tells that no section had to be cut;
    `margin` is the smallest difference between the two best allowed logits of any choice.
    """

    fields: dict[str, str]
    token_ids: list[int]
    latents: np.ndarray
    well_formed: bool = True
    margin: float = float("inf")


@dataclass
class AnswerWalk:
    """State of one answer. `pending` are the ids to be fed in the next pass, never empty.

    `marks` says at which places of `pending` a row of focus is added: (place, row).
    `latent_places` are the three places of `pending` whose states become latents, empty when there are none among them.
    `done`: nothing more is to be chosen; `pending` need only be fed for the sake of `latent_places`.

    `on_text(field, ids)` is called with each section's token ids when it ends.
    `guide`: what sections may say; set once the latents are known, if at all.
    """

    dialogue: Dialogue
    mode: str
    on_text: Callable[[str, list[int]], None] | None = None
    guide: AnswerGuide | None = None
    pending: list[int] = field(default_factory=list)
    marks: list[tuple[int, int]] = field(default_factory=list)
    latent_places: list[int] = field(default_factory=list)
    token_ids: list[int] = field(default_factory=list)
    fields: dict[str, str] = field(default_factory=dict)
    cut_sections: int = 0
    margin: float = float("inf")
    done: bool = False

    def __post_init__(self) -> None:
        self._sections = self.dialogue.answer[self.mode]
        self._index = 0
        self._text: list[int] = []
        if self.dialogue.latents_first:
            self._force(self.dialogue.retouch_ids)
            self._read_latents(0)
        if self._sections:
            self._open_section()
        else:
            # The picture alone: there is nothing to say behind the latents.
            self.done = True

    def choose(self, logits: np.ndarray) -> None:
        """Takes the logits [Vout] of the last fed position, emits one token, sets `pending`.

        When `done` is true this must not be called.
        """
        section = self._sections[self._index]
        allowed = np.where(self.dialogue.section_mask(section), logits, -np.inf)
        picked = self._pick(allowed, section)
        if self.guide is None or picked == int(np.argmax(allowed)):
            best = np.partition(allowed, -2)[-2:]
            self.margin = min(self.margin, float(best[1] - best[0]))
        token = int(self.dialogue.output_ids[picked])
        end = self.dialogue.token_id(section.end)
        self.pending, self.marks, self.latent_places = [], [], []
        if token != end:
            self._force([token])
            self._text.append(token)
            if len(self._text) < section.max_tokens:
                return
            self.cut_sections += 1
        self._finish_section(section.field, end)

    def _pick(self, allowed: np.ndarray, section: Section) -> int:
        """Which of the output tokens comes next: the likeliest, of those that the guide lets through. `allowed` holds -inf where
        the section forbids one."""
        guided = self.guide and self.guide.pick(section, self._text, allowed)
        return int(np.argmax(allowed)) if guided is None else guided

    def _finish_section(self, name: str, end: int) -> None:
        self.fields[name] = self.dialogue.decode_text(self._text)
        if self.guide:
            self.guide.finish(name, self.fields[name])
        if self.on_text:
            self.on_text(name, self._text)
        self._text = []
        self._index += 1
        self._force([end])
        if self._index < len(self._sections):
            self._open_section()
            return
        self.done = True
        if not self.dialogue.latents_first:
            self._force(self.dialogue.separator_ids(self.mode, self._index))
            self._force(self.dialogue.retouch_ids[:2])
            self._read_latents(len(self.pending) - STATE_COUNT)

    def _read_latents(self, first: int) -> None:
        self.latent_places = [first + factor for factor in range(STATE_COUNT)]
        self.marks += [(first + factor, LATENT_ROW + factor) for factor in range(STATE_COUNT)]

    def _open_section(self) -> None:
        section = self._sections[self._index]
        self._force(self.dialogue.separator_ids(self.mode, self._index))
        row = focus_of(section.field)
        if row is not None:
            self.marks.append((len(self.pending), row))
        self._force([self.dialogue.token_id(section.start)])

    def _force(self, ids: list[int]) -> None:
        self.pending.extend(ids)
        self.token_ids.extend(ids)
