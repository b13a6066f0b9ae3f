"""Schedules, averages, batches and the layout of training sequences."""

import itertools
import json
from copy import copy

import pytest
import torch
from rl_parts import tiny_dialogue, tiny_model

from veraretouch.data.degrade import broad_params, degradation, raw_params, run
from veraretouch.engine.params import FACTOR_SLICES, INDEX, sample_params
from veraretouch.export.dialogue import VOICES, Dialogue
from veraretouch.export.tokenizer import small_tokenizer
from veraretouch.models.vlm import IMAGE_SLOT, IMAGE_TOKENS, PARAM_SLOT, PARAM_TOKENS
from veraretouch.synth.auto import AutoSource, Rejected
from veraretouch.train.common import Average, harm, learning_rate, psnr_per_image, roused, save_atomically
from veraretouch.train.examples import batches_by_length, collate, encode_example, section_vocabulary
from veraretouch.train.operations import Operation, apply_operations, random_mask
from veraretouch.train.sections import dialogue_with, grown, united
from veraretouch.train.vlm import load_trained, trained_state

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def dialogue() -> Dialogue:
    tokenizer = small_tokenizer(["Lift the shadows a little", "Retouch this photo. Instruction: warm"] * 20, 400, VOICES)
    return Dialogue(tokenizer, list(range(tokenizer.get_vocab_size())))


def _meta(task: str) -> dict:
    fields = {section: "Lift the shadows" for section in ("plan.light", "plan.globalColor", "plan.specificColor")}
    for name in ("elements", "problems.light", "problems.globalColor", "problems.specificColor"):
        fields[name] = "" if task == "param" else "Dark"
    return {"task": task, "instruction": "warm", "fields": fields}


@pytest.mark.parametrize("task", ["auto", "style", "param"])
def test_states_predict_the_retouch_tokens(dialogue, task):
    sequence = encode_example(_meta(task), dialogue)
    end, first, second = sequence.states
    last = dialogue.answer[task][-1]
    assert sequence.ids[end] == dialogue.token_id(last.end)
    assert [sequence.ids[first], sequence.ids[second]] == dialogue.retouch_ids[:2]
    assert second == len(sequence.ids) - 1
    slots = (sequence.ids.count(IMAGE_SLOT), sequence.ids.count(PARAM_SLOT))
    assert slots == ((0, PARAM_TOKENS) if task == "param" else (IMAGE_TOKENS, 0))


@pytest.mark.parametrize("task", ["auto", "style", "param"])
def test_with_latents_first_states_stand_at_the_retouch_tokens(dialogue, task):
    first = Dialogue(dialogue.tokenizer, dialogue.output_ids.tolist(), latents_first=True)
    sequence = encode_example(_meta(task), first)
    assert [sequence.ids[place] for place in sequence.states] == first.retouch_ids
    assert sequence.ids[sequence.states[2] + 1] == first.token_id(first.answer[task][0].start)
    assert sequence.ids[-1] == first.token_id(first.answer[task][-1].end)
    assert [place for place, row in sequence.focus if row >= 6] == list(sequence.states)
    # The words are those of the other layout.
    words = [token for _, token in encode_example(_meta(task), dialogue).targets]
    assert [token for _, token in sequence.targets] == words


def test_only_words_and_ends_are_learnt(dialogue):
    sequence = encode_example(_meta("auto"), dialogue)
    starts = {dialogue.token_id(s.start) for s in dialogue.answer["auto"]}
    learnt = [token for _, token in sequence.targets]
    assert not starts & set(learnt) and not set(dialogue.retouch_ids) & set(learnt)
    assert all(sequence.ids[position + 1] == token for position, token in sequence.targets)


def test_plain_answers_are_a_choice(dialogue):
    meta = _meta("auto")
    meta["plainFields"] = dict.fromkeys(meta["fields"], "warm")
    plain, varied = encode_example(meta, dialogue, "plainFields"), encode_example(meta, dialogue)
    assert plain.ids != varied.ids
    assert set(dialogue.encode("warm")) <= set(section_vocabulary([meta], ["dog"], dialogue.encode)["plan.light"])


def test_collate_points_at_the_right_classes(dialogue):
    sequences = [encode_example(_meta(task), dialogue) for task in ("auto", "param")]
    class_of = torch.arange(dialogue.tokenizer.get_vocab_size()) + 1000
    batch = collate(sequences, [4, 9], class_of)
    assert batch.mask.sum(1).tolist() == [len(s.ids) for s in sequences]
    following = batch.ids[batch.target_rows, batch.target_positions + 1]
    assert torch.equal(following + 1000, batch.target_tokens)
    assert batch.rows.tolist() == [4, 9]


def test_sections_have_their_own_tokens(dialogue):
    meta = _meta("auto") | {"plainFields": {"plan.light": "warm"}}
    ids = section_vocabulary([meta], ["dog"], dialogue.encode)
    assert set(ids) == {s.field for s in dialogue.answer["auto"]}
    assert set(dialogue.encode(" dog")) <= set(ids["elements"]) and ids["elements"] == sorted(set(ids["elements"]))
    assert set(ids["plan.light"]) == set(dialogue.encode("Lift the shadows") + dialogue.encode("warm"))
    assert set(ids["plan.globalColor"]) == set(dialogue.encode("Lift the shadows"))
    own = dialogue_with(dialogue.tokenizer, ids)
    for section in own.answer["auto"]:
        allowed = own.output_ids[own.section_mask(section)].tolist()
        assert sorted(allowed) == sorted({*ids[section.field], dialogue.token_id(section.end)})


def test_an_output_head_grows_by_the_words_that_new_answers_bring():
    assert united({"a": [3, 1], "b": [5]}, {"a": [2, 3], "c": [9]}) == {"a": [1, 2, 3], "b": [5], "c": [9]}
    dialogue = tiny_dialogue()
    every = dialogue.output_ids
    few = copy(dialogue)
    few.output_ids = every[[i for i in range(len(every)) if i % 7]]
    old, new = tiny_model(few, seed=1), tiny_model(dialogue, seed=2)
    own = new.head.detach().clone()
    load_trained(new, grown(trained_state(old), new))
    states = torch.randn(5, 32, generator=torch.Generator().manual_seed(3))
    kept = torch.tensor([token in set(few.output_ids.tolist()) for token in every.tolist()])
    assert 0 < kept.sum() < len(kept)
    torch.testing.assert_close(new.logits(states)[:, kept], old.logits(states))
    assert torch.equal(new.head[~kept], own[~kept]) and new.output_ids.tolist() == every.tolist()
    # From the same words to the same words nothing changes.
    assert torch.equal(grown(trained_state(old), old)["head"], old.head)


def test_batches_keep_the_shares_whatever_the_counts():
    tasks = ["auto"] * 90 + ["param"] * 10
    lengths = [100] * 90 + [50] * 10
    drawn = [i for part in itertools.islice(batches_by_length(lengths, tasks, {"auto": 1, "param": 1}, 4, 0), 160) for i in part]
    share = sum(tasks[i] == "param" for i in drawn) / len(drawn)
    assert 0.4 < share < 0.6


def test_learning_rate_rises_and_falls():
    rates = [learning_rate(s, 100, 1.0, 10) for s in range(101)]
    assert rates[0] == pytest.approx(0.1) and max(rates) == pytest.approx(1.0) and rates[100] == pytest.approx(0.02)
    assert all(a >= b for a, b in itertools.pairwise(rates[10:]))


def test_average_follows_and_a_save_is_whole(tmp_path):
    layer = torch.nn.Linear(2, 2)
    average = Average(layer, 0.5)
    with torch.no_grad():
        layer.weight.fill_(1.0)
    for _ in range(60):
        average.update(layer)
    torch.testing.assert_close(average.module.weight, layer.weight, atol=1e-3, rtol=0)
    save_atomically({"a": 1}, tmp_path / "x" / "last.pt")
    assert [p.name for p in (tmp_path / "x").iterdir()] == ["last.pt"]


def test_psnr_of_a_known_error():
    assert psnr_per_image(torch.full((1, 4, 3), 0.6), torch.full((1, 4, 3), 0.5)).item() == pytest.approx(20.0, abs=1e-3)


def test_operations_are_applied_row_by_row():
    generator = torch.Generator().manual_seed(1)
    rgb, masks = torch.rand(3, 30, 3, generator=generator), torch.ones(3, 3)
    params = sample_params(2, generator)
    chosen = [Operation("develop", params=params[0]), Operation("x", apply=lambda c, m: 1 - c), Operation("develop", params=params[1])]
    out = apply_operations(chosen, rgb, masks)
    torch.testing.assert_close(out[1], 1 - rgb[1])
    masks[0] = 0
    assert torch.equal(apply_operations(chosen, rgb, masks)[0], rgb[0])
    assert set(random_mask(200, generator).unique().tolist()) == {0.0, 1.0}


def test_degradations_stay_in_range_and_differ():
    generator = torch.Generator().manual_seed(2)
    rgb = torch.rand(64, 3, generator=generator)
    raw = torch.stack([raw_params(generator) for _ in range(50)])
    assert raw[:, INDEX["Exposure2012"]].mean() < -0.1 and raw[:, INDEX["Saturation"]].max() <= 0
    broad = torch.stack([broad_params(generator) for _ in range(200)])
    assert (broad[:, FACTOR_SLICES[2]] != 0).any(1).float().mean() < 0.5
    out = run(degradation("raw", generator), rgb)
    assert out.shape == rgb.shape and out.min() >= 0 and out.max() <= 1 and not torch.equal(out, rgb)
    inverse = run(degradation("inverse", generator, lambda g: lambda c: c * 0.5), rgb)
    torch.testing.assert_close(inverse, rgb * 0.5)


def test_split_and_looks_tables_name_disjoint_sets():
    from veraretouch.data.files import TABLES

    looks = json.loads((TABLES / "looks_split.json").read_text())
    assert len(looks["unseen"]) == len(set(looks["unseen"])) and 0.1 < len(looks["unseen"]) / looks["count"] < 0.2


def test_a_degraded_photo_differs_visibly():
    source = AutoSource({"broad": 1.0}, {}, 24.0)
    photo = (torch.rand(64, 64, 3, generator=torch.Generator().manual_seed(1)) * 255).round().to(torch.uint8)
    distances, rejected = [], Rejected()
    for seed in range(12):
        flaw = source.draw(photo, "", "broad", "original", torch.Generator().manual_seed(seed), rejected)
        distances.append(psnr_per_image(flaw.picture[None].float() / 255, photo[None].float() / 255).item())
    assert max(distances) <= 24.0 and min(distances) > 3.0 and rejected.invisible > 0


def test_latents_that_are_off_look_the_same_to_the_renderer_and_get_a_gradient():
    latents = torch.tensor([-3.0, -0.2, 0.0, 0.4], requires_grad=True)
    seen = torch.relu(roused(latents, 0.1))
    torch.testing.assert_close(seen, torch.tensor([0.0, 0.0, 0.0, 0.4]), atol=2e-6, rtol=0)
    seen.sum().backward()
    torch.testing.assert_close(latents.grad, torch.tensor([0.1, 0.1, 0.1, 1.0]))


def test_harm_counts_only_what_is_farther_off_than_the_photo():
    target, before = torch.zeros(2, 4, 3), torch.full((2, 4, 3), 0.2)
    out = torch.stack((torch.full((4, 3), 0.5), torch.full((4, 3), 0.1)))
    assert harm(out, before, target).item() == pytest.approx(0.3 / 2) and harm(before, before, target).item() == 0
