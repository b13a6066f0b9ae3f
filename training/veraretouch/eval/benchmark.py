"""The table of the model card: every headline figure of a bundle on photos it never saw, beside trivial baselines.

    python -m veraretouch.eval.benchmark --reference WORK/reference.pt --bundle models --config training/configs/data.toml \
        --data DATA --work WORK --out models/metrics.json

The networks are the PyTorch reference with exactly the bundle's weights; answers are generated, not teacher-forced.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from ..data.shards import Maker
from ..engine.params import factor_mask
from ..export.dialogue import Dialogue
from ..export.reference import generate_many
from ..export.runner import dialogue_of
from ..reasoning.axes import agrees, refutes
from ..reasoning.measure import Pixels, change
from ..reasoning.parameters import announced, parameter_values
from ..reasoning.parse import agreement, agreement_with
from ..train.common import psnr_per_image, read_config, stage_arguments
from .baselines import auto_contrast, histogram_equalisation, leave_one_out

FIELDS = ("elements", "problems.light", "problems.globalColor", "problems.specificColor",
          "plan.light", "plan.globalColor", "plan.specificColor")  # fmt: skip
FACTORS = ("light", "globalColor", "specificColor")


def spread(values) -> dict:
    """Mean, standard error, 10th percentile and minimum of a list of figures."""
    v = np.asarray(values, dtype=np.float64)
    return {
        "mean": round(float(v.mean()), 3), "standardError": round(float(v.std(ddof=1) / np.sqrt(len(v))), 3),
        "p10": round(float(np.quantile(v, 0.1)), 3), "min": round(float(v.min()), 3), "count": len(v),
    }  # fmt: skip


@dataclass
class Tally:
    """What generated answers are checked for: form, and agreement of plans with pixels."""

    runs: int = 0
    well_formed: int = 0
    claims: dict[str, int] = field(default_factory=lambda: dict.fromkeys(FACTORS, 0))
    agreed: dict[str, int] = field(default_factory=lambda: dict.fromkeys(FACTORS, 0))

    def add(self, result, mode: str, before: torch.Tensor, after: torch.Tensor) -> None:
        self.runs += 1
        wanted = FIELDS if mode != "param" else FIELDS[4:]
        complete = all(result.fields.get(name, "").strip() for name in wanted) and np.isfinite(result.latents).all()
        self.well_formed += bool(result.well_formed and complete)
        texts = {factor: result.fields.get(f"plan.{factor}", "") for factor in FACTORS}
        for factor, counted in agreement(texts, before, after, settings=mode == "param").items():
            self.claims[factor] += counted.claims
            self.agreed[factor] += counted.agreed

    def report(self) -> dict:
        return {"runs": self.runs, "wellFormed": self.well_formed, **shares(self.agreed, self.claims)}


def shares(agreed: dict[str, int], claims: dict[str, int]) -> dict:
    share = {f: round(agreed[f] / max(1, claims[f]), 4) for f in FACTORS}
    return {"planPixelAgreement": share, "claims": dict(claims)}


class SliderClaims:
    """What the words about sliders are worth, beside their agreement with the whole picture.

    A plan of sliders is written factor by factor and without sight of the photo. In the whole picture another factor may
    outdo what one of them does: a white balance turns the reds that a mixer holds. So each plan is also compared with
    what its own factor does alone (the others' latents masked, as published), and the two largest sliders themselves are
    compared with the whole picture: no plan that repeats them can agree more often.
    """

    def __init__(self) -> None:
        self.counts = {kind: (dict.fromkeys(FACTORS, 0), dict.fromkeys(FACTORS, 0)) for kind in ("factorAlone", "settingsThemselves")}

    def add(self, fields: dict[str, str], params: torch.Tensor, before: torch.Tensor, whole: torch.Tensor, alone) -> None:
        """alone(number of the factor) -> pixels with that factor's latent only."""
        p = Pixels(before)
        together, values = change(p, Pixels(whole)), parameter_values(params.tolist())
        for number, factor in enumerate(FACTORS):
            found = agreement_with(change(p, Pixels(alone(number))), fields[f"plan.{factor}"], factor, settings=True)
            self._count("factorAlone", factor, found.agreed, found.claims)
            for claim in announced(values, factor)[:2]:
                agreed = agrees(claim, together, factor)
                self._count("settingsThemselves", factor, int(agreed), int(agreed or refutes(claim, together)))

    def _count(self, kind: str, factor: str, agreed: int, claims: int) -> None:
        self.counts[kind][0][factor] += agreed
        self.counts[kind][1][factor] += claims

    def report(self) -> dict:
        return {kind: shares(*counts) for kind, counts in self.counts.items()}


class Benchmark:
    def __init__(self, models, dialogue: Dialogue, maker: Maker, size: int):
        """size: of the square that the bundle's model sees."""
        self.size = size
        self.models, self.dialogue, self.maker = models, dialogue, maker
        self.tallies = {mode: Tally() for mode in ("auto", "style", "param")}
        self.sliders = SliderClaims()
        self.cases: list[dict] = []

    def _render(self, rgb: torch.Tensor, latents: torch.Tensor) -> torch.Tensor:
        return torch.cat([self.models.renderer(part[None], latents[None])[0] for part in rgb.split(65536)])

    @torch.no_grad()
    def task(self, mode: str, count: int) -> dict:
        """`count` test examples of one task: PSNR of the answer, of doing nothing, and of simple enhancement."""
        examples = [self.maker.draw(mode, number) for number in range(count)]
        if mode == "param":
            results = generate_many(self.models.vlm, self.dialogue, mode, params=torch.stack([e.params for e in examples]))
        else:
            pictures = torch.stack([e.picture for e in examples]).permute(0, 3, 1, 2).float() / 255
            pictures = torch.nn.functional.adaptive_avg_pool2d(pictures, self.size)
            texts = [e.meta["instruction"] for e in examples] if mode == "style" else None
            results = generate_many(self.models.vlm, self.dialogue, mode, images=pictures, instructions=texts)
        scores: dict[str, list[float]] = {"model": [], "nothing": []}
        for number, (example, result) in enumerate(zip(examples, results, strict=True)):
            out = self._render(example.before, torch.from_numpy(result.latents))
            self.tallies[mode].add(result, mode, example.before, out)
            # A look that leaves a photo as it is has no finite "do nothing" figure: all are capped at 50 dB.
            scores["model"].append(min(50.0, psnr_per_image(out[None], example.after[None]).item()))
            scores["nothing"].append(min(50.0, psnr_per_image(example.before[None], example.after[None]).item()))
            if mode == "param":
                latents = torch.from_numpy(result.latents)

                def alone(factor: int, latents=latents, before=example.before) -> torch.Tensor:
                    own = torch.zeros_like(latents)
                    own[factor] = latents[factor]
                    return self._render(before, own)

                self.sliders.add(result.fields, example.params, example.before, out, alone)
                mask = factor_mask(example.params[None])[0, :, None]
                head = self._render(example.before, self.models.param_head(example.params[None])[0] * mask)
                scores.setdefault("parameterHead", []).append(
                    min(50.0, psnr_per_image(head[None], example.after[None]).item())
                )
            self.cases.append({
                "mode": mode, "number": number, "photo": example.meta["photo"], "psnr": scores["model"][-1],
                "nothing": scores["nothing"][-1], "instruction": example.meta.get("instruction"), "fields": result.fields,
                "latents": result.latents.round(5).tolist(),
            })  # fmt: skip
        report = {name: spread(values) for name, values in scores.items()}
        gain = np.array(scores["model"]) - np.array(scores["nothing"])
        report["gain"] = spread(gain)
        return report

    @torch.no_grad()
    def fivek(self, data: Path, direct=None) -> dict:
        """FiveK development pairs at their own size against expert C, both groups apart."""
        from .fivek import load_pairs

        rows: list[dict] = []
        pairs = load_pairs(data)
        fixed = leave_one_out([(pair.before, pair.after) for pair in pairs])
        for pair, mapped in zip(pairs, fixed, strict=True):
            before, after = (x.view(-1, 3) for x in (pair.before, pair.after))
            picture = torch.nn.functional.adaptive_avg_pool2d(pair.before.permute(2, 0, 1), self.size)[None]
            result = next(iter(generate_many(self.models.vlm, self.dialogue, "auto", images=picture)))
            out = self._render(before, torch.from_numpy(result.latents))
            self.tallies["auto"].add(result, "auto", before[:: len(before) // 8192], out[:: len(before) // 8192])
            weights = self.maker.peer.weights(pair.before.permute(2, 0, 1)[None])
            row = {
                "id": pair.name, "group": pair.group,
                "nothing": before, "model": out, "autoContrast": auto_contrast(pair.before).view(-1, 3),
                "histogramEqualisation": histogram_equalisation(pair.before).view(-1, 3),
                "fixedMap": mapped.reshape(-1, 3),
                "imageAdaptive3dLut": self.maker.peer.apply(before[None], weights)[0],
            }  # fmt: skip
            if direct is not None:
                row["toneEncoderAlone"] = self._render(before, direct(picture)[0])
            rows.append({k: v if isinstance(v, str) else psnr_per_image(v[None], after[None]).item() for k, v in row.items()})
        methods = [k for k in rows[0] if k not in ("id", "group")]
        groups = sorted({row["group"] for row in rows})
        table = {m: {"all": round(float(np.mean([r[m] for r in rows])), 2)} for m in methods}
        for m in methods:
            for g in groups:
                table[m][g] = round(float(np.mean([r[m] for r in rows if r["group"] == g])), 2)
        return {"psnr": table, "perPhoto": {r["id"]: round(r["model"], 2) for r in rows}}


@torch.no_grad()
def reference_mode(models, config_path: Path, data: Path, work: Path, count: int = 200) -> dict:
    """Pairs of unseen photos and operations, encoded, and rendered on another unseen photo."""
    from ..data.photos import load_photos
    from ..train.operations import OperationSource
    from ..train.renderer import evaluate

    config = read_config(config_path)
    operations = OperationSource(config["operations"], data, work, split="test")

    class Stored:
        renderer, head, encoder = models.renderer, models.param_head, models.encoder

    photos, _ = load_photos(work, "test")
    return {k: round(v, 3) for k, v in evaluate(Stored, photos, operations, config, count).items() if k.startswith("pair")}


def sheet(cases: list[dict], maker: Maker, models, path: Path, rows: int = 5) -> None:
    """The worst cases (smallest gain over doing nothing) as before | after | target pictures."""
    pictures = []
    for mode in ("auto", "style"):
        worst = sorted((c for c in cases if c["mode"] == mode), key=lambda c: c["psnr"] - c["nothing"])[:rows]
        for case in worst:
            before, target = maker.picture_pair(mode, case["number"])
            latents = torch.tensor(case["latents"])
            with torch.no_grad():
                out = models.renderer(before.view(1, -1, 3), latents[None])[0].view(before.shape)
            pictures.append(torch.cat((before, out, target), dim=1))
    image = (torch.cat(pictures) * 255).round().to(torch.uint8).numpy()
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path, quality=85)


def main() -> None:
    parser = stage_arguments(__doc__.splitlines()[0])
    parser.add_argument("--reference", type=Path, required=True, help="file written by export.release; trusted")
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--renderer-config", type=Path, required=True, help="configuration of stage 1")
    parser.add_argument("--tone", type=Path, help="last.pt of the tone stage, for the baseline without language")
    parser.add_argument("--count", type=int, default=200, help="test examples per task")
    parser.add_argument("--param-count", type=int, default=0, help="test examples of Param, where most claims do not show")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--sheet", type=Path, help="picture of the worst cases")
    a = parser.parse_args()
    torch.set_num_threads(a.threads or 2)
    models = torch.load(a.reference, weights_only=False)
    manifest = json.loads((a.bundle / "bundle.json").read_text())
    dialogue = dialogue_of(a.bundle, manifest)
    maker = Maker(read_config(a.config), a.data, a.work, "test", open_only=False)
    benchmark = Benchmark(models, dialogue, maker, manifest["preprocess"]["image"]["size"])
    direct = None
    if a.tone:
        from ..models.tone import ToneEncoder

        tone = ToneEncoder(latent=models.renderer.latent, fine=True)
        state, prefix = torch.load(a.tone, weights_only=True)["average"], "vision.tone."
        tone.load_state_dict({k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)})
        direct = tone.eval().direct_latents
    report = {"fivekDevelopment": benchmark.fivek(a.data, direct)}
    for mode, name in (("auto", "autoPerturbed"), ("style", "styleUnseenLooks"), ("param", "param")):
        report[name] = benchmark.task(mode, a.param_count or a.count if mode == "param" else a.count)
        print(name, json.dumps(report[name]), flush=True)
    report["reference"] = reference_mode(models, a.renderer_config, a.data, a.work)
    report["answers"] = {mode: tally.report() for mode, tally in benchmark.tallies.items()}
    report["answers"]["param"] |= benchmark.sliders.report()
    runs = sum(t.runs for t in benchmark.tallies.values())
    report["wellFormed"] = {"of": runs, "count": sum(t.well_formed for t in benchmark.tallies.values())}
    a.out.write_text(json.dumps(report, indent=1) + "\n")
    (a.work / "benchmark-cases.json").write_text(json.dumps(benchmark.cases))
    if a.sheet:
        sheet(benchmark.cases, maker, models, a.sheet)
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
