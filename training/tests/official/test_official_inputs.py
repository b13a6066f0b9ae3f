"""Prompts to the letter, parameters as Python prints them, pictures step by step."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import CLIPImageProcessor

from veraretouch.engine.params import PARAMETERS
from veraretouch.official.errors import OfficialModelError
from veraretouch.official.preprocess import letterbox, reference
from veraretouch.official.prompts import factor_masks, parameter_groups, parameter_text, prompt, read_parameters


def picture(width: int, height: int) -> Image.Image:
    values = np.random.default_rng(width * 7919 + height).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(values)


def test_the_prompts_are_these():
    before = "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n"
    after = "<|im_end|>\n<|im_start|>assistant\n"
    auto, style, param = prompt("auto"), prompt("style", "warm, faded"), prompt("param", "{'a': 1}")
    assert auto.startswith(before + "<image>\n<Auto_Retouch_Task>\nNow, you are acting")
    assert auto.endswith("give the solution and retouch tokens." + after)
    assert style.startswith(before + "<image>\n<Style_Retouch_Task>\nNow, ")
    assert style.endswith("retouch tokens.\n Instruction: warm, faded" + after)
    assert param.startswith(before + "<Professional_Retouch_Task>\nNow, ")
    assert param.endswith("from -1.0 to 1.0), please give me a retouch plan and retouch tokens.\n Instruction: {'a': 1}" + after)
    assert "<image>" not in param


def test_parameters_are_printed_as_python_does():
    values = dict.fromkeys(PARAMETERS, 0.0) | {"Exposure2012": 0.3, "IncrementalTemperature": -0.4, "HueAdjustmentRed": 0.12345}
    text = parameter_text(list(values.values()))
    assert text.startswith("{'Light Adjustment': {'Exposure2012': 0.3, 'Contrast2012': 0.0, ")
    assert "}, 'Color and Temperature Adjustment': {'IncrementalTemperature': -0.4, 'IncrementalTint': 0.0, 'Vibrance'" in text
    assert "}, 'Specific Color Adjustment': {'HueAdjustmentRed': 0.123, 'HueAdjustmentOrange': 0.0, " in text
    assert text.endswith("'LuminanceAdjustmentMagenta': 0.0}}")
    assert factor_masks(parameter_groups(list(values.values()))) == [1, 1, 1]
    assert factor_masks(parameter_groups([0.0] * 10 + [0.5] + [0.0] * 27)) == [0, 1, 0]
    # Too small to be printed, so too small to be done.
    assert factor_masks(parameter_groups([0.0004] + [0.0] * 37)) == [0, 0, 0]


def test_a_file_of_parameters_is_read(tmp_path):
    path = tmp_path / "param.json"
    path.write_text(json.dumps({"Saturation": {"value": 30}, "Unknown": {"value": 5}}))
    values = read_parameters(path)
    assert len(values) == 38 and values[PARAMETERS.index("Saturation")] == 0.3 and sum(values) == 0.3
    for text in ("", "[]", '{"Saturation": 3}', '{"Saturation": {"value": "x"}}'):
        path.write_text(text)
        with pytest.raises(OfficialModelError, match="no file of parameters"):
            read_parameters(path)


@pytest.mark.parametrize("size", [(700, 523), (523, 700), (512, 512), (90, 61), (1031, 400)])
def test_the_second_half_is_what_the_published_processor_does(size):
    """Scaling by the short edge is Pillow's own; padding, second scaling and range are compared with `transformers`."""
    shot = picture(*size)
    short = min(size)
    edges = tuple(512 if edge == short else int(edge * (512 / short)) for edge in size)
    if size[0] == size[1]:
        edges = (512, 512)
    small = shot.resize(edges, Image.Resampling.LANCZOS)
    square = Image.new("RGB", (max(edges),) * 2, (0, 0, 0))
    square.paste(small, ((max(edges) - edges[0]) // 2, (max(edges) - edges[1]) // 2))
    processor = CLIPImageProcessor(
        crop_size={"height": 1024, "width": 1024}, size={"shortest_edge": 1024}, image_mean=[0.0] * 3, image_std=[1.0] * 3
    )
    expected = processor.preprocess(square, return_tensors="pt")["pixel_values"][0]
    assert torch.allclose(letterbox(shot), expected, atol=1e-6)


def test_references_are_squashed_and_their_channels_turned_round():
    shot = picture(300, 200)
    out = reference(shot)
    blue = np.asarray(shot.resize((512, 512), Image.Resampling.BILINEAR))[:, :, 2] / np.float32(255)
    assert out.shape == (3, 512, 512)
    assert np.array_equal(out[0].numpy(), blue)
