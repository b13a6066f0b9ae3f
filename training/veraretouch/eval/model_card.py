"""Renders the model card of a bundle from the figures of `eval.benchmark` and puts both into the bundle.

    python -m veraretouch.eval.model_card --metrics WORK/metrics.json --notes training/data/model-card.md --bundle models
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from ..export.bundle import add_file

_METHODS = {
    "nothing": "do nothing", "histogramEqualisation": "histogram equalisation", "autoContrast": "auto-contrast",
    "fixedMap": "one fixed quadratic colour map", "imageAdaptive3dLut": "image-adaptive 3D LUT (trained on FiveK)",
    "toneEncoderAlone": "our tone encoder alone, no language", "model": "**this model, Auto**",
}  # fmt: skip


def _row(*cells: object) -> str:
    return "| " + " | ".join(str(c) for c in cells) + " |"


def _agreement(answer: dict) -> list[str]:
    return [f"{100 * answer['planPixelAgreement'][f]:.1f} % of {answer['claims'][f]}" for f in answer["claims"]]


def tables(metrics: dict) -> str:
    """Markdown tables of all figures."""
    fivek = metrics["fivekDevelopment"]["psnr"]
    groups = [g for g in next(iter(fivek.values())) if g != "all"]
    lines = [
        "### Auto against expert C (14 FiveK development pairs, PSNR in dB)", "",
        _row("method", "all 14", *groups), _row(*["---"] * (2 + len(groups))),
    ]  # fmt: skip
    lines += [_row(title, fivek[m]["all"], *(fivek[m][g] for g in groups)) for m, title in _METHODS.items() if m in fivek]
    lines += ["", "### Photos and operations never seen (PSNR in dB)", "",
              _row("task", "this model", "10 % / worst", "do nothing", "gain", "examples"), _row(*["---"] * 6)]  # fmt: skip
    for name, title in (
        ("autoPerturbed", "Auto: perturbed photo back to the photo"),
        ("styleUnseenLooks", "Style: unseen looks, unseen wordings"),
        ("param", "Param: slider values through the language model"),
    ):
        m = metrics[name]
        model = m["model"]
        lines.append(
            _row(title, f"{model['mean']} ± {model['standardError']}", f"{model['p10']} / {model['min']}",
                 m["nothing"]["mean"], m["gain"]["mean"], model["count"])
        )  # fmt: skip
    head = metrics["param"]["parameterHead"]
    lines.append(
        _row("Sliders: the same values through the parameter head", f"{head['mean']} ± {head['standardError']}",
             f"{head['p10']} / {head['min']}", metrics["param"]["nothing"]["mean"], "", head["count"])
    )  # fmt: skip
    pair = metrics["reference"]
    lines.append(
        _row("Reference: pair encoded, another photo rendered", pair["pair_mean"], f"{pair['pair_p10']} / ",
             pair["pair_nothing_mean"], round(pair["pair_mean"] - pair["pair_nothing_mean"], 3), 200)
    )  # fmt: skip
    lines += ["", "### Answers", "", _row("task", "well-formed", "plan-pixel agreement: light", "global colour",
              "specific colour"), _row(*["---"] * 5)]  # fmt: skip
    for mode, answer in metrics["answers"].items():
        lines.append(_row(mode, f"{answer['wellFormed']} of {answer['runs']}", *_agreement(answer)))
    param = metrics["answers"]["param"]
    if "factorAlone" in param:
        lines.append(_row("param, each factor rendered alone", "", *_agreement(param["factorAlone"])))
        lines.append(_row("for comparison: the two largest sliders themselves", "", *_agreement(param["settingsThemselves"])))
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--metrics", type=Path, required=True)
    parser.add_argument("--notes", type=Path, required=True, help="the written part, with a line {{tables}}")
    parser.add_argument("--bundle", type=Path, required=True)
    arguments = parser.parse_args()
    metrics = json.loads(arguments.metrics.read_text())
    text = arguments.notes.read_text().replace("{{tables}}", tables(metrics))
    add_file(arguments.bundle, "metrics.json", arguments.metrics.read_bytes())
    add_file(arguments.bundle, "MODEL_CARD.md", text.encode())


if __name__ == "__main__":
    main()
