"""RawTherapee's automatic mode as a baseline: "Auto Levels" of Debian's rawtherapee 5.9, on pictures in memory.

`[Exposure] Auto=true, Clip=0.02`: exposure compensation, black, contrast, lightness and highlight compression are chosen by
RawTherapee from the histogram, clipping 0.02 %, as its Auto Levels button does. Working space sRGB; nothing else is set.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from .rawtherapee_check import OracleError
from .rawtherapee_controls import Check, profile

AUTO = Check("auto levels", "", {}, {"Exposure": ("Auto=true", "Clip=0.02")}, ())
PROGRAM = "rawtherapee-cli"


def installed() -> bool:
    return shutil.which(PROGRAM) is not None


def auto_levels(pictures: Sequence[torch.Tensor], text: str | None = None) -> list[torch.Tensor]:
    """Pictures [H, W, 3] in [0, 1] -> the same, to 8 bits, in one process. text: another .pp3 in place of Auto Levels.

    Raises OracleError when the program is missing or gives fewer pictures than it got.
    """
    if not installed():
        raise OracleError(f"RawTherapee's automatic mode was not measured: {PROGRAM} is not installed (Debian: apt-get install rawtherapee).")
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "in", Path(folder) / "out"
        source.mkdir()
        target.mkdir()
        for i, picture in enumerate(pictures):
            Image.fromarray((picture * 255).round().to(torch.uint8).numpy()).save(source / f"{i:05}.png")
            (source / f"{i:05}.png.pp3").write_text(text or profile(AUTO))
        names = sorted(str(path) for path in source.glob("*.png"))
        # -a: read PNG too; -S: the profile beside each picture; -Y: overwrite; -n -b8: PNG of 8 bits.
        command = [PROGRAM, "-q", "-Y", "-a", "-n", "-b8", "-S", "-o", str(target), "-c", *names]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        results = sorted(target.glob("*.png"))
        if done.returncode != 0 or len(results) != len(names):
            raise OracleError(
                f"RawTherapee's automatic mode was not measured: it developed {len(results)} of {len(names)} pictures "
                f"(exit code {done.returncode}): {(done.stderr or done.stdout)[-300:]}"
            )
        return [torch.from_numpy(np.array(Image.open(path).convert("RGB"))).float() / 255 for path in results]
