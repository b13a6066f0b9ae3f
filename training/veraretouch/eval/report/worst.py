"""The worst answers as pictures with their reasoning: photo, answer, target, side by side."""

from __future__ import annotations

import base64
import io

import torch
from PIL import Image

from ..fivek import load_pairs
from .results import Part
from .subject import Context

SIDE = 256
QUALITY = 78


def chosen(parts: list[Part], count: int) -> list[dict]:
    """The cases of all parts by gain over doing nothing, the smallest first."""
    return sorted((c for part in parts for c in part.cases), key=lambda c: c["gain"])[:count]


def jpeg(picture: torch.Tensor, side: int = SIDE) -> str:
    """[H, W, 3] in [0, 1] -> data URL, its longer side at most `side`."""
    image = Image.fromarray((picture.clamp(0, 1) * 255).round().to(torch.uint8).numpy())
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode()


@torch.no_grad()
def sheet(context: Context, cases: list[dict]) -> list[dict]:
    """Cases with "pictures": data URLs of the photo, the answer, and the target."""
    pairs = {p.name: p for p in load_pairs(context.data)} if any(c["part"] == "fivek" for c in cases) else {}
    found = []
    for case in cases:
        if case["part"] == "fivek":
            before, target = pairs[case["name"]].before, pairs[case["name"]].after
        else:
            item = getattr(context.benches, case["part"])(int(case["name"].split()[1]))
            before, target = item.before, item.target
        out = context.subject.render(before, torch.tensor(case["latents"]))
        found.append({**case, "pictures": [jpeg(x) for x in (before, out, target)]})
    return found
