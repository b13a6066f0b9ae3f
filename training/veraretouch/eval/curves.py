"""Training curves: figures of one or more stages' logs against steps, as a PNG (needs matplotlib).

    python -m veraretouch.eval.curves --logs base=W/tone/log.jsonl photo=W/tone-photo/log.jsonl \
        --figures auto_tokens fivek_all fivek_uegan --out results/auto-runs.png
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from ..data.files import DataError, write_whole


def read_log(path: Path) -> list[dict]:
    """Lines of a stage's log. Raises DataError when there is none or a line is no JSON."""
    try:
        lines = [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
    except (OSError, ValueError) as cause:
        raise DataError(f"{path} cannot be read as a training log ({cause}). Nothing was drawn.") from cause
    return lines


def series(lines: list[dict], figure: str) -> tuple[list[int], list[float]]:
    """(steps, values) of a figure where a log has it."""
    found = [(line["step"], line[figure]) for line in lines if figure in line and "step" in line]
    return [step for step, _ in found], [value for _, value in found]


def draw(logs: dict[str, list[dict]], figures: list[str], out: Path) -> None:
    """One panel a figure, one line a log. Raises DataError for a figure that no log has."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    if absent := [f for f in figures if not any(series(lines, f)[0] for lines in logs.values())]:
        raise DataError(f"No log has the figure {absent[0]!r}. Nothing was drawn.")
    sheet, panels = pyplot.subplots(1, len(figures), figsize=(4.4 * len(figures), 3.4), layout="constrained", squeeze=False)
    for panel, figure in zip(panels[0], figures, strict=True):
        for name, lines in logs.items():
            panel.plot(*series(lines, figure), marker="o", markersize=3, label=name)
        panel.set(xlabel="step", title=figure)
    panels[0][0].legend(fontsize=8)
    write_whole(out, lambda stream: sheet.savefig(stream, format="png", dpi=100))
    pyplot.close(sheet)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--logs", nargs="+", required=True, metavar="NAME=LOG")
    parser.add_argument("--figures", nargs="+", required=True)
    parser.add_argument("--out", type=Path, required=True)
    a = parser.parse_args()
    if not all("=" in one for one in a.logs):
        parser.error("--logs takes NAME=LOG")
    draw({name: read_log(Path(path)) for name, path in (one.split("=", 1) for one in a.logs)}, a.figures, a.out)


if __name__ == "__main__":
    main()
