"""What the published scripts make of a photo, in PyTorch: the reference that a converted bundle is compared with.

One difference: the most likely token is taken each time, where the scripts draw at temperature 0.2; so the same photo
gives the same answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from PIL import Image
from tokenizers import Tokenizer

from veraretouch.export.answer import STATE_COUNT, AnswerWalk, GenerationResult
from veraretouch.export.dialogue import RETOUCH_TOKENS, Dialogue
from veraretouch.official.encoder_renderer import ENCODER_SIZE, EncoderRenderer
from veraretouch.official.model import OfficialVlm, retouch_states
from veraretouch.official.preprocess import letterbox, reference
from veraretouch.official.prompts import factor_masks, parameter_groups, parameter_text, prompt
from veraretouch.official.tokens import END, encode_prompt

# As the published script allows.
LONGEST_ANSWER = 4096


@dataclass(frozen=True)
class OfficialAnswer:
    text: str
    token_ids: list[int]
    # [3,D], factors in the order light, global colour, specific colour.
    latents: torch.Tensor


class OfficialReference:
    def __init__(self, vlm: OfficialVlm, tokenizer: Tokenizer, longest: int = LONGEST_ANSWER) -> None:
        self.vlm, self.tokenizer, self.longest = vlm, tokenizer, longest
        self._end = tokenizer.token_to_id(END)
        self._retouch = tuple(tokenizer.token_to_id(token) for token in RETOUCH_TOKENS)

    def auto(self, photo: Image.Image) -> OfficialAnswer:
        """Raises OfficialModelError when the answer lacks a retouch token, as do `style` and `param`."""
        return self._answer(prompt("auto"), photo)

    def style(self, photo: Image.Image, instruction: str) -> OfficialAnswer:
        return self._answer(prompt("style", instruction), photo)

    def param(self, values: Sequence[float]) -> OfficialAnswer:
        """38 values in [-1, 1]. The photo is not looked at: the prompt has no place for it."""
        groups = parameter_groups(values)
        return self._answer(prompt("param", parameter_text(values)), None, factor_masks(groups))

    @torch.no_grad()
    def prompt_rows(self, text: str, photo: Image.Image | None) -> torch.Tensor:
        """The prompt [1,S,hidden] with the photo's rows where its place is."""
        first, *others = encode_prompt(self.tokenizer, text)
        parts = [self.vlm.embed(first)]
        for ids in others:
            config = self.vlm.config
            square = letterbox(photo, config.short_edge, config.image_size)
            parts += [self.vlm.see(square[None]), self.vlm.embed(ids)]
        return torch.cat(parts, dim=1)

    def words(self, text: str, photo: Image.Image | None) -> list[int]:
        """Token ids of the answer to a whole prompt, whatever it says."""
        return self.vlm.answer(self.prompt_rows(text, photo), self._end, self.longest)[0]

    @torch.no_grad()
    def _answer(self, text: str, photo: Image.Image | None, masks: list[float] | None = None) -> OfficialAnswer:
        ids, states = self.vlm.answer(self.prompt_rows(text, photo), self._end, self.longest)
        latents = self.vlm.latents(retouch_states(ids, states, self._retouch), masks)
        return OfficialAnswer(self.tokenizer.decode(ids, skip_special_tokens=True).strip(), ids, latents)


@torch.no_grad()
def forced_answer(
    vlm: OfficialVlm, dialogue: Dialogue, mode: str, rows: torch.Tensor, masks: list[float] | None = None
) -> GenerationResult:
    """The answer to a prompt [1,S,hidden] inside the skeleton of `dialogue`, as a bundle's runtime decodes it: what the
    skeleton gives is fed together with the token before it."""
    walk = AnswerWalk(dialogue, mode)
    embeds, cache = torch.cat((rows, vlm.embed(walk.pending)), dim=1), None
    while True:
        out = vlm.model(inputs_embeds=embeds, past_key_values=cache, use_cache=True)
        cache, states = out.past_key_values, out.last_hidden_state[0]
        if walk.done:  # as published: the latents come last
            latents = vlm.latents(states[-STATE_COUNT:], masks)
            return GenerationResult(walk.fields, walk.token_ids, latents.numpy(), walk.cut_sections == 0, walk.margin)
        walk.choose(vlm.lm_head(states[-1]).numpy())
        embeds = vlm.embed(walk.pending)


@torch.no_grad()
def look_of_pair(model: EncoderRenderer, before: Image.Image, after: Image.Image, size: int = ENCODER_SIZE) -> torch.Tensor:
    """Latents [3,D] of what was done between two pictures."""
    return model.encoder(reference(before, size)[None], reference(after, size)[None])[0]
