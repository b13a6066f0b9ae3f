"""Image metrics against published vectors and an independent implementation."""

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity

from veraretouch.eval import metrics

torch.set_num_threads(1)

# Test data of Sharma, Wu and Dalal (2005), table 1: two L*a*b* colours and their CIEDE2000.
SHARMA = """
50.0000 2.6772 -79.7751 50.0000 0.0000 -82.7485 2.0425
50.0000 3.1571 -77.2803 50.0000 0.0000 -82.7485 2.8615
50.0000 2.8361 -74.0200 50.0000 0.0000 -82.7485 3.4412
50.0000 -1.3802 -84.2814 50.0000 0.0000 -82.7485 1.0000
50.0000 -1.1848 -84.8006 50.0000 0.0000 -82.7485 1.0000
50.0000 -0.9009 -85.5211 50.0000 0.0000 -82.7485 1.0000
50.0000 0.0000 0.0000 50.0000 -1.0000 2.0000 2.3669
50.0000 -1.0000 2.0000 50.0000 0.0000 0.0000 2.3669
50.0000 2.4900 -0.0010 50.0000 -2.4900 0.0009 7.1792
50.0000 2.4900 -0.0010 50.0000 -2.4900 0.0010 7.1792
50.0000 2.4900 -0.0010 50.0000 -2.4900 0.0011 7.2195
50.0000 2.4900 -0.0010 50.0000 -2.4900 0.0012 7.2195
50.0000 -0.0010 2.4900 50.0000 0.0009 -2.4900 4.8045
50.0000 -0.0010 2.4900 50.0000 0.0010 -2.4900 4.8045
50.0000 -0.0010 2.4900 50.0000 0.0011 -2.4900 4.7461
50.0000 2.5000 0.0000 50.0000 0.0000 -2.5000 4.3065
50.0000 2.5000 0.0000 73.0000 25.0000 -18.0000 27.1492
50.0000 2.5000 0.0000 61.0000 -5.0000 29.0000 22.8977
50.0000 2.5000 0.0000 56.0000 -27.0000 -3.0000 31.9030
50.0000 2.5000 0.0000 58.0000 24.0000 15.0000 19.4535
50.0000 2.5000 0.0000 50.0000 3.1736 0.5854 1.0000
50.0000 2.5000 0.0000 50.0000 3.2972 0.0000 1.0000
50.0000 2.5000 0.0000 50.0000 1.8634 0.5757 1.0000
50.0000 2.5000 0.0000 50.0000 3.2592 0.3350 1.0000
60.2574 -34.0099 36.2677 60.4626 -34.1751 39.4387 1.2644
63.0109 -31.0961 -5.8663 62.8187 -29.7946 -4.0864 1.2630
61.2901 3.7196 -5.3901 61.4292 2.2480 -4.9620 1.8731
35.0831 -44.1164 3.7933 35.0232 -40.0716 1.5901 1.8645
22.7233 20.0904 -46.6940 23.0331 14.9730 -42.5619 2.0373
36.4612 47.8580 18.3852 36.2715 50.5065 21.2231 1.4146
90.8027 -2.0831 1.4410 91.1528 -1.6435 0.0447 1.4441
90.9257 -0.5406 -0.9208 88.6381 -0.8985 -0.7239 1.5381
6.7747 -0.2908 -2.4247 5.8714 -0.0985 -2.2286 0.6377
2.0776 0.0795 -1.1350 0.9033 -0.0636 -0.5514 0.9082
"""


@pytest.fixture
def vectors():
    return torch.tensor([[float(v) for v in line.split()] for line in SHARMA.split("\n") if line], dtype=torch.float64)


@pytest.fixture
def pictures():
    generator = torch.Generator().manual_seed(3)
    first = torch.nn.functional.interpolate(torch.rand(2, 3, 8, 10, generator=generator), size=(40, 53), mode="bilinear")
    return first, (first + 0.05 * torch.randn(first.shape, generator=generator)).clamp(0, 1)


def test_ciede2000_gives_the_published_values(vectors):
    first, second, expected = vectors[:, :3], vectors[:, 3:6], vectors[:, 6]
    assert len(vectors) == 34
    assert (metrics.delta_e_2000(first, second) - expected).abs().max() < 1e-4
    assert (metrics.delta_e_2000(second, first) - expected).abs().max() < 1e-4


def test_ciede2000_of_equal_colours_is_zero_and_finite():
    lab = torch.tensor([[0.0, 0, 0], [50, 0, 0], [50, 20, -30], [100, 0, 0]])
    assert (metrics.delta_e_2000(lab, lab) == 0).all()


def test_psnr_of_known_differences():
    flat = torch.full((3, 4, 4, 3), 0.5)
    shifted = flat + torch.tensor([0.1, 0.01, 0.0]).view(3, 1, 1, 1)
    assert torch.allclose(metrics.psnr(flat, shifted).float(), torch.tensor([20.0, 40.0, metrics.PSNR_CAP]), atol=1e-3)
    assert torch.allclose(metrics.l1(flat, shifted), torch.tensor([0.1, 0.01, 0.0]), atol=1e-6)


def test_ssim_agrees_with_an_independent_implementation(pictures):
    ours = metrics.ssim(*pictures)
    for i in range(2):
        first, second = (p[i].permute(1, 2, 0).double().numpy() for p in pictures)
        theirs = structural_similarity(
            first, second, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=1.0, channel_axis=2
        )
        assert abs(ours[i].item() - theirs) < 1e-4
    assert 0.3 < ours.mean() < 0.99
    assert torch.allclose(metrics.ssim(pictures[0], pictures[0]), torch.ones(2))


def test_mean_delta_e_of_a_picture(pictures):
    first, second = (p.permute(0, 2, 3, 1) for p in pictures)
    assert metrics.delta_e(first, first).max() == 0
    black, white = torch.zeros(1, 2, 2, 3), torch.ones(1, 2, 2, 3)
    assert abs(metrics.delta_e(black, white).item() - 100) < 0.01
    assert (metrics.delta_e(first, second) > 0.5).all()


def test_histogram_intersection():
    dark, bright = torch.full((1, 4, 4, 3), 0.1), torch.full((1, 5, 5, 3), 0.9)
    assert metrics.histogram_intersection(dark, dark).item() == pytest.approx(1, abs=1e-6)
    assert metrics.histogram_intersection(dark, bright).item() == 0
    half = torch.cat((dark.reshape(1, -1, 3), torch.full((1, 16, 3), 0.9)), dim=1)
    assert np.isclose(metrics.histogram_intersection(dark, half).item(), 0.5)


def test_pictures_that_do_not_match_are_refused():
    with pytest.raises(metrics.MetricError, match="different shapes"):
        metrics.psnr(torch.zeros(1, 4, 4, 3), torch.zeros(1, 4, 5, 3))
    with pytest.raises(metrics.MetricError, match="at least 11"):
        metrics.ssim(torch.zeros(1, 3, 10, 40), torch.zeros(1, 3, 10, 40))
