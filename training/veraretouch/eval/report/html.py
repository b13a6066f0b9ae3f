"""The report as one self-contained HTML page: no script, no request, light or dark as the reader's system is."""

from __future__ import annotations

from html import escape

from .results import Column, Part, Table
from .targets import MET, MISSED, UNMEASURED, shortfall, tally

STYLE = """
:root { color-scheme: light dark; --line: #d5d9de; --soft: #f3f5f7; --text: #1c2126; --dim: #5b6570; --met: #137a3b; --missed: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --line: #3a4148; --soft: #22272c; --text: #e6e9ec; --dim: #9aa5b0; --met: #5fd08a; --missed: #ff8a80; } }
@media (prefers-color-scheme: dark) { body { background: #16191c; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--text); margin: 0 auto; padding: 1.5rem; max-width: 76rem; }
h1 { font-size: 1.7rem; line-height: 1.2; } h2 { font-size: 1.25rem; margin-top: 2.6rem; border-top: 1px solid var(--line); padding-top: 1rem; }
h3 { font-size: 1rem; margin-bottom: .3rem; } a { color: inherit; } .scroll { overflow-x: auto; }
table { border-collapse: collapse; margin: .5rem 0 1rem; font-size: 13.5px; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; }
thead th { background: var(--soft); font-weight: 600; } td.n { white-space: nowrap; } .grid .ci { display: block; } .grid td:first-child { min-width: 11rem; } .grid td span { white-space: normal; }
small { color: var(--dim); }
.met { color: var(--met); font-weight: 600; } .missed { color: var(--missed); font-weight: 600; } .un { color: var(--dim); }
.notes, nav { color: var(--dim); font-size: 14px; } .notes li { margin: .2rem 0; } nav ul { columns: 2; padding-left: 1.2rem; }
.missing { border-left: 3px solid var(--missed); padding: .3rem .8rem; margin: .6rem 0; background: var(--soft); }
.case { display: grid; grid-template-columns: minmax(0, 3fr) minmax(0, 2fr); gap: 1rem; padding: 1rem 0; border-top: 1px solid var(--line); }
.case .three { display: grid; grid-template-columns: repeat(3, 1fr); gap: .4rem; align-items: start; } .case img { width: 100%; display: block; border-radius: 3px; }
.case dl { margin: 0; font-size: 13.5px; } .case dt { color: var(--dim); } .case dd { margin: 0 0 .3rem; }
@media (max-width: 60rem) { .case { grid-template-columns: 1fr; } nav ul { columns: 1; } }
"""


def number(value: float | None, column: Column) -> str:
    if value is None:
        return "-"
    return f"{100 * value if column.unit == '%' else value:.{column.digits}f}"


def cell(figure: dict, column: Column) -> str:
    """Value and interval, with the seeds' own values when there are several."""
    text = number(figure["value"], column)
    if figure["low"] is not None:
        text += f" <small class=ci>[{number(figure['low'], column)}, {number(figure['high'], column)}]</small>"
    if len(figure["seeds"]) > 1:
        text += f"<br><small>seeds {', '.join(number(v, column) for v in figure['seeds'])}</small>"
    return text


def _limit(row: dict, column: Column) -> str:
    sign, value = ("≥", row["least"]) if "least" in row else ("≤", row["most"])
    return f"{sign} {number(value, column)} {column.unit}".strip()


def verdict(row: dict) -> str:
    kind = {MET: "met", MISSED: "missed", UNMEASURED: "un"}[row["verdict"]]
    words = row["verdict"] if row.get("sure", True) else f"{row['verdict']} (within the interval)"
    if lack := shortfall(row):
        words += f", but {lack}"
    return f'<span class="{kind}">{escape(words)}</span>'


def _table(head: list[str], rows: list[list[str]], kind: str = "") -> str:
    """Cells are HTML already. kind "grid": intervals stand below their values."""
    top = "".join(f"<th>{h}</th>" for h in head)
    body = "".join("<tr>" + "".join(f'<td{"" if i == 0 else " class=n"}>{c}</td>' for i, c in enumerate(row)) + "</tr>" for row in rows)
    return f'<div class="scroll"><table class="{kind}"><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def _texts(table: Table) -> str:
    top = "".join(f"<th>{escape(c)}</th>" for c in table.columns)
    body = "".join("<tr>" + "".join(f"<td>{escape(c)}</td>" for c in row) + "</tr>" for row in table.rows)
    return f'<h3>{escape(table.title)}</h3><div class="scroll"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def _column_of(figure: str, parts: list[Part]) -> Column:
    key, column = figure.split(".")[0], figure.split(".")[-1]
    found = next((p.columns[column] for p in parts if p.key == key and column in p.columns), None)
    return found or Column("")


def _judged(judged: list[dict], parts: list[Part]) -> str:
    rows = []
    for row in judged:
        column, figure = _column_of(row["figure"], parts), row["figureFound"]
        key = row["figure"].split(".")[0]
        value, n = ("-", "-") if figure is None else (cell(figure, column), str(figure["n"]))
        unit = column.unit or ""
        what = escape(row["what"])
        if any(p.key == key for p in parts):
            what = f'<a href="#{escape(key)}">{what}</a>'
        rows.append([what, f"{value} {unit}", _limit(row, column), verdict(row), n])
    return _table(["what", "figure and 95 % interval", "target", "", "n"], rows)


def _grid(part: Part, found: dict[str, dict], judged: list[dict]) -> str:
    columns = [c for c in part.columns if any(f"{part.key}.{row}.{c}" in found for row in part.rows)]
    if not columns:
        return ""
    wanted = {row["figure"]: row for row in judged}
    head = ["", *(escape(part.columns[c].label) + (f" <small>{part.columns[c].unit}</small>" if part.columns[c].unit else "") for c in columns), "n"]
    rows = []
    for row, label in part.rows.items():
        cells, counts = [], set()
        for c in columns:
            key = f"{part.key}.{row}.{c}"
            if key not in found:
                cells.append("")
                continue
            counts.add(found[key]["n"])
            text = cell(found[key], part.columns[c])
            if key in wanted:
                text += f"<small class=ci>{_limit(wanted[key], part.columns[c])}:</small>{verdict(wanted[key])}"
            cells.append(text)
        if counts:
            rows.append([escape(label), *cells, ", ".join(map(str, sorted(counts, reverse=True)))])
    return _table(head, rows, "grid")


def _section(part: Part, found: dict[str, dict], judged: list[dict]) -> str:
    notes = "".join(f"<li>{escape(n)}</li>" for n in part.notes)
    missing = "".join(f'<p class="missing">{escape(m)}</p>' for m in dict.fromkeys(part.missing))
    tables = "".join(_texts(t) for t in part.tables if t.rows)
    return (
        f'<section id="{escape(part.key)}"><h2>{escape(part.title)}</h2>{missing}{_grid(part, found, judged)}'
        f'<ul class="notes">{notes}</ul>{tables}</section>'
    )


FIELD_NAMES = {
    "elements": "Key elements", "problems.light": "Problem, light", "problems.globalColor": "Problem, global colour",
    "problems.specificColor": "Problem, specific colour", "plan.light": "Plan, light", "plan.globalColor": "Plan, global colour",
    "plan.specificColor": "Plan, specific colour",
}  # fmt: skip
SOURCES = {"fivek": "FiveK", "auto": "Auto", "style": "Style"}


def _case(number_: int, case: dict) -> str:
    pictures = "".join(
        f'<figure style="margin:0"><img src="{url}" alt="{what}"><figcaption><small>{what}</small></figcaption></figure>'
        for url, what in zip(case["pictures"], ("photo", "answer", "target"), strict=True)
    )
    said = "".join(f"<dt>{FIELD_NAMES.get(k, escape(k))}</dt><dd>{escape(v)}</dd>" for k, v in case["fields"].items() if v)
    asked = f"<dt>Instruction</dt><dd>{escape(case['instruction'])}</dd>" if case["instruction"] else ""
    title = f"{number_}. {SOURCES.get(case['part'], case['part'])}: {case['gain']:+.1f} dB"
    return (
        f'<div class="case"><div><h3>{escape(title)}</h3><div class="three">{pictures}</div><small>{escape(case["name"])}, '
        f"{escape(case['photo'])}, {escape(case['kind'])}: {case['psnr']:.1f} dB, doing nothing {case['nothing']:.1f} dB</small></div><dl>{asked}{said}</dl></div>"
    )


def page(meta: dict, parts: list[Part], found: dict[str, dict], judged: list[dict], worst: list[dict], learnt: list[str]) -> str:
    """meta: label -> text of what was measured and how. worst: cases with pictures; learnt: what looking at them showed."""
    links = [("targets", "Targets"), *((p.key, p.title) for p in parts), ("worst", f"The {len(worst)} worst answers")]
    contents = "".join(f'<li><a href="#{escape(k)}">{escape(t)}</a></li>' for k, t in links)
    told = "".join(f"<tr><th>{escape(k)}</th><td>{escape(str(v))}</td></tr>" for k, v in meta.items())
    cases = "".join(_case(i + 1, c) for i, c in enumerate(worst))
    lesson = "".join(f"<li>{escape(text)}</li>" for text in learnt)
    lesson = f"<h3>What they show</h3><ul>{lesson}</ul>" if lesson else '<p class="notes">Nobody has written down yet what these show.</p>'
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Evaluation of {escape(str(meta.get("bundle", "a bundle")))}</title><style>{STYLE}</style></head><body>
<h1>Evaluation of {escape(str(meta.get("bundle", "a bundle")))}</h1>
<div class="scroll"><table>{told}</table></div><nav><ul>{contents}</ul></nav>
<section id="targets"><h2>Targets</h2><p>{tally(judged)}. A figure is judged by its value; "within the interval"
says that the 95 % interval (over photos) reaches across the target.</p>{_judged(judged, parts)}</section>
{"".join(_section(p, found, judged) for p in parts)}
<section id="worst"><h2>The {len(worst)} worst answers</h2><p class="notes">Smallest gain over doing nothing, of FiveK, Auto and Style.</p>{lesson}{cases}</section>
</body></html>
"""
