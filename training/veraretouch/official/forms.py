"""The forms in which a bundle holds the published weights, and the model with exactly the weights that are held."""

from __future__ import annotations

import copy

import numpy as np
import onnx
import torch
from onnxruntime.transformers.float16 import convert_float_to_float16
from onnxruntime.transformers.onnx_model import OnnxModel

from veraretouch.export.graph import store_initialisers
from veraretouch.export.storage import SMALL, Storage, store_and_load
from veraretouch.official.encoder_renderer import EncoderRenderer
from veraretouch.official.int4 import pack_int4, unpack_int4
from veraretouch.official.model import EMBEDDING, HEAD, OfficialVlm

# What the graphs "vision" and "adaptor" hold.
HALVED = ("model.vision_tower.", "model.mm_projector.", "retouch_head.")


def half_if_big(_name: str, values: np.ndarray | torch.Tensor) -> Storage:
    """Big weights in half precision: the published ones have fewer digits than that."""
    return "float16" if values.ndim >= 2 and np.prod(values.shape) >= SMALL else "float32"


def with_held_weights(vlm: OfficialVlm) -> OfficialVlm:
    """Rounds, in place, all weights to what a bundle of four bits holds: projections and head in four bits, the embedding in
    eight, vision and adaptor in half precision. An embedding that was tied to the head keeps its own values.

    The result is the PyTorch reference of that bundle. Returns `vlm`. Raises ExportError for a weight that does not fit.
    """
    vlm.lm_head.weight = torch.nn.Parameter(vlm.lm_head.weight.clone(), requires_grad=False)
    with torch.no_grad():
        for name, parameter in vlm.named_parameters():
            values = parameter.numpy()
            if name == HEAD or (name.startswith("model.layers.") and name.endswith("proj.weight")):
                held = unpack_int4(*pack_int4(values))
            elif name == EMBEDDING:
                held = store_and_load(values, "int8")
            elif name.startswith(HALVED):
                held = store_and_load(values, half_if_big(name, values))
            else:
                continue
            parameter.copy_(torch.from_numpy(np.array(held)))
    return vlm


def with_held_pair(pair: EncoderRenderer) -> EncoderRenderer:
    """The same for the encoder of reference pairs."""
    with torch.no_grad():
        for name, parameter in pair.encoder.named_parameters():
            held = store_and_load(parameter.numpy(), half_if_big(name, parameter))
            parameter.copy_(torch.from_numpy(np.array(held)))
    return pair


def stored_half(graph: onnx.ModelProto) -> onnx.ModelProto:
    """The same graph with its big weights kept in half precision and widened when it is loaded; `graph` stays as it is."""
    kept = copy.deepcopy(graph)
    store_initialisers(kept, half_if_big)
    return kept


def computed_half(graph: onnx.ModelProto, wide: list[str]) -> onnx.ModelProto:
    """The same graph computing in half precision; its inputs and outputs named in `wide` stay float32. `graph` stays as it is."""
    # Types of what is in between are not needed and cannot be told for onnxruntime's own operators.
    half = OnnxModel(convert_float_to_float16(copy.deepcopy(graph), keep_io_types=wide, disable_shape_infer=True))
    # It puts the casts of the inputs last.
    half.topological_sort()
    return half.model
