"""Checkpoints side by side, SFT against DAPO-AE: what their own answers to held-out examples are worth.

Per task: PSNR, how often the preference model puts the rendering above its input (pictures only), agreement of plans with
pixels and how much they announce, well-formed answers, and the statistics a gamed reward would move.

    python -m veraretouch.eval.compare --checkpoints rsft dapo --config training/configs/dapo.toml --data DATA --work WORK \
        --out FILE.json --table FILE.md
"""

from __future__ import annotations

import json
from pathlib import Path

import torch

from ..data.files import DataError, write_json, write_whole
from ..models.preference import load_preference
from ..train.common import read_config, stage_arguments
from ..train.examples import split_of
from ..train.guard import figures_of, held_out_rows
from ..train.rewards import Judge
from ..train.tone import load_networks
from ..train.vlm import load_answering

# Column, figure, digits.
COLUMNS = (
    ("PSNR", "psnr", 2), ("do nothing", "nothing", 2), ("1 - L1", "similarity", 4), ("histogram", "histogram", 4),
    ("preferred to input", "wins", 3), ("gain", "gain", 2), ("agreement", "agreement", 3), ("claims", "claims", 2),
    ("well-formed", "well_formed", 3), ("tokens", "length", 1), ("L*", "lightness", 1), ("contrast", "contrast", 1),
    ("chroma", "chroma", 1), ("clipped", "clipped", 4),
)  # fmt: skip


def table_of(found: dict[str, dict[str, dict]]) -> str:
    """Checkpoint -> task -> figures, as one Markdown table; the rows of a task stand together."""
    lines = ["| task | checkpoint | " + " | ".join(name for name, _, _ in COLUMNS) + " |", "| --- " * (len(COLUMNS) + 2) + "|"]
    for task in next(iter(found.values())):
        for name, tasks in found.items():
            cells = [f"{tasks[task][key]:.{digits}f}" if key in tasks[task] else "-" for _, key, digits in COLUMNS]
            lines.append(f"| {task} | {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def checkpoint_path(work: Path, name: str) -> Path:
    """A stage's name, or a file."""
    path = work / name / "last.pt"
    if not path.exists():
        path = Path(name)
    if not path.is_file():
        raise DataError(f"There is no checkpoint {name}, neither as a file nor as {work / name / 'last.pt'}. Nothing was compared.")
    return path


def compare(config: dict, work: Path, names: list[str], split: str, count: int, device: str = "cpu") -> dict[str, dict[str, dict]]:
    """Checkpoint -> task -> figures (`train.guard.summarise`)."""
    nets = load_networks(work / config["renderer"]).to(device)
    shards = split_of(config, work, split)
    judge = Judge(
        nets.renderer, shards, load_preference(work / config["preference"]).to(device), device, config["longest"], config["buffer"]
    )
    rows, found = held_out_rows(shards, count), {}
    for name, path in [(name, checkpoint_path(work, name)) for name in names]:
        model, dialogue, _ = load_answering(path, nets, work)
        found[name] = figures_of(model.to(device), dialogue, shards, judge, rows, config.get("half", False))
    return found


def main() -> None:
    parser = stage_arguments(__doc__.splitlines()[0])
    parser.add_argument("--checkpoints", nargs="+", required=True, help="stages (WORK/NAME/last.pt) or files")
    parser.add_argument("--split", default="val", choices=("val", "test"))
    parser.add_argument("--count", type=int, default=128, help="held-out examples per task")
    parser.add_argument("--out", type=Path, help="write the figures to this JSON file")
    parser.add_argument("--table", type=Path, help="write the table to this Markdown file")
    a = parser.parse_args()
    torch.set_num_threads(a.threads or 2)
    found = compare(read_config(a.config), a.work, a.checkpoints, a.split, a.count, a.device)
    table = table_of(found)
    if a.out:
        write_json(a.out, {"split": a.split, "count": a.count, "checkpoints": found})
    if a.table:
        write_whole(a.table, lambda stream: stream.write(table.encode()))
    print(json.dumps(found))
    print(table)


if __name__ == "__main__":
    main()
