"""Every tensor of the published checkpoint, name by name and shape by shape.

The two tables were compared with models that the authors' own code builds: 629 names of the tower, all of encoder and renderer.
"""

import re
from pathlib import Path

import pytest
import torch

from veraretouch.official.checkpoint import check_tensors
from veraretouch.official.encoder_renderer import EncoderRenderer
from veraretouch.official.errors import OfficialModelError
from veraretouch.official.model import OfficialConfig, OfficialVlm


def table(name: str) -> dict[str, tuple[int, ...]]:
    """{0-23} in a name stands for each of these numbers."""
    shapes = {}
    for line in (Path(__file__).parent / f"tensors-{name}.tsv").read_text().splitlines():
        pattern, sizes = line.split("\t")
        shape = () if sizes == "-" else tuple(map(int, sizes.split()))
        span = re.search(r"\{(\d+)-(\d+)\}", pattern)
        numbers = range(int(span[1]), int(span[2]) + 1) if span else [None]
        shapes |= {pattern.replace(span[0], str(number)) if span else pattern: shape for number in numbers}
    return shapes


def models():
    with torch.device("meta"):
        return {"vlm": OfficialVlm(OfficialConfig(151_936)), "encoder-renderer": EncoderRenderer()}


@pytest.mark.parametrize("name, count", [("vlm", 954), ("encoder-renderer", 182)])
def test_the_model_has_every_tensor_of_the_table_and_no_other(name, count):
    state = models()[name].state_dict()
    wanted = table(name)
    assert {key: tuple(value.shape) for key, value in state.items()} == wanted
    assert len(wanted) == count


@pytest.mark.parametrize("name", ["vlm", "encoder-renderer"])
def test_each_that_is_missing_or_of_another_shape_is_refused_by_name(name):
    wanted = table(name)
    found = {key: torch.empty(shape, device="meta") for key, shape in wanted.items()}
    check_tensors(found, wanted)
    for key, shape in wanted.items():
        value = found.pop(key)
        with pytest.raises(OfficialModelError, match=f"lacks {re.escape(key)}\\."):
            check_tensors(found, wanted)
        found[key] = torch.empty((*shape, 2), device="meta")
        with pytest.raises(OfficialModelError, match=f"{re.escape(key)} is .* instead of"):
            check_tensors(found, wanted)
        found[key] = value
