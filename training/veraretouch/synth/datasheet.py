"""A datasheet of a set of examples (Gebru et al., Datasheets for Datasets, 2021): counts, distributions, samples, pictures.

    python -m veraretouch.synth.datasheet --shards DIR --data DATA --work WORK --out training/data/DATASHEET.md

Writes the sheet as Markdown and, beside it, one contact sheet (before | after, with instruction and answer) as JPEG of
photos of class open, stock or own only. Sections that are no counts come from `datasheet.toml` beside the output, if any.
"""

from __future__ import annotations

import argparse
import io
import sys
import textwrap
import tomllib
from collections import Counter
from pathlib import Path

import torch
from PIL import Image, ImageDraw, ImageFont

from ..data.files import TABLES, DataError, read_json, write_whole
from ..data.shards import Maker
from ..engine.params import PARAMETERS
from ..train.common import read_config
from .prepare import fingerprint
from .run import add_arguments, sources_of
from .store import TASKS, Index, SynthError
from .tally import QUANTILES, Tally, quantiles, tally

SHOWN = ("open", "stock", "own")
HEADINGS = ("motivation", "composition", "collection", "preprocessing", "uses", "distribution", "maintenance")
_LOST = "Nothing was written."
_SIDE, _GAP, _TEXT, _COLUMNS = 150, 10, 92, 3
_SLIDERS = 3
_SHOWN = {"auto": 9, "style": 9, "param": 3}  # pictures
_TOLD = {"auto": 2, "style": 2, "param": 1}  # whole answers
_MOST_BYTES = 300_000


def table(head: tuple[str, ...], rows: list[tuple]) -> str:
    lines = ["| " + " | ".join(map(str, row)) + " |" for row in (head, ("---",) * len(head), *rows)]
    return "\n".join(lines)


def _shares(counter: Counter, most: int = 40) -> list[tuple]:
    total = sum(counter.values())
    return [(name, n, f"{100 * n / total:.1f} %") for name, n in counter.most_common(most)]


def composition(index: Index, found: dict[str, Tally], looks_split: dict) -> str:
    """The counted part of the sheet, Markdown."""
    tasks = [t for t in TASKS if t in found]
    seen = {name for t in tasks for name in found[t].photos}
    gigabytes = sum(e.bytes for e in index.entries.values()) / 1e9
    parts = [
        f"Counted: {sum(found[t].count for t in tasks):,} examples of the split `{index.header['split']}`, seed "
        f"{index.header['seed']}, of {len(seen):,} different photos, {len(index.entries)} shards, {gigabytes:.3f} GB. "
        f"Left out of this run: {', '.join(index.header['leftOut']) or 'nothing'}.",
        table(("task", "examples", "photos", *sorted({c for t in tasks for c in found[t].classes})),
              [(t, found[t].count, len(found[t].photos), *(found[t].classes[c] for c in sorted({c for u in tasks for c in found[u].classes})))
               for t in tasks]),
        f"Quantiles ({', '.join(f'{q:.0%}' for q in QUANTILES)}) of the mean dE2000 between before and after, of the mean L* "
        "before, and of the words of an answer:",
        table(("task", "dE2000", "L* before", "words"),
              [(t, *(", ".join(f"{v:g}" for v in quantiles(values)) for values in (found[t].difference, found[t].lightness, found[t].words)))
               for t in tasks]),
    ]  # fmt: skip
    if "auto" in found:
        a = found["auto"]
        drawn = a.count + sum(a.rejected)
        parts += [
            "Auto by degradation, with the median dE2000 of the pair:",
            table(("degradation", "examples", "share", "dE2000"),
                  [(*row, f"{quantiles(a.by_degradation[row[0]])[2]:g}") for row in _shares(a.degradations)]),
            "Auto by target: " + ", ".join(f"{name} {n} ({share})" for name, n, share in _shares(a.targets)) + ". "
            f"Of {drawn:,} degradations drawn, {a.rejected[0]:,} were dropped as not to be seen and {a.rejected[1]:,} because the "
            "target was not scored above them.",
        ]  # fmt: skip
    if "style" in found:
        s = found["style"]
        share = len(looks_split["unseen"]) / looks_split["count"]
        parts += [
            "Style by group of look (`spoken`: settings asked for in plain words):",
            table(("group", "examples", "share"), _shares(s.groups)),
            f"{len(s.looks) - ('spoken' in s.looks):,} different looks and {len(s.instructions):,} different instructions in "
            f"{s.count:,} examples. Kept unseen by training: {len(looks_split['unseen'])} of {looks_split['count']} looks ({share:.1%}).",
        ]
    plans = [(t, *(f"{len(found[t].plans[f]):,}" for f in ("light", "globalColor", "specificColor")), f"{found[t].count:,}") for t in tasks]
    parts += ["Different sentences of a plan:", table(("task", "light", "global color", "specific color", "of examples"), plans)]
    return "\n\n".join(parts)


def chosen(found: dict[str, Tally]) -> list[tuple[str, int, dict]]:
    """(task, number, meta) of early examples that may be shown; of as many different kinds as there are."""
    cells = []
    for task, most in _SHOWN.items():
        kinds: set[str] = set()
        picked, spare = [], []
        for number, meta in enumerate(found[task].first if task in found else ()):
            if meta["class"] in SHOWN:
                kind = meta.get("degradation", "") + meta.get("target", "") or meta.get("group", "")
                (spare if kind in kinds else picked).append((task, number, meta))
                kinds.add(kind)
        cells += (picked + spare)[:most]
    return cells


@torch.no_grad()
def contact_sheet(maker: Maker, cells: list[tuple[str, int, dict]], path: Path) -> None:
    """One JPEG of at most _MOST_BYTES: before | after, and what is asked and told."""
    if not cells:
        raise SynthError(f"No example is of a photo that may be shown ({', '.join(SHOWN)}). {_LOST}")
    width, height = 2 * _SIDE + _GAP, _SIDE + _TEXT
    rows = -(-len(cells) // _COLUMNS)
    sheet = Image.new("RGB", (_GAP + _COLUMNS * (width + 2 * _GAP), _GAP + rows * (height + _GAP)), "white")
    ink, font = ImageDraw.Draw(sheet), ImageFont.load_default(11)
    for at, (task, number, meta) in enumerate(cells):
        x, y = _GAP + at % _COLUMNS * (width + 2 * _GAP), _GAP + at // _COLUMNS * (height + _GAP)
        example = maker.draw(task, number)
        for side, picture in enumerate((example.picture.float() / 255, example.whole())):
            image = Image.fromarray((picture.clamp(0, 1) * 255).round().to(torch.uint8).numpy())
            sheet.paste(image.resize((_SIDE, _SIDE), Image.Resampling.BOX), (x + side * (_SIDE + _GAP), y))
        ink.multiline_text((x, y + _SIDE + 3), caption(meta, example.params), fill="black", font=font, spacing=1)
    for quality in (88, 80, 70, 60, 45):
        data = io.BytesIO()
        sheet.save(data, "JPEG", quality=quality, optimize=True, subsampling="4:2:0")
        if data.tell() <= _MOST_BYTES:
            break
    write_whole(path, lambda stream: stream.write(data.getvalue()))


def caption(meta: dict, params: torch.Tensor) -> str:
    """A few lines: task, what is asked, and the plan. params: [38] in [-1, 1]."""
    if meta["task"] == "param":
        most = params.abs().argsort(descending=True)[:_SLIDERS].tolist()
        asked = ", ".join(f"{PARAMETERS[i]} {params[i] * 100:+.0f}" for i in most if params[i])
    else:
        asked = meta.get("instruction") or f"{meta['degradation']}, towards the {'photo itself' if meta['target'] == 'original' else meta['target']}"
    told = [meta["fields"][f"plan.{f}"] for f in ("light", "globalColor", "specificColor")]
    lines = [*textwrap.wrap(f"{meta['task']}: {asked}", 56)[:2], *textwrap.wrap("; ".join(told), 58)]
    return "\n".join(lines[:7])


def samples(cells: list[tuple[str, int, dict]]) -> str:
    """Whole answers of a few examples, Markdown."""
    shown = []
    for task, most in _TOLD.items():
        for _, number, meta in [cell for cell in cells if cell[0] == task][:most]:
            asked = f", asked: “{meta['instruction']}”" if "instruction" in meta else ""
            told = "\n".join(f"  - {field}: {text}" for field, text in meta["fields"].items() if text)
            shown.append(f"- `{task}-{number}`{asked}\n{told}")
    return "\n".join(shown)


def write(maker: Maker, shards: Path, out: Path) -> None:
    """The sheet at `out` and its pictures beside it."""
    index, found = tally(shards)
    if index.header != (own := fingerprint(maker.config, maker.sources, index.header["split"], maker.teachers)):
        differing = sorted(k for k in {*own, *index.header} if own.get(k) != index.header.get(k))
        raise SynthError(f"The shards were made with another {', '.join(differing)} than given here, so their pictures cannot be drawn. {_LOST}")
    texts = {}
    if (prose := out.parent / "datasheet.toml").exists():
        texts = tomllib.loads(prose.read_text(encoding="utf-8"))
    pictures = out.with_name(out.stem.lower() + ".jpg")
    cells = chosen(found)
    contact_sheet(maker, cells, pictures)
    counted = composition(index, found, read_json(TABLES / "looks_split.json", "It is part of the project; restore it."))
    parts = [texts.get("title", "# Datasheet of the examples")]
    for heading in HEADINGS:
        parts.append(f"## {heading.capitalize()}")
        parts.append(texts.get(heading, "Not described.").strip())
        if heading == "composition":
            parts += [counted, f"![Before, after, and what is asked and told]({pictures.name})", "A few whole answers:", samples(cells)]
    text = "\n\n".join(parts) + "\n"
    write_whole(out, lambda stream: stream.write(text.encode()))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser)
    parser.add_argument("--shards", type=Path, required=True, help="folder that synth.run has filled")
    parser.add_argument("--out", type=Path, required=True, help="Markdown file; its pictures lie beside it")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    try:
        index = Index.read(options.shards)
        sources = sources_of(options, 1, print)
        maker = Maker(
            read_config(options.config), sources.data, sources.work, index.header["split"], sources.open_only,
            sources.cache, sources.experts, sources.without,
        )  # fmt: skip
        write(maker, options.shards, options.out)
    except DataError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{options.out} and its pictures are written")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
