"""Several proposals for one photo, and who chooses among them: tone encoders of different runs beside each other.

    python -m veraretouch.eval.proposals --tones base=W/tone/last.pt photo=W/tone-photo/last.pt --renderer W/renderer/last.pt \
        --preference W/preference/last.pt --data DATA --work WORK [--out FILE.json]

Every encoder's own latents (what photos' tokens carry) are rendered on the FiveK development pairs and on the perturbed test
photos (`eval.benches`). Beside them: the mean of the pictures, the picture that the preference model scores highest, and the
one nearest to the target, which is the ceiling of any chooser.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
import torch.nn.functional as F

from ..data.features import INPUT_SIZE
from ..data.files import DataError, write_json
from ..models.preference import load_preference
from ..models.tone import ToneEncoder
from ..train.tone import load_networks
from .benches import Benches
from .fivek import load_pairs
from .metrics import delta_e, psnr

PREFIX = "vision.tone."
CHOSEN = ("mean", "preferred", "nearest")


def load_tone(path: Path) -> ToneEncoder:
    """The averaged tone encoder of a checkpoint of stage 2 or later. Raises DataError when it has none."""
    try:
        state = torch.load(path, weights_only=True, map_location="cpu")["average"]
    except (OSError, KeyError) as cause:
        raise DataError(f"{path} is no checkpoint of stage 2 ({cause}). Nothing was measured.") from cause
    own = {name.removeprefix(PREFIX): value for name, value in state.items() if name.startswith(PREFIX)}
    if not own:
        raise DataError(f"{path} has no tone encoder. Nothing was measured; name a run whose layout has one.")
    first, hidden = own["trunk.0.weight"], own["mix.0.bias"]
    tone = ToneEncoder(len(first), len(hidden), len(own["direct.bias"]) // 3, fine=first.shape[-1] == 8)
    tone.load_state_dict(own)
    return tone.eval().requires_grad_(False)


def render(renderer, picture: torch.Tensor, latents: torch.Tensor) -> torch.Tensor:
    """picture [H, W, 3], latents [1, 3, D] -> [H, W, 3] in [0, 1]."""
    return torch.cat([renderer(part[None], latents)[0] for part in picture.reshape(-1, 3).split(65536)]).view_as(picture).clamp(0, 1)


@torch.no_grad()
def compare(before: torch.Tensor, target: torch.Tensor, outs: dict[str, torch.Tensor], score) -> dict[str, dict[str, float]]:
    """Figures of one photo for every proposal and every way to choose; pictures [H, W, 3], `score` on [B, 3, H, W]."""
    pictures = list(outs.values())
    distance = [float((out - target).square().mean()) for out in pictures]
    likes = score(torch.stack([out.permute(2, 0, 1) for out in pictures]))
    outs = outs | {
        "mean": torch.stack(pictures).mean(0), "preferred": pictures[int(likes.argmax())],
        "nearest": pictures[distance.index(min(distance))],
    }  # fmt: skip
    quality = lambda x: min(50.0, psnr(x[None].permute(0, 3, 1, 2), target[None].permute(0, 3, 1, 2)).item())
    nothing, away = quality(before), delta_e(before[None], target[None]).item()
    return {
        name: {"psnr": quality(out), "gain": quality(out) - nothing, "overEdited": float(delta_e(out[None], target[None]).item() > away)}
        for name, out in outs.items()
    }


def means(rows: list[dict[str, dict[str, float]]]) -> dict[str, dict[str, float]]:
    """Method -> means of its figures over photos."""
    return {
        name: {key: round(sum(row[name][key] for row in rows) / len(rows), 4) for key in rows[0][name]} | {"photos": len(rows)}
        for name in rows[0]
    }


@torch.no_grad()
def measure(tones: dict[str, ToneEncoder], renderer, score, data: Path, work: Path, count: int = 200) -> dict[str, dict]:
    """{"fivek", "uegan", "perturbed"} -> method -> means."""

    def proposals(picture: torch.Tensor) -> dict[str, torch.Tensor]:
        seen = F.adaptive_avg_pool2d(picture.permute(2, 0, 1)[None], INPUT_SIZE)
        return {name: render(renderer, picture, tone.direct_latents(seen)) for name, tone in tones.items()}

    pairs = load_pairs(data)
    rows = [compare(p.before, p.after, proposals(p.before), score) for p in pairs]
    benches = Benches(data, work)
    items = [benches.auto(i) for i in range(min(count, len(benches.table["auto"])))]
    return {
        "fivek": means(rows), "uegan": means([r for r, p in zip(rows, pairs, strict=True) if "uegan" in p.group]),
        "perturbed": means([compare(i.before, i.target, proposals(i.before), score) for i in items]),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tones", nargs="+", required=True, metavar="NAME=CHECKPOINT")
    parser.add_argument("--renderer", type=Path, required=True)
    parser.add_argument("--preference", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path, help="also write the table to this JSON file")
    parser.add_argument("--threads", type=int, default=1)
    a = parser.parse_args()
    torch.set_num_threads(a.threads)
    named = dict(one.split("=", 1) for one in a.tones if "=" in one)
    if len(named) != len(a.tones) or set(named) & set(CHOSEN):
        parser.error(f"--tones takes NAME=CHECKPOINT, each name once and none of {', '.join(CHOSEN)}")
    tones = {name: load_tone(Path(path)) for name, path in named.items()}
    found = measure(tones, load_networks(a.renderer).renderer, load_preference(a.preference).score, a.data, a.work)
    if a.out:
        write_json(a.out, found)
    for name in [*tones, *CHOSEN]:
        print(f"{name:12}", *(f"{part} {json.dumps(row[name])}" for part, row in found.items()))


if __name__ == "__main__":
    main()
