"""Does the develop engine behave like one that photographers use? Its controls beside RawTherapee's, measured.

    python -m veraretouch.eval.rawtherapee_check --data DATA --work WORK

Six photos and a hue chart, side by side in one picture, go through RawTherapee (once per setting, one process) and
through our engine. For every control the direction of the measured change must agree on every photo; its size is
compared within the factor of `rawtherapee_controls`. Prints a table, writes WORK/rawtherapee.json and contact sheets
(photos as RawTherapee has them above, ours below) to WORK/rawtherapee/.
"""

from __future__ import annotations

import argparse
import math
import shutil
import statistics
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from ..data.files import DataError, read_json, write_json, write_whole
from ..engine.color import (
    linear_to_oklab,
    linear_to_srgb,
    oklab_to_linear,
    srgb_to_lab,
    srgb_to_linear,
)
from ..engine.color_controls import hue_weights
from ..engine.develop import develop
from ..engine.params import HUES, INDEX, PARAMETERS
from .rawtherapee_controls import FACTOR, Check, checks, profile

# Public names (see photos.json): skin, saturated primaries, dusk, muted violet, sea and sky, painted hats.
PHOTOS = (
    "imazen/codec-corpus/kodak/4.png", "imazen/codec-corpus/kodak/23.png",
    "gianni-rosato/gb82-image-set/png/sunset-lossless.png", "gianni-rosato/gb82-image-set/png/flowers-lossless.png",
    "imazen/codec-corpus/kodak/12.png", "imazen/codec-corpus/kodak/3.png",
)  # fmt: skip
TILE, GAP = 256, 16
# A change smaller than this (in units of L*a*b*, or degrees of hue) has no direction worth comparing.
NOISE = {"hue": 0.5}
NOISE_ELSE = 0.2
# A band is judged on a photo only where at least this many pixels belong to it clearly.
BAND_PIXELS, BAND_WEIGHT, BAND_CHROMA = 300, 0.6, 0.05


class OracleError(RuntimeError):
    """RawTherapee is missing or failed; no result was written."""


def hue_chart() -> torch.Tensor:
    """[TILE, TILE, 3] sRGB: hue from left to right, lightness from top to bottom, chroma 0.09 as far as the gamut goes."""
    angle = (torch.arange(TILE) + 0.5) * 2 * math.pi / TILE
    lightness = torch.linspace(0.85, 0.35, TILE)[:, None].expand(TILE, TILE)
    lab = torch.stack((lightness, 0.09 * angle.cos().expand(TILE, -1), 0.09 * angle.sin().expand(TILE, -1)), dim=-1)
    return linear_to_srgb(oklab_to_linear(lab).clamp(0, 1)).clamp(0, 1)


def mosaic(data: Path) -> np.ndarray:
    """uint8 [TILE, W, 3]: the photos, cropped to squares, and the chart, with grey gaps."""
    listed = read_json(data / "photos.json", "The photos belong into the data folder.")
    table = {entry["source"]: entry["file"] for entry in listed}
    strip = np.full((TILE, (TILE + GAP) * (len(PHOTOS) + 1), 3), 119, np.uint8)
    for i, source in enumerate(PHOTOS):
        if source not in table:
            raise DataError(f"photos.json lists no {source}. Nothing was changed; fetch that photo first.")
        with Image.open(data / "photos" / table[source]) as image:
            side = min(image.size)
            left, top = (image.width - side) // 2, (image.height - side) // 2
            box = (left, top, left + side, top + side)
            square = image.convert("RGB").resize((TILE, TILE), Image.Resampling.LANCZOS, box)
        strip[:, i * (TILE + GAP) : i * (TILE + GAP) + TILE] = np.array(square)
    strip[:, -TILE - GAP : -GAP] = (hue_chart() * 255).round().byte().numpy()
    return strip


def tiles(strip: torch.Tensor) -> list[torch.Tensor]:
    """[TILE, W, 3] -> the photos and the chart, each as colours [N, 3]."""
    return [strip[:, i * (TILE + GAP) :][:, :TILE].reshape(-1, 3) for i in range(len(PHOTOS) + 1)]


def run_rawtherapee(strip: np.ndarray, wanted: list[Check]) -> list[torch.Tensor]:
    """The strip under neutral settings, then under each check: float sRGB [TILE, W, 3]. Raises OracleError."""
    program = shutil.which("rawtherapee-cli")
    if program is None:
        raise OracleError("rawtherapee-cli is not installed. Nothing was written. Debian: apt-get install rawtherapee.")
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "in", Path(folder) / "out"
        source.mkdir()
        target.mkdir()
        for i, check in enumerate([None, *wanted]):
            Image.fromarray(strip).save(source / f"{i:03}.png")
            (source / f"{i:03}.png.pp3").write_text(profile(check))
        # -a: PNG is not among the formats that it reads without being told.
        # -S: each picture is developed with the profile beside it, so that one process does them all.
        pictures = sorted(str(path) for path in source.glob("*.png"))
        command = [program, "-q", "-Y", "-a", "-n", "-b8", "-S", "-o", str(target), "-c", *pictures]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        results = sorted(target.glob("*.png"))
        if done.returncode != 0 or len(results) != len(wanted) + 1:
            raise OracleError(
                f"RawTherapee developed {len(results)} of {len(wanted) + 1} pictures (exit code {done.returncode}). "
                f"Nothing was written. It said: {(done.stderr or done.stdout)[-800:]}"
            )
        return [torch.from_numpy(np.array(Image.open(path).convert("RGB"))).float() / 255 for path in results]


def ours(base: torch.Tensor, check: Check) -> torch.Tensor:
    """The develop engine on [H, W, 3], rounded to 8 bits as RawTherapee's result is."""
    params = torch.zeros(1, len(PARAMETERS))
    for name, value in check.ours.items():
        params[0, INDEX[name]] = value / 100
    out = develop(base.reshape(1, -1, 3), params).reshape(base.shape)
    return (out * 255).round() / 255


def _turn(before: torch.Tensor, after: torch.Tensor) -> torch.Tensor:
    """Signed angle in degrees between the hues of Oklab colours [N, 3]."""
    first, second = (torch.atan2(lab[:, 2], lab[:, 1]) for lab in (before, after))
    return torch.rad2deg(torch.remainder(second - first + math.pi, 2 * math.pi) - math.pi)


def measure(before: torch.Tensor, after: torch.Tensor, statistic: str) -> float | None:
    """Change of one statistic between two states of the same pixels [N, 3], or None where there is too little to see.

    lightness, spread (standard deviation), a, b, chroma: over all pixels, L*a*b*. darkTones, brightTones: mean L* of
    the darkest and the brightest third. mutedChroma: chroma of what has little but not none. "Band.hue" (degrees),
    "Band.chroma", "Band.lightness": over the pixels that clearly belong to a hue band.
    """
    first, second = srgb_to_lab(before), srgb_to_lab(after)
    chroma = [lab[:, 1:].norm(dim=1) for lab in (first, second)]
    if "." in statistic:
        band, quantity = statistic.split(".")
        oklab = [linear_to_oklab(srgb_to_linear(x)) for x in (before, after)]
        weight = hue_weights(torch.atan2(oklab[0][:, 2], oklab[0][:, 1]))[:, HUES.index(band)]
        inside = (weight > BAND_WEIGHT) & (oklab[0][:, 1:].norm(dim=1) > BAND_CHROMA)
        inside &= (first[:, 0] > 15) & (first[:, 0] < 90)
        if int(inside.sum()) < BAND_PIXELS:
            return None
        if quantity == "hue":
            return _turn(oklab[0][inside], oklab[1][inside]).median().item()
        change = chroma[1] - chroma[0] if quantity == "chroma" else second[:, 0] - first[:, 0]
        return change[inside].mean().item()
    delta = second - first
    if statistic == "spread":
        return (second[:, 0].std() - first[:, 0].std()).item()
    if statistic in ("darkTones", "brightTones"):
        bounds = first[:, 0].sort().values
        third = len(bounds) // 3
        inside = first[:, 0] <= bounds[third] if statistic == "darkTones" else first[:, 0] >= bounds[-third]
        return delta[inside, 0].mean().item()
    if statistic == "mutedChroma":
        inside = (chroma[0] > 4) & (chroma[0] < 25)
        return (chroma[1] - chroma[0])[inside].mean().item() if int(inside.sum()) >= BAND_PIXELS else None
    change = chroma[1] - chroma[0] if statistic == "chroma" else delta[:, {"lightness": 0, "a": 1, "b": 2}[statistic]]
    return change.mean().item()


def compare(base: torch.Tensor, theirs: torch.Tensor, mine: torch.Tensor, check: Check) -> list[dict]:
    """One row per statistic of a check: median changes over the pictures, agreement of directions, ratio of sizes."""
    rows = []
    for statistic in check.statistics:
        noise = NOISE.get(statistic.split(".")[-1], NOISE_ELSE)
        changes = [
            (measure(b, t, statistic), measure(b, m, statistic))
            for b, t, m in zip(tiles(base), tiles(theirs), tiles(mine), strict=True)
        ]
        seen = [(t, m) for t, m in changes if t is not None and m is not None and max(abs(t), abs(m)) > noise]
        row = {"control": check.name, "statistic": statistic, "ours": check.ours, "pictures": len(seen)}
        if seen:
            their_change, our_change = (statistics.median(pair[i] for pair in seen) for i in (0, 1))
            ratio = our_change / their_change if abs(their_change) > 1e-6 else math.inf
            row |= {
                "theirChange": round(their_change, 2), "ourChange": round(our_change, 2), "ratio": round(ratio, 2),
                "sameDirection": sum(t * m > 0 for t, m in seen), "withinFactor": bool(1 / FACTOR <= ratio <= FACTOR),
            }  # fmt: skip
        rows.append(row)
    return rows


def contact_sheets(base: torch.Tensor, results: list[tuple[Check, torch.Tensor, torch.Tensor]], folder: Path) -> list[Path]:
    """One PNG per group: the neutral strip, then for each check RawTherapee's strip and ours below it."""
    paths = []
    for group in dict.fromkeys(check.group for check, _, _ in results):
        strips = [base] + [s for check, theirs, mine in results if check.group == group for s in (theirs, mine)]
        divider = torch.full((6, base.shape[1], 3), 1.0)
        rows: list[torch.Tensor] = []
        for i, strip in enumerate(strips):
            rows += [strip, divider if i % 2 == 0 else divider[:2]]
        sheet = Image.fromarray((torch.cat(rows) * 255).round().byte().numpy())
        path = folder / f"{group}.png"
        write_whole(path, lambda stream, sheet=sheet: sheet.save(stream, format="PNG"))
        paths.append(path)
    return paths


@torch.no_grad()
def run(data: Path, work: Path) -> dict:
    wanted = checks()
    strip = mosaic(data)
    base, *developed = run_rawtherapee(strip, wanted)
    results = [(check, theirs, ours(base, check)) for check, theirs in zip(wanted, developed, strict=True)]
    rows = [row for check, theirs, mine in results for row in compare(base, theirs, mine, check)]
    seen = [row for row in rows if row["pictures"]]
    report = {
        "rawtherapee": "5.9", "photos": list(PHOTOS), "factor": FACTOR, "runs": len(developed) + 1,
        # RawTherapee's own neutral development against its input: what colour management alone does.
        "neutralMaxLevels": round(float((base - torch.from_numpy(strip).float() / 255).abs().max() * 255)),
        "rows": rows,
        "summary": {
            "statistics": len(seen), "pictures": sum(row["pictures"] for row in seen),
            "sameDirection": sum(row["sameDirection"] for row in seen),
            "withinFactor": sum(row["withinFactor"] for row in seen),
        },
    }  # fmt: skip
    contact_sheets(base, results, work / "rawtherapee")
    write_json(work / "rawtherapee.json", report)
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with photos and photos.json")
    parser.add_argument("--work", type=Path, required=True, help="folder for rawtherapee.json and the contact sheets")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    report = run(arguments.data, arguments.work)
    print(f"{'control':30}{'statistic':20}{'theirs':>8}{'ours':>8}{'ratio':>7}  direction")
    for row in report["rows"]:
        if not row["pictures"]:
            print(f"{row['control']:30}{row['statistic']:20}  nothing to measure")
            continue
        mark = "" if row["withinFactor"] else f"  size beyond {FACTOR:g}x"
        print(f"{row['control']:30}{row['statistic']:20}{row['theirChange']:8.2f}{row['ourChange']:8.2f}{row['ratio']:7.2f}"
              f"  {row['sameDirection']}/{row['pictures']}{mark}")  # fmt: skip
    print(report["summary"], f"neutral: at most {report['neutralMaxLevels']} levels from the input")


if __name__ == "__main__":
    main()
