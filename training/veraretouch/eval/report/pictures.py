"""Parts that compare whole pictures with a target: FiveK pairs, perturbed photos (Auto), unseen looks (Style); baselines beside."""

from __future__ import annotations

import json
from collections.abc import Callable

import torch

from ...data.files import write_json
from ...data.peer import Peer
from ..baselines import auto_contrast
from ..fivek import load_pairs
from ..histograms import intersections
from ..metrics import delta_e, gmsd, l1, psnr, ssim
from ..rawtherapee_auto import auto_levels
from ..rawtherapee_check import OracleError
from .results import Column, Part
from .subject import Context, digest

# A look that leaves a photo as it is has no finite "do nothing" figure: all are cut at this many dB, as ever.
CAP = 50.0
COLUMNS = {
    "psnr": Column("PSNR", "dB"), "p10": Column("PSNR, 10 %", "dB"), "gain": Column("gain over doing nothing", "dB"),
    "ssim": Column("SSIM", "", 3), "l1": Column("L1", "", 4, -1), "deltaE": Column("dE2000", "", 2, -1),
    "gmsd": Column("GMSD", "", 4, -1), "histL": Column("Hist-L", "%"), "histC": Column("Hist-C", "%"),
    "histS": Column("Hist-S", "%"), "histM": Column("Hist-M", "%"), "stLpips": Column("ST-LPIPS", "", 4, -1),
    "preferred": Column("preferred to the input", "%", 1), "overEdited": Column("over-edited", "%", 1, -1),
}  # fmt: skip
ROWS = {
    "model": "this model", "nothing": "nothing", "autoContrast": "auto-contrast", "lut3d": "image-adaptive 3D LUT (peer)",
    "rawTherapee": "RawTherapee Auto Levels",
}  # fmt: skip
SHARES = ("preferred", "overEdited")
NOTES = [
    f"PSNR over all values of a picture, sRGB in [0, 1], cut at {CAP:g} dB; \"10 %\" is the 10th percentile over photos.",
    "SSIM: Wang et al. 2004, 11 x 11 Gaussian of sigma 1.5, K 0.01 and 0.03, each encoded channel by itself, no padding, mean. "
    "L1: mean absolute difference of the encoded channels. dE2000: mean CIEDE2000 (Sharma et al. 2005), D65, k = 1.",
    "GMSD: Xue et al. 2014, on the luma averaged over 2 x 2 and halved, Prewitt gradients, c = 170 / 255 squared; 0 is best.",
    "Hist-L, C, S, M are named as in the VeraRetouch paper but defined by us, because it gives neither bins nor what contrast "
    "is: intersections of the histograms (64 bins) of L*, of the standard deviation of L* in 9 x 9 windows (0 to 50), of HSV "
    "saturation, and their mean. They do not compare with the paper's figures.",
    "ST-LPIPS is the shift-tolerant LPIPS (AlexNet) of Ghildyal and Liu 2022, another scale than LPIPS; 0 is best.",
    "Preferred to the input: share of photos whose retouch our preference model scores above the untouched photo; it is a "
    "model of ours, not people. Over-edited: share whose dE2000 to the target is larger than the input's.",
]  # fmt: skip


def measure(
    out: torch.Tensor, target: torch.Tensor, before: torch.Tensor, tools: dict[str, Callable], perceptual: bool, known=None
) -> dict[str, float]:  # fmt: skip
    """Pictures [H, W, 3] in [0, 1] -> figures of one photo. known: ST-LPIPS' features of the target."""
    a, b, c = (x[None].permute(0, 3, 1, 2).contiguous() for x in (out, target, before))
    found = {"psnr": min(CAP, psnr(a, b).item()), "ssim": ssim(a, b).item(), "l1": l1(a, b).item(), "gmsd": gmsd(a, b).item()}
    found["gain"] = found["psnr"] - min(CAP, psnr(c, b).item())
    found["deltaE"] = delta_e(out[None], target[None]).item()
    found |= {f"hist{name}": value.item() for name, value in intersections(a, b).items()}
    found["overEdited"] = float(found["deltaE"] > delta_e(before[None], target[None]).item())
    if perceptual and "stLpips" in tools:
        found["stLpips"] = tools["stLpips"](a, b, known).item()
    if "preference" in tools:
        score = tools["preference"]
        found["preferred"] = float(score(a)[0] > score(c)[0])
    return found


def fill(part: Part, row: str, measured: list[dict[str, float]]) -> None:
    """Puts the figures of one method into the grid."""
    part.rows.setdefault(row, ROWS.get(row, row))
    for column in COLUMNS:
        source = "psnr" if column == "p10" else column
        if row.split("@")[0] == "nothing" and column in ("gain", *SHARES):
            continue
        values = [m[source] for m in measured if source in m]
        part.add(row, column, values, "p10" if column == "p10" else "share" if column in SHARES else "mean")


def baselines(context: Context, befores: list[torch.Tensor], targets: list[torch.Tensor], name: str, part: Part) -> dict[str, list[dict]]:
    """Method -> figures per photo of what needs no model of ours; kept from run to run when all of them could be measured."""
    shown = b"".join((x * 255).round().to(torch.uint8).numpy().tobytes() for pair in zip(befores, targets, strict=True) for x in pair)
    told = [context.config["version"], str(context.config["perceptual"]), *context.identity.values()]
    path = context.kept / f"baselines-{name}-{digest(shown, *told)}.json"
    if path.exists():
        return json.loads(path.read_text())
    levels = None
    try:
        levels = auto_levels(befores)
    except OracleError as error:
        part.missing.append(str(error))
    peer, found = Peer.load(context.data), {}
    for i, (before, target) in enumerate(zip(befores, targets, strict=True)):
        weights = peer.weights(before.permute(2, 0, 1)[None])
        outs = {
            "nothing": before, "autoContrast": auto_contrast(before),
            "lut3d": peer.apply(before.reshape(1, -1, 3), weights)[0].view_as(before),
        }  # fmt: skip
        if levels is not None:
            outs["rawTherapee"] = levels[i]
        perceptual = i < context.config["perceptual"]
        known = context.tools["stLpips"].features(target.permute(2, 0, 1)[None]) if perceptual and "stLpips" in context.tools else None
        for method, out in outs.items():
            found.setdefault(method, []).append(measure(out, target, before, context.tools, perceptual, known))
    if levels is not None:
        write_json(path, found, indent=None)
    return found


def case(part: str, name: str, photo: str, figures: dict, nothing: dict, result, instruction: str = "", kind: str = "") -> dict:
    """What the sheet of worst cases needs of one photo."""
    return {
        "part": part, "name": name, "photo": photo, "kind": kind, "instruction": instruction, "psnr": figures["psnr"],
        "nothing": nothing["psnr"], "gain": figures["gain"], "deltaE": figures["deltaE"], "fields": result.fields,
        "latents": [[round(float(v), 5) for v in z] for z in result.latents],
    }  # fmt: skip


@torch.no_grad()
def fivek(context: Context) -> Part:
    """The 14 development pairs at their own size against expert C, as a whole and by where they come from."""
    part = Part("fivek", "Auto against an expert: MIT-Adobe FiveK, development pairs, expert C", columns=COLUMNS, notes=NOTES[:])
    part.notes.insert(0, "Fourteen pairs at about 512 pixels: \"uegan\" (6) and \"curl\" (8) by the repository they come from. The peer was trained on FiveK, "
                      "most likely on the \"curl\" photos too: trust \"uegan\". Intervals over 14, 6 and 8 photos are wide.")  # fmt: skip
    pairs = load_pairs(context.data)
    pairs = pairs[: context.count] if context.count else pairs
    befores, targets = [p.before for p in pairs], [p.after for p in pairs]
    results = context.subject.answers("auto", befores)
    outs = [context.subject.render(b, r.latents) for b, r in zip(befores, results, strict=True)]
    methods = {"model": [measure(o, t, b, context.tools, True) for o, t, b in zip(outs, targets, befores, strict=True)]}
    methods |= baselines(context, befores, targets, "fivek", part)
    for method, rows in methods.items():
        fill(part, method, rows)
    for group in sorted({p.group for p in pairs}):
        short = group.removeprefix("fivek_")
        for method, rows in methods.items():
            part.rows[f"{method}@{short}"] = f"{ROWS[method]}, {short}"
            fill(part, f"{method}@{short}", [r for r, p in zip(rows, pairs, strict=True) if p.group == group])
    nothing = methods["nothing"]
    part.cases = [
        case("fivek", p.name, p.name, methods["model"][i], nothing[i], results[i], kind=p.group) for i, p in enumerate(pairs)
    ]
    return part


@torch.no_grad()
def auto(context: Context) -> Part:
    part = Part("auto", "Auto: a test photo made worse, back to the photo", columns=COLUMNS, notes=[
        "Test photos at 256 x 256, made worse by a random development, by a raw-like one, or by an expert-like retouch undone "
        "(training/data/benches.json); the target is the photo itself. An answer that makes a dark scene brighter than its "
        "photographer did counts as wrong here even if somebody likes it.",
    ])  # fmt: skip
    items = context.auto()
    results = context.auto_answers(items)
    befores, targets = [i.before for i in items], [i.target for i in items]
    perceptual = context.config["perceptual"]
    rows = [
        measure(context.subject.render(b, r.latents), t, b, context.tools, i < perceptual)
        for i, (b, t, r) in enumerate(zip(befores, targets, results, strict=True))
    ]
    methods = {"model": rows, **baselines(context, befores, targets, "auto", part)}
    for method, measured in methods.items():
        fill(part, method, measured)
    for kind in sorted({i.kind for i in items}):
        part.rows[f"model@{kind}"] = f"this model, flaw \"{kind}\""
        fill(part, f"model@{kind}", [m for m, i in zip(rows, items, strict=True) if i.kind == kind])
    part.cases = [
        case("auto", i.name, i.photo, m, n, r, kind=i.kind)
        for i, m, n, r in zip(items, rows, methods["nothing"], results, strict=True)
    ]
    return part


@torch.no_grad()
def style(context: Context) -> Part:
    part = Part("style", "Style: unseen looks in unseen words", columns=COLUMNS, notes=[
        "Test photos with looks (presets, film) kept out of training, asked for in words kept out of training; many wordings give a "
        "mood or a film's name and leave open how strong it is, so no answer can be exact. What the words themselves ask for "
        "is measured by prompt fidelity.",
    ])  # fmt: skip
    items = context.style()
    results = context.style_answers(items)
    perceptual = context.config["perceptual"]
    rows, nothing = [], []
    for i, (item, result) in enumerate(zip(items, results, strict=True)):
        before = item.before
        rows.append(measure(context.subject.render(before, result.latents), item.target, before, context.tools, i < perceptual))
        nothing.append(measure(before, item.target, before, context.tools, i < perceptual))
    fill(part, "model", rows)
    fill(part, "nothing", nothing)
    for kind in ("preset", "film"):
        chosen = [m for m, i in zip(rows, items, strict=True) if i.kind.startswith(kind)]
        part.rows[f"model@{kind}"] = f"this model, {kind} looks"
        fill(part, f"model@{kind}", chosen)
    part.cases = [
        case("style", i.name, i.photo, m, n, r, i.instruction, i.kind) for i, m, n, r in zip(items, rows, nothing, results, strict=True)
    ]
    return part
