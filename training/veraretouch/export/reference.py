"""Greedy generation in PyTorch by the decode rules of the bundle format.

This is the reference that the bundle's runtimes are compared with, and the generator for
evaluation: answers of a batch walk on their own, each feeding what it has to feed; shorter feeds
are padded on the left with positions that the attention mask hides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import torch
from torch import nn

from veraretouch.engine.params import FACTOR_SLICES
from veraretouch.export.answer import STATE_COUNT, AnswerWalk, GenerationResult
from veraretouch.export.dialogue import Dialogue
from veraretouch.export.errors import ExportError
from veraretouch.export.grounding import Grounding
from veraretouch.export.voices import voice_of
from veraretouch.models.vlm import focus_tokens


def generate(
    vlm: nn.Module,
    dialogue: Dialogue,
    mode: str,
    image: torch.Tensor | None = None,
    instruction: str | None = None,
    params: torch.Tensor | None = None,
    voice: int | None = None,
    grounding: Grounding | None = None,
    photo: torch.Tensor | None = None,
) -> GenerationResult:
    """One answer. `image` is sRGB [3,size,size] in [0,1] (auto, style), `params` [38] in [-1,1]; `voice` as in `voice_of`; `photo`
    [3,size,size] for params, and `grounding`, as in `generate_batch`."""
    return generate_batch(
        vlm,
        dialogue,
        mode,
        images=None if image is None else image[None],
        instructions=None if instruction is None else [instruction],
        params=None if params is None else params[None],
        voices=None if voice is None else [voice],
        grounding=grounding,
        photos=None if photo is None else photo[None],
    )[0]


@torch.no_grad()
def generate_batch(
    vlm: nn.Module,
    dialogue: Dialogue,
    mode: str,
    images: torch.Tensor | None = None,
    instructions: Sequence[str] | None = None,
    params: torch.Tensor | None = None,
    voices: Sequence[int] | None = None,
    new_walk: Callable[[Dialogue, str], AnswerWalk] = AnswerWalk,
    half: bool = False,
    grounding: Grounding | None = None,
    photos: torch.Tensor | None = None,
) -> list[GenerationResult]:
    """One answer per row of `images` [B,3,size,size] (auto, style) or `params` [B,38] (param).

    `vlm` has lm (a LlamaModel), vision(images) -> [B,T,H], param_projector(params) -> [B,3,H],
    adaptor(states [B,3*H]) -> latents [B,3,D], and for the rest see `embedding_table` and
    `output_head`. With a `focus_row` it also has style_projector(embeds [1,S,H], image_tokens
    [1,T,H]) -> [1,3,H] and foresee(images, plan [B,3,H]) -> [B,3,H], and the adaptor takes the
    plan's factor tokens [B,3,H] too. Style needs one instruction per image. `voices`: a number per row, in place of the
    ones that follow from the inputs. `new_walk` makes the walk of each answer, in order; one that samples picks by its
    own rule. `half` runs the language model, and nothing else, in bfloat16, as training does. `grounding` keeps plans to what
    is true of the picture, where the latents come before the words; `photos` [B,3,size,size] are then those that sliders (param) are
    meant for, without which plans are kept to the sliders alone.
    Raises ExportError when an input of the mode is missing or an instruction is too long.
    """
    rows = _check_inputs(mode, images, instructions, params)
    table = embedding_table(vlm)
    places = {"image": vlm.vision(images)} if params is None else {
        "params": vlm.param_projector(params)
    }  # fmt: skip
    walks = [new_walk(dialogue, mode) for _ in range(rows)]
    plan = _plan(vlm, dialogue, table, places, instructions)
    focus = None if plan is None else _focus(vlm, images, places, plan)
    feeds = []
    for row, walk in enumerate(walks):
        text = instructions[row] if instructions is not None else ""
        given = (images if images is not None else params)[row]
        voice = voices[row] if voices is not None else voice_of(given, text, len(dialogue.voice_ids))
        parts = [
            places[part][row] if isinstance(part, str) else table[torch.tensor(part)]
            for part in dialogue.prompt_parts(mode, text, voice)
        ]
        feeds.append(torch.cat([*parts, _fed(walk, table, focus, row)]))


    def guided(row: int, states: torch.Tensor) -> None:
        """Sets what an answer's plans may say, once its states [3,H] are known."""
        if grounding is None or walks[row].done:
            return
        own = vlm.adaptor(states.flatten()[None], *([] if plan is None else [plan[row : row + 1]]))[0].float()
        if params is None:
            walks[row].guide = grounding.of_photo(images[row], own, mode)
            return
        own = own * _factor_presence(params[row : row + 1])[0, :, None]
        walks[row].guide = grounding.of_sliders(params[row], own, None if photos is None else photos[row])

    states = _walk_all(vlm, table, output_head(vlm, dialogue), walks, feeds, focus, half, guided)
    latents = vlm.adaptor(states.flatten(1), *([] if plan is None else [plan]))
    if params is not None:
        latents = latents * _factor_presence(params)[:, :, None].to(latents)
    return [
        GenerationResult(
            w.fields, w.token_ids, latents[i].float().cpu().numpy(), w.cut_sections == 0, w.margin
        )
        for i, w in enumerate(walks)
    ]


def generate_many(
    vlm: nn.Module,
    dialogue: Dialogue,
    mode: str,
    images: torch.Tensor | None = None,
    instructions: Sequence[str] | None = None,
    params: torch.Tensor | None = None,
    batch_size: int = 16,
    grounding: Grounding | None = None,
    photos: torch.Tensor | None = None,
) -> Iterable[GenerationResult]:
    """As `generate_batch`, in batches, yielding answers in the order of the inputs."""
    rows = _check_inputs(mode, images, instructions, params)
    for first in range(0, rows, batch_size):
        part = slice(first, first + batch_size)
        yield from generate_batch(
            vlm,
            dialogue,
            mode,
            None if images is None else images[part],
            None if instructions is None else instructions[part],
            None if params is None else params[part],
            grounding=grounding,
            photos=None if photos is None else photos[part],
        )


def embedding_table(vlm: nn.Module) -> torch.Tensor:
    """Token embeddings [V,H]: `lm.embed_tokens`, its last rows replaced by `added_rows` if any."""
    table = vlm.lm.embed_tokens.weight.detach()
    added = getattr(vlm, "added_rows", None)
    return table if added is None else torch.cat([table[: len(table) - len(added)], added.detach()])


def output_head(vlm: nn.Module, dialogue: Dialogue) -> torch.Tensor:
    """Rows [Vout,H] that score the output tokens: `head`, else those rows of the embedding.

    Raises ExportError when the head was trained for another list of tokens.
    """
    ids = torch.from_numpy(dialogue.output_ids)
    head = getattr(vlm, "head", None)
    if head is None:
        return embedding_table(vlm)[ids]
    trained_for = getattr(vlm, "output_ids", ids)
    if len(head) != len(ids) or not torch.equal(trained_for.cpu(), ids):
        raise ExportError(
            f"The output head has {len(head)} rows for other tokens than the {len(ids)} output "
            "tokens given. Nothing was made; give the tokens that the model was trained with."
        )
    return head.detach()


def _plan(vlm, dialogue, table, places, instructions) -> torch.Tensor | None:
    """Factor tokens [B,3,H] of what shall be done, None for a model without them."""
    first = getattr(vlm, "focus_row", None)
    if first is None:
        return None
    if "params" in places:
        return places["params"]
    images = places["image"]
    if instructions is None:
        return images[:, first : first + STATE_COUNT]
    words = [table[torch.tensor(dialogue.encode_user_text(text))][None] for text in instructions]
    return torch.cat([vlm.style_projector(w, images[i : i + 1]) for i, w in enumerate(words)])


def _focus(vlm, images, places, plan: torch.Tensor) -> torch.Tensor:
    """The rows [B,9,H] that are added where the answer turns to a factor."""
    if images is None:
        return focus_tokens(plan)
    own = places["image"][:, vlm.focus_row : vlm.focus_row + STATE_COUNT]
    return focus_tokens(plan, own, vlm.foresee(images, plan))


def _fed(walk: AnswerWalk, table: torch.Tensor, focus, row: int) -> torch.Tensor:
    """Embeddings [N,H] of what a walk feeds next, with the rows of its marks."""
    embeds = table[torch.tensor(walk.pending)]
    for place, which in walk.marks if focus is not None else []:
        embeds[place] += focus[row, which]
    return embeds


def _check_inputs(mode, images, instructions, params) -> int:
    wanted = {
        "auto": (True, False, False),
        "style": (True, True, False),
        "param": (False, False, True),
    }
    given = (images is not None, instructions is not None, params is not None)
    if wanted.get(mode) != given:
        raise ExportError(
            f"Mode {mode!r} was given the wrong inputs. Nothing was generated: auto takes images, "
            "style takes images and instructions, param takes params."
        )
    rows = len(images if images is not None else params)
    if instructions is not None and len(instructions) != rows:
        raise ExportError("Style needs exactly one instruction per image. Nothing was generated.")
    return rows


def _factor_presence(params: torch.Tensor) -> torch.Tensor:
    """bool [B,3]: whether any parameter of the factor differs from 0."""
    return torch.stack([(params[:, s] != 0).any(dim=1) for s in FACTOR_SLICES], dim=1)


def _walk_all(vlm, table, head, walks: list[AnswerWalk], feeds: list[torch.Tensor], focus, half: bool, known: Callable):
    """Runs every walk to its end; returns the states [B,3,H] that the latents are read from. `known(row, states)` is called as
    soon as a row's are there."""
    from transformers import DynamicCache

    rows = len(walks)
    cache = DynamicCache(config=vlm.lm.config)
    mask = torch.zeros(rows, 0, dtype=torch.long)
    lengths = torch.zeros(rows, dtype=torch.long)
    states: list[torch.Tensor | None] = [None] * rows
    while not all(walk.done and not walk.latent_places for walk in walks):
        counts = torch.tensor([len(feed) for feed in feeds])
        embeds, fresh, positions = _pad_left(feeds, counts, lengths, table.shape[1])
        mask = torch.cat([mask, fresh], dim=1)
        with torch.autocast(table.device.type, dtype=torch.bfloat16, enabled=half):
            hidden = vlm.lm(
                inputs_embeds=embeds.to(table),
                attention_mask=mask.to(table.device),
                position_ids=positions.to(table.device),
                past_key_values=cache,
                use_cache=True,
            ).last_hidden_state
            logits = (hidden[:, -1] @ head.T).float().cpu().numpy()
        lengths = lengths + counts
        hidden = hidden.to(table.dtype)
        for row, walk in enumerate(walks):
            if walk.latent_places:
                behind = torch.tensor(walk.latent_places) - len(walk.pending)
                states[row] = hidden[row, behind]
                walk.latent_places = []
                known(row, states[row])
            if not walk.done:
                walk.choose(logits[row])
            live = not walk.done or walk.latent_places
            feeds[row] = _fed(walk, table, focus, row) if live else table[:0]
    return torch.stack(states)


def _pad_left(feeds, counts, lengths, hidden: int):
    """(embeds [B,W,H], mask int64 [B,W], positions int64 [B,W]) of feeds of different lengths."""
    width = int(counts.max())
    embeds = torch.zeros(len(feeds), width, hidden)
    mask = torch.zeros(len(feeds), width, dtype=torch.long)
    positions = torch.zeros(len(feeds), width, dtype=torch.long)
    for row, feed in enumerate(feeds):
        count = len(feed)
        if count:
            embeds[row, -count:] = feed
            mask[row, -count:] = 1
            positions[row, -count:] = lengths[row] + torch.arange(count)
    return embeds, mask, positions
