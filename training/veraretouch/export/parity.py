"""parity.json: what the PyTorch reference answers on a few fixed inputs.

Whatever runs a bundle compares itself with this file. Every case is chosen by formula; a case
whose greedy text hangs on a hair (two best logits closer than MARGIN) is left out, because
another order of additions could turn it over without anything being wrong.
"""

from __future__ import annotations

import json

import numpy as np
import torch
from torch import nn

from veraretouch.engine.params import INDEX, PARAMETERS
from veraretouch.export.answer import GenerationResult
from veraretouch.export.bundle import BundleInfo, StoredModels
from veraretouch.export.dialogue import Dialogue
from veraretouch.export.errors import ExportError
from veraretouch.export.grounding import Grounding
from veraretouch.export.pictures import as_json, picture, retouched, squash
from veraretouch.export.reference import generate

MARGIN = 1e-3
CASES_PER_MODE = {"auto": 3, "style": 3, "param": 3, "reference": 2}
CANDIDATES = 4
SIZES = ((96, 64), (64, 96), (33, 47), (80, 80), (17, 5), (96, 41))
INSTRUCTIONS = (
    "Warm evening light with soft shadows.",
    "faded film look, 35% less contrast",
    "Kühle, klare Farben – like <plan_light_end> a winter morning ❄",
    "moody blue hour",
    "bright and airy",
    "Make it look like an old photograph from 1970.",
)
SETTINGS = (
    {"Exposure2012": 0.12, "Contrast2012": 0.4, "Shadows2012": -0.3, "Vibrance": 0.5},
    {"IncrementalTemperature": 0.35, "IncrementalTint": -0.15},
    {"HueAdjustmentRed": -0.2, "SaturationAdjustmentBlue": 0.7, "LuminanceAdjustmentGreen": 0.25},
    {"Highlights2012": -0.8, "Whites2012": 0.2, "Saturation": -1.0},
    {"Exposure2012": -0.25, "SaturationAdjustmentOrange": 0.3},
    {"Blacks2012": 1.0, "ParametricLights": -0.45, "Vibrance": -0.6},
)


def settings_vector(values: dict[str, float]) -> list[float]:
    """Named parameters in [-1,1] as the vector of 38, the others 0."""
    vector = [0.0] * len(PARAMETERS)
    for name, value in values.items():
        vector[INDEX[name]] = value
    return vector


def parity_bytes(models: StoredModels, dialogue: Dialogue, info: BundleInfo) -> bytes:
    """The content of parity.json for networks as stored."""
    cases = []
    for mode, wanted in CASES_PER_MODE.items():
        good = []
        for index in range(wanted + CANDIDATES):
            case = _case(models, dialogue, info, mode, index)
            if case is not None:
                good.append(case)
            if len(good) == wanted:
                break
        if not good:
            raise ExportError(
                f"Every {mode} answer hangs on a difference below {MARGIN}, so there is nothing "
                "to compare. parity.json was not written; is the model trained?"
            )
        cases.extend(good)
    return json.dumps({"cases": cases}, ensure_ascii=False, separators=(",", ":")).encode()


def _case(models, dialogue, info, mode: str, index: int) -> dict | None:
    image = picture(index, *SIZES[index % len(SIZES)])
    if mode == "reference":
        after = retouched(image, index)
        before = squash(image, info.reference_size)[None]
        with torch.no_grad():
            latents = models.encoder(before, squash(after, info.reference_size)[None])[0].numpy()
        inputs = {"before": as_json(image), "after": as_json(after)}
        return parity_case(models.renderer, {"mode": mode, **inputs}, [], latents)
    inputs, given = {"mode": mode}, {}
    if mode == "param":
        vector = settings_vector(SETTINGS[index % len(SETTINGS)])
        inputs["params"] = vector
        given["params"] = torch.tensor(vector)
    else:
        inputs["image"] = as_json(image)
        given["image"] = squash(image, info.image_size)
    if mode == "style":
        inputs["instruction"] = given["instruction"] = INSTRUCTIONS[index % len(INSTRUCTIONS)]
    if dialogue.voice_ids:
        inputs["voice"] = given["voice"] = index % len(dialogue.voice_ids)
    result = generate(models.vlm, dialogue, mode, **given)
    checked = checked_answer(models, dialogue, info, mode, index, given) if info.wording else None
    if min(result.margin, checked.margin if checked else MARGIN) < MARGIN:
        return None
    if checked:
        inputs |= {"checked": checked.token_ids, **({"photo": as_json(image)} if mode == "param" else {})}
    return parity_case(models.renderer, inputs, result.token_ids, result.latents)


def checked_answer(models: StoredModels, dialogue: Dialogue, info: BundleInfo, mode: str, index: int, given: dict) -> GenerationResult:
    """The answer to the same input, kept to what is true of the picture; sliders are given the picture of the case."""
    photo = squash(picture(index, *SIZES[index % len(SIZES)]), info.image_size) if mode == "param" else None
    return generate(models.vlm, dialogue, mode, **given, grounding=Grounding(models.renderer, dialogue), photo=photo)


def parity_case(renderer: nn.Module, inputs: dict, tokens: list[int], latents: np.ndarray) -> dict:
    """One case of parity.json: what was given, what came of it, and a few colours through `renderer`."""
    steps = (0, 40, 128, 200, 255)
    colours = [[r, g, b] for r in steps for g in (0, 90, 255) for b in (20, 180)]
    rgb = torch.tensor(colours, dtype=torch.float32) / 255.0
    with torch.no_grad():
        out = renderer(rgb[None], torch.from_numpy(latents)[None])[0]
    render = [
        {"rgb": _short(colour), "out": _short(value)}
        for colour, value in zip(rgb, out, strict=True)
    ]
    return {**inputs, "tokens": tokens, "latents": _short(latents.reshape(-1)), "render": render}


def _short(values) -> list[float]:
    """Nine digits: exact for float32, shorter than its double."""
    return [float(f"{float(v):.9g}") + 0.0 for v in values]
