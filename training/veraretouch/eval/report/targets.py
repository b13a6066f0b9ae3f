"""Targets of the configuration beside the figures that were measured: met, missed, or not measured."""

from __future__ import annotations

from ...data.files import DataError

MET, MISSED, UNMEASURED = "met", "missed", "not measured"


def judge(targets: list[dict], found: dict[str, dict]) -> list[dict]:
    """[[target]] entries {"figure", "least" or "most", "what", "count"?, "seeds"?} -> the same with "verdict" and "figureFound".

    A figure meets its target by its value, not by its interval; "sure" tells whether the whole interval is on that side.
    count, seeds: with fewer samples or seeds than these the figure still gets its verdict, "short" says that the target's own
    conditions are not fulfilled (`shortfall` in words), and the report counts it as neither met nor missed. Raises DataError for a target without a limit.
    """
    rows = []
    for target in targets:
        if ("least" in target) == ("most" in target):
            raise DataError(f"The target {target.get('figure')} needs either `least` or `most`. Nothing was judged; correct the configuration.")
        figure = found.get(target["figure"])
        row = {**target, "verdict": UNMEASURED, "figureFound": figure}
        if figure is not None:
            short = figure["n"] < target.get("count", 0) or len(figure["seeds"]) < target.get("seeds", 1)
            limit, sign = (target["least"], 1) if "least" in target else (target["most"], -1)
            met = sign * (figure["value"] - limit) >= 0
            edge = figure["low"] if (sign > 0) == met else figure["high"]
            row |= {
                "verdict": MET if met else MISSED,
                "sure": edge is not None and (sign * (edge - limit) >= 0) == met,
                "short": short,
            }  # fmt: skip
        rows.append(row)
    return rows


def tally(rows: list[dict]) -> str:
    """How many judged targets are met, missed, measured under fewer conditions than asked for, and not measured, in words."""
    counts = {kind: sum(r["verdict"] == kind and not r.get("short") for r in rows) for kind in (MET, MISSED, UNMEASURED)}
    short = sum(bool(r.get("short")) for r in rows)
    words = [f"{counts[MET]} met", f"{counts[MISSED]} missed", f"{counts[UNMEASURED]} not measured"]
    return ", ".join(words + ([f"{short} measured with fewer samples or seeds than the target asks for"] if short else []))


def shortfall(row: dict) -> str:
    """In words, what a judged figure lacks of its target's conditions; empty when nothing."""
    figure, words = row["figureFound"], []
    if figure is None or not row.get("short"):
        return ""
    if figure["n"] < row.get("count", 0):
        words.append(f"{figure['n']} of the {row['count']} samples asked for")
    if len(figure["seeds"]) < row.get("seeds", 1):
        words.append(f"{len(figure['seeds'])} of the {row['seeds']} seeds asked for")
    return ", ".join(words)
