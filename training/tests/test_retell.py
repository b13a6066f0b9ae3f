"""Retold answers say what the rendered pixels show, for every task, and fit the examples they belong to."""

import dataclasses
import json

import numpy as np
import pytest
import torch
from example_sets import write_examples
from test_reasoning_measure import photo

from veraretouch.engine.params import sample_params
from veraretouch.models.encoder import RetouchEncoder
from veraretouch.models.param_head import ParamHead
from veraretouch.models.renderer import Renderer
from veraretouch.reasoning import Claim, agreement, compose
from veraretouch.reasoning.axes import AXES, LEAVE, claims, effects
from veraretouch.reasoning.compose import Plain
from veraretouch.reasoning.figures import COUNTS, figures
from veraretouch.reasoning.measure import change
from veraretouch.reasoning.voice import COUNT as VOICES
from veraretouch.train.examples import Shards
from veraretouch.train.retell import (
    draw_mixtures,
    rendered,
    retell,
    sure_names,
    take_perception,
    use_retold,
)
from veraretouch.train.tone import Labels, Step, build_perception

torch.set_num_threads(1)
PIXELS = 200


class _Networks(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.renderer, self.head, self.encoder = Renderer((8, 16), 4), ParamHead(4, 8), RetouchEncoder(8, 8, 4, 32)


def _write(folder, task: str, count: int) -> None:
    rng = np.random.default_rng(len(task))
    before = np.stack([(photo(PIXELS) * 255).round().byte().numpy() for _ in range(count)])
    params = sample_params(count, torch.Generator().manual_seed(1)).numpy()
    arrays = {"before": before, "after": before // 2, "params": params if task == "param" else params * 0}
    if task != "param":
        arrays["picture"] = rng.integers(0, 255, (count, 256, 256, 3), np.uint8)
        arrays["features"] = rng.standard_normal((count, 9, 1280)).astype(np.float16)
        arrays["figures"] = np.stack([figures(torch.from_numpy(b).float() / 255).numpy() for b in before])
    pixels = [torch.from_numpy(b).float() / 255 for b in before]
    metas = [
        {"task": task, "names": ["dog"] if task != "param" else [], "instruction": "warm and faded",
         "plainFields": compose(p, p / 2, Plain(), [], task, None, params[i].tolist() if task == "param" else None)}
        for i, p in enumerate(pixels)
    ]  # fmt: skip
    write_examples(folder, task, arrays, metas)


@pytest.fixture(scope="module")
def step(tmp_path_factory) -> Step:
    folder = tmp_path_factory.mktemp("shards")
    for task, count in (("auto", 3), ("style", 2), ("param", 3)):
        _write(folder, task, count)
    torch.manual_seed(4)
    nets, shards = _Networks().eval(), Shards(folder)
    table = 0.1 * torch.randn(49152, 32)
    model = build_perception(nets, table).eval()
    return Step(model, nets, shards, Labels(shards), table, {"drop_words": 0.0}, "cpu")


def test_retold_answers_agree_with_their_own_pixels(step):
    told = retell(step, seed=1)
    answers = told.answers
    assert len(answers) == len(told.latents) == len(told.effects) == len(step.shards)
    assert len({answer["voice"] for answer in answers}) == min(len(answers), VOICES)
    for task in ("auto", "style"):
        rows = torch.tensor(step.shards.rows(task))
        shown = rendered(step, rows, task)
        for row, before, after, latents in zip(rows.tolist(), shown.before, shown.after, shown.latents, strict=True):
            # Batches of other sizes here and there.
            torch.testing.assert_close(told.latents[row], latents, atol=1e-5, rtol=1e-5)
            assert told.effects[row].tolist() == pytest.approx(effects(change(before, after)))
            for kind in ("fields", "plainFields"):
                plans = {f: answers[row][kind][f"plan.{f}"] for f in COUNTS}
                found = agreement(plans, before, after)
                assert all(a.claims == a.agreed > 0 for a in found.values())


def test_several_processes_tell_the_same(step):
    one, two = retell(step, seed=1), retell(step, seed=1, processes=2)
    assert two.answers == one.answers
    torch.testing.assert_close(two.effects, one.effects)


def test_a_later_checkpoint_brings_its_own_perception(step):
    own = build_perception(step.nets, step.table)
    taken = {k: torch.full_like(v, 0.25) for k, v in own.state_dict().items() if k.startswith("style_projector.")}
    taken |= {f"adaptor.shortcut.{i}.{part}": torch.full_like(getattr(own.latents[i], part), 0.5)
              for i in range(3) for part in ("weight", "bias")}  # fmt: skip
    claims = own.claims[0].weight.clone()
    take_perception(own, {**taken, "adaptor.layers.0.weight": torch.zeros(1), "lm.norm.weight": torch.zeros(1)})
    assert all(bool((p == 0.25).all()) for p in own.style_projector.parameters())
    assert all(bool((p == 0.5).all()) for p in own.latents.parameters())
    # The heads of claims are no part of the whole model: they stay.
    assert torch.equal(own.claims[0].weight, claims)


def test_only_what_is_clear_is_claimed():
    still = change(photo(PIXELS), photo(PIXELS))
    dead = AXES["temperature"].dead
    for moved, clear, expected in (
        (1.2, 1.0, Claim("temperature", 1, "slight")),
        (1.2, 2.0, LEAVE),
        # Too much to be called still, and nothing else to say.
        (1.8, 2.0, Claim("temperature", 1, "slight")),
        (3.0, 2.0, Claim("temperature", 1, "moderate")),
    ):
        assert claims(dataclasses.replace(still, temperature=moved * dead), "globalColor", clear) == [expected]
    both = dataclasses.replace(still, temperature=3 * dead, tint=1.8 * AXES["tint"].dead)
    assert len(claims(both, "globalColor")) == 2 and len(claims(both, "globalColor", 2.0)) == 1


def test_retold_answers_are_put_in_place_of_the_composed_ones(step, tmp_path):
    path = tmp_path / "retold.json"
    path.write_text(json.dumps([{"plainFields": {"elements": str(i)}} for i in range(len(step.shards))]))
    use_retold(step.shards, path)
    assert [m["plainFields"]["elements"] for m in step.shards.metas] == [str(i) for i in range(len(step.shards))]
    path.write_text("[]")
    with pytest.raises(ValueError, match="retell them"):
        use_retold(step.shards, path)


def test_mixtures_are_drawn_for_a_share_of_the_styles_and_rendered(step):
    rows = torch.tensor(step.shards.rows("style"))
    plain = rendered(step, rows, "style").latents
    draw_mixtures(step.shards, 1.0, seed=2)
    mixes = [meta.get("mix") for meta in step.shards.metas]
    assert all((mix is not None) == (meta["task"] == "style") for mix, meta in zip(mixes, step.shards.metas, strict=True))
    assert all(mix[0] in rows.tolist() and 0.2 <= mix[1] <= 0.8 for mix in mixes if mix)
    own, other = step.shards.metas[rows[0]]["mix"][1], int(rows[1])
    step.shards.metas[rows[0]]["mix"][0] = other
    step.labels.words[other] = [7, 19, 40]
    mixed = rendered(step, rows[:1], "style").latents
    step.shards.metas[rows[0]]["mix"] = [other, 0.0]
    # Tokens are mixed, and latents are read from them by a linear map.
    torch.testing.assert_close(mixed, own * plain[:1] + (1 - own) * rendered(step, rows[:1], "style").latents, atol=1e-5, rtol=1e-4)
    draw_mixtures(step.shards, 0.0, seed=2)
    assert not any("mix" in meta for meta in step.shards.metas)


def test_only_names_that_are_sure_are_told():
    seen = {"dog": 0.95, "grass": 0.85, "person": 0.9, "people": 0.82, "car": 0.5, "sky": 0.99, "tree": 0.81}
    # The surest first, three at most, and "people" not beside "person".
    assert sure_names(seen, []) == ["sky", "dog", "person"]
    # What is known not to be there is not told, however sure.
    assert sure_names(seen, ["grass", "dog", "car"]) == ["dog", "grass"]
    assert sure_names(seen, ["car"]) == ["car"]
    assert sure_names({"dog": 0.2, "car": 0.25}, []) == [] and sure_names({"dog": 0.2}, ["car"]) == []
