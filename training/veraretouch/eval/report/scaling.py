"""Data scaling (the paper's Table 5): figures of runs on a share of the training examples, read from their result files."""

from __future__ import annotations

import json
from pathlib import Path

from ...data.files import DataError
from .results import Part, Table

# Column -> (path in a file of the first five runs, figure of a report).
FIGURES = {
    "Auto, FiveK, dB": ("fivekDevelopment.psnr.model.all", "fivek.model.psnr"),
    "FiveK \"uegan\", dB": ("fivekDevelopment.psnr.model.fivek_uegan", "fivek.model@uegan.psnr"),
    "Auto, perturbed, dB": ("autoPerturbed.model.mean", "auto.model.psnr"),
    "Style, dB": ("styleUnseenLooks.model.mean", "style.model.psnr"),
    "Param, dB": ("param.model.mean", "param.model.psnr"),
}
PAPER = {5: "25.39", 20: "26.06", 100: "26.57"}


def figures_of(path: Path) -> dict[str, float | None]:
    """Column -> value from either kind of file, None where it has none. Raises DataError when it cannot be read."""
    try:
        table = json.loads(path.read_text())
    except (OSError, ValueError) as cause:
        raise DataError(f"{path} cannot be read ({cause}). Nothing was compared; name another file in [[scaling]].") from cause
    found = {}
    for column, (old, new) in FIGURES.items():
        value: object = table.get("figures", {}).get(new, {}).get("value")
        if value is None:
            value = table
            for key in old.split("."):
                value = value.get(key) if isinstance(value, dict) else None
        found[column] = value
    return found


def scaling(runs: list[dict], base: Path) -> Part:
    """`[[scaling]]` entries {"share", "file"} relative to `base` (the folder training/)."""
    part = Part("scaling", "Data scaling (the paper's Table 5)", notes=[
        "Runs of the same recipe on a share of the training examples. The paper's column is the PSNR of its unified model on its own test set "
        "with another protocol (best of five experts), shown for the slope only: 26.81 dB is its final figure.",
    ])  # fmt: skip
    rows = []
    for run in runs:
        path = base / run["file"]
        if not path.exists():
            part.missing.append(f"No run on {run['share']} % of the examples yet: {run['file']} does not exist.")
            continue
        values = figures_of(path)
        rows.append([f"{run['share']} %", *("-" if v is None else f"{v:.2f}" for v in values.values()), PAPER.get(run["share"], "-"), run["file"]])
    if rows:
        part.tables.append(Table("Runs", ["examples", *FIGURES, "paper, dB", "file"], rows))
    return part
