"""The PyTorch reference against a plain loop without cache, batches against single answers."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from veraretouch.export.bundle import stored_models
from veraretouch.export.dialogue import VOICED_PROMPTS, VOICES, Dialogue
from veraretouch.export.errors import ExportError
from veraretouch.export.parity import SETTINGS, settings_vector
from veraretouch.export.pictures import picture, squash
from veraretouch.export.reference import (
    embedding_table,
    generate,
    generate_batch,
    generate_many,
    output_head,
)
from veraretouch.export.tiny import IMAGE_SIZE, tiny_info, tiny_models, tiny_output_ids
from veraretouch.export.voices import voice_of

torch.set_num_threads(1)
STYLES = ["cool", "Warm light and deeper shadows, a little.", "Balance the colours clearly."]


def _world(first: bool):
    tokenizer, models = tiny_models(voices=VOICES if first else ())
    info = tiny_info(tokenizer)
    if first:
        info = replace(info, prompts=VOICED_PROMPTS, latents_first=True, voices=VOICES)
    dialogue = info.dialogue(tokenizer, tiny_output_ids(tokenizer))
    stored = stored_models(**models, dialogue=dialogue, info=info)
    return stored.vlm, dialogue


@pytest.fixture(scope="module", params=["words first", "latents first"])
def world(request):
    return _world(request.param == "latents first")


@torch.no_grad()
def _plainly(vlm, dialogue: Dialogue, mode: str, rows: torch.Tensor, instruction: str, image: torch.Tensor, voice: int):
    """The rules once more, with the whole sequence run anew for every token and nothing shared."""
    table = vlm.lm.embed_tokens.weight
    prompt = torch.cat(
        [rows if isinstance(p, str) else table[p] for p in dialogue.prompt_parts(mode, instruction, voice)]
    )
    answer: list[int] = []
    # Place in the answer -> the factor's row that is added there.
    focus: dict[int, torch.Tensor] = {}
    plans = rows
    if mode != "param":
        own = rows[vlm.focus_row : vlm.focus_row + 3]
        words = table[dialogue.encode_user_text(instruction)] if mode == "style" else None
        plans = own if words is None else vlm.style_projector(words[None], rows[None])[0]
        # Every fourth pixel of the picture at half its size, as the plan's own latents render it.
        halved = image.unfold(1, 2, 2).unfold(2, 2, 2).mean((3, 4))[:, ::4, ::4]
        colours = halved.reshape(3, -1).T[None]
        after = vlm.foresee.renderer(colours, vlm.adaptor.read(plans[None]))
        effect = vlm.effect(colours, after)[0]

    def states() -> torch.Tensor:
        embeds = torch.cat([prompt, table[answer]])
        for place, row in focus.items():
            embeds[len(prompt) + place] += row
        return vlm.lm(inputs_embeds=embeds[None]).last_hidden_state[0]

    specials = dialogue.special_ids
    if dialogue.latents_first:
        focus |= {number: plans[number] for number in range(3)}
        answer.extend(dialogue.retouch_ids)
    for section in dialogue.answer[mode]:
        end = dialogue.token_id(section.end)
        kind, _, factor = section.field.partition(".")
        if factor:
            number = ["light", "globalColor", "specificColor"].index(factor)
            if mode == "param":
                focus[len(answer)] = plans[number]
            else:
                focus[len(answer)] = effect[number] + (0 if kind == "plan" else own[number])
        answer.append(dialogue.token_id(section.start))
        for _ in range(section.max_tokens):
            scores = dict(zip(dialogue.output_ids.tolist(), vlm.head @ states()[-1], strict=True))
            allowed = section.tokens or [i for i in scores if i not in specials]
            token = max((i for i in scores if i == end or i in allowed), key=scores.get)
            if token == end:
                break
            answer.append(token)
        answer.append(end)
    if dialogue.latents_first:
        read = states()[len(prompt) : len(prompt) + 3]
        return answer, vlm.adaptor(read.reshape(1, -1), plans[:3][None])[0].numpy()
    answer.extend(dialogue.retouch_ids[:2])
    focus |= {len(answer) - 3 + number: plans[number] for number in range(3)}
    return answer, vlm.adaptor(states()[-3:].reshape(1, -1), plans[:3][None])[0].numpy()


@pytest.mark.parametrize("mode", ["auto", "style", "param"])
def test_the_reference_follows_the_rules(world, mode) -> None:
    vlm, dialogue = world
    image = squash(picture(3, 50, 40), IMAGE_SIZE)
    params = torch.tensor(settings_vector(SETTINGS[0]))
    given = {"param": {"params": params}, "auto": {"image": image},
             "style": {"image": image, "instruction": STYLES[1]}}[mode]  # fmt: skip
    result = generate(vlm, dialogue, mode, **given)
    with torch.no_grad():
        rows = vlm.param_projector(params[None]) if mode == "param" else vlm.vision(image[None])
    words = STYLES[1] if mode == "style" else ""
    voice = voice_of(params if mode == "param" else image, words, len(dialogue.voice_ids))
    tokens, latents = _plainly(vlm, dialogue, mode, rows[0], words, image, voice)
    assert result.margin > 1e-5
    assert result.token_ids == tokens
    masked = latents * np.array([[1], [1], [0 if mode == "param" else 1]])
    assert np.abs(result.latents - masked).max() < 1e-4


def test_masked_factors_have_no_latent(world) -> None:
    vlm, dialogue = world
    result = generate(vlm, dialogue, "param", params=torch.tensor(settings_vector({"Vibrance": 0.3})))
    assert np.any(result.latents[1]) and not np.any(result.latents[[0, 2]])


def test_a_batch_answers_as_each_alone(world) -> None:
    vlm, dialogue = world
    images = torch.stack([squash(picture(k, 40, 40), IMAGE_SIZE) for k in range(3)])
    together = generate_batch(vlm, dialogue, "style", images=images, instructions=STYLES)
    lengths = set()
    for row, result in enumerate(together):
        alone = generate(vlm, dialogue, "style", image=images[row], instruction=STYLES[row])
        assert result.token_ids == alone.token_ids
        assert result.fields == alone.fields
        assert np.abs(result.latents - alone.latents).max() < 1e-4
        lengths.add(len(result.token_ids))
    assert len(lengths) > 1, "answers of one length do not test the padding"


def test_many_keeps_the_order(world) -> None:
    vlm, dialogue = world
    params = torch.tensor([settings_vector(s) for s in SETTINGS[:5]])
    many = list(generate_many(vlm, dialogue, "param", params=params, batch_size=2))
    assert len(many) == 5
    for row, result in enumerate(many):
        alone = generate(vlm, dialogue, "param", params=params[row])
        assert result.token_ids == alone.token_ids


def test_embedding_and_head_of_a_model_in_training() -> None:
    """Trained rows of added tokens live beside the embedding; the head belongs to its tokens."""
    tokenizer, models = tiny_models()
    vlm, outputs = models["vlm"], tiny_output_ids(tokenizer)
    table = embedding_table(vlm)
    first = tokenizer.token_to_id("<Auto_Retouch_Task>")
    assert torch.equal(table[first:], vlm.added_rows)
    assert torch.equal(table[:first], vlm.lm.embed_tokens.weight[:first])
    assert torch.equal(output_head(vlm, Dialogue(tokenizer, outputs)), vlm.head)
    with pytest.raises(ExportError, match="other tokens"):
        output_head(vlm, Dialogue(tokenizer, outputs[::-1]))
    del vlm.head
    assert torch.equal(output_head(vlm, Dialogue(tokenizer, outputs)), table[outputs])


def test_wrong_inputs_are_refused(world) -> None:
    vlm, dialogue = world
    image = torch.rand(1, 3, IMAGE_SIZE, IMAGE_SIZE)
    with pytest.raises(ExportError, match="wrong inputs"):
        generate_batch(vlm, dialogue, "auto", params=torch.zeros(1, 38))
    with pytest.raises(ExportError, match="wrong inputs"):
        generate_batch(vlm, dialogue, "style", images=image)
    with pytest.raises(ExportError, match="one instruction per image"):
        generate_batch(vlm, dialogue, "style", images=image, instructions=["a", "b"])
