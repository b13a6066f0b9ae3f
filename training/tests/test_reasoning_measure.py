"""What is measured on pixels, against edits whose effect is known."""

import math

import pytest
import torch

from veraretouch.reasoning.colour import linear_to_lab, linear_to_oklab, srgb_to_linear
from veraretouch.reasoning.errors import ReasoningError
from veraretouch.reasoning.measure import BANDS, change, sound, stats

torch.set_num_threads(1)


def photo(count: int = 2000, seed: int = 0) -> torch.Tensor:
    """Pixels with the spread of a photo: mostly muted, some clearly coloured, no clipping."""
    generator = torch.Generator().manual_seed(seed)
    grey = 0.15 + 0.6 * torch.rand(count, 1, generator=generator)
    return (grey + 0.12 * torch.randn(count, 3, generator=generator)).clamp(0.03, 0.92)


def linear_gain(rgb: torch.Tensor, gains: list[float]) -> torch.Tensor:
    linear = (srgb_to_linear(rgb) * torch.tensor(gains)).clamp(0, 1)
    return torch.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear.clamp_min(1e-9).pow(1 / 2.4) - 0.055)


def lab_of(rgb: list[float]) -> list[float]:
    return linear_to_lab(srgb_to_linear(torch.tensor([rgb])))[0].tolist()


def test_lab_and_oklab_of_known_colours() -> None:
    assert lab_of([1.0, 1.0, 1.0]) == pytest.approx([100, 0, 0], abs=1e-3)
    assert lab_of([1.0, 0.0, 0.0]) == pytest.approx([53.24, 80.09, 67.20], abs=0.05)
    assert lab_of([0.0, 0.0, 1.0]) == pytest.approx([32.30, 79.19, -107.86], abs=0.05)
    ok = linear_to_oklab(torch.tensor([[1.0, 0.0, 0.0]]))[0].tolist()
    assert ok == pytest.approx([0.62796, 0.22486, 0.12585], abs=1e-4)


def test_stats_of_a_made_picture() -> None:
    rgb = torch.cat((torch.ones(100, 3), torch.zeros(200, 3), torch.full((700, 3), 0.5)))
    s = stats(rgb)
    assert s.clipped == pytest.approx(10)
    assert s.crushed == pytest.approx(20)
    assert s.median == pytest.approx(53.39, abs=0.05)
    assert s.chroma < 0.01
    assert s.neutral_share == 1
    assert sum(b.share_of_all for b in s.bands) == 0


@pytest.mark.parametrize(
    ("rgb", "band"),
    [((0.9, 0.1, 0.1), "red"), ((0.85, 0.62, 0.5), "orange"), ((0.95, 0.9, 0.2), "yellow"), ((0.2, 0.7, 0.2), "green"),
     ((0.2, 0.75, 0.75), "aqua"), ((0.4, 0.6, 0.9), "blue"), ((0.5, 0.3, 0.8), "purple"), ((0.85, 0.2, 0.7), "magenta")],
)  # fmt: skip
def test_bands_carry_the_colours_of_their_name(rgb: tuple[float, ...], band: str) -> None:
    s = stats(torch.tensor([rgb]).expand(64, 3))
    assert s.bands[BANDS.index(band)].share == 1


def test_nothing_changed_measures_nothing() -> None:
    c = change(photo(), photo())
    assert all(abs(v) < 1e-3 for name, v in vars(c).items() if name != "bands")
    assert all(abs(b.saturation) + abs(b.luminance) + abs(b.hue) < 1e-2 for b in c.bands)


@pytest.mark.parametrize("stops", [-0.6, -0.3, 0.3])
def test_exposure_alone_is_neither_contrast_nor_saturation(stops: float) -> None:
    rgb = photo()
    c = change(rgb, linear_gain(rgb, [2**stops] * 3))
    assert math.copysign(1, c.exposure) == math.copysign(1, stops)
    assert abs(c.exposure) > 4
    assert abs(c.contrast) < 0.06
    assert abs(c.saturation) < 0.08
    assert abs(c.temperature) < 0.5
    assert all(abs(b.saturation) < 0.08 for b in c.bands)


def test_contrast_and_zones_follow_the_curve() -> None:
    rgb = photo()
    harder = change(rgb, (rgb + 0.8 * rgb * (1 - rgb) * (rgb - 0.45)).clamp(0, 1))
    assert harder.contrast > 0.06
    assert harder.highlights > 0 > harder.shadows
    matte = change(rgb, 0.15 + 0.8 * rgb)
    assert matte.contrast < -0.1
    assert matte.shadows > 2
    assert matte.blacks > 2


def test_clipping_is_not_highlight_recovery() -> None:
    rgb = torch.linspace(0.2, 1.0, 1000)[:, None].expand(-1, 3)
    assert change(rgb, linear_gain(rgb, [1.8] * 3)).highlights == 0


def test_white_balance_has_two_separate_directions() -> None:
    rgb = photo()
    warm = change(rgb, linear_gain(rgb, [1.12, 1.0, 0.85]))
    assert warm.temperature > 2
    assert abs(warm.tint) < 1.2
    magenta = change(rgb, linear_gain(rgb, [1.05, 0.92, 1.05]))
    assert magenta.tint > 2
    assert abs(magenta.temperature) < 1.5


def test_saturation_is_told_from_a_cast() -> None:
    rgb = photo()
    grey = rgb.mean(1, keepdim=True)
    assert change(rgb, (grey + 0.6 * (rgb - grey)).clamp(0, 1)).saturation < -0.3
    assert change(rgb, (grey + 1.4 * (rgb - grey)).clamp(0, 1)).saturation > 0.15
    neutral = 0.2 + 0.5 * torch.rand(500, 1, generator=torch.Generator().manual_seed(1)).expand(-1, 3)
    assert change(neutral, linear_gain(neutral, [1.2, 1.0, 0.7])).saturation == 0


def test_black_and_white_and_a_toned_print_are_monochrome() -> None:
    rgb = photo()
    grey = rgb.mean(1, keepdim=True).expand(-1, 3)
    plain, toned = change(rgb, grey), change(rgb, linear_gain(grey, [1.1, 1.0, 0.75]))
    assert plain.monochrome == toned.monochrome == 1
    assert plain.saturation == 0
    assert toned.temperature > 3
    assert change(rgb, rgb * 0.9).monochrome == 0


def test_a_band_is_measured_beyond_the_global_change() -> None:
    rgb = torch.cat((photo(1500), torch.tensor([0.3, 0.45, 0.75]) + 0.1 * torch.rand(400, 3)))
    after = rgb.clone()
    blue = rgb[1500:]
    after[1500:] = blue.mean(1, keepdim=True) + 0.5 * (blue - blue.mean(1, keepdim=True))
    c = change(rgb, after)
    assert c.bands[BANDS.index("blue")].saturation < -0.2
    darker = rgb.clone()
    darker[1500:] *= 0.75
    assert change(rgb, darker).bands[BANDS.index("blue")].luminance < -3


def test_sound_keeps_only_what_all_readings_say() -> None:
    assert sound(2.0, 1.0, 3.0) == 1.0
    assert sound(-2.0, -1.0) == -1.0
    assert sound(2.0, -0.1) == 0.0
    assert sound(2.0, 0.0) == 0.0


@pytest.mark.parametrize(
    "bad", [torch.rand(4, 3), torch.rand(100, 4), torch.full((100, 3), 2.0), torch.full((100, 3), float("nan"))]
)
def test_bad_pixels_are_refused(bad: torch.Tensor) -> None:
    with pytest.raises(ReasoningError):
        stats(bad)


def test_pixel_sets_of_different_size_are_refused() -> None:
    with pytest.raises(ReasoningError, match="same pixels"):
        change(photo(100), photo(200))
