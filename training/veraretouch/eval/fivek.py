"""The FiveK development pairs (input, expert C): loading them, and the table of baselines.

    python -m veraretouch.eval.fivek --data DATA [--out FILE.json]
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from ..data.files import DataError, read_json, write_json
from ..data.images import read_rgb
from ..data.peer import Peer
from .baselines import auto_contrast, do_nothing, histogram_equalisation, leave_one_out
from .metrics import delta_e, l1, psnr, ssim

FOLDER = "fivek-dev"


@dataclass(frozen=True)
class Pair:
    """One photo. before, after: sRGB [H, W, 3] float in [0, 1], same size. group: where the pair comes from."""

    name: str
    group: str
    before: torch.Tensor
    after: torch.Tensor


def _picture(folder: Path, name: str) -> torch.Tensor:
    files = sorted(folder.glob(f"{name}.*"))
    if len(files) != 1:
        raise DataError(f"{folder} holds {len(files)} files named {name}, not one. Nothing was changed; restore the folder.")
    return torch.from_numpy(read_rgb(files[0])).float() / 255


def load_pairs(data: Path) -> list[Pair]:
    """All pairs listed in `data`/fivek-dev/pairs.json. Raises DataError when one is missing or sizes differ."""
    folder = Path(data) / FOLDER
    pairs = []
    for entry in read_json(folder / "pairs.json", "The FiveK development pairs belong into the data folder."):
        before, after = (_picture(folder / side, entry["id"]) for side in ("input", "target"))
        if before.shape != after.shape:
            raise DataError(f"Input and target of {entry['id']} differ in size. Nothing was changed; restore the folder.")
        pairs.append(Pair(entry["id"], entry["set"], before, after))
    return pairs


def score(out: torch.Tensor, target: torch.Tensor) -> dict[str, float]:
    """[H, W, 3] twice -> PSNR, SSIM, mean CIEDE2000 and L1."""
    a, b = out[None], target[None]
    planes = (x.permute(0, 3, 1, 2) for x in (a, b))
    return {"psnr": psnr(a, b).item(), "ssim": ssim(*planes).item(), "deltaE": delta_e(a, b).item(), "l1": l1(a, b).item()}


def summarise(rows: list[dict[str, float]], groups: list[str]) -> dict[str, dict[str, float]]:
    """Per-photo figures and the group of each -> means over all photos and over each group."""

    def mean(chosen: list[dict[str, float]]) -> dict[str, float]:
        means = {key: sum(row[key] for row in chosen) / len(chosen) for key in chosen[0]}
        return {"count": len(chosen), **{key: round(v, 2 if key in ("psnr", "deltaE") else 4) for key, v in means.items()}}

    table = {"all": mean(rows)}
    for group in sorted(set(groups)):
        table[group] = mean([row for row, g in zip(rows, groups, strict=True) if g == group])
    return table


@torch.no_grad()
def baselines(pairs: list[Pair], peer: Peer) -> dict[str, dict]:
    """Method -> means and per-photo PSNR."""

    def peer_retouch(rgb: torch.Tensor) -> torch.Tensor:
        weights = peer.weights(rgb.permute(2, 0, 1)[None])
        return peer.apply(rgb.reshape(1, -1, 3), weights)[0].view_as(rgb)

    methods: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
        "nothing": do_nothing, "autoContrast": auto_contrast, "histogramEqualisation": histogram_equalisation,
        "imageAdaptive3dLut": peer_retouch,
    }  # fmt: skip
    rows = {name: [score(method(p.before), p.after) for p in pairs] for name, method in methods.items()}
    mapped = leave_one_out([(p.before, p.after) for p in pairs])
    rows["fixedQuadraticMap"] = [score(out, p.after) for out, p in zip(mapped, pairs, strict=True)]
    groups = [p.group for p in pairs]
    return {
        name: {**summarise(r, groups), "perPhoto": {p.name: round(x["psnr"], 2) for p, x in zip(pairs, r, strict=True)}}
        for name, r in rows.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with fivek-dev and peers")
    parser.add_argument("--out", type=Path, help="also write the table to this JSON file")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    table = baselines(load_pairs(arguments.data), Peer.load(arguments.data))
    if arguments.out:
        write_json(arguments.out, table)
    print(json.dumps(table, indent=1))


if __name__ == "__main__":
    main()
