"""Effect tokens: what they are read from, that the order of colours does not count, and that they tell changes apart."""

import numpy as np
import pytest
import torch
from test_reasoning_measure import photo

from veraretouch.models.effect import (
    Effect,
    Foresight,
    colours_of,
    coordinates,
    foresee,
    rank,
)
from veraretouch.models.renderer import Renderer
from veraretouch.models.vlm import Adaptor
from veraretouch.reasoning import compose
from veraretouch.reasoning.axes import AXES, EFFECTS, axes_of, effects
from veraretouch.reasoning.compose import Plain
from veraretouch.reasoning.measure import change
from veraretouch.train.effect import EffectReader, Step, evaluate, scaled

torch.set_num_threads(1)


def test_coordinates_of_known_colours():
    grey, red = coordinates(torch.tensor([[[0.5, 0.5, 0.5], [1.0, 0.0, 0.0]]]))[0]
    # CIE L* of sRGB 0.5 is 53.39; sRGB red has L* 53.24, a* 80.09, b* 67.20, chroma 104.55 (CIE 15, D65).
    assert grey[0].item() == pytest.approx(53.39 / 50 - 1, abs=1e-3)
    assert grey[2:5].abs().max() < 0.01 and grey[6:].abs().max() < 0.01
    assert red[2:5].tolist() == pytest.approx([80.09 / 30, 67.20 / 30, 104.55 / 30], abs=0.01)
    # OKLCh hue of red: 29.2 degrees.
    assert torch.rad2deg(torch.atan2(red[8], red[7])).item() == pytest.approx(29.2, abs=0.1)
    assert torch.isfinite(coordinates(torch.tensor([[[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]]]))).all()


def test_rank_is_the_share_below():
    assert rank(torch.tensor([[3.0, 1.0, 2.0, 2.0]])).tolist() == [[0.75, 0.0, 0.25, 0.25]]


def test_the_order_of_colours_does_not_count_and_the_change_does():
    torch.manual_seed(0)
    effect = Effect(16, 0.1).eval()
    before = photo(300)[None]
    after = before * 0.8
    turned = torch.randperm(300)
    tokens = effect(before, after)
    assert tokens.shape == (1, 3, 16)
    torch.testing.assert_close(effect(before[:, turned], after[:, turned]), tokens, atol=1e-5, rtol=1e-4)
    assert (effect(before, before) - tokens).abs().max() > 1e-3


def test_foresight_tries_what_the_plan_says_and_sends_no_gradient_to_it():
    torch.manual_seed(1)
    effect, adaptor, renderer = Effect(16, 0.1), Adaptor(16, 4, gain=10.0), Renderer((8,), 4)
    image, plan = torch.rand(2, 3, 256, 256), torch.randn(2, 3, 16, requires_grad=True)
    tokens = Foresight(effect, adaptor, renderer)(image, plan)
    small = torch.nn.functional.avg_pool2d(image, 2)
    colours = colours_of(image)
    assert colours.shape == (2, 1024, 3)
    # Means of the same pixels, in whatever order each processor adds them.
    torch.testing.assert_close(colours[1, 33], small[1, :, 4, 4], atol=1e-6, rtol=0)
    torch.testing.assert_close(tokens, effect(colours, renderer(colours, adaptor.read(plan))))
    torch.testing.assert_close(foresee(effect, adaptor, renderer, colours, plan), tokens)
    tokens.sum().backward()
    assert plan.grad is None and effect.mlp[1].weight.grad.abs().max() > 0


def test_effects_are_in_dead_zones_in_the_order_of_the_factors():
    before = photo(400)
    found = effects(change(before, before))
    assert len(found) == EFFECTS and not any(found)
    brighter = effects(change(before, (before * 1.2).clamp(max=1)))
    assert brighter[0] == pytest.approx(change(before, (before * 1.2).clamp(max=1)).exposure / AXES["exposure"].dead)
    assert len(axes_of("light")) + len(axes_of("globalColor")) + len(axes_of("specificColor")) + 2 == EFFECTS


class _Renderer(torch.nn.Module):
    """Latents whose first value is a gain: enough for a photo to become lighter or darker."""

    def forward(self, rgb, latents):
        return (rgb * (1 + latents[:, :1, 0, None])).clamp(0, 1)


class _Shards:
    """Photos with what was done to them, as the retold examples have it."""

    def __init__(self, count: int):
        rng = np.random.default_rng(3)
        self.stored = torch.from_numpy(rng.random((count, 3, 28, 28), np.float32)).repeat_interleave(8, 2).repeat_interleave(8, 3)
        self.gains = torch.linspace(-0.5, 0.5, count)
        self.metas = []
        for i in range(count):
            colours = colours_of(self.stored[i : i + 1])[0]
            fields = compose(colours, (colours * (1 + self.gains[i])).clamp(0, 1), Plain(), [], "auto")
            self.metas.append({"task": "auto" if i % 2 else "style", "plainFields": fields})

    def rows(self, task):
        return [i for i, meta in enumerate(self.metas) if meta["task"] == task]

    def pictures(self, rows, rng=None):
        return self.stored[rows]


def test_the_heads_learn_what_was_measured():
    torch.manual_seed(2)
    shards = _Shards(24)
    latents = torch.zeros(24, 3, 4)
    latents[:, 0, 0] = shards.gains
    measured = []
    for picture, gain in zip(shards.stored, shards.gains, strict=True):
        colours = colours_of(picture[None])[0]
        measured.append(effects(change(colours, (colours * (1 + gain)).clamp(0, 1))))
    arrays = {"latents": latents.numpy(), "effects": torch.tensor(measured).numpy()}
    model = EffectReader(32, 0.1)
    step = Step(model, _Renderer(), shards, arrays, {"claims_weight": 1.0, "effects_weight": 3.0}, "cpu")
    before = evaluate(step)
    optimiser, rng = torch.optim.AdamW(model.parameters(), lr=2e-3), torch.Generator().manual_seed(1)
    for _ in range(40):
        optimiser.zero_grad()
        step(step.rows, rng).backward()
        optimiser.step()
    after = evaluate(step)
    assert after["auto_left"] < 0.5 * before["auto_left"]
    assert after["style_first"][0] > max(before["style_first"][0], 0.5)
    assert scaled(torch.tensor([0.0, 10.0])).tolist() == pytest.approx([0.0, 2.998], abs=1e-3)
