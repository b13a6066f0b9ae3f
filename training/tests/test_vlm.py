"""The tokens that the language model sees: standardised, distinct, and placed where the slots are."""

import numpy as np
import pytest
import torch
from transformers import LlamaConfig, LlamaModel

from veraretouch.engine.params import FACTOR_SLICES, FACTORS, PARAMETERS, sample_params
from veraretouch.export import reference
from veraretouch.export.answer import AnswerWalk
from veraretouch.export.dialogue import VOICED_PROMPTS, VOICES, Dialogue, added_tokens
from veraretouch.export.tokenizer import small_tokenizer
from veraretouch.models.param_head import ParamHead
from veraretouch.models.renderer import Renderer
from veraretouch.models.tone import ToneEncoder
from veraretouch.models.vlm import (
    IMAGE_SLOT,
    IMAGE_TOKENS,
    PARAM_SLOT,
    PARAM_TOKENS,
    Adaptor,
    VeraRetouchVLM,
    Vision,
    _named,
    _slider_axes,
    add_tokens,
    focus_tokens,
)
from veraretouch.reasoning.axes import Claim
from veraretouch.reasoning.parameters import AXIS_OF, announced, parameter_values
from veraretouch.train.examples import collate, encode_example, mix_sequences
from veraretouch.train.vlm import Step, aim, placed

torch.set_num_threads(1)


def _lm() -> LlamaModel:
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=40, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2
    )
    return LlamaModel(config).eval()


def _vlm() -> VeraRetouchVLM:
    lm = _lm()
    add_tokens(lm, 5, torch.Generator().manual_seed(1))
    tone = ToneEncoder(width=8, hidden=32, latent=4)
    return VeraRetouchVLM(lm, torch.nn.Identity(), tone, ParamHead(4, 16), Renderer((8,), 4), torch.tensor([3, 40, 44]), 5).eval()


def _spread(tokens: torch.Tensor) -> float:
    flat = torch.nn.functional.normalize(tokens.flatten(1), dim=1)
    cosines = flat @ flat.T
    return float((cosines.detach().sum() - len(flat)) / (len(flat) * (len(flat) - 1)))


def test_statistics_make_photos_tell_apart():
    torch.manual_seed(5)
    vision = Vision(torch.nn.Identity(), ToneEncoder(width=8, hidden=32, latent=4).eval(), 32, 0.1, feature_size=20)
    # Photos differ by a tenth of what they share, as features of a network do.
    features = torch.rand(1, 1, 20) * 5 + 0.5 * torch.randn(64, 9, 20)
    pictures = torch.rand(64, 3, 1, 1) * torch.rand(64, 3, 112, 112)
    before = _spread(vision.project(features, pictures))
    vision.set_statistics(features, pictures)
    after = _spread(vision.project(features, pictures))
    assert before > 0.6 and after < 0.4 and after < before - 0.3


def test_parameter_tokens_tell_settings_apart():
    vlm, params = _vlm(), sample_params(64, torch.Generator().manual_seed(2))
    vlm.param_projector.set_statistics(params)
    assert _spread(vlm.param_projector(params)) < 0.6


def test_aimed_parameter_tokens_carry_the_heads_latents_and_change_little():
    vlm, params = _vlm(), sample_params(64, torch.Generator().manual_seed(2))
    projector, adaptor = vlm.param_projector, vlm.adaptor
    projector.set_statistics(params)
    before = projector(params)
    wanted = projector.head(params)
    seen = lambda tokens: torch.relu(adaptor.read(tokens))  # as the renderer does
    assert (seen(before) - torch.relu(wanted)).abs().max() > 0.1
    projector.aim(adaptor.shortcut, adaptor.gain)
    torch.testing.assert_close(seen(projector(params)), torch.relu(wanted), rtol=1e-4, atol=1e-4)
    # The least change that does it lies in the space that is read.
    change = (projector(params) - before)[:, 0]
    basis = torch.linalg.qr(adaptor.shortcut[0].weight.T)[0]
    torch.testing.assert_close(change @ basis @ basis.T, change, rtol=1e-3, atol=1e-5)


def test_aimed_photo_tokens_carry_the_tone_encoders_latents():
    vlm = _vlm()
    tone, pictures = vlm.vision.tone.eval(), torch.rand(16, 3, 224, 224)
    features = torch.rand(16, 9, 1280)
    seen = lambda: torch.relu(vlm.adaptor.read(vlm.vision.project(features, pictures)[:, vlm.focus_row : vlm.focus_row + 3]))
    with torch.no_grad():
        tone.direct.weight.mul_(10)
        wanted = torch.relu(tone.direct_latents(vlm.vision.toned(pictures)))
        before, others = seen(), vlm.vision.project(features, pictures)
        assert (before - wanted).abs().max() > 0.1
        aim(vlm)
        torch.testing.assert_close(seen(), wanted, rtol=1e-4, atol=1e-4)
        # No other token is moved.
        after = vlm.vision.project(features, pictures)
    rest = [i for i in range(IMAGE_TOKENS) if not vlm.focus_row <= i < vlm.focus_row + 3]
    torch.testing.assert_close(after[:, rest], others[:, rest])


def test_slots_take_the_tokens_of_their_own_row():
    vlm = _vlm()
    image = torch.randn(2, IMAGE_TOKENS, 32)
    params = torch.randn(2, PARAM_TOKENS, 32)
    width = 2 + IMAGE_TOKENS
    ids = torch.full((2, width), 7)
    ids[0, 1 : 1 + IMAGE_TOKENS] = IMAGE_SLOT
    ids[1, 1 : 1 + PARAM_TOKENS] = PARAM_SLOT
    x = vlm.embed(ids, image, params)
    torch.testing.assert_close(x[0, 1 : 1 + IMAGE_TOKENS], image[0])
    torch.testing.assert_close(x[1, 1 : 1 + PARAM_TOKENS], params[1])
    torch.testing.assert_close(x[1, 0], vlm.lm.embed_tokens.weight[7])


def test_added_rows_are_used_and_merged():
    vlm = _vlm()
    with torch.no_grad():
        vlm.added_rows += 1
    ids = torch.tensor([[3, 41]])
    used = vlm.embed(ids, None, None)
    torch.testing.assert_close(used[0, 1], vlm.added_rows[1])
    vlm.merge_added_rows()
    torch.testing.assert_close(vlm.lm.embed_tokens(ids)[0, 1], vlm.added_rows[1])


def test_answers_depend_on_what_is_seen():
    vlm = _vlm()
    ids = torch.tensor([[7, *[IMAGE_SLOT] * IMAGE_TOKENS, 9, 11]])
    mask = torch.ones_like(ids)
    states = [vlm.hidden(vlm.embed(ids, torch.randn(1, IMAGE_TOKENS, 32), None), mask)[:, -1] for _ in range(2)]
    assert (states[0] - states[1]).abs().max() > 1e-3
    assert vlm.logits(states[0]).shape == (1, 3)


class _Photos:
    """Stored features and small pictures, as training examples have them."""

    def __init__(self):
        torch.manual_seed(9)
        self.stored, self.seen = torch.randn(2, 9, 1280), torch.rand(2, 3, 256, 256)

    def features(self, rows):
        return self.stored[rows]

    def pictures(self, rows, rng=None):
        return self.seen[rows]


@pytest.mark.parametrize("first", [False, True], ids=["words first", "latents first"])
@pytest.mark.parametrize("mode", ["auto", "style", "param"])
def test_training_and_generation_feed_the_same(mode, first):
    """Prompt, answer and factor tokens: what teacher forcing embeds is what the decode rules feed, row by row."""
    tokenizer = small_tokenizer(["Lift the shadows a little", "warm and faded"] * 20, 400, VOICES)
    prompts, voices = (VOICED_PROMPTS, VOICES) if first else (None, ())
    dialogue = Dialogue(tokenizer, list(range(tokenizer.get_vocab_size())), prompts, latents_first=first, voices=voices)
    torch.manual_seed(0)
    added = len(added_tokens())
    config = LlamaConfig(
        vocab_size=tokenizer.get_vocab_size() - added, hidden_size=32, intermediate_size=48, num_hidden_layers=1,
        num_attention_heads=4, num_key_value_heads=2,
    )  # fmt: skip
    lm = LlamaModel(config).eval()
    add_tokens(lm, added, torch.Generator().manual_seed(1))
    tone = ToneEncoder(width=8, hidden=32, latent=4)
    outputs = torch.from_numpy(dialogue.output_ids)
    vlm = VeraRetouchVLM(lm, torch.nn.Identity(), tone, ParamHead(4, 16), Renderer((8,), 4), outputs, added)
    vlm.eval()
    text = {s.field: "Lift the shadows" for s in dialogue.answer[mode]}
    metas = [{"task": mode, "instruction": words, "fields": text, "voice": 7} for words in ("warm", "faded and warm")]
    sequences = [encode_example(meta, dialogue) for meta in metas]
    batch = collate(sequences, [0, 1], torch.arange(tokenizer.get_vocab_size()))
    photos, params = _Photos(), sample_params(2, torch.Generator().manual_seed(3))
    step = Step(vlm, None, photos, "cpu")
    with torch.no_grad():
        images = None if mode == "param" else vlm.vision.project(photos.stored, photos.seen)
        sliders = vlm.param_projector(params) if mode == "param" else None
        is_image = torch.tensor([mode != "param"] * 2)
        plan = step._plan(batch, is_image, images, sliders)
        focus = placed(batch, step._focus(batch.rows, is_image, images, plan, None))
        trained = vlm.embed(batch.ids, images, sliders, focus)
        table = reference.embedding_table(vlm)
        places = {"params": sliders} if mode == "param" else {"image": images}
        words = [meta["instruction"] for meta in metas] if mode == "style" else None
        own_plan = reference._plan(vlm, dialogue, table, places, words)
        torch.testing.assert_close(own_plan, plan)
        pictures = None if mode == "param" else photos.seen
        rows = reference._focus(vlm, pictures, places, own_plan)
        for row, (meta, sequence) in enumerate(zip(metas, sequences, strict=True)):
            walk = AnswerWalk(dialogue, mode)
            parts = dialogue.prompt_parts(mode, meta["instruction"], 7)
            fed = [places[p][row] if isinstance(p, str) else table[torch.tensor(p)] for p in parts]
            fed.append(reference._fed(walk, table, rows, row))
            for section in dialogue.answer[mode]:
                for token in [*dialogue.encode(text[section.field]), dialogue.token_id(section.end)]:
                    walk.choose(np.where(dialogue.output_ids == token, 1.0, 0.0))
                    fed.append(reference._fed(walk, table, rows, row))
            torch.testing.assert_close(torch.cat(fed), trained[row, : len(sequence.ids)])
    # Each factor has a row where its problem opens, where its plan opens and where its latent is read.
    assert len(batch.focus) == 2 * (6 if mode == "param" else 9)


def test_a_plan_of_a_photo_is_written_by_its_effect_alone():
    plan, own, effect = torch.randn(3, 2, 3, 8)
    problems, plans, latents = focus_tokens(plan, own, effect).split(3, dim=1)
    assert torch.equal(problems, own + effect) and torch.equal(plans, effect) and torch.equal(latents, plan)
    problems, plans, latents = focus_tokens(plan).split(3, dim=1)
    assert not problems.any() and torch.equal(plans, plan) and torch.equal(latents, plan)


def test_mixed_styles_lie_between_their_two():
    """A mixture has the first style's words in its prompt and the tokens of both, and no picture to aim at."""
    tokenizer = small_tokenizer(["Lift the shadows a little", "warm and faded"] * 20, 400)
    dialogue = Dialogue(tokenizer, list(range(tokenizer.get_vocab_size())))
    vlm = _vlm()
    vlm.lm.embed_tokens = torch.nn.Embedding(tokenizer.get_vocab_size(), 32)
    text = {s.field: "Lift" for s in dialogue.answer["style"]}
    metas = [{"task": "style", "instruction": words, "fields": text} for words in ("warm", "faded and warm", "warm")]
    metas[2]["mix"] = [1, 0.25]
    sequences = [encode_example(meta, dialogue) for meta in metas]
    mix_sequences(sequences, metas)
    assert sequences[2].ids == sequences[0].ids
    assert sequences[2].other == sequences[1].instruction and sequences[2].weight == 0.25
    batch = collate(sequences, [0, 1, 2], torch.arange(tokenizer.get_vocab_size()))
    images = torch.randn(1, 17, 32).expand(3, -1, -1)
    plan = Step(vlm, None, None, "cpu")._plan(batch, torch.ones(3, dtype=torch.bool), images, None)
    torch.testing.assert_close(plan[2], 0.25 * plan[0] + 0.75 * plan[1])
    assert (plan[0] - plan[1]).abs().max() > 1e-3


def test_the_adaptor_begins_with_what_the_tokens_say():
    torch.manual_seed(6)
    adaptor, states, plan = Adaptor(32, 4, gain=5.0), torch.randn(2, 96), torch.randn(2, 3, 32)
    read = torch.stack([head(5.0 * plan[:, i]) for i, head in enumerate(adaptor.shortcut)], dim=1)
    torch.testing.assert_close(adaptor(states, plan), read)
    torch.nn.init.normal_(adaptor.layers[-1].weight)
    assert (adaptor(states, plan) - read).abs().max() > 0.1
    plain = Adaptor(32, 4)
    assert plain(states).shape == (2, 3, 4) and not hasattr(plain, "shortcut")


def test_slider_tokens_see_what_a_plan_says():
    """The largest, second and third slider, their direction and size, as `announced` has them."""
    params = sample_params(200, torch.Generator().manual_seed(2))
    sizes = ("slight", "moderate", "strong")
    for factor, part in zip(FACTORS, FACTOR_SLICES, strict=True):
        weights, limits = _slider_axes(part)
        axes = list(dict.fromkeys(AXIS_OF[name] for name in PARAMETERS[part]))
        named = _named(params[:, part] @ weights, limits).view(200, 3, 3, len(axes))
        for row, values in enumerate(params.tolist()):
            seen = []
            for levels in named[row]:
                if levels[0].any():
                    at = int(levels[0].abs().argmax())
                    seen.append(Claim(axes[at], int(levels[0, at]), sizes[int(levels[:, at].abs().sum()) - 1]))
            assert seen == announced(parameter_values(values), factor)[:3]
