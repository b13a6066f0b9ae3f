"""What the published model is asked, word for word: it was trained on these, so any other wording asks another model."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from veraretouch.engine.params import FACTOR_SLICES, PARAMETERS
from veraretouch.official.errors import OfficialModelError

IMAGE_PLACE = "<image>"
SYSTEM = "You are a helpful assistant."
TASKS = {
    "auto": "<Auto_Retouch_Task>\nNow, you are acting as a Retouch Agent. When I provide an image, please state the problems "
    "found in the image (from 3 aspects: lighting, global_color, specific color), and give the solution and retouch tokens.",
    "style": "<Style_Retouch_Task>\nNow, you are acting as a Retouch Agent. I will provide an image and an instruction, "
    "please give me a retouch plan and retouch tokens.\n Instruction: ",
    "param": "<Professional_Retouch_Task>\nNow, you are acting as a Retouch Agent. I will provide an image and an professional "
    "instruction (plain text description or retouch operator parameters range from -1.0 to 1.0), please give me a retouch "
    "plan and retouch tokens.\n Instruction: ",
}
# The groups of the printed dictionary, one for each factor.
GROUPS = ("Light Adjustment", "Color and Temperature Adjustment", "Specific Color Adjustment")
DECIMALS = 3


def prompt(mode: str, instruction: str = "") -> str:
    """The whole prompt of "auto", "style" or "param", to be answered by the assistant.

    `instruction` is the user's text, or `parameter_text`. In "auto" and "style" the rows of the picture belong where
    IMAGE_PLACE is; "param" has none, for the published script gives it none.
    """
    picture = "" if mode == "param" else f"{IMAGE_PLACE}\n"
    asked = TASKS[mode] + ("" if mode == "auto" else instruction)
    return f"<|im_start|>system\n{SYSTEM}<|im_end|>\n<|im_start|>user\n{picture}{asked}<|im_end|>\n<|im_start|>assistant\n"


def parameter_groups(values: Sequence[float]) -> dict[str, dict[str, float]]:
    """38 values in [-1, 1], in the order of `engine.params`, as the three groups that the model reads, to 3 decimals."""
    return {
        group: {name: round(float(value), DECIMALS) for name, value in zip(PARAMETERS[part], values[part])}
        for group, part in zip(GROUPS, FACTOR_SLICES, strict=True)
    }


def parameter_text(values: Sequence[float]) -> str:
    """The groups as Python prints them: what the published script puts after "Instruction: "."""
    return str(parameter_groups(values))


def read_parameters(path: Path) -> list[float]:
    """38 values in [-1, 1] of a file `{"Exposure2012": {"value": 30}, ...}`, -100 to 100; names left out are 0.

    Unknown names count for nothing, as in the published script. Raises OfficialModelError for anything else.
    """
    try:
        content = json.loads(path.read_text())
        given = {name: float(entry["value"]) / 100 for name, entry in content.items() if name in PARAMETERS}
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise OfficialModelError(
            f'{path} is no file of parameters ({error}). Nothing was retouched; write {{"Exposure2012": {{"value": 30}}}}.'
        ) from error
    return [given.get(name, 0.0) for name in PARAMETERS]


def factor_masks(groups: Mapping[str, Mapping[str, float]]) -> list[float]:
    """1 for each factor with a value beyond 0.0001, else 0: its latent is multiplied by that."""
    return [float(any(abs(value) > 1e-4 for value in group.values())) for group in groups.values()]
