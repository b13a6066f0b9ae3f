"""The evaluation of a bundle: one command, one JSON, one HTML page with every figure beside its target.

    python -m veraretouch.eval.report --bundle models --reference WORK/reference.pt --config training/configs/evaluation.toml \
        --data DATA --work WORK --out DIR [--only fivek,auto] [--count 20] [--checkpoints b.pt,c.pt]

Writes DIR/report.json and DIR/report.html. The networks are the PyTorch reference with exactly the bundle's weights
(`export.release` keeps it; `export.restore` makes it from a bundle); answers are generated, not teacher-forced. Answers
and parts are kept in WORK/report by what they depend on, so that a second run measures only what changed. `--checkpoints`
are references of the same recipe from other seeds, for the same bundle: their figures are averaged and shown one by one.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from ...data.files import TABLES, DataError, write_json, write_whole
from ...models.preference import load_preference
from ...train.common import read_config
from .. import latents_or_parameters
from ..benches import FILE, Benches
from ..metrics import MetricError
from ..perceptual import load_st_lpips
from . import pictures, sliders, words
from .html import page
from .results import Part, figures
from .scaling import scaling
from .subject import Context, Subject, digest
from .targets import judge, shortfall, tally
from .worst import chosen, sheet

PARTS: dict[str, Callable[[Context], Part]] = {
    "fivek": pictures.fivek, "auto": pictures.auto, "style": pictures.style, "param": sliders.param, "reference": sliders.reference,
    "masks": sliders.masks, "answers": words.answers, "elements": words.elements, "prompts": words.prompts,
    "latents": latents_or_parameters.compare,
}  # fmt: skip
TOOLS = ("stLpips", "preference")
# Of each part: which of the settings and of the tools it depends on.
NEEDS = {
    "fivek": TOOLS, "auto": ("auto", *TOOLS), "style": ("style", *TOOLS), "param": ("param", "stLpips"), "reference": ("reference",),
    "masks": ("masks",), "answers": ("auto", "style", "param"), "elements": ("elements",), "prompts": ("prompts",),
    "latents": ("auto", "style", "probe"),
}  # fmt: skip
# Of each part: the files it reads besides the test sets. Caches stand by their shape and names, the rest by content.
READS = {
    **{name: ("work/photos",) for name in ("auto", "style", "param", "reference", "masks", "answers")}, "fivek": (),
    "elements": ("work/flickr", "work/captions.json", "tables/nouns.json"), "prompts": ("work/photos", "tables/prompts.json"),
    "latents": ("work/photos", "work/instructions.json"),
}  # fmt: skip
# Raised for a part whose code measures differently; `version` of the configuration is for all of them.
REVISION = {"elements": 3, "answers": 3}
TRAINING = FILE.parents[1]


def load_tools(config: dict, work: Path) -> tuple[dict[str, Callable], dict[str, str], dict[str, str]]:
    """Metrics with weights; of each an identity that changes with its weights; of those that are missing the reason, in words."""
    tools: dict[str, Callable] = {}
    identity, missing = dict.fromkeys(TOOLS, ""), {}
    try:
        tools["stLpips"], identity["stLpips"] = load_st_lpips(), "stlpips-pytorch 0.0.2"
    except MetricError as error:
        missing["stLpips"] = str(error)
    path = work / config["preference"]
    if path.exists():
        tools["preference"], identity["preference"] = load_preference(path).score, digest(path.read_bytes())
    else:
        missing["preference"] = (
            f"The preference score was not computed: {config['preference']} is not in the work folder. "
            "Train it with `python -m veraretouch.train.preference`."
        )
    return tools, identity, missing


def identity_of(work: Path, name: str) -> str:
    """What stands for an entry of READS; empty where there is no such file, which the part then says itself."""
    place, file = name.split("/")
    path = (work if place == "work" else TABLES) / file
    if path.suffix:
        return digest(path.read_bytes()) if path.exists() else ""
    index, cache = path.with_suffix(".json"), path.with_suffix(".npy")
    if not index.exists() or not cache.exists():
        return ""
    # A cache of the same photos at another size is another cache; its gigabytes are not read for that.
    return digest(index.read_bytes(), str(np.load(cache, mmap_mode="r").shape))


def key_of(context: Context, part: str) -> str:
    """What a part's result depends on, besides the subject."""
    config = context.config
    told = [config["version"], part, str(REVISION.get(part, 1)), str(context.count), str(config["perceptual"])]
    told += [identity_of(context.work, name) for name in READS[part]]
    for need in NEEDS[part]:
        if need in TOOLS:
            told.append(context.identity[need])
        elif need == "probe":
            told.append(json.dumps(config["probe"], sort_keys=True))
        else:
            every = config["counts"].get("every_prompt", 1) if need == "prompts" else 1
            told.append(f"{config['counts'][need]} {every} {digest(json.dumps(context.benches.table[need]))}")
    return digest(*told)


def measure(context: Context, name: str, missing: dict[str, str]) -> Part:
    """One part, from the disk where it was measured before; one that could not be measured whole is measured again next time."""
    path = context.subject.kept / f"part-{name}-{key_of(context, name)}.json"
    if path.exists():
        part = Part.from_json(json.loads(path.read_text()))
    else:
        began = time.time()
        part = PARTS[name](context)
        print(f"{name}: {time.time() - began:.0f} s", flush=True)
        if not part.missing:
            write_json(path, part.as_json(), indent=None)
    part.missing += [missing[tool] for tool in TOOLS if tool in NEEDS[name] and tool in missing]
    return part


def run(a: argparse.Namespace) -> dict:
    """Measures, writes both files, and returns what is in the JSON."""
    config = read_config(a.config)
    names = list(PARTS) if not a.only else [n.strip() for n in a.only.split(",")]
    if unknown := sorted(set(names) - {*PARTS, "scaling"}):
        raise DataError(f"There is no part {unknown[0]!r}; parts are {', '.join(PARTS)} and scaling. Nothing was measured.")
    kept = a.work / "report"
    tools, identity, missing = load_tools(config, a.work)
    benches, began = Benches(a.data, a.work), time.time()
    by_part: dict[str, list[Part]] = {name: [] for name in names if name != "scaling"}
    first: Context | None = None
    for reference in [a.reference, *(Path(c) for c in a.checkpoints.split(",") if c)]:
        context = Context(Subject(a.bundle, reference, kept), benches, config, a.data, a.work, kept, a.count, tools, identity)
        first = first or context
        for name in by_part:
            by_part[name].append(measure(context, name, missing))
    found = {key: figure for seeds in by_part.values() for key, figure in figures(seeds).items()}
    parts = [seeds[0] for seeds in by_part.values()]
    if not a.only or "scaling" in names:
        parts.append(scaling(config.get("scaling", []), TRAINING))
    judged = judge(config.get("target", []), found)
    worst = chosen(parts, config["worst"]["count"])
    learnt = [note for of, note in config["worst"].get("learnt", []) if first.subject.fingerprint.startswith(of)]
    meta = {
        "bundle": f"{first.subject.manifest['name']} {first.subject.manifest['version']}", "weights": first.subject.fingerprint,
        "seeds": len(next(iter(by_part.values()), [])), "examples": "as configured" if not a.count else f"at most {a.count} of each set",
        "intervals": "95 % over photos: expanded percentile bootstrap, seed 20; for shares of photos Clopper and Pearson", "test sets": "training/data/benches.json",
        "measured in": f"{time.time() - began:.0f} s (what was measured before is read from the disk)",
    }  # fmt: skip
    report = {
        "meta": meta, "tally": tally(judged), "targets": [{k: v for k, v in row.items() if k != "figureFound"} | {"short": shortfall(row) or None} for row in judged],
        "figures": {key: _rounded(figure) for key, figure in found.items()},
        "missing": {p.key: list(dict.fromkeys(p.missing)) for p in parts if p.missing},
        "tables": {p.key: [vars(t) for t in p.tables] for p in parts if p.tables},
        "labels": {p.key: {"title": p.title, "rows": p.rows, "notes": p.notes} for p in parts},
        "worst": [{k: v for k, v in c.items() if k != "latents"} for c in worst], "learnt": learnt,
    }  # fmt: skip
    html = page(meta, parts, found, judged, sheet(first, worst), learnt)
    write_json(a.out / "report.json", report)
    write_whole(a.out / "report.html", lambda stream: stream.write(html.encode()))
    return report


def _rounded(figure: dict) -> dict:
    short = {k: None if figure[k] is None else round(figure[k], 5) for k in ("value", "low", "high")}
    return {**short, "n": figure["n"], "seeds": [round(v, 5) for v in figure["seeds"]], "statistic": figure["statistic"]}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--reference", type=Path, required=True, help="the bundle's networks in PyTorch; a trusted pickle")
    parser.add_argument("--config", type=Path, required=True, help="evaluation.toml")
    parser.add_argument("--data", type=Path, required=True, help="folder with looks, FiveK pairs and the peer")
    parser.add_argument("--work", type=Path, required=True, help="folder with the photo caches; what is measured is kept there")
    parser.add_argument("--out", type=Path, required=True, help="folder for report.json and report.html")
    parser.add_argument("--only", default="", help=f"parts, with commas: {', '.join(PARTS)}, scaling")
    parser.add_argument("--count", type=int, default=0, help="at most so many examples of each set, for a quick look")
    parser.add_argument("--checkpoints", default="", help="references of other seeds, with commas; trusted pickles")
    parser.add_argument("--threads", type=int, default=2)
    a = parser.parse_args()
    torch.set_num_threads(a.threads)
    try:
        report = run(a)
    except DataError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    for row in report["targets"]:
        figure = report["figures"].get(row["figure"])
        limit = f">= {row['least']}" if "least" in row else f"<= {row['most']}"
        lack = f", but {row['short']}" if row["short"] else ""
        print(f"{row['verdict']:12s} {row['what']:55s} {'-' if figure is None else figure['value']} (target {limit}){lack}")
    print(report["tally"])
    for part, reasons in report["missing"].items():
        print(f"{part}:", *reasons)
    print(f"wrote {a.out / 'report.json'} and {a.out / 'report.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
