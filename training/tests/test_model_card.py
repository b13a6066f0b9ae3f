"""The model card's tables are a report's figures."""

import copy
import json

import pytest

from veraretouch.data.files import DataError
from veraretouch.eval.model_card import METHODS, metrics, tables

FIGURE = {"value": 0.5, "low": 0.25, "high": 0.75, "n": 9, "seeds": [0.5]}
REPORT = {
    "meta": {"bundle": "b"}, "tally": "1 met", "worst": ["pictures"], "labels": {},
    "targets": [
        {"figure": "auto.model.gain", "what": "Gain", "least": 5.0, "verdict": "missed", "short": None},
        {"figure": "auto.model.overEdited", "what": "Over-edited", "most": 0.05, "verdict": "missed", "short": "1 of 3 seeds"},
        {"figure": "masks.L.head", "what": "Mask", "least": 28.0, "verdict": "not measured", "short": None},
    ],
    "figures": {
        "fivek.model.psnr": {**FIGURE, "value": 24.8187, "low": 22.1, "high": 27.6}, "fivek.nothing@uegan.psnr": {**FIGURE, "low": None},
        "auto.model.psnr": FIGURE, "auto.model.gain": {**FIGURE, "value": 4.58}, "auto.model.overEdited": FIGURE,
    },
}  # fmt: skip


def test_tables_hold_the_figures_with_their_intervals():
    lines = tables(REPORT).splitlines()
    row = {line.split(" | ")[0].lstrip("| "): line for line in lines if line.startswith("|")}
    assert sum(line.startswith(f"| {title} |") for line in lines for title in METHODS.values()) == 2 * len(METHODS)
    assert "| 24.82 [22.10, 27.60] | - | - |" in lines[2 + 1 + len(METHODS)] and "| 0.50 |" in next(x for x in lines if "do nothing" in x)
    assert row["Gain"].endswith("| 4.58 [0.25, 0.75] | at least 5.00 | missed |")
    assert row["Over-edited"].endswith("| 50.0 % [25.0 %, 75.0 %] | at most 5.0 % | missed (1 of 3 seeds) |")
    assert row["Mask"].endswith("| - | at least 28.00 | not measured |")


def test_the_bundle_keeps_figures_and_no_pictures():
    kept = metrics(REPORT)
    assert json.loads(json.dumps(kept)) == kept and set(kept) == {"meta", "tally", "targets", "figures"}


def test_a_report_of_some_parts_makes_no_card():
    report = copy.deepcopy(REPORT)
    del report["figures"]["auto.model.gain"]
    with pytest.raises(DataError, match="measure it whole"):
        tables(report)
