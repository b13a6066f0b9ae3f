"""What the preference model knows of photos it never saw: accuracy per kind of pair, beside two rules anyone could write.

Kinds: degraded test photos, every over-edit of training and those kept from it (`UNSEEN`), the expert-C peer's retouch over a
dull photo, and the FiveK pairs (expert over input; never trained on). And the ruler: along saturation and exposure the mean
score of good photos must be highest near no change.

    python -m veraretouch.eval.preference --checkpoint WORK/preference/last.pt --data DATA --work WORK --out FILE.json --plot FILE.png
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import torch
from torch.nn import functional

from ..data.degrade import broad_params, raw_params
from ..data.files import write_json, write_whole
from ..data.overedit import AXES, SEEN, UNSEEN, over_edit
from ..data.peer import Peer
from ..data.photos import load_photos
from ..engine.color import srgb_to_lab
from ..engine.develop import develop
from ..models.preference import SIZE, Preference, load_preference
from ..train.common import psnr_per_image
from .fivek import load_pairs

# Nearer than this a person would not see which is which.
VISIBLE = 30.0
SHARES = (0.3, 0.65, 1.0)


def mean_chroma(rgb: torch.Tensor) -> torch.Tensor:
    """Mean CIE chroma [B] of pictures [B, 3, H, W]."""
    return srgb_to_lab(rgb.flatten(2).transpose(1, 2))[..., 1:].norm(dim=-1).mean(1)


def nearness_to_middle(rgb: torch.Tensor) -> torch.Tensor:
    """Minus the distance of the mean L* from 50."""
    return -(srgb_to_lab(rgb.flatten(2).transpose(1, 2))[..., 0].mean(1) - 50).abs()


def accuracy(judge: Callable[[torch.Tensor], torch.Tensor], better: torch.Tensor, worse: torch.Tensor) -> dict[str, float]:
    """Share of pairs in which the better one scores higher (a tie counts half), and its standard error."""
    margin = judge(better) - judge(worse)
    share = float(((margin > 0).float() + 0.5 * (margin == 0)).mean())
    # Of no failures in n the usual formula claims certainty; the estimate with one success and failure added does not.
    smooth = (share * len(margin) + 1) / (len(margin) + 2)
    return {"right": round(share, 4), "error": round((smooth * (1 - smooth) / len(margin)) ** 0.5, 4)}


def per_photo(photos: torch.Tensor, function: Callable[[int, torch.Tensor], torch.Tensor]) -> torch.Tensor:
    """function(number, colours [N, 3]) -> colours, on every photo [B, 3, H, W]; rounded to 8 bits as files are."""
    flat = photos.flatten(2).transpose(1, 2)
    out = torch.stack([function(i, colours) for i, colours in enumerate(flat)])
    return ((out * 255).round() / 255).transpose(1, 2).unflatten(2, photos.shape[2:])


def small(pictures: torch.Tensor) -> torch.Tensor:
    return functional.interpolate(pictures, (SIZE, SIZE), mode="area")


def make_pairs(photos: torch.Tensor, peer: Peer, seed: int = 0) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    """Kind -> (better, worse) pictures [n, 3, S, S]; strengths cycle through SHARES."""
    pairs = {}

    def add(kind: str, better: torch.Tensor, worse: torch.Tensor) -> None:
        seen = psnr_per_image(better, worse) < VISIBLE
        pairs[kind] = better[seen], worse[seen]

    def developed(draw: Callable[[torch.Generator], torch.Tensor]) -> torch.Tensor:
        generators = [torch.Generator().manual_seed(seed + i) for i in range(len(photos))]
        return per_photo(photos, lambda i, rgb: develop(rgb[None], draw(generators[i])[None])[0])

    dull = developed(raw_params)
    add("degraded.raw", photos, dull)
    add("degraded.broad", photos, developed(broad_params))
    retouched = peer.apply(dull.flatten(2).transpose(1, 2), peer.weights(dull)).transpose(1, 2).unflatten(2, dull.shape[2:])
    add("peer.retouch", retouched, dull)
    for group, kinds in (("seen", SEEN), ("unseen", UNSEEN)):
        for kind in kinds:
            changed = per_photo(
                photos,
                lambda i, rgb, kind=kind: over_edit(kind, SHARES[i % len(SHARES)], torch.Generator().manual_seed(seed + i))(rgb),
            )
            add(f"{group}.{kind}", photos, changed)
    return pairs


def ruler(model: Preference, photos: torch.Tensor) -> dict[str, dict]:
    """Axis -> values, mean score less that of the untouched photo, its standard error, and the value of the highest mean."""
    table = {}
    for axis, (function, values) in AXES.items():
        scores = torch.stack(
            [model.score(per_photo(photos, lambda i, rgb, v=v, f=function: f(rgb, v) if v else rgb)) for v in values]
        )
        gain = scores - scores[values.index(0)]
        means, best = gain.mean(1), scores.argmax(0)
        table[axis] = {
            "values": list(values),
            "gain": [round(x, 3) for x in means.tolist()],
            "error": [round(x, 3) for x in (gain.std(1) / len(photos) ** 0.5).tolist()],
            "peak": values[int(means.argmax())],
            "peaks": {str(v): int((best == i).sum()) for i, v in enumerate(values)},
        }
    return table


def plot(table: dict[str, dict], path: Path) -> None:
    """The ruler as a PNG, one panel an axis."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(1, len(table), figsize=(5 * len(table), 3.5), layout="constrained")
    for panel, (axis, row) in zip(panels, table.items(), strict=True):
        panel.errorbar(row["values"], row["gain"], yerr=row["error"], marker="o", capsize=3)
        panel.axvline(0, color="grey", linewidth=0.8)
        panel.set(xlabel="chroma factor - 1" if axis == "saturation" else "stops", ylabel="mean score less the photo's own", title=axis)
    write_whole(path, lambda stream: figure.savefig(stream, format="png", dpi=110))
    pyplot.close(figure)


@torch.no_grad()
def evaluate(model: Preference, data: Path, work: Path) -> dict:
    photos = small(load_photos(work, "test")[0].permute(0, 3, 1, 2).float() / 255)
    pairs = make_pairs(photos, Peer.load(data))
    fivek = load_pairs(data)
    for group in sorted({p.group for p in fivek}):
        sides = zip(*((p.after, p.before) for p in fivek if p.group == group), strict=True)
        pairs[f"fivek.{group}"] = tuple(torch.cat([small(x.permute(2, 0, 1)[None]) for x in side]) for side in sides)
    judges = {"model": model.score, "moreChroma": mean_chroma, "middleLightness": nearness_to_middle}
    table = {
        kind: {"pairs": len(better), **{name: accuracy(judge, better, worse) for name, judge in judges.items()}}
        for kind, (better, worse) in pairs.items()
    }
    means = {
        group: {name: round(sum(table[k][name]["right"] for k in kinds) / len(kinds), 4) for name in judges}
        for group in ("degraded", "seen", "unseen", "fivek")
        if (kinds := [k for k in table if k.startswith(f"{group}.")])
    }
    return {"photos": len(photos), "meanOfKinds": means, "kinds": table, "ruler": ruler(model, photos)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True, help="folder with fivek-dev and peers")
    parser.add_argument("--work", type=Path, required=True, help="folder with the photo cache")
    parser.add_argument("--out", type=Path, help="also write the figures to this JSON file")
    parser.add_argument("--plot", type=Path, help="draw the ruler into this PNG file (needs matplotlib)")
    parser.add_argument("--threads", type=int, default=1)
    a = parser.parse_args()
    torch.set_num_threads(a.threads)
    table = evaluate(load_preference(a.checkpoint), a.data, a.work)
    if a.out:
        write_json(a.out, table)
    if a.plot:
        plot(table["ruler"], a.plot)
    print(json.dumps({k: v for k, v in table.items() if k != "kinds"}))
    for kind, row in table["kinds"].items():
        print(f"{kind:24} {row['pairs']:4}", *(f"{n} {row[n]['right']:.3f}±{row[n]['error']:.3f}" for n in ("model", "moreChroma", "middleLightness")))


if __name__ == "__main__":
    main()
