"""Every slider moves, over the whole of its travel, what it is named after, and only in that direction."""

import math

import pytest
import torch

from veraretouch.engine.color import (
    linear_to_oklab,
    linear_to_srgb,
    oklab_to_linear,
    srgb_to_lab,
    srgb_to_linear,
)
from veraretouch.engine.color_controls import HUE_CENTRES, gamut_ratio, hue_weights
from veraretouch.engine.develop import develop
from veraretouch.engine.params import HUES, INDEX, LIGHT, PARAMETERS

torch.set_num_threads(1)
VALUES = torch.linspace(-1, 1, 41)
# Rounding of float32 through the cube roots of Oklab near black and the gamut boundary.
SLACK = 2e-4
# Known imperfection: strongly saturated blues reach the gamut boundary before the slider's end and give back up to 3 % of
# their chroma on the way along it. In Oklab chroma, over the whole travel:
DIP = 0.009


def colours(size: int = 7) -> torch.Tensor:
    axis = torch.linspace(0, 1, size)
    return torch.cartesian_prod(axis, axis, axis)


def travel(name: str, rgb: torch.Tensor) -> torch.Tensor:
    """Develop [N, 3] at every value of one slider: [41, N, 3]."""
    sets = torch.zeros(len(VALUES), len(PARAMETERS))
    sets[:, INDEX[name]] = VALUES
    return develop(rgb[None].expand(len(VALUES), -1, -1), sets)


def dip(measured: torch.Tensor) -> float:
    """How far a quantity [values, N] ever falls below what it had reached at a lower setting."""
    return float((measured.cummax(dim=0).values - measured).max())


def oklab(rgb: torch.Tensor) -> torch.Tensor:
    return linear_to_oklab(srgb_to_linear(rgb))


def chroma(rgb: torch.Tensor) -> torch.Tensor:
    return oklab(rgb)[..., 1:].norm(dim=-1)


def hue_ring(steps: int, lightness: float = 0.65, size: float = 0.08) -> torch.Tensor:
    """Colours all around the hue circle, inside the gamut: [steps, 3], hue i * 360 / steps degrees."""
    angle = torch.arange(steps) * 2 * math.pi / steps
    lab = torch.stack((torch.full_like(angle, lightness), size * torch.cos(angle), size * torch.sin(angle)), dim=-1)
    rgb = linear_to_srgb(oklab_to_linear(lab))
    assert rgb.min() > 0 and rgb.max() < 1
    return rgb


def hue_degrees(rgb: torch.Tensor) -> torch.Tensor:
    lab = oklab(rgb)
    return torch.rad2deg(torch.atan2(lab[..., 2], lab[..., 1]))


def turn(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Signed angle from first to second, in (-180, 180]."""
    return torch.remainder(second - first + 180, 360) - 180


@pytest.mark.parametrize("name", [n for n in LIGHT if n != "Contrast2012"])
def test_light_sliders_brighten_upwards_and_darken_downwards(name):
    out = travel(name, colours())
    assert out.diff(dim=0).min() > -1e-6
    grey = travel(name, torch.linspace(0, 1, 33)[:, None].expand(-1, 3))[..., 0]
    moved = grey[-1] - grey[0]
    assert moved.max() > 0.05
    assert (grey.diff(dim=0)[:, moved.argmax()] > 0).all()


def test_light_sliders_move_the_tones_they_name():
    grey = torch.linspace(0, 1, 65)[:, None].expand(-1, 3)

    def centre(name: str) -> float:
        moved = travel(name, grey)[..., 0]
        moved = (moved[-1] - moved[0]).clamp(min=0)
        return float((moved * grey[:, 0]).sum() / moved.sum())

    order = ["Blacks2012", "ParametricShadows", "Shadows2012", "Highlights2012", "ParametricHighlights", "Whites2012"]
    centres = [centre(name) for name in order]
    assert centres[0] < 0.36 and centres[1] < 0.3 and centres[2] < 0.42
    assert centres[3] > 0.58 and centres[4] > 0.7 and centres[5] > 0.6
    zones = [centre(f"Parametric{zone}") for zone in ("Shadows", "Darks", "Lights", "Highlights")]
    assert zones == sorted(zones)


def test_exposure_is_counted_in_stops():
    grey = torch.tensor([[0.2, 0.2, 0.2]])
    out = srgb_to_linear(travel("Exposure2012", grey))[:, 0, 0]
    stops = torch.log2(out / out[20])
    # Down is exact; up rolls off into white only as white comes near.
    assert torch.allclose(stops[:21], VALUES[:21] * 5, atol=1e-3)
    assert torch.allclose(stops[20:25], VALUES[20:25] * 5, atol=0.02)
    assert travel("Exposure2012", torch.ones(1, 3))[20:].min() > 1 - 1e-6


def test_contrast_spreads_tones_about_the_middle():
    grey = torch.linspace(0, 1, 33)[:, None].expand(-1, 3)
    step = travel("Contrast2012", grey)[..., 0].diff(dim=0)
    assert step[:, :16].max() <= 1e-7 and step[:, 17:].min() >= -1e-7
    assert (step[:, 8] < 0).all() and (step[:, 24] > 0).all()


def test_temperature_is_warmer_upwards_for_every_colour():
    rgb = colours()
    linear = srgb_to_linear(travel("IncrementalTemperature", rgb))
    red, blue = linear[..., 0], linear[..., 2]
    share = (red - blue) / (red + blue + 1e-4)
    assert share.diff(dim=0).min() > -SLACK
    grey = srgb_to_lab(travel("IncrementalTemperature", torch.full((1, 3), 0.5)))[:, 0]
    assert (grey[:, 2].diff() > 0).all() and grey[-1, 2] > 10 and grey[0, 2] < -10
    # Warm and cool, not pink or green.
    assert grey[:, 1].abs().max() < 0.6 * grey[:, 2].abs().max()
    assert (grey[:, 0] - grey[20, 0]).abs().max() < 3


def test_tint_goes_from_green_to_magenta_for_every_colour():
    linear = srgb_to_linear(travel("IncrementalTint", colours()))
    green = linear[..., 1] / (linear.sum(dim=-1) + 1e-4)
    assert green.diff(dim=0).max() < SLACK
    grey = srgb_to_lab(travel("IncrementalTint", torch.full((1, 3), 0.5)))[:, 0]
    assert (grey[:, 1].diff() > 0).all() and grey[-1, 1] > 8 and grey[0, 1] < -8
    assert (grey[:, 0] - grey[20, 0]).abs().max() < 3


@pytest.mark.parametrize("name", ["Saturation", "Vibrance"])
def test_saturation_and_vibrance_raise_chroma_and_keep_hue_and_lightness(name):
    rgb = colours()
    assert dip(chroma(travel(name, rgb))) < DIP
    ring = hue_ring(72)
    moved = travel(name, ring)
    assert (chroma(moved).diff(dim=0) > 0).all()
    assert turn(hue_degrees(ring), hue_degrees(moved[1:])).abs().max() < 0.5
    assert (oklab(moved)[..., 0] - oklab(ring)[..., 0]).abs().max() < 2e-3


def test_no_saturation_is_monochrome():
    assert chroma(travel("Saturation", colours())[0]).max() < 1e-3


def test_vibrance_spares_skin_and_what_is_saturated():
    muted, skin = hue_ring(72, size=0.04), hue_ring(72, size=0.04)[11:12]
    gain = chroma(travel("Vibrance", muted)[-1]) / chroma(muted)
    strong = hue_ring(72, size=0.1)
    assert (gain > chroma(travel("Vibrance", strong)[-1]) / chroma(strong)).all()
    skin_gain = chroma(travel("Vibrance", skin)[-1]) / chroma(skin)
    blue_gain = gain[(264 * 72) // 360]
    assert 1.05 < skin_gain < 0.85 * blue_gain


@pytest.mark.parametrize("band", range(8), ids=HUES)
def test_a_bands_saturation_and_luminance_move_that_band_only(band):
    ring = hue_ring(360)
    weight = hue_weights(torch.deg2rad(hue_degrees(ring)))[:, band]
    outside = weight < 1e-6
    inside = weight > 0.3
    for kind, measure in (("Saturation", chroma), ("Luminance", lambda x: oklab(x)[..., 0])):
        out = travel(f"{kind}Adjustment{HUES[band]}", ring)
        measured = measure(out)
        assert (measured.diff(dim=0)[:, inside] > 0).all()
        assert (out[:, outside] - ring[outside]).abs().max() < 1e-3
        assert dip(measured) < SLACK
        assert dip(measure(travel(f"{kind}Adjustment{HUES[band]}", colours()))) < DIP


@pytest.mark.parametrize("band", range(8), ids=HUES)
def test_a_bands_hue_turns_towards_the_next_band_upwards(band):
    ring = hue_ring(360)
    weight = hue_weights(torch.deg2rad(hue_degrees(ring)))[:, band]
    out = travel(f"HueAdjustment{HUES[band]}", ring)
    steps = turn(hue_degrees(out[:-1]), hue_degrees(out[1:]))
    assert (steps[:, weight > 0.3] > 0).all()
    assert steps.min() > -0.02
    assert (out[:, weight < 1e-6] - ring[weight < 1e-6]).abs().max() < 1e-3
    assert (chroma(out) - chroma(ring)).abs().max() < 2e-3
    reach = turn(hue_degrees(ring), hue_degrees(out[-1])).max()
    assert 5 < reach < 25


def test_hue_sliders_never_fold_the_hue_circle():
    ring = hue_ring(720)
    sets = torch.zeros(40, len(PARAMETERS))
    generator = torch.Generator().manual_seed(8)
    sets[:, 14:22] = (torch.rand(40, 8, generator=generator) * 2 - 1).sign()
    hue = hue_degrees(develop(ring[None].expand(40, -1, -1), sets))
    assert turn(hue, hue.roll(-1, dims=1)).min() > 0


def test_hue_weights_are_bands_that_sum_to_one():
    hue = torch.linspace(-math.pi, 3 * math.pi, 4001)
    weights = hue_weights(hue)
    assert (weights.sum(dim=-1) - 1).abs().max() < 1e-5
    assert weights.min() >= 0 and weights.max() <= 1
    assert (weights > 1e-6).sum(dim=-1).max() <= 2
    assert torch.allclose(hue_weights(torch.deg2rad(HUE_CENTRES)), torch.eye(8), atol=1e-5)
    # The bands carry the names of the colours of the screen.
    screen = torch.tensor([[1.0, 0, 0], [1, 1, 0], [0, 1, 0], [0, 1, 1], [0, 0, 1], [1, 0, 1]])
    nearest = hue_weights(torch.deg2rad(hue_degrees(screen))).argmax(dim=-1).tolist()
    assert [HUES[i] for i in nearest] == ["Red", "Yellow", "Green", "Aqua", "Blue", "Magenta"]


def test_gamut_ratio_is_one_on_the_boundary_and_zero_on_grey():
    boundary = torch.tensor([[1.0, 0.3, 0.2], [0.0, 0.4, 0.6], [0.7, 1.0, 0.0]])
    assert torch.allclose(gamut_ratio(linear_to_oklab(boundary), boundary), torch.ones(3, 1), atol=1e-4)
    grey = torch.full((1, 3), 0.4)
    assert gamut_ratio(linear_to_oklab(grey), grey).max() < 1e-4
