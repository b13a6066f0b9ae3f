"""Metrics of the evaluation report against second implementations and known values; intervals against theory."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from veraretouch.eval.histograms import histogram, intersections, lightness, local_contrast, saturation
from veraretouch.eval.intervals import IntervalError, estimate, exact
from veraretouch.eval.metrics import MetricError, gmsd
from veraretouch.eval.perceptual import load_st_lpips

torch.set_num_threads(1)


def _pictures(size):
    generator = torch.Generator().manual_seed(3)
    first = torch.nn.functional.interpolate(torch.rand(3, 3, 8, 10, generator=generator), size=size, mode="bilinear")
    return first, (first + 0.05 * torch.randn(first.shape, generator=generator)).clamp(0, 1)


def test_gmsd_is_what_two_others_compute():
    first, second = _pictures((40, 54))
    # piq 0.8.0 on these pictures; its luma has more digits.
    assert gmsd(first, second).tolist() == pytest.approx([0.0120353, 0.0166159, 0.0237838], rel=2e-3)

    def magnitude(rgb):
        luma = np.tensordot([0.299, 0.587, 0.114], rgb.double().numpy(), axes=(0, 0))
        half = luma.reshape(20, 2, 27, 2).mean((1, 3))
        return np.hypot(*(ndimage.prewitt(half, axis, mode="constant") / 3 for axis in (0, 1)))

    for a, b, figure in zip(first, second, gmsd(first, second).tolist(), strict=True):
        x, y, c = magnitude(a), magnitude(b), 170 / 255**2
        assert figure == pytest.approx(((2 * x * y + c) / (x * x + y * y + c)).std(), rel=1e-4)
    assert gmsd(first, first).tolist() == pytest.approx([0, 0, 0], abs=1e-6)
    with pytest.raises(MetricError, match="GMSD needs"):
        gmsd(first[..., :4], first[..., :4])


def test_st_lpips_is_what_the_package_computes():
    first, second = _pictures((64, 80))
    model = load_st_lpips()
    # stlpips-pytorch 0.0.2 itself: LPIPS(net="alex", variant="shift_tolerant")(a, b, normalize=True).
    assert model(first, second).tolist() == pytest.approx([0.0510750, 0.0633989, 0.0460525], rel=1e-4)
    assert model(first, first).tolist() == [0, 0, 0]
    with pytest.raises(MetricError, match="different shapes"):
        model(first, second[..., :40])


def test_histograms_of_known_pictures():
    grey = torch.full((1, 3, 20, 20), 0.4663)  # L* 50
    assert lightness(grey)[0, 0, 0].item() == pytest.approx(50, abs=0.05)
    assert histogram(torch.tensor([[0.0, 49.9, 50.1, 100.0]]), 100.0)[0].nonzero()[:, 0].tolist() == [0, 31, 32, 63]
    colours = torch.tensor([[1.0, 0.5, 0.5], [0.0, 0.0, 0.0], [0.2, 0.2, 0.2], [0.0, 0.3, 0.0]])
    assert saturation(colours.T.view(1, 3, 2, 2)).flatten().tolist() == pytest.approx([0.5, 0, 0, 1])
    noise = 50 + 5 * torch.randn(1, 30, 31, generator=torch.Generator().manual_seed(1))
    wanted = ndimage.generic_filter(noise[0].numpy(), np.std, size=9)[4:-4, 4:-4]
    assert np.abs(local_contrast(noise)[0].numpy() - wanted).max() < 1e-3
    half = grey.clone()
    half[..., 10:] = 0
    found = intersections(half, grey)
    assert found["L"].item() == pytest.approx(0.5)
    assert found["S"].item() == pytest.approx(1.0)
    assert found["M"].item() == pytest.approx(sum(found[k].item() for k in "LCS") / 3)
    assert all(v.item() == pytest.approx(1) for v in intersections(half, half).values())


def test_intervals_cover_what_theory_says():
    values = np.random.default_rng(1).normal(10, 2, 400)
    found = estimate([values])
    half = 1.96 * values.std(ddof=1) / 20
    assert found["value"] == pytest.approx(values.mean())
    assert (found["low"], found["high"]) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.03)
    assert estimate([values]) == found
    # Most of 200 intervals hold the true mean.
    inside = [(e["low"] < 0 < e["high"]) for i in range(200) for e in [estimate([np.random.default_rng(i).normal(size=50)], draws=200)]]
    assert 0.87 < np.mean(inside) < 0.99


def test_photos_that_all_agree_still_leave_a_doubt():
    # Clopper and Pearson in closed form: (0.025)^(1 / n).
    found = estimate([[1.0] * 14], "share")
    assert (found["low"], found["high"]) == pytest.approx((0.025 ** (1 / 14), 1.0))
    assert estimate([[0.0] * 1000], "share")["high"] == pytest.approx(1 - 0.025 ** (1 / 1000))
    # 8 of 10, as printed in tables: 44.4 to 97.5 %.
    assert exact(8, 10) == pytest.approx((0.4439, 0.9748), abs=1e-4)
    # Claims that all agree: of twelve photos two made none.
    found = estimate([[[3, 3]] * 10 + [[0, 0]] * 2], "ratio")
    assert (found["low"], found["high"], found["n"]) == (pytest.approx(0.025 ** (1 / 10)), 1.0, 30)
    with pytest.raises(IntervalError, match=r"in \[0, 1\]"):
        estimate([[0.0, 1.5]], "share")


def _held(draw, true, statistic, count, trials=200):
    found = [estimate([draw(np.random.default_rng(i), count)], statistic, draws=1000) for i in range(trials)]
    return np.mean([e["low"] <= true <= e["high"] for e in found])


def test_intervals_of_few_photos_hold_the_truth_as_often_as_they_say():
    assert _held(lambda rng, n: rng.normal(24, 5, n), 24, "mean", 6) > 0.90
    assert _held(lambda rng, n: rng.normal(24, 5, n), 24, "mean", 14) > 0.92
    assert _held(lambda rng, n: (rng.random(n) < 0.95).astype(float), 0.95, "share", 14) > 0.95
    assert _held(lambda rng, n: (rng.random(n) < 0.995).astype(float), 0.995, "share", 200) > 0.95


def test_intervals_of_shares_of_claims_are_over_photos():
    pairs = [[3, 3], [0, 3]] * 50
    found = estimate([pairs], "ratio")
    assert (found["value"], found["n"]) == (0.5, 300)
    # All claims of a photo agree or none: as wide as 100 photos, not 300 claims.
    assert found["high"] - found["low"] > 2 * 1.7 * (0.25 / 100) ** 0.5
    with pytest.raises(IntervalError, match="No claim"):
        estimate([[[0, 0], [0, 0]]], "ratio")


def test_several_seeds_are_averaged_and_shown():
    found = estimate([[1.0, 2.0, 3.0], [3.0, 4.0, 5.0]])
    assert found["seeds"] == [2.0, 4.0]
    assert found["value"] == 3.0
    assert 2.0 <= found["low"] < found["high"] <= 4.0
    assert estimate([[7.0]])["low"] is None
    assert estimate([list(range(11))], "p10")["value"] == 1.0
    with pytest.raises(IntervalError, match="same photos"):
        estimate([[1.0], [1.0, 2.0]])
