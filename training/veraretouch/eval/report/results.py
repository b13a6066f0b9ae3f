"""What a part of the evaluation gives: samples in a grid of rows and columns, notes, tables, cases; JSON in and out.

A figure is one cell of a part's grid and is called `part.row.column`, which is how targets name it. Samples are kept per
photo, so that seeds can be put together and intervals drawn afterwards (`eval.intervals`).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

from ..intervals import estimate


@dataclass
class Column:
    """One measure. unit: "dB", "%" (values are shares, shown times 100), or "". better: 1 when more is better, -1, or 0."""

    label: str
    unit: str = ""
    digits: int = 2
    better: int = 1


@dataclass
class Sample:
    """Values of one cell: per photo, or per photo [agreed, claims] for statistic "ratio".

    `fixed` in place of values: {"value", "low", "high", "n"} of a figure whose interval was computed elsewhere.
    """

    row: str
    column: str
    values: list = field(default_factory=list)
    statistic: str = "mean"
    fixed: dict | None = None


@dataclass
class Table:
    """A table of texts below the grid."""

    title: str
    columns: list[str]
    rows: list[list[str]]


@dataclass
class Part:
    """One part. rows, columns: key -> label, in the order shown. missing: what was not measured and why, in words."""

    key: str
    title: str
    rows: dict[str, str] = field(default_factory=dict)
    columns: dict[str, Column] = field(default_factory=dict)
    samples: list[Sample] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    cases: list[dict] = field(default_factory=list)

    def add(self, row: str, column: str, values: list, statistic: str = "mean") -> None:
        if values:
            self.samples.append(Sample(row, column, [float(v) if not isinstance(v, list) else v for v in values], statistic))

    def as_json(self) -> dict:
        return asdict(self)

    @staticmethod
    def from_json(kept: dict) -> Part:
        return Part(**{
            **kept, "columns": {k: Column(**c) for k, c in kept["columns"].items()},
            "samples": [Sample(**s) for s in kept["samples"]], "tables": [Table(**t) for t in kept["tables"]],
        })  # fmt: skip


def figures(seeds: list[Part]) -> dict[str, dict]:
    """The same part of several seeds -> `part.row.column` -> {"value", "low", "high", "n", "seeds", "statistic"}.

    Cells that not every seed has are left out.
    """
    tables = [{(s.row, s.column): s for s in part.samples} for part in seeds]
    found = {}
    for cell, sample in tables[0].items():
        if not all(cell in table for table in tables):
            continue
        rows = [table[cell] for table in tables]
        if sample.fixed is not None:
            kept = {
                k: None if any(r.fixed[k] is None for r in rows) else sum(r.fixed[k] for r in rows) / len(rows)
                for k in ("value", "low", "high")
            }
            found[f"{seeds[0].key}.{cell[0]}.{cell[1]}"] = {
                **kept, "n": sample.fixed["n"], "seeds": [r.fixed["value"] for r in rows], "statistic": sample.statistic
            }  # fmt: skip
        elif sample.statistic != "ratio" or all(sum(v[1] for v in r.values) for r in rows):
            kept = estimate([r.values for r in rows], sample.statistic)
            found[f"{seeds[0].key}.{cell[0]}.{cell[1]}"] = {**kept, "statistic": sample.statistic}
    return found
