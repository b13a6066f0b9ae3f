"""Renderer, encoder, parameter head, tone encoder: shapes, masks, ranges and what the structure promises."""

import pytest
import torch

from veraretouch.engine.params import INDEX, factor_mask
from veraretouch.models.encoder import RetouchEncoder
from veraretouch.models.param_head import ParamHead
from veraretouch.models.renderer import Renderer
from veraretouch.models.tone import BINS, CUBE, ToneEncoder, colour_statistics, soft_histogram

torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(3)


def test_renderer_is_a_function_of_one_colour():
    renderer, latents = Renderer((8, 12, 12), 4), torch.randn(2, 3, 4)
    rgb = torch.rand(2, 50, 3)
    out = renderer(rgb, latents)
    assert out.shape == rgb.shape and out.min() >= 0 and out.max() <= 1
    order = torch.randperm(50)
    torch.testing.assert_close(renderer(rgb[:, order], latents), out[:, order])


def test_every_factor_reaches_the_picture():
    renderer, rgb, latents = Renderer((8, 12, 12), 4), torch.rand(1, 20, 3), torch.rand(1, 3, 4)
    whole = renderer(rgb, latents)
    for factor in range(3):
        masked = latents.clone()
        masked[:, factor] = 0
        assert (renderer(rgb, masked) - whole).abs().max() > 1e-4


def test_parameter_head_keeps_factors_apart():
    head, params = ParamHead(4, 16), torch.zeros(1, 38)
    moved = params.clone()
    moved[0, INDEX["Vibrance"]] = 0.5
    changed = (head(params) - head(moved)).abs().sum(2)[0]
    assert changed[1] > 0 and changed[0] == 0 and changed[2] == 0
    assert factor_mask(moved).tolist() == [[0, 1, 0]]


def test_encoder_shape_and_order_of_the_pair():
    encoder = RetouchEncoder(width=16, pair_width=16, latent=4, size=32).eval()
    before, after = torch.rand(2, 3, 32, 32), torch.rand(2, 3, 32, 32)
    latents = encoder(before, after)
    assert latents.shape == (2, 3, 4)
    assert not torch.allclose(latents, encoder(after, before))


def test_soft_histogram_counts_every_value_once():
    histogram = soft_histogram(torch.rand(5, 100), 8)
    torch.testing.assert_close(histogram.sum(-1), torch.ones(5, 100))
    assert soft_histogram(torch.tensor([1.0]), 8)[0, -1] == 1


def test_colour_statistics_see_exposure_and_cast():
    rgb = torch.rand(1, 3, 28, 28)
    size = 5 * BINS + CUBE**3
    base = colour_statistics(rgb)
    assert base.shape == (1, size)
    assert (colour_statistics(rgb * 0.5) - base).abs().max() > 0.1
    assert (colour_statistics(rgb * torch.tensor([1.0, 1.0, 0.6]).view(1, 3, 1, 1)) - base).abs().max() > 0.1


def test_tone_encoder_shapes():
    tone = ToneEncoder(width=8, hidden=32, latent=4).eval()
    overall, spatial = tone(torch.rand(2, 3, 112, 112))
    assert overall.shape == (2, 32) and spatial.shape == (2, 4, 32)
    assert tone.direct_latents(torch.rand(2, 3, 112, 112)).shape == (2, 3, 4)
