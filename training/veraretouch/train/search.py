"""Architecture search: variants trained for the same budget and judged by the same rule, so that the default is chosen by a plot.

    python -m veraretouch.train.search --config training/configs/search.toml --data DATA --work WORK [--only base,layers-4]
    python -m veraretouch.train.search --config training/configs/search.toml --data DATA --work WORK --retime
    python -m veraretouch.train.search --config training/configs/search.toml --data DATA --work WORK --plot [--out FOLDER]

Every variant goes through stages 2 to 4 (1 and 5 where the configuration says so) from the same examples and the same
networks of stage 1. Stages that variants have in common are trained once. WORK/NAME/variants/VARIANT.json holds a finished
variant's figures and is kept while nothing that went into it changes; a stopped search goes on where it was: a stage with
steps at its last checkpoint, one with minutes from its beginning. `--retime` measures the latency of what is finished anew,
where the machine did something else before. `--plot` writes search.png and search.md to --out; where `budget.align` has no
steps variants are perceptions alone, judged by stage 2's own figures, and there is only NAME.md.
"""

from __future__ import annotations

import io
import json
import shutil
import time
import traceback
from pathlib import Path

import torch

from ..data.files import read_json, write_json, write_whole
from ..eval.candidates import judge_candidate, time_candidate
from ..eval.front import perception_table, plot, table
from . import effect, renderer, tone, vlm
from .common import read_config, stage_arguments
from .retell import retell_split
from .variants import Job, SearchError, Variant, digest, inputs_of, jobs_of, read_bases, read_variants


def run_job(job: Job, data: Path, work: Path, device: str = "cpu", processes: int = 1) -> None:
    """Train one stage, or retell answers, unless its marker says that this is done."""
    marker = work / job.marker
    if marker.exists():
        return
    if job.minutes and (work / job.folder).exists():
        # Half of a stage that goes by the clock has had an unknown share of its schedule.
        shutil.rmtree(work / job.folder)
    began = time.time()
    print(f"{job.kind}: {job.folder}", flush=True)
    if job.kind == "retell":
        checkpoint = work / job.checkpoint if job.checkpoint else None
        for split, mix in (("train", job.mix), ("val", 0.0)):
            retell_split(job.config, work, split, mix, checkpoint, processes)
    elif job.kind == "renderer":
        renderer.train(job.config, data, work, device, job.minutes)
    elif job.kind == "tone":
        tone.train(job.config, work, data, device, job.minutes)
    elif job.kind == "effect":
        effect.train(job.config, work, device, job.minutes)
    else:
        vlm.train(job.config, work, device, job.minutes)
    write_json(marker, {"seconds": round(time.time() - began, 1)})


def result_path(search: dict, work: Path, variant: Variant) -> Path:
    return work / search["name"] / "variants" / f"{variant.name}.json"


def finished(path: Path, key: str) -> bool:
    """Whether a variant's figures are there, and of just this training and judging."""
    return path.exists() and read_json(path, "Delete it, and the variant is judged again.")["key"] == key


def last_record(log: Path) -> dict:
    """The last line of a stage's log: its figures on held-out photos."""
    return json.loads(log.read_text().splitlines()[-1])


def run_variant(search: dict, bases: dict, variant: Variant, inputs: dict, data: Path, work: Path, device: str = "cpu",
                processes: int = 1, deadline: float = float("inf")) -> bool:  # fmt: skip
    """Train and judge a variant, unless that is done; False when the deadline kept it from being finished."""
    jobs = jobs_of(search, bases, variant, inputs)
    checkpoint = work / jobs[-1].folder / "last.pt"
    path, key = result_path(search, work, variant), digest([(j.kind, j.folder) for j in jobs], search["judge"])
    if finished(path, key):
        print(f"{variant.name}: finished before", flush=True)
        return True
    for job in jobs:
        if time.time() > deadline:
            return False
        run_job(job, data, work, device, processes)
    if time.time() > deadline:
        return False
    if jobs[-1].kind == "tone":
        figures = {"perception": last_record(checkpoint.parent / "log.jsonl")}
    else:
        figures = judge_candidate(checkpoint, work, search["judge"])
    seconds = {f"{i} {j.kind}": read_json(work / j.marker, "Train the variant again.")["seconds"] for i, j in enumerate(jobs, 1)}
    write_json(path, {
        "key": key, "name": variant.name, "note": variant.note, "overrides": variant.overrides,
        "checkpoint": str(checkpoint.relative_to(work)), "seconds": seconds, "trainedSeconds": round(sum(seconds.values()), 1),
        **figures,
    })  # fmt: skip
    print(json.dumps({variant.name: figures}), flush=True)
    return True


def chosen(variants: list[Variant], only: str) -> list[Variant]:
    """The variants named in a list with commas, all where it is empty. Raises SearchError for a name that is none."""
    names = [name for name in only.split(",") if name]
    if unknown := set(names) - {v.name for v in variants}:
        raise SearchError(f"There is no variant {', '.join(sorted(unknown))}; there are {', '.join(v.name for v in variants)}. Nothing was trained.")
    return [v for v in variants if not names or v.name in names]


def search_all(config: Path, data: Path, work: Path, device: str, minutes: float, only: str = "", processes: int = 1) -> list[str]:
    """Run the variants of a configuration; returns the names of those that failed, with their errors printed. After `minutes`
    (0: no limit) no further stage begins."""
    search, bases = read_config(config), read_bases(config.parent)
    variants = read_variants(search)
    inputs = inputs_of(work, bases)
    for variant in variants:
        jobs_of(search, bases, variant, inputs)  # What is not set up right is said before anything is trained.
    deadline = time.time() + minutes * 60 if minutes else float("inf")
    failed = []
    for variant in chosen(variants, only):
        try:
            if not run_variant(search, bases, variant, inputs, data, work, device, processes, deadline):
                print(f"{variant.name}: not finished within {minutes:g} minutes; run the search again to go on", flush=True)
                break
        except Exception:
            # One variant that cannot be trained must not cost a night the others.
            traceback.print_exc()
            failed.append(variant.name)
    return failed


def collect(search: dict, work: Path) -> dict[str, dict]:
    """Variant -> figures of those that are finished, in the configuration's order. Raises SearchError when none is."""
    paths = {v.name: result_path(search, work, v) for v in read_variants(search)}
    found = {name: read_json(path, "Run the variant again.") for name, path in paths.items() if path.exists()}
    if not found:
        raise SearchError(f"No variant of {search['name']} is finished below {work}. Nothing was drawn; run the search first.")
    return found


def retime(search: dict, work: Path) -> None:
    """Latencies of all finished variants, one after the other; everything else stays. Perceptions have none. Raises SearchError when no
    variant is finished."""
    for name, one in collect(search, work).items():
        if "perception" in one:
            continue
        one |= time_candidate(work / one["checkpoint"], work, search["judge"])
        write_json(work / search["name"] / "variants" / f"{name}.json", one)
        print(f"{name}: {json.dumps(one['latency'])}", flush=True)


def write_plot(search: dict, work: Path, out: Path) -> None:
    """search.png and search.md of what is finished, or NAME.md of perceptions alone."""
    found = collect(search, work)
    if any("perception" in one for one in found.values()):
        text = perception_table(found)
        write_whole(out / f"{search['name']}.md", lambda stream: stream.write(text.encode()))
        print(text)
        return
    threads = [str(n) for n in search["judge"]["threads"]]
    png = io.BytesIO()
    plot(found, threads[-1]).save(png, "PNG", optimize=True)
    write_whole(out / "search.png", lambda stream: stream.write(png.getvalue()))
    text = table(found, threads)
    write_whole(out / "search.md", lambda stream: stream.write(text.encode()))
    print(text)


def main() -> None:
    parser = stage_arguments(__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="names of variants, with commas; all without it")
    parser.add_argument("--processes", type=int, default=1, help="processes that retell answers")
    parser.add_argument("--retime", action="store_true", help="measure the latency of what is finished; nothing is trained")
    parser.add_argument("--plot", action="store_true", help="draw what is finished; nothing is trained")
    parser.add_argument("--out", type=Path, help="folder of the plot and the table (WORK/NAME)")
    a = parser.parse_args()
    if a.threads:
        torch.set_num_threads(a.threads)
    search = read_config(a.config)
    if a.retime:
        return retime(search, a.work)
    if a.plot:
        write_plot(search, a.work, a.out or a.work / search["name"])
        return
    if failed := search_all(a.config, a.data, a.work, a.device, a.minutes, a.only, a.processes):
        raise SystemExit(f"failed: {', '.join(failed)}; the others are finished, run the search again for these")


if __name__ == "__main__":
    main()
