"""The figures of `export.quantise` as a Markdown table."""

from __future__ import annotations

HEAD = (
    "| device | graph | form | MB | drop auto / style / param, dB | between, dB | same directions | same text "
    "| cosine mean / min | prefill ms, ms a token (1 / 2 threads) | keeps the rule |"
)


def table(report: dict) -> str:
    """`report`: as `export.quantise` writes it."""
    rule = report["rule"]
    lines = [
        f"Forms of weights of {report['bundle']}, {report['promptsOfEachMode']} held-out prompts of each mode against the bundle as it "
        f"was, computed in float32. The rule: at most {rule['mostDrop']} dB farther from the target in every mode, at least "
        f"{rule['leastSameDirections']:.0%} of plans with the same directions. The machine's load was {report['loadAverage']} at the end.",
        "",
        HEAD,
        "| --- " * HEAD.count(" | ") + "| --- |",
    ]
    choice = report.get("choice")
    lines += [_line(row) for row in [*report["rows"], *(choice["rows"] if choice else [])]]
    if choice:
        files = ", ".join(f"{device}: {form}" for device, form in choice["decoder"].items())
        lines += ["", f"Chosen: decoder {files}; embed {choice['embed']}; {choice['bytes'] / 1e6:.1f} MB in all."]
    return "\n".join(lines) + "\n"


def _line(row: dict) -> str:
    drops = " / ".join(f"{value:+.3f}" for value in row["drop"].values())
    spent = " / ".join(f"{t['prefillMs']:.0f}, {t['tokenMs']:.1f}" for t in row["times"].values())
    cells = (
        row["device"], row["graph"], row["form"], f"{row['bytes'] / 1e6:.1f}", drops, f"{row['between']:.1f}",
        f"{row['sameDirections']:.1%}", f"{row['sameText']:.1%}", f"{row['cosineMean']:.4f} / {row['cosineMin']:.4f}", spent,
        "yes" if row["kept"] else "no",
    )  # fmt: skip
    return f"| {' | '.join(cells)} |"
