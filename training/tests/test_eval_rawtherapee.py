"""The comparison with RawTherapee: its settings and its measuring (RawTherapee itself is not needed here)."""

import numpy as np
import pytest
import torch

from veraretouch.engine.params import HUES, PARAMETERS
from veraretouch.eval import rawtherapee_check as check
from veraretouch.eval import rawtherapee_controls as controls

torch.set_num_threads(1)


def strip() -> torch.Tensor:
    """The hue chart in every tile."""
    gap = torch.full((check.TILE, check.GAP, 3), 0.5)
    return torch.cat([part for _ in range(len(check.PHOTOS) + 1) for part in (check.hue_chart(), gap)], dim=1)


def test_settings_are_few_valid_and_come_in_both_directions():
    found = controls.checks()
    assert len(found) + 1 <= 60 and len({c.name for c in found}) == len(found)
    for one in found:
        assert one.ours and all(name in PARAMETERS and 0 < abs(v) <= 100 for name, v in one.ours.items())
    named = {name for one in found for name in one.ours}
    assert {f"{kind}Adjustment{hue}" for kind in ("Hue", "Saturation", "Luminance") for hue in HUES} <= named
    both = {s for one in found for s in one.ours.items()}
    assert sum((name, -value) in both for name, value in both) >= len(both) - 3


def test_profiles_are_sections_of_lines():
    one = next(c for c in controls.checks() if c.name == "saturation of bands 1 +")
    text = controls.profile(one)
    assert "[HSV Equalizer]\nEnabled=true\nSCurve=1;" in text and text.count("[Color Management]") == 1
    points = np.array([float(v) for v in text.split("SCurve=1;")[1].split("\n")[0].strip(";").split(";")]).reshape(-1, 4)
    assert (np.diff(points[:, 0]) > 0).all() and (points[:, 1] == 0.7).sum() == 4 and (points[:, 1] == 0.5).sum() == 4
    assert "HSV" not in controls.profile(None)


def test_our_own_result_agrees_with_itself_and_not_with_its_opposite():
    base = strip()
    by_name = {c.name: c for c in controls.checks()}
    for name in ("exposure", "saturation", "tint", "hue of bands 2"):
        up, down = by_name[f"{name} +"], by_name[f"{name} -"]
        for row in check.compare(base, check.ours(base, up), check.ours(base, up), up):
            assert row["ratio"] == 1 and row["withinFactor"] and row["sameDirection"] == row["pictures"] == 7
        for row in check.compare(base, check.ours(base, up), check.ours(base, down), up):
            assert row["sameDirection"] == 0 and not row["withinFactor"]


def test_measures_name_what_changed():
    chart = check.hue_chart().reshape(-1, 3)
    assert check.measure(chart, chart, "lightness") == 0
    assert check.measure(chart, chart * 0.8, "lightness") < -5
    assert check.measure(chart, chart.mean(dim=1, keepdim=True).expand(-1, 3), "chroma") < -5
    grey = torch.full((1000, 3), 0.5)
    assert check.measure(grey, grey, "Blue.hue") is None


def test_missing_program_is_reported(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(check.OracleError, match="not installed"):
        check.run_rawtherapee(np.zeros((4, 4, 3), np.uint8), [])
