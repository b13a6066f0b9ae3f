"""Parts whose target is the develop engine or a known operation: Param, factor masks (Table 6), Reference."""

from __future__ import annotations

from itertools import product

import torch

from ...engine.develop import develop
from ...engine.params import apply_mask, factor_mask
from ..metrics import delta_e, l1, psnr
from .pictures import CAP, COLUMNS, measure
from .results import Column, Part
from .subject import Context, grid

_COLUMNS = {k: COLUMNS[k] for k in ("psnr", "p10", "l1", "deltaE", "ssim", "gmsd", "stLpips")}
WHOLE = ("ssim", "gmsd", "stLpips")
FACTORS = ("light", "global colour", "specific colour")


def pointwise(out: torch.Tensor, target: torch.Tensor) -> dict[str, float]:
    """Colours [N, 3] -> the figures that need no neighbours."""
    a, b = out[None], target[None]
    return {"psnr": min(CAP, psnr(a, b).item()), "l1": l1(a, b).item(), "deltaE": delta_e(a, b).item()}


def _fill(part: Part, row: str, measured: list[dict[str, float]], columns) -> None:
    for column in columns:
        source = "psnr" if column == "p10" else column
        part.add(row, column, [m[source] for m in measured if source in m], "p10" if column == "p10" else "mean")


@torch.no_grad()
def param(context: Context) -> Part:
    """Settings through the language model, and through the parameter head that drives live sliders."""
    part = Part("param", "Param: 38 settings, the develop engine is the target", {
        "model": "through the language model", "head": "through the parameter head", "nothing": "nothing"
    }, _COLUMNS, notes=[
        "Random settings on test photos. PSNR, L1 and dE2000 over every fourth pixel in both directions (4,096 colours a photo); "
        "SSIM, GMSD and ST-LPIPS over whole pictures of the first photos only.",
    ])  # fmt: skip
    items = context.param()
    results = context.param_answers(items)
    models, perceptual = context.subject.models, context.config["perceptual"]
    measured = {row: [] for row in part.rows}
    for i, (item, result) in enumerate(zip(items, results, strict=True)):
        before = grid(item.before)
        target = develop(before[None], item.params[None])[0]
        head = models.param_head(item.params[None])[0] * factor_mask(item.params[None])[0, :, None]
        latents = {"model": result.latents, "head": head}
        rows = {row: pointwise(context.subject.render(before, z), target) for row, z in latents.items()}
        rows["nothing"] = pointwise(before, target)
        if i < perceptual:
            whole = develop(item.before.view(1, -1, 3), item.params[None])[0].view(item.before.shape)
            outs = {row: context.subject.render(item.before, z) for row, z in latents.items()} | {"nothing": item.before}
            for row, out in outs.items():
                figures = measure(out, whole, item.before, context.tools, True)
                rows[row] |= {k: figures[k] for k in WHOLE if k in figures}
        for row, figures in rows.items():
            measured[row].append(figures)
    for row, figures in measured.items():
        _fill(part, row, figures, _COLUMNS)
    return part


@torch.no_grad()
def masks(context: Context) -> Part:
    """Table 6: settings of all three factors, rendered with some factors' latents only, against the engine with only those."""
    columns = {
        "head": Column("parameter head, PSNR", "dB"), "headP10": Column("the same, 10 %", "dB"),
        "encoded": Column("encoded from the pair, PSNR", "dB"), "encodedP10": Column("the same, 10 %", "dB"),
        "nothing": Column("doing nothing, PSNR", "dB", 2, 0),
    }  # fmt: skip
    part = Part("masks", "Factor masks (the paper's Table 6): some factors' latents, the others zero", {}, columns, notes=[
        "Settings that touch all three factors. The latents come from the settings (parameter head) or from the pair before and after "
        "all of them (encoder); then those of the factors left out are set to 0. The target is the develop engine with only the settings of "
        "the factors kept, on the same photo. The paper reports 28.1 to 30.7 dB on its own set; its operations are not ours.",
    ])  # fmt: skip
    subject, kept = context.subject, [m for m in product((1.0, 0.0), repeat=3) if any(m)]
    kept.sort(key=sum)
    names = {m: " + ".join(f for f, on in zip(FACTORS, m, strict=True) if on) for m in kept}
    keys = {m: "".join(letter for letter, on in zip("LGS", m, strict=True) if on) for m in kept}
    part.rows = {keys[m]: names[m] if sum(m) < 3 else "all three" for m in kept}
    measured: dict[tuple[str, str], list[float]] = {}
    for number in context.numbers("masks"):
        item = context.benches.param(context.benches.table["masks"][number])
        whole, params = item.before, item.params[None]
        after = develop(whole.view(1, -1, 3), params)[0].view(whole.shape)
        routes = {"head": subject.models.param_head(params)[0], "encoded": subject.encode(whole, after)}
        before = grid(whole)
        for m in kept:
            mask = torch.tensor(m)
            target = develop(before[None], apply_mask(params, mask[None]))[0]
            outs = {route: subject.render(before, z * mask[:, None]) for route, z in routes.items()} | {"nothing": before}
            for route, out in outs.items():
                measured.setdefault((keys[m], route), []).append(min(CAP, psnr(out[None], target[None]).item()))
    for (row, route), values in measured.items():
        part.add(row, route, values)
        if route != "nothing":
            part.add(row, f"{route}P10", values, "p10")
    return part


@torch.no_grad()
def reference(context: Context) -> Part:
    """A pair is encoded, and the retouch repeated on another photo."""
    columns = {k: COLUMNS[k] for k in ("psnr", "p10", "l1", "deltaE")}
    part = Part("reference", "Reference: a retouch read from a pair, repeated on another photo", {}, columns, notes=[
        "Pairs of test photos and unseen operations (60 % settings, 20 % presets, 20 % film looks). The encoder sees the first photo "
        "before and after; measured is the second one (every fourth pixel in both directions) against the same operation.",
    ])  # fmt: skip
    subject, benches = context.subject, context.benches
    part.rows = {"model": "this model", "nothing": "nothing"}
    measured: dict[str, list[dict]] = {}
    for number in context.numbers("reference"):
        entry = benches.table["reference"][number]
        operation = benches.operation(entry)
        photo, other = (benches.photo(entry[k]).float() / 255 for k in ("photo", "other"))
        after = operation(photo.view(-1, 3)).view(photo.shape)
        # As files are.
        latents = subject.encode(photo, (after * 255).round() / 255)
        before = grid(other)
        target = operation(before)
        kind = "params" if "params" in entry else entry["look"].split("/")[0]
        label = {"params": "settings", "preset": "presets", "film": "film looks"}[kind]
        part.rows[f"model@{kind}"] = f"this model, {label}"
        figures = pointwise(subject.render(before, latents), target)
        for row in ("model", f"model@{kind}"):
            measured.setdefault(row, []).append(figures)
        measured.setdefault("nothing", []).append(pointwise(before, target))
    for row, figures in measured.items():
        _fill(part, row, figures, columns)
    return part
