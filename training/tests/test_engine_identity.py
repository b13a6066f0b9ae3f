"""Identity, masking, input checks and range of the develop engine."""

import math

import pytest
import torch

from veraretouch.engine import params as parameters
from veraretouch.engine.develop import DevelopError, develop

torch.set_num_threads(1)
COUNT = len(parameters.PARAMETERS)


def cube(size: int) -> torch.Tensor:
    """All corners, edges and inner points of the colour cube: [size^3, 3]."""
    axis = torch.linspace(0, 1, size)
    return torch.cartesian_prod(axis, axis, axis)


def extreme_sets(count: int, seed: int) -> torch.Tensor:
    """Half uniform in [-1, 1], half at the ends only: far beyond what training draws."""
    uniform = torch.rand(count, COUNT, generator=torch.Generator().manual_seed(seed)) * 2 - 1
    uniform[::2] = uniform[::2].sign()
    return uniform


def test_all_zero_is_the_exact_identity_also_inside_a_batch():
    rgb = torch.rand(3, 400, 3, generator=torch.Generator().manual_seed(0))
    assert torch.equal(develop(rgb, torch.zeros(3, COUNT)), rgb)
    mixed = torch.zeros(3, COUNT)
    mixed[1] = extreme_sets(2, 1)[1]
    out = develop(rgb, mixed)
    assert torch.equal(out[0], rgb[0]) and torch.equal(out[2], rgb[2])
    assert not torch.equal(out[1], rgb[1])


def test_a_picture_does_not_depend_on_the_rest_of_its_batch():
    rgb = cube(6)[None].expand(4, -1, -1)
    sets = parameters.sample_params(4, torch.Generator().manual_seed(4))
    together = develop(rgb, sets)
    for i in range(4):
        # A factor that only a neighbour uses runs through its round trip: the same to within rounding.
        assert (develop(rgb[:1], sets[i : i + 1])[0] - together[i]).abs().max() < 2e-4


@pytest.mark.parametrize("index", range(COUNT), ids=parameters.PARAMETERS)
def test_every_slider_is_continuous_at_zero_and_everywhere_else(index):
    """Two settings next to each other give pictures next to each other, on corners and edges of the cube too."""
    start = torch.linspace(-1, 1, 21).clamp(max=1 - 1e-5)
    rgb = cube(5)[None].expand(21, -1, -1)
    steps = torch.zeros(2, 21, COUNT)
    steps[:, :, index] = torch.stack((start, start + 1e-5))
    below, above = develop(rgb, steps[0]), develop(rgb, steps[1])
    # Where a channel leaves 0, sRGB is steep (12.92) and the gamut's edge steeper still: hence the margin. The rounding
    # of the way through Oklab is below 1e-4.
    assert (above - below).abs().max() < 1.5e-3
    assert (above - below)[10].abs().max() > 0 and (above[10] - rgb[10]).abs().max() < 1.5e-3


def test_corners_of_the_cube_and_extreme_settings_stay_in_range():
    sets = extreme_sets(60, 2)
    out = develop(cube(7)[None].expand(60, -1, -1), sets)
    assert torch.isfinite(out).all()
    assert out.min() >= 0 and out.max() <= 1


@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_every_single_slider_at_its_ends_stays_in_range(sign):
    out = develop(cube(7)[None].expand(COUNT, -1, -1), sign * torch.eye(COUNT))
    assert torch.isfinite(out).all()
    assert out.min() >= 0 and out.max() <= 1


def test_masking_a_factor_removes_exactly_its_parameters():
    sets = extreme_sets(2, 6)
    assert (parameters.factor_mask(sets) == 1).all()
    mask = torch.tensor([[1.0, 0, 1], [0, 1, 0]])
    masked = parameters.apply_mask(sets, mask)
    assert torch.equal(parameters.factor_mask(masked), mask)
    for factor, part in enumerate(parameters.FACTOR_SLICES):
        assert torch.equal(masked[:, part], sets[:, part] * mask[:, factor : factor + 1])
    rgb = cube(5)[None].expand(2, -1, -1)
    assert torch.equal(develop(rgb, parameters.apply_mask(sets, torch.zeros(2, 3))), rgb)
    assert not torch.allclose(develop(rgb, masked), develop(rgb, sets), atol=0.01)


def test_factor_slices_cover_the_parameters_in_order():
    names = [name for part in parameters.FACTOR_SLICES for name in parameters.PARAMETERS[part]]
    assert names == list(parameters.PARAMETERS) and len(set(names)) == 38


def test_sampled_sets_are_in_range_and_cover_every_parameter():
    sets = parameters.sample_params(2000, torch.Generator().manual_seed(7))
    assert sets.abs().max() <= 1
    assert ((sets != 0).float().mean(dim=0) > 0.2).all() and ((sets == 0).float().mean(dim=0) > 0.2).all()
    assert torch.equal(sets, parameters.sample_params(2000, torch.Generator().manual_seed(7)))


@pytest.mark.parametrize(
    ("rgb", "sets"),
    [
        (torch.zeros(4, 3), torch.zeros(1, COUNT)),
        (torch.zeros(1, 4, 4), torch.zeros(1, COUNT)),
        (torch.zeros(2, 4, 3), torch.zeros(1, COUNT)),
        (torch.zeros(1, 4, 3), torch.zeros(1, COUNT - 1)),
        (torch.zeros(1, 4, 3), torch.full((1, COUNT), math.nan)),
        (torch.zeros(1, 4, 3), torch.full((1, COUNT), 50.0)),
    ],
)
def test_wrong_shapes_and_values_are_refused(rgb, sets):
    with pytest.raises(DevelopError):
        develop(rgb, sets)
