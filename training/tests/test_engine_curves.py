"""Gradients through the develop engine: monotone, neutral, without bands or steps."""

import math

import pytest
import torch

from veraretouch.engine.color import linear_to_srgb, oklab_to_linear
from veraretouch.engine.develop import develop
from veraretouch.engine.params import INDEX, LIGHT, PARAMETERS, sample_params
from veraretouch.engine.tone import tone_curve

torch.set_num_threads(1)
COUNT = len(PARAMETERS)


def parameter_sets(count: int, seed: int) -> torch.Tensor:
    """As in training, but with every fourth set uniform in [-1, 1] and every eighth at the ends."""
    generator = torch.Generator().manual_seed(seed)
    sets = sample_params(count, generator)
    sets[::4] = torch.rand(len(sets[::4]), COUNT, generator=generator) * 2 - 1
    sets[::8] = sets[::8].sign()
    return sets


def ramp(steps: int) -> torch.Tensor:
    return torch.linspace(0, 1, steps)


def test_tone_curve_is_monotone_in_its_input():
    sets = parameter_sets(200, 1)
    out = tone_curve(ramp(2049)[None].expand(200, -1), sets)
    assert out.diff(dim=1).min() > -1e-6
    assert out.min() >= 0 and out.max() <= 1
    # Nothing collapses to one tone: black and white stay apart even five stops down with all else against it.
    assert (out[:, -1] - out[:, 0]).min() > 0.01


@pytest.mark.parametrize("name", LIGHT)
@pytest.mark.parametrize("value", [-1.0, -0.5, 0.5, 1.0])
def test_a_light_slider_alone_clips_nothing(name, value):
    sets = torch.zeros(1, COUNT, dtype=torch.float64)
    sets[0, INDEX[name]] = value
    out = tone_curve(ramp(1025).double()[None], sets)[0]
    assert (out.diff() > 0).all()


def test_neutrals_stay_neutral_under_all_but_white_balance():
    sets = parameter_sets(100, 2)
    sets[:, [INDEX["IncrementalTemperature"], INDEX["IncrementalTint"]]] = 0
    grey = ramp(129)[None, :, None].expand(100, -1, 3)
    out = develop(grey, sets)
    assert (out.amax(dim=-1) - out.amin(dim=-1)).max() < 1e-3


def test_a_grey_ramp_of_16_bits_has_no_plateau():
    # Two sets as in training, one with every slider at an end, one slider alone.
    sets = torch.cat((parameter_sets(10, 3)[[1, 2, 8]], torch.zeros(1, COUNT)))
    sets[3, INDEX["Shadows2012"]] = 1.0
    codes = torch.arange(0, 65536, dtype=torch.float64)[None, :, None] / 65535
    for one in sets:
        exact = develop(codes.expand(1, -1, 3), one[None].double())[0, :, 1]
        out = develop(codes.float().expand(1, -1, 3), one[None])[0, :, 1]
        # At most one code of 16 bits away from what double precision gives.
        assert (out.double() - exact).abs().max() < 1 / 65535
        # Where the exact curve rises by a quarter of a code per code, 16 codes on are always brighter.
        rising = exact[16:] - exact[:-16] > 4 / 65535
        assert rising.any()
        assert ((out[16:] - out[:-16])[rising] > 0).all()


def test_colour_gradients_have_no_steps():
    """A fine walk around the hue circle, over lightness and over chroma: no neighbour jumps away."""
    steps = 2048
    t = torch.linspace(0, 1, steps)
    angle = 2 * math.pi * t
    hue_walk = torch.stack((torch.full_like(t, 0.7), 0.08 * angle.cos(), 0.08 * angle.sin()), dim=-1)
    chroma_walk = torch.stack((torch.full_like(t, 0.6), 0.2 * (t - 0.5), 0.1 * (0.5 - t)), dim=-1)
    walks = [linear_to_srgb(oklab_to_linear(walk)).clamp(0, 1) for walk in (hue_walk, chroma_walk)]
    walks.append(torch.stack((t, t * 0.5, 1 - t), dim=-1))
    sets = parameter_sets(32, 4)
    # Exposure multiplies steps by design; what is tested here is everything else.
    sets[:, INDEX["Exposure2012"]] = 0
    for walk in walks:
        out = develop(walk[None].expand(32, -1, -1), sets)
        step = out.diff(dim=1).norm(dim=-1)
        own = walk.diff(dim=0).norm(dim=-1)
        assert (step / own.clamp(min=own.median() / 4)).max() < 20
