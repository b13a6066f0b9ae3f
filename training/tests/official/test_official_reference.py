"""A small model with the published tokenizer's kind of files: from photo and words to latents."""


import numpy as np
import pytest
import torch
from PIL import Image

from veraretouch.official.encoder_renderer import EncoderRenderer
from veraretouch.official.errors import OfficialModelError
from veraretouch.official.model import OfficialVlm, random_state
from veraretouch.official.prompts import parameter_text, prompt
from veraretouch.official.reference import OfficialReference, forced_answer, look_of_pair
from veraretouch.official.skeleton import Skeleton
from veraretouch.official.synthetic import CHAT, twin_config, write_tokenizer
from veraretouch.official.tokens import encode_prompt, read_tokenizer

PHOTO = Image.fromarray(np.random.default_rng(1).integers(0, 256, (90, 140, 3), dtype=np.uint8))


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tokenizer")
    write_tokenizer(folder)
    return read_tokenizer(folder)


@pytest.fixture(scope="module")
def reference(tokenizer):
    config = twin_config(tokenizer.get_vocab_size())
    vlm = OfficialVlm(config).load(random_state(config, 1))
    return OfficialReference(vlm, tokenizer, longest=40)


def test_tags_are_one_token_each_and_text_is_itself(tokenizer):
    text = prompt("style", "warm, faded")
    before, after = encode_prompt(tokenizer, text)
    ids = before + after
    assert tokenizer.decode(ids, skip_special_tokens=False) == text.replace("<image>", "")
    for token in ("<|im_start|>", "<|im_end|>", "<Style_Retouch_Task>"):
        assert tokenizer.token_to_id(token) in ids
    # Words and the space before them are one text: the instruction's first word is not split off.
    assert tokenizer.encode("Instruction: warm", add_special_tokens=False).ids[-1:] == tokenizer.encode(
        " warm", add_special_tokens=False
    ).ids
    assert len(encode_prompt(tokenizer, prompt("param", parameter_text([0.0] * 38)))) == 1


def test_a_tokenizer_without_the_models_tokens_is_refused(tmp_path):
    with pytest.raises(OfficialModelError, match="has no vocab"):
        read_tokenizer(tmp_path)
    write_tokenizer(tmp_path, CHAT)
    with pytest.raises(OfficialModelError, match="lacks <Auto_Retouch_Task>"):
        read_tokenizer(tmp_path)
    (tmp_path / "vocab.json").write_text("{")
    with pytest.raises(OfficialModelError, match="cannot be read"):
        read_tokenizer(tmp_path)


def test_the_photos_rows_stand_where_its_place_is(reference):
    before, after = encode_prompt(reference.tokenizer, prompt("auto"))
    rows = reference.prompt_rows(prompt("auto"), PHOTO)
    assert rows.shape == (1, len(before) + 4 + len(after), 64)
    assert torch.equal(rows[:, : len(before)], reference.vlm.embed(before))
    assert torch.equal(rows[:, -len(after) :], reference.vlm.embed(after))
    other = reference.prompt_rows(prompt("auto"), PHOTO.transpose(Image.Transpose.FLIP_TOP_BOTTOM))
    changed = (rows != other).any(dim=2)[0].nonzero().flatten().tolist()
    assert changed == list(range(len(before), len(before) + 4))


@pytest.fixture
def talkative(reference, monkeypatch):
    """Random weights never say the three tokens: here the head prefers them in turn, at known places of the answer."""

    def steer(places):
        head, step = reference.vlm.lm_head, iter(range(10_000))

        def scored(state):
            scores = torch.nn.functional.linear(state, head.weight)
            token = places.get(next(step))
            if token is not None:
                scores[..., token] += 1e4
            return scores

        monkeypatch.setattr(reference.vlm.lm_head, "forward", scored)

    return steer


def test_latents_come_from_the_states_before_the_retouch_tokens(reference, talkative):
    light, warmth, mixer = reference._retouch
    places = {9: light, 11: warmth, 12: light, 14: mixer, 15: reference._end}
    talkative(places)
    answer = reference.auto(PHOTO)
    assert [answer.token_ids[i] for i in places] == list(places.values()) and len(answer.token_ids) == 16
    rows = torch.cat((reference.prompt_rows(prompt("auto"), PHOTO), reference.vlm.embed(answer.token_ids[:-1])), dim=1)
    with torch.no_grad():
        states = reference.vlm.model(inputs_embeds=rows).last_hidden_state[0, -len(answer.token_ids) :]
        expected = reference.vlm.latents(states[[9, 11, 14]])
    assert torch.allclose(answer.latents, expected, atol=1e-4)
    assert "<retouch_light>" not in answer.text


def test_parameters_are_answered_without_a_photo_and_masked(reference, talkative, monkeypatch):
    talkative({2: reference._retouch[0], 3: reference._retouch[1], 4: reference._retouch[2], 5: reference._end})
    monkeypatch.setattr(reference.vlm, "see", None)
    latents = reference.param([0.5] + [0.0] * 13 + [-1.0] + [0.0] * 23).latents
    assert latents[1].abs().max() == 0
    assert latents[0].abs().max() > 0 and latents[2].abs().max() > 0


def test_an_answer_without_retouch_tokens_is_refused(reference):
    with pytest.raises(OfficialModelError, match="never came to the retouch token"):
        reference.style(PHOTO, "warm, faded")


@torch.no_grad()
@pytest.mark.parametrize("mode, separators", [("auto", None), ("style", ["", "\n", "\n", "\n\n"])])
def test_inside_the_skeleton_latents_are_those_of_the_whole_answer(reference, mode, separators):
    vlm, tokenizer = reference.vlm, reference.tokenizer
    skeleton = Skeleton(longest=4, separators=separators and {mode: separators})
    dialogue = skeleton.dialogue(tokenizer, vlm.config.vocabulary)
    rows = reference.prompt_rows(prompt(mode, "warm, faded"), PHOTO)
    answer = forced_answer(vlm, dialogue, mode, rows)
    text = tokenizer.decode(answer.token_ids, skip_special_tokens=False)
    # The skeleton stands in the answer as it was given, in its order.
    tags = [tag for section in dialogue.answer[mode] for tag in (section.start, section.end)]
    assert [text.count(tag) for tag in tags] == [1] * len(tags) and sorted(tags, key=text.index) == tags
    assert len(tags) == (12 if mode == "auto" else 6)
    given = separators or [""] * (len(tags) // 2 + 1)
    for between, tag in zip(given, [*tags[0::2], "<retouch_light>"]):
        assert f"{between}{tag}" in text
    assert text.endswith(f"{tags[-1]}{given[-1]}<retouch_light><retouch_color&temp>")
    whole = vlm.model(inputs_embeds=torch.cat((rows, vlm.embed(answer.token_ids)), dim=1)).last_hidden_state[0]
    assert np.allclose(answer.latents, vlm.latents(whole[-3:]).numpy(), atol=1e-4)
    # Every token that was not given is the likeliest text there.
    words = set(dialogue.special_ids)
    start = rows.shape[1] - 1
    for place, token in enumerate(answer.token_ids[1:], start=1):
        if token in words or tokenizer.decode([token]).strip() == "":
            continue
        scores = vlm.lm_head(whole[start + place])
        scores[sorted(words)] = -torch.inf
        assert scores[token] >= scores.max() - 1e-4


def test_the_look_of_a_pair_is_read_in_the_published_order_of_channels():
    torch.manual_seed(4)
    model = EncoderRenderer(width=16, widths=(8, 12), latent=5).eval()
    after = Image.fromarray(255 - np.asarray(PHOTO))
    latents = look_of_pair(model, PHOTO, after, size=64)
    turned = [Image.fromarray(np.asarray(picture)[:, :, ::-1].copy()) for picture in (PHOTO, after)]
    squashed = [
        torch.from_numpy(np.asarray(p.resize((64, 64), Image.Resampling.BILINEAR), np.float32) / 255).permute(2, 0, 1)[None]
        for p in turned
    ]
    with torch.no_grad():
        assert torch.allclose(model.encoder(*squashed)[0], latents, atol=1e-5)
