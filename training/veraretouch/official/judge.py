"""Judges answers of any runtime by PyTorch: are the latents and colours those that the weights give for these very words?

Two runtimes may fall out over a word where two are almost equally likely, and then tell different stories. So the words are
taken as they were written, and what must follow from them is compared.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from skimage.color import deltaE_ciede2000, rgb2lab

from veraretouch.export.answer import STATE_COUNT
from veraretouch.export.check import cosine
from veraretouch.export.parity import INSTRUCTIONS as ALL_WORDS
from veraretouch.export.parity import SETTINGS, SIZES, settings_vector
from veraretouch.export.pictures import as_json, picture, pixels_of, retouched
from veraretouch.official.bundle import OfficialBundle
from veraretouch.official.errors import OfficialModelError
from veraretouch.official.prompts import factor_masks, parameter_groups, parameter_text, prompt
from veraretouch.official.reference import OfficialReference, forced_answer, look_of_pair

# Our runtimes never take a user's words for tokens of the skeleton; the published script does.
WORDS = [text for text in ALL_WORDS if "<" not in text]


@dataclass(frozen=True)
class Verdict:
    """`cosine` of the latents, `colour` the mean difference of rendered colours in CIEDE2000."""

    mode: str
    cosine: float
    colour: float


def modes_of(content: OfficialBundle) -> tuple[str, ...]:
    return ("auto", "style", "param", *(["reference"] if content.pair else []))


def inputs(mode: str, index: int) -> dict:
    """Input number `index` of a mode, by formula, as parity.json says it."""
    image = picture(index, *SIZES[index % len(SIZES)])
    if mode == "reference":
        return {"mode": mode, "before": as_json(image), "after": as_json(retouched(image, index))}
    if mode == "param":
        # As often as there are settings, then again with other sizes.
        size = (1 + index // len(SETTINGS)) / 4
        return {"mode": mode, "params": [round(v * size, 4) for v in settings_vector(SETTINGS[index % len(SETTINGS)])]}
    words = {"instruction": WORDS[index % len(WORDS)]} if mode == "style" else {}
    return {"mode": mode, "image": as_json(image), **words}


def answered(content: OfficialBundle, given: dict) -> tuple[list[int], np.ndarray]:
    """What PyTorch answers inside the skeleton: token ids, and latents [3,D]."""
    if given["mode"] == "reference":
        return [], latents_of(content, {**given, "tokens": []})
    rows, masks = _asked(content, given)
    result = forced_answer(content.vlm, content.dialogue(), given["mode"], rows, masks)
    return result.token_ids, np.asarray(result.latents)


@torch.no_grad()
def latents_of(content: OfficialBundle, case: dict) -> np.ndarray:
    """The latents [3,D] that PyTorch gives for the words of a case, its `tokens` without the third retouch token."""
    if case["mode"] == "reference":
        if content.pair is None:
            raise OfficialModelError("There are pairs of photos to judge. Nothing was judged; give --encoder-renderer too.")
        before, after = (Image.fromarray(pixels_of(case[name])) for name in ("before", "after"))
        return look_of_pair(content.pair, before, after, content.vlm.config.reference_size).numpy()
    rows, masks = _asked(content, case)
    embeds = torch.cat((rows, content.vlm.embed(case["tokens"])), dim=1)
    states = content.vlm.model(inputs_embeds=embeds).last_hidden_state[0, -STATE_COUNT:]
    return content.vlm.latents(states, masks).numpy()


def judge(content: OfficialBundle, cases: Sequence[dict]) -> list[Verdict]:
    """`cases`: as in parity.json, with tokens, latents and rendered colours of the runtime."""
    verdicts = []
    for case in cases:
        wanted = latents_of(content, case)
        given = np.asarray(case["latents"], np.float32).reshape(wanted.shape)
        verdicts.append(Verdict(case["mode"], cosine(given, wanted), _colour_difference(content, case, wanted)))
    return verdicts


def figures(verdicts: Sequence[Verdict]) -> dict[str, dict[str, float]]:
    """The worst cosine and the mean difference of colours, by mode."""
    by_mode: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        by_mode.setdefault(verdict.mode, []).append(verdict)
    return {
        mode: {
            "cases": len(found),
            "cosineMin": min((v.cosine for v in found), key=lambda value: -math.inf if math.isnan(value) else value),
            "colourMean": float(np.mean([v.colour for v in found])),
        }
        for mode, found in by_mode.items()
    }


@torch.no_grad()
def _colour_difference(content: OfficialBundle, case: dict, latents: np.ndarray) -> float:
    rgb = torch.tensor([point["rgb"] for point in case["render"]], dtype=torch.float32)
    wanted = content.vlm.retouch_decoder(rgb[None], torch.from_numpy(latents)[None])[0].numpy()
    given = np.asarray([point["out"] for point in case["render"]], np.float32)
    return float(deltaE_ciede2000(rgb2lab(given[None]), rgb2lab(wanted[None])).mean())


def _asked(content: OfficialBundle, given: dict) -> tuple[torch.Tensor, list[float] | None]:
    """Rows of the prompt, and the masks of the factors."""
    asks, mode = OfficialReference(content.vlm, content.tokenizer), given["mode"]
    if mode == "param":
        values = given["params"]
        return asks.prompt_rows(prompt(mode, parameter_text(values)), None), factor_masks(parameter_groups(values))
    photo = Image.fromarray(pixels_of(given["image"]))
    return asks.prompt_rows(prompt(mode, given.get("instruction", "")), photo), None
