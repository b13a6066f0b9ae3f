"""DAPO's maths by hand; sampled answers are what teacher forcing scores; the loop learns, resumes and is stopped."""

import json
import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from rl_parts import MeanLevel, tiny_config, tiny_dialogue, tiny_model, tiny_run, tiny_shards

from veraretouch.data.files import DataError
from veraretouch.export.dialogue import LATENT_ROW
from veraretouch.train.dapo import Sampler, Update, reinforce
from veraretouch.train.guard import objections
from veraretouch.train.policy import (
    Actions,
    Policy,
    action_count,
    clipped,
    dapo_loss,
    group_advantages,
    informative,
    overlong_penalty,
)
from veraretouch.train.rewards import Judge, total
from veraretouch.train.rollout import RolloutError, SampledWalk, draw
from veraretouch.train.vlm import Step

torch.set_num_threads(1)
TASKS = ("auto", "style", "param")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> SimpleNamespace:
    return tiny_run(tmp_path_factory.mktemp("shards"))


def _draw(tiny, task: str, sigma: float = 0.1, temperature: float = 1.0, seed: int = 5):
    rows = tiny.shards.rows(task)[:2]
    return draw(tiny.model, tiny.dialogue, tiny.shards, rows, 3, temperature, sigma, [seed])


def test_advantages_are_of_the_group():
    got = group_advantages(torch.tensor([[1.0, 2.0, 3.0], [5.0, 5.0, 8.0]]))
    torch.testing.assert_close(got[0], torch.tensor([-1.0, 0.0, 1.0]), atol=1e-4, rtol=0)
    torch.testing.assert_close(got[1], torch.tensor([-1.0, -1.0, 2.0]) / math.sqrt(3), atol=1e-4, rtol=0)


def test_groups_of_equal_worth_are_not_informative():
    rewards = torch.tensor([[1.0, 1.0, 1.0], [1.0, 1.0, 1.5], [0.0, 1e-5, 0.0]])
    assert informative(rewards, 1e-4).tolist() == [False, True, False]


def test_the_clip_is_wider_upwards():
    ratios = torch.tensor([0.5, 0.9, 1.25, 2.0])
    old = torch.tensor([-1.0, -2.0, -0.5, -3.0])
    up = clipped(old + ratios.log(), old, torch.ones(4), 0.2, 0.28)
    torch.testing.assert_close(up, -torch.tensor([0.5, 0.9, 1.25, 1.28]))
    down = clipped(old + ratios.log(), old, -torch.ones(4), 0.2, 0.28)
    torch.testing.assert_close(down, torch.tensor([0.8, 0.9, 1.25, 2.0]))


def test_what_is_clipped_has_no_gradient():
    new = torch.tensor([0.5, 0.1, -0.5, -0.1], requires_grad=True)
    clipped(new, torch.zeros(4), torch.tensor([1.0, 1.0, -1.0, -1.0]), 0.2, 0.28).sum().backward()
    assert new.grad[0] == 0 and new.grad[2] == 0
    torch.testing.assert_close(new.grad[[1, 3]], torch.tensor([-math.exp(0.1), math.exp(-0.1)]))


def test_the_loss_is_the_mean_over_all_tokens_and_latents():
    """Worked by hand: an answer of three tokens and one of one, ratios 1 but for one token at 1.5 and one latent at 0.5."""
    old = Actions(torch.full((4,), -1.0), torch.zeros(2, 3), torch.tensor([0, 0, 0, 1]))
    new = Actions(old.tokens + torch.tensor([0, 0, math.log(1.5), 0]), torch.tensor([[0.0] * 3, [math.log(0.5), 0, 0]]), old.token_rows)
    advantages, present = torch.tensor([[1.0, -2.0], [1.0, -2.0]]), torch.tensor([[1.0, 1, 0], [1, 1, 1]])
    loss, over = dapo_loss(new, old, advantages, present, 10.0, 0.2, 0.28, 2.0)
    tokens = 1 + 1 + 1.28 - 2  # the third is cut at 1.28
    latents = 2 * (1 + 1) + 2 * (-2 * 0.8 - 2 - 2)  # ratio 0.5 with A = -2: cut at 0.8
    assert loss.item() == pytest.approx(-(tokens + latents) / 10) and over == 2
    # Words and latents are paid by themselves.
    words, _ = dapo_loss(new, old, advantages * torch.tensor([[1.0], [0.0]]), present, 10.0, 0.2, 0.28, 2.0)
    assert words.item() == pytest.approx(-tokens / 10)


def test_long_answers_are_shaped():
    got = overlong_penalty(torch.tensor([10.0, 80.0, 90.0, 100.0, 130.0]), 100, 20)
    torch.testing.assert_close(got, torch.tensor([0.0, 0.0, -0.5, -1.0, -1.0]))


@pytest.mark.parametrize("task", TASKS)
def test_sampling_respects_the_masks(tiny, task):
    rollouts = _draw(tiny, task, temperature=3.0)
    sections = {s.field: s for s in tiny.dialogue.answer[task]}
    used = set()
    for r in rollouts:
        assert set(r.result.fields) == set(sections)
        for name, (_, token) in zip(r.fields, r.sequence.targets, strict=True):
            section = sections[name]
            assert token in section.tokens or token == tiny.dialogue.token_id(section.end)
            used.add(token)
        for name in sections:
            assert r.fields.count(name) <= sections[name].max_tokens
    assert len(used) > 10 and len({tuple(r.sequence.ids) for r in rollouts}) == len(rollouts)
    again = _draw(tiny, task, temperature=3.0)
    assert [r.sequence.ids for r in again] == [r.sequence.ids for r in rollouts]
    assert torch.equal(again[0].latents, rollouts[0].latents)


@pytest.mark.parametrize("first", [True, False], ids=["latents first", "words first"])
@pytest.mark.parametrize("task", TASKS)
def test_probabilities_of_sampling_and_of_teacher_forcing_are_the_same(tmp_path, task, first):
    tiny = tiny_run(tmp_path, first=first)
    with torch.no_grad():
        # A correction that is nothing would hide states that are read at the wrong place.
        torch.nn.init.normal_(tiny.model.adaptor.layers[-1].weight, generator=torch.Generator().manual_seed(4))
    rollouts = _draw(tiny, task, temperature=1.3)
    policy = Policy(Step(tiny.model, tiny.renderer, tiny.shards, "cpu"), tiny.dialogue, 1.3, 0.1)
    actions, entropy = policy.score(rollouts)
    sampled = torch.tensor([p for r in rollouts for p in r.logprobs])
    torch.testing.assert_close(actions.tokens, sampled, atol=1e-4, rtol=0)
    # The Gaussian's mean is what generation read from its own states.
    taken, mean = (torch.stack(x) for x in zip(*((r.latents, torch.from_numpy(r.result.latents)) for r in rollouts), strict=True))
    torch.testing.assert_close(actions.latents, -0.5 * ((taken - mean) / 0.1).square().mean(-1), atol=1e-2, rtol=0)
    present = torch.stack([r.present for r in rollouts])
    assert torch.equal((actions.latents != 0).float(), present) and bool(present.any())
    assert 0 < float(entropy) < math.log(len(tiny.dialogue.output_ids))
    # One pass over the same batch: every ratio is exactly 1, the loss is minus the mean advantage.
    advantages = torch.tensor([1.0, -0.5, 0.25, 0.0, 1.0, 2.0])
    count = action_count(rollouts, 2.0)
    loss, over = dapo_loss(actions, actions.detached(), advantages.expand(2, -1), present, count, 0.2, 0.28, 2.0)
    share = sum(a * (len(r.fields) + 2 * float(r.present.sum())) for a, r in zip(advantages.tolist(), rollouts, strict=True)) / count
    assert loss.item() == pytest.approx(-share, abs=1e-6) and over == 0


def test_half_width_is_for_the_language_model_alone(tiny):
    """Sliders' tokens carry their latents by a pseudo-inverse, which eight bits of mantissa would break."""
    seen = {}

    def note(name):
        return lambda *_: seen.setdefault(name, set()).add(torch.is_autocast_enabled("cpu"))

    parts = {"lm": tiny.model.lm, "sliders": tiny.model.param_projector, "adaptor": tiny.model.adaptor}
    hooks = [module.register_forward_hook(note(name)) for name, module in parts.items()]
    rollouts = draw(tiny.model, tiny.dialogue, tiny.shards, tiny.shards.rows("param")[:2], 2, 1.0, 0.1, [5], half=True)
    policy = Policy(Step(tiny.model, tiny.renderer, tiny.shards, "cpu", half=True), tiny.dialogue, 1.0, 0.1)
    actions, _ = policy.score(rollouts)
    for hook in hooks:
        hook.remove()
    assert seen == {"lm": {True}, "sliders": {False}, "adaptor": {False}}
    sampled = torch.tensor([p for r in rollouts for p in r.logprobs])
    assert 0 < (actions.tokens - sampled).abs().max() < 0.1


def test_text_alone_leaves_latents_where_they_are(tiny):
    rollouts = _draw(tiny, "auto", sigma=0.0)
    assert all(np.array_equal(r.latents.numpy(), r.result.latents) for r in rollouts)
    policy = Policy(Step(tiny.model, tiny.renderer, tiny.shards, "cpu"), tiny.dialogue, 1.0, 0.0)
    actions, _ = policy.score(rollouts)
    assert not actions.latents.any() and not actions.latents.requires_grad and actions.tokens.requires_grad


@pytest.mark.parametrize("first", [True, False], ids=["latents first", "words first"])
def test_latents_are_read_where_their_tokens_are_added(first):
    dialogue = tiny_dialogue(first=first)
    walk = SampledWalk(dialogue, "param", random=np.random.default_rng(0))
    with pytest.raises(RolloutError, match="three latents"):
        walk.sequence([1, 2], [])
    while not walk.done:
        walk.choose(np.zeros(len(dialogue.output_ids), np.float32))
    sequence = walk.sequence([1, 2], [])
    assert [at for at, row in sequence.focus if row >= LATENT_ROW] == list(sequence.states)
    read = [sequence.ids[at] for at in sequence.states]
    last = dialogue.token_id(dialogue.answer["param"][-1].end)
    assert read == (dialogue.retouch_ids if first else [last, *dialogue.retouch_ids[:2]])


def test_wrong_settings_are_refused(tiny):
    with pytest.raises(RolloutError, match="temperature above 0"):
        _draw(tiny, "auto", temperature=0.0)
    with pytest.raises(RolloutError, match="one task"):
        draw(tiny.model, tiny.dialogue, tiny.shards, [tiny.shards.rows("auto")[0], tiny.shards.rows("param")[0]], 2, 1.0, 0.1, [1])


def _judge(tiny, shards=None) -> Judge:
    return Judge(tiny.renderer, shards or tiny.shards, MeanLevel(), "cpu", 120, 20)


def test_equal_groups_are_dropped_and_drawn_anew(tiny):
    """The first group of every draw is made worth the same; what comes back has none of them."""
    class Levelled(Judge):
        def __call__(self, *a):
            seen = super().__call__(*a)
            return {name: torch.cat((torch.ones(4), values[4:])) for name, values in seen.items()}

    judge = Levelled(tiny.renderer, tiny.shards, MeanLevel(), "cpu", 120, 20)
    groups = Sampler(tiny.model, tiny.dialogue, tiny.shards, judge, tiny_config(draws=2))("auto", 0)
    # Three are drawn and one dropped; one is drawn instead, and dropped too.
    assert (groups.drawn, groups.dropped, len(groups.rollouts)) == (4, 2, 8)
    assert bool((groups.rewards.view(2, 4).std(1) > 0).all())
    torch.testing.assert_close(groups.advantages.view(2, 2, 4).mean(2), torch.zeros(2, 2), atol=1e-3, rtol=0)
    nothing = Sampler(tiny.model, tiny.dialogue, tiny.shards, judge, tiny_config(least_spread=1e9))("auto", 0)
    assert nothing is None


def test_examples_without_a_target_are_not_drawn(tiny, tmp_path):
    shards = tiny_shards(tmp_path)
    for row in shards.rows("style")[1:]:
        shards.metas[row]["mix"] = [shards.rows("style")[0], 0.5]
    groups = Sampler(tiny.model, tiny.dialogue, shards, _judge(tiny, shards), tiny_config())("style", 0)
    assert {r.row for r in groups.rollouts} == {shards.rows("style")[0]}


def test_several_passes_are_clipped_and_compared_with_the_first(tiny):
    model = tiny_model(tiny.dialogue, 7)
    own = SimpleNamespace(**{**vars(tiny), "model": model, "renderer": model.renderer})
    config = tiny_config(epochs=3, minibatches=2, micro=4)
    groups = Sampler(model, own.dialogue, own.shards, _judge(own), config)("auto", 0)
    policy = Policy(Step(model, own.renderer, own.shards, "cpu"), own.dialogue, 1.0, 0.1)
    parameters = [p for n, p in model.named_parameters() if n.startswith(("lm.layers.", "adaptor.layers.", "head"))]
    before, _ = policy.score(groups.rollouts)
    figures = Update(policy, torch.optim.SGD(parameters, 0.3), config)(groups, "cpu")
    after, _ = policy.score(groups.rollouts)
    assert figures["sampling_gap"] < 1e-4 and figures["clipped_actions"] > 0
    # What was worth more than its group has become likelier, what was worth less unlikelier.
    moved = (after.tokens - before.tokens).detach() * groups.advantages[0, before.token_rows]
    assert moved.mean() > 0


def test_the_reward_rises_on_a_toy_target(tmp_path):
    """The target is the input, darkened; a dozen steps of one task bring the renderings nearer and end below the guard."""
    tiny = tiny_run(tmp_path / "shards", target=-0.12)
    config = tiny_config(
        tasks=["auto"], steps=12, evaluate_every=12, latent_sigma=0.3, lr=1e-2, prompts=2, group=6, micro=12, evaluate_count=4,
        rewards={"auto": {"similarity": 1.0}}, guard={"lightness": 60.0},
    )  # fmt: skip
    held_out = tiny_shards(tmp_path / "held", target=-0.12, seed=8)
    against = reinforce(
        tiny.model, tiny.renderer, MeanLevel(), tiny.dialogue, tiny.shards, held_out, config, tmp_path / "dapo", {}
    )
    assert against == []
    lines = [json.loads(line) for line in (tmp_path / "dapo" / "log.jsonl").read_text().splitlines()]
    steps = [line["reward"] for line in lines if "reward" in line]
    assert len(steps) == 12 and sum(steps[-4:]) / 4 > sum(steps[:4]) / 4 + 0.03
    held = [line["held_out"]["auto"] for line in lines if "held_out" in line]
    assert held[-1]["similarity"] > held[0]["similarity"] + 0.01 and held[-1]["lightness"] < held[0]["lightness"]


def test_the_guard_stops_a_judge_that_loves_brightness(tmp_path):
    tiny = tiny_run(tmp_path / "shards")
    config = tiny_config(
        tasks=["auto"], steps=200, evaluate_every=5, latent_sigma=0.3, lr=1e-2, prompts=2, group=6, micro=12,
        rewards={"auto": {"aesthetic": 1.0}}, guard={"lightness": 8.0, "chroma": 50.0},
    )  # fmt: skip
    arguments = (tiny.model, tiny.renderer, MeanLevel(20.0), tiny.dialogue, tiny.shards, tiny.shards, config, tmp_path / "dapo", {})
    against = reinforce(*arguments)
    assert against and all("mean lightness" in line for line in against)
    stopped = json.loads((tmp_path / "dapo" / "stopped.json").read_text())
    assert stopped["why"] == against and 10 <= stopped["step"] < 200
    # What is kept is the last that passed.
    assert torch.load(tmp_path / "dapo" / "last.pt", weights_only=True)["step"] == stopped["step"] - 5
    with pytest.raises(DataError, match="stopped by the guard"):
        reinforce(*arguments)


def test_objections_name_what_moved():
    before = {"auto": {"chroma": 20.0, "similarity": 0.95}}
    assert objections(before, {"auto": {"chroma": 22.0, "similarity": 0.99}}, {"chroma": 3.0, "similarity": 0.01}) == []
    found = objections(before, {"auto": {"chroma": 16.0, "similarity": 0.93}}, {"chroma": 3.0, "similarity": 0.01})
    assert [line.split(" went")[0] for line in found] == ["auto: mean chroma", "auto: mean similarity"]
    with pytest.raises(DataError, match="no limit"):
        objections(before, before, {"taste": 1.0})


def test_a_run_goes_on_where_it_was(tmp_path):
    """Two steps and two more after a restart end where four steps at once do."""
    ends = []
    for name, runs in (("at-once", [4]), ("twice", [2, 4])):
        tiny, resumed = tiny_run(tmp_path / "shards"), None
        folder = tmp_path / name
        for steps in runs:
            if resumed:
                missing = tiny.model.load_state_dict(resumed["model"], strict=False)
                assert not missing.unexpected_keys
            config = tiny_config(steps=steps, prompts=1, group=3, evaluate_count=1)
            assert reinforce(
                tiny.model, tiny.renderer, MeanLevel(), tiny.dialogue, tiny.shards, tiny.shards, config, folder, {"a": [1]},
                resumed=resumed,
            ) == []  # fmt: skip
            resumed = torch.load(folder / "last.pt", weights_only=True)
            tiny = tiny_run(tmp_path / "shards")
        ends.append(resumed)
    assert ends[0]["step"] == ends[1]["step"] == 4 and ends[0]["before"] == ends[1]["before"]
    assert set(ends[0]) >= {"model", "average", "optimiser", "step", "config", "section_ids"}
    for kind in ("model", "average"):
        for name, value in ends[0][kind].items():
            torch.testing.assert_close(ends[1][kind][name], value, atol=1e-5, rtol=1e-4)


def test_weights_on_what_cannot_be_measured_are_refused(tiny):
    seen = {"format": torch.ones(2), "similarity": torch.zeros(2)}
    assert total(seen, {"format": 0.5, "similarity": 2.0}).tolist() == [0.5, 0.5]
    with pytest.raises(DataError, match="aesthetic"):
        total(seen, {"format": 0.5, "aesthetic": 0.1})
    with pytest.raises(DataError, match="beauty"):
        total(seen, {"beauty": 1.0})
