"""Baselines on synthetic pictures, and the table over a made-up folder of pairs."""

import json

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps

from veraretouch.data.files import DataError
from veraretouch.data.peer import Peer
from veraretouch.eval import baselines, fivek

torch.set_num_threads(1)


def picture(seed: int, low: float = 0.2, high: float = 0.6) -> torch.Tensor:
    """Smooth random picture [40, 48, 3] with 8-bit values between low and high."""
    small = torch.rand(1, 3, 5, 6, generator=torch.Generator().manual_seed(seed))
    large = torch.nn.functional.interpolate(small, size=(40, 48), mode="bilinear")[0].permute(1, 2, 0)
    return ((low + (high - low) * large) * 255).round() / 255


def test_auto_contrast_fills_the_range_per_channel():
    out = baselines.auto_contrast(picture(0) * torch.tensor([1.0, 0.8, 0.5]))
    assert out.amin(dim=(0, 1)).max() < 1e-6 and out.amax(dim=(0, 1)).min() > 1 - 1e-6
    constant = torch.full((4, 4, 3), 0.3)
    torch.testing.assert_close(baselines.auto_contrast(constant), constant, atol=1e-6, rtol=0)


def test_auto_contrast_is_close_to_pillows():
    rgb = picture(1)
    pillow = ImageOps.autocontrast(Image.fromarray((rgb * 255).to(torch.uint8).numpy()), cutoff=0.5)
    difference = baselines.auto_contrast(rgb) - torch.from_numpy(np.array(pillow)).float() / 255
    assert difference.abs().mean() < 0.01


def test_histogram_equalisation_flattens_luma_and_keeps_order():
    rgb = picture(2)
    grey = rgb.mean(dim=-1, keepdim=True).expand(-1, -1, 3)
    out = baselines.histogram_equalisation(grey)[..., 0].flatten()
    counts = torch.histc(out, bins=8, min=0, max=1) / len(out)
    # Before, everything lies within four of the eight bins.
    assert (counts - 1 / 8).abs().max() < 0.06
    order = grey[..., 0].flatten().argsort(stable=True)
    assert (out[order].diff() >= -0.005).all()
    constant = torch.full((3, 3, 3), 0.4)
    torch.testing.assert_close(baselines.histogram_equalisation(constant), constant, atol=1e-6, rtol=0)


def test_quadratic_map_recovers_a_quadratic_change():
    def change(x):
        return (0.1 + 0.7 * x + 0.2 * x * x).clamp(0, 1)

    fitted = baselines.QuadraticMap([(picture(s), change(picture(s))) for s in range(3)])
    assert torch.allclose(fitted(picture(9)), change(picture(9)), atol=2e-3)


def test_leave_one_out_never_sees_its_own_target():
    before = [picture(s) for s in range(3)]
    usual = [(b, b * 0.5) for b in before[:2]]
    out = baselines.leave_one_out([*usual, (before[2], 1 - before[2])])
    assert torch.allclose(out[2], before[2] * 0.5, atol=5e-3)
    assert not torch.allclose(out[0], before[0] * 0.5, atol=5e-2)


@pytest.mark.parametrize("shape", [(3, 4), (2, 2, 4), (0, 3, 3)])
def test_no_picture_is_refused(shape):
    with pytest.raises(baselines.BaselineError):
        baselines.auto_contrast(torch.zeros(shape))


@pytest.fixture
def data(tmp_path):
    entries = []
    for i in range(3):
        for side, value in (("input", picture(i)), ("target", (picture(i) * 1.2).clamp(0, 1))):
            path = tmp_path / fivek.FOLDER / side / f"p{i}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray((value * 255).round().to(torch.uint8).numpy()).save(path)
        entries.append({"id": f"p{i}", "set": "first" if i < 2 else "second", "expert": "C"})
    (tmp_path / fivek.FOLDER / "pairs.json").write_text(json.dumps(entries))
    return tmp_path


def test_table_has_every_method_and_both_groups(data):
    table = fivek.baselines(fivek.load_pairs(data), Peer())
    assert set(table) == {"nothing", "autoContrast", "histogramEqualisation", "imageAdaptive3dLut", "fixedQuadraticMap"}
    for row in table.values():
        assert (row["all"]["count"], row["first"]["count"], row["second"]["count"]) == (3, 2, 1)
        assert np.isclose(row["all"]["psnr"], (2 * row["first"]["psnr"] + row["second"]["psnr"]) / 3, atol=0.02)
    # All targets are the same multiple of the input, which a fixed map learns from the others.
    assert table["fixedQuadraticMap"]["all"]["psnr"] > 40 > table["nothing"]["all"]["psnr"] > 15
    assert table["nothing"]["all"]["ssim"] < 1 and table["nothing"]["all"]["deltaE"] > 1


def test_missing_and_unequal_pictures_are_reported(data):
    Image.new("RGB", (9, 9)).save(data / fivek.FOLDER / "target" / "p1.png")
    with pytest.raises(DataError, match="p1 differ in size"):
        fivek.load_pairs(data)
    (data / fivek.FOLDER / "target" / "p1.png").unlink()
    with pytest.raises(DataError, match="0 files named p1"):
        fivek.load_pairs(data)
