"""Prompt fidelity: the share of what instructions ask for that happened, measured on the pixels of test photos.

    python -m veraretouch.eval.prompts --bundle models [--reference WORK/reference.pt] --work WORK [--photos 8] [--out FILE.json]
    python -m veraretouch.eval.prompts --engine --work WORK          what the develop engine itself reaches: the ceiling
    python -m veraretouch.eval.prompts --draw --work WORK            draws data/prompts.json anew

data/prompts.json lists the instructions: all voices of `data.voices`, degrees, restrictions, half of them in words kept out of
training, each with the axes it asks for, the limits it sets, and engine settings that do it. An asked movement happened
when the pixels moved that way by more than half of the axis' dead zone. A wish for one hue is judged on the photos on
which the engine with those settings shows it: there is no bluer sky where there is no blue.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import torch

from ..data.files import TABLES, DataError, read_json, write_json
from ..data.photos import load_photos
from ..data.spoken import LEAST
from ..data.voices import DEGREES
from ..engine.develop import develop
from ..engine.params import INDEX
from ..reasoning.axes import AXES, effect
from ..reasoning.measure import Change, Pixels, change

# (pictures [B, 3, H, W] in [0, 1], one text each) -> retouched pictures of the same shape
Render = Callable[[torch.Tensor, list[str]], torch.Tensor]
PROMPTS = TABLES / "prompts.json"
MEASURED = 4096


def load_prompts(path: Path = PROMPTS) -> list[dict]:
    """The instructions with "text", "voice", "unseen", "asked" [[axis, direction]], "limits" [[axis, direction, most]],
    "settings", and "ladder" and "degree" for those that differ from each other in degree alone."""
    prompts = read_json(path, "It is part of the project; restore it or draw it with --draw.")
    for prompt in prompts:
        if unknown := [axis for axis, *_ in prompt["asked"] + prompt["limits"] if axis not in AXES]:
            raise DataError(f"{path.name}: {prompt['text']!r} names the unknown axis {unknown[0]!r}. Nothing was measured; mend the file.")
    return prompts


def settings_of(prompt: dict) -> torch.Tensor:
    """[38] engine parameters of a prompt."""
    params = torch.zeros(38)
    for name, value in prompt["settings"].items():
        params[INDEX[name]] = value
    return params


def _moved(shown: Change, axis: str, direction: int) -> bool:
    return direction * effect(shown, axis) > LEAST * AXES[axis].dead


def engine_render(prompts: list[dict]) -> Render:
    """Each text rendered by the develop engine with the settings of its prompt."""
    settings = {prompt["text"]: settings_of(prompt) for prompt in prompts}

    def render(pictures: torch.Tensor, texts: list[str]) -> torch.Tensor:
        flat = pictures.flatten(2).transpose(1, 2)
        out = develop(flat, torch.stack([settings[text] for text in texts])).clamp(0, 1)
        return out.transpose(1, 2).reshape(pictures.shape)

    return render


class _Tally:
    """Hits and counts per key and photo, and from them shares with standard errors in which a photo is one draw."""

    def __init__(self, photos: int):
        self.photos = photos
        self.table: dict[str, torch.Tensor] = {}

    def add(self, key: str, photo: int, hit: bool) -> None:
        counts = self.table.setdefault(key, torch.zeros(2, self.photos, dtype=torch.float64))
        counts[0, photo] += hit
        counts[1, photo] += 1

    def result(self, key: str) -> dict[str, float | None]:
        """{"share", "error", "count"}; the error is that of a ratio estimate over clusters (Cochran 1977, section 2.11), None for
        one photo."""
        hits, counts = self.table[key]
        total, photos = float(counts.sum()), int((counts > 0).sum())
        share = float(hits.sum()) / total
        spread = float((hits - share * counts).square().sum())
        error = round((spread * photos / (photos - 1)) ** 0.5 / total, 4) if photos > 1 else None
        return {"share": round(share, 4), "error": error, "count": int(total)}

    def results(self, prefix: str) -> dict[str, dict[str, float]]:
        return {key.removeprefix(prefix): self.result(key) for key in sorted(self.table) if key.startswith(prefix)}


def _ladder(sizes: dict[str, dict[str, list[float]]]) -> dict:
    """Ladder -> degree -> sizes per photo: the mean size by degree, and how often a stronger word did more."""
    steps, ordered = [], []
    means: dict[str, list[float]] = defaultdict(list)
    for degrees in sizes.values():
        ranked = [degree for degree in DEGREES if degree in degrees]
        for degree in ranked:
            means[degree] += degrees[degree]
        rows = list(zip(*(degrees[degree] for degree in ranked), strict=True)) if len(ranked) > 1 else []
        steps += [b > a for row in rows for a, b in pairwise(row)]
        ordered += [all(b > a for a, b in pairwise(row)) for row in rows]
    average = {degree: round(sum(values) / len(values), 3) for degree, values in sorted(means.items(), key=lambda item: list(DEGREES).index(item[0]))}
    return {
        "meanSize": average,  # in dead zones of the axis
        "monotone": all(b > a for a, b in pairwise(average.values())),
        "stepsInOrder": round(sum(steps) / len(steps), 4) if steps else None,
        "laddersInOrder": round(sum(ordered) / len(ordered), 4) if ordered else None,
    }


@torch.no_grad()
def fidelity(render: Render, prompts: list[dict], photos: torch.Tensor) -> dict:
    """Every prompt on every photo. photos: uint8 [B, H, W, 3] sRGB; prompts as `load_prompts` gives them.

    Returns shares with standard errors: "asked" (all movements asked for), "limits", "whole" (all that one instruction asked
    for on one photo, limits included), "seen", "unseen", by "axis" with its direction, by "voice", "degrees", and per prompt.
    Raises DataError when `render` gives another shape or values that are no colours.
    """
    pictures = photos.permute(0, 3, 1, 2).float() / 255
    pixels = photos.shape[1] * photos.shape[2]
    where = torch.randperm(pixels, generator=torch.Generator().manual_seed(0))[: min(MEASURED, pixels)]

    def taken(images: torch.Tensor) -> torch.Tensor:
        return images.flatten(2)[:, :, where].transpose(1, 2)

    before = [Pixels(rgb) for rgb in taken(pictures)]
    tally, ladders = _Tally(len(photos)), {}
    for number, prompt in enumerate(prompts):
        out = render(pictures, [prompt["text"]] * len(photos))
        if out.shape != pictures.shape or not torch.isfinite(out).all():
            raise DataError(f"The renderer gave {tuple(out.shape)} for {prompt['text']!r}, not finite pictures of {tuple(pictures.shape)}. Nothing was measured.")
        # An effect on one hue needs the hue, and room to move it.
        banded = any("." in axis for axis, _ in prompt["asked"])
        settings = settings_of(prompt)[None]
        for photo, rgb in enumerate(taken(out).clamp(0, 1)):
            shown = change(before[photo], Pixels(rgb))
            can = change(before[photo], Pixels(develop(before[photo].rgb[None], settings)[0].clamp(0, 1))) if banded else None
            hits = []
            for axis, direction in prompt["asked"]:
                if "." in axis and not _moved(can, axis, direction):
                    continue
                hits.append(_moved(shown, axis, direction))
                sign = "+" if direction > 0 else "-"
                for key in ("asked", f"axis {axis}{sign}", f"voice {prompt['voice']}", "unseen" if prompt["unseen"] else "seen"):
                    tally.add(key, photo, hits[-1])
            for axis, direction, most in prompt["limits"]:
                kept = direction * effect(shown, axis) <= most
                tally.add("limits", photo, kept)
                hits.append(kept)
            if hits:
                tally.add("whole", photo, all(hits))
                tally.add(f"prompt {number}", photo, all(hits))
            if "ladder" in prompt:
                axis, direction = prompt["asked"][0]
                degrees = ladders.setdefault(prompt["ladder"], {})
                degrees.setdefault(prompt["degree"], []).append(direction * effect(shown, axis) / AXES[axis].dead)
    report = {key: tally.result(key) for key in ("asked", "limits", "whole", "seen", "unseen") if key in tally.table}
    report |= {"axis": tally.results("axis "), "voice": tally.results("voice ")}
    if ladders:
        report["degrees"] = _ladder(ladders)
    per = tally.results("prompt ")
    report["prompts"] = [{"text": p["text"], **per[str(n)]} for n, p in enumerate(prompts) if str(n) in per]
    return report


def reference_render(models, dialogue) -> Render:
    """The PyTorch networks of a reference file as a renderer of instructions."""
    from ..export.reference import generate_many

    def render(pictures: torch.Tensor, texts: list[str]) -> torch.Tensor:
        results = generate_many(models.vlm, dialogue, "style", images=pictures, instructions=texts)
        latents = torch.stack([torch.as_tensor(result.latents) for result in results])
        flat = pictures.flatten(2).transpose(1, 2)
        return torch.cat([models.renderer(f[None], z[None]) for f, z in zip(flat, latents)]).transpose(1, 2).reshape(pictures.shape)

    return render


def bundle_render(folder: Path) -> Render:
    """A bundle's own graphs in onnxruntime: what ships, one answer after the other."""
    from ..export.runner import BundleRunner

    runner = BundleRunner(folder)

    def render(pictures: torch.Tensor, texts: list[str]) -> torch.Tensor:
        out = []
        for picture, text in zip(pictures.permute(0, 2, 3, 1), texts):
            result = runner.generate("style", (picture * 255).round().to(torch.uint8).numpy(), text)
            out.append(torch.from_numpy(runner.render(picture.reshape(-1, 3).numpy(), result.latents)).view(picture.shape))
        return torch.stack(out).permute(0, 3, 1, 2)

    return render


def spread(photos: torch.Tensor, count: int) -> torch.Tensor:
    """`count` photos, evenly from all."""
    return photos[torch.linspace(0, len(photos) - 1, min(count, len(photos))).round().long()]


def show(report: dict) -> None:
    """Prints the shares by part, then the instructions that did worst."""
    rows = {key: report[key] for key in ("asked", "limits", "whole", "seen", "unseen") if key in report}
    rows |= {f"{part} {name}": row for part in ("axis", "voice") for name, row in report[part].items()}
    for name, row in rows.items():
        error = "" if row["error"] is None else f" ± {100 * row['error']:.1f}"
        print(f"{name:24s} {100 * row['share']:5.1f} %{error} of {row['count']}")
    print("degrees", json.dumps(report.get("degrees")))
    for row in sorted(report["prompts"], key=lambda row: row["share"])[:20]:
        print(f"  {100 * row['share']:5.1f} % of {row['count']:3d}  {row['text']}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="folder with the photo cache")
    parser.add_argument("--bundle", type=Path, help="folder of a bundle, run as it is")
    parser.add_argument("--reference", type=Path, help="the bundle's networks in PyTorch, which are faster in batches")
    parser.add_argument("--engine", action="store_true", help="measure the develop engine instead of a model")
    parser.add_argument("--draw", action="store_true", help="draw data/prompts.json anew")
    parser.add_argument("--photos", type=int, default=8)
    parser.add_argument("--every", type=int, default=1, help="take every n-th instruction only")
    parser.add_argument("--out", type=Path, help="also write the report to this JSON file")
    a = parser.parse_args()
    torch.set_num_threads(1)
    if a.draw:
        from .prompts_draw import draw

        write_json(PROMPTS, draw(spread(load_photos(a.work, "val")[0], 30)))
    prompts = load_prompts()[:: a.every]
    if a.engine:
        render = engine_render(prompts)
    elif a.reference and a.bundle:
        from ..export.runner import dialogue_of

        models = torch.load(a.reference, weights_only=False)
        render = reference_render(models, dialogue_of(a.bundle, json.loads((a.bundle / "bundle.json").read_text())))
    elif a.bundle:
        render = bundle_render(a.bundle)
    elif a.draw:
        print(f"{len(prompts)} instructions, {sum(p['unseen'] for p in prompts)} in unseen words")
        return
    else:
        parser.error("give --bundle, or --engine, or --draw")
    report = fidelity(render, prompts, spread(load_photos(a.work, "test")[0], a.photos))
    if a.out:
        write_json(a.out, report)
    show(report)


if __name__ == "__main__":
    main()
