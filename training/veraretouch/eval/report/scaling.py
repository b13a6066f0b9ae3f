"""Data scaling (the paper's Table 5): figures of runs on a share of the training examples, read from their result files."""

from __future__ import annotations

import json
from pathlib import Path

from ...data.files import DataError
from .results import Part, Table

# Column -> (path in a file of the first five runs, path in a variant's file of `train.search`, figure of a report).
FIGURES = {
    "Auto, FiveK, dB": ("fivekDevelopment.psnr.model.all", "perception.fivek_all", "fivek.model.psnr"),
    "FiveK \"uegan\", dB": ("fivekDevelopment.psnr.model.fivek_uegan", "perception.fivek_uegan", "fivek.model@uegan.psnr"),
    "Auto, perturbed, dB": ("autoPerturbed.model.mean", "perception.auto_tokens", "auto.model.psnr"),
    "Style, dB": ("styleUnseenLooks.model.mean", "perception.style_tokens", "style.model.psnr"),
    "Param, dB": ("param.model.mean", "perception.param_tokens", "param.model.psnr"),
}
PAPER = {5: "25.39", 20: "26.06", 100: "26.57"}


def figures_of(path: Path) -> dict[str, float | None]:
    """Column -> value from any of the three kinds of file, None where it has none. Raises DataError when it cannot be read."""
    try:
        table = json.loads(path.read_text())
    except (OSError, ValueError) as cause:
        raise DataError(f"{path} cannot be read ({cause}). Nothing was compared; name another file in [[scaling]].") from cause
    found = {}
    for column, (*paths, figure) in FIGURES.items():
        found[column] = next((v for v in (table.get("figures", {}).get(figure, {}).get("value"), *(_at(table, p) for p in paths)) if v is not None), None)
    return found


def _at(table: dict, path: str) -> object:
    value: object = table
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


def scaling(runs: list[dict], base: Path) -> Part:
    """`[[scaling]]` entries {"share", "file"} relative to `base` (the folder training/)."""
    part = Part("scaling", "Data scaling (the paper's Table 5)", notes=[
        "Runs of the same recipe on a share of the training examples. The paper's column is the PSNR of its unified model on its own test set "
        "with another protocol (best of five experts), shown for the slope only: 26.81 dB is its final figure. Files of variants (train.search) are "
        "perceptions alone, judged on validation examples: with latents first they settle the picture.",
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
