"""Renders the model card of a bundle from the figures of a report (`eval.report`) and puts both into the bundle.

    python -m veraretouch.eval.model_card --report DIR/report.json --notes training/data/model-card.md --bundle models
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from ..data.files import DataError, read_json
from ..export.bundle_files import add_file

METHODS = {
    "nothing": "do nothing", "autoContrast": "auto-contrast", "rawTherapee": "RawTherapee, automatic levels",
    "lut3d": "image-adaptive 3D LUT (trained on FiveK)", "model": "**this model, Auto**",
}  # fmt: skip
GROUPS = {"": "all 14", "@curl": "curl (8)", "@uegan": "uegan (6)"}
COLUMNS = {
    "psnr": "PSNR, dB", "gain": "gain, dB", "deltaE": "dE2000", "preferred": "preferred to the input", "overEdited": "over-edited",
}  # fmt: skip
SHARES = ("preferred", "overEdited")


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    return ["| " + " | ".join(cells) + " |" for cells in (head, ["---"] * len(head), *rows)]


def _number(value: float | None, percent: bool) -> str:
    if value is None:
        return "-"
    return f"{100 * value:.1f} %" if percent else f"{value:.2f}"


def _measured(figure: dict | None, percent: bool) -> str:
    """ "24.82 [22.12, 27.64]", with the interval where there is one."""
    if figure is None:
        return "-"
    value = _number(figure["value"], percent)
    if figure["low"] is None or figure["high"] is None:
        return value
    return f"{value} [{_number(figure['low'], percent)}, {_number(figure['high'], percent)}]"


def _is_share(target: dict) -> bool:
    return target.get("least", target.get("most")) <= 1


def tables(report: dict) -> str:
    """Markdown tables of a report: Auto beside its baselines, then every target with its figure.

    Raises DataError when the report lacks the parts that a card is made of.
    """
    figures = report["figures"]
    if missing := [name for name in ("fivek.model.psnr", "auto.model.gain") if name not in figures]:
        raise DataError(f"The report has no {missing[0]}: it was made of some parts only. The bundle was left as it is; measure it whole.")
    lines = ["### Auto against expert C (14 FiveK development pairs, PSNR in dB)", ""]
    rows = [[title, *(_measured(figures.get(f"fivek.{m}{g}.psnr"), False) for g in GROUPS)] for m, title in METHODS.items()]
    lines += _table(["method", *GROUPS.values()], rows)
    lines += ["", f"### Auto: {figures['auto.model.psnr']['n']} test photos made worse, back to the photo", ""]
    rows = [[title, *(_measured(figures.get(f"auto.{m}.{c}"), c in SHARES) for c in COLUMNS)] for m, title in METHODS.items()]
    lines += _table(["method", *COLUMNS.values()], rows)
    lines += ["", "### What was wanted and what was reached", ""]
    rows = []
    for target in report["targets"]:
        figure, percent = figures.get(target["figure"]), _is_share(target)
        wanted = f"at least {_number(target['least'], percent)}" if "least" in target else f"at most {_number(target['most'], percent)}"
        rows.append([target["what"], _measured(figure, percent), wanted, target["verdict"] + (f" ({target['short']})" if target["short"] else "")])
    return "\n".join(lines + _table(["figure", "this model", "wanted", ""], rows))


def metrics(report: dict) -> dict:
    """What of a report the bundle keeps: what was measured how, the targets, and all figures; no pictures, no labels."""
    return {name: report[name] for name in ("meta", "tally", "targets", "figures")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--report", type=Path, required=True, help="report.json of this bundle")
    parser.add_argument("--notes", type=Path, required=True, help="the written part, with a line {{tables}}")
    parser.add_argument("--bundle", type=Path, required=True)
    arguments = parser.parse_args()
    report = read_json(arguments.report, "Make it with `python -m veraretouch.eval.report`.")
    text = arguments.notes.read_text().replace("{{tables}}", tables(report))
    add_file(arguments.bundle, "metrics.json", (json.dumps(metrics(report), indent=1) + "\n").encode())
    add_file(arguments.bundle, "MODEL_CARD.md", text.encode())


if __name__ == "__main__":
    main()
