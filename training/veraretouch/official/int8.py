"""A product in whole numbers of eight bits, for processors on which four bits are slow (a web page's wasm).

onnxruntime's own dynamic quantisation gives one scale to all activations of a run: one value far out, as language models have
them at a few tokens, then costs all others their digits. Here every token has its own scale, and every output its own for
the weights: y = scale_x * scale_w * (whole_x . whole_w). Yao et al., "ZeroQuant" (2022), token-wise quantisation.
"""

from __future__ import annotations

import numpy as np
from onnx import TensorProto

from veraretouch.export.graph import GraphBuilder
from veraretouch.export.storage import quantise_rows

LARGEST = 127
# Activations are stored with this added: the kernels for unsigned times signed are several times faster than the others.
ZERO = 128
# Processors with AVX2 and without VNNI cut sums of such products off, wasm does not: onnxruntime's session setting that
# keeps them whole there, for whoever runs such a graph outside a page.
# https://github.com/microsoft/onnxruntime/blob/main/include/onnxruntime/core/session/onnxruntime_session_options_config_keys.h
KEEP_SUMS = {"session.x64quantprecision": "1"}


def multiply_int8(g: GraphBuilder, x: str, name: str, weight: np.ndarray, outputs: list[str] | None = None) -> str:
    """Nodes for x [1,S,K] times the transposed weight `name` [N,K] -> [1,S,N]."""
    whole, scales = quantise_rows(weight)
    largest = g.add("ReduceMax", [g.add("Abs", [x]), g.constant("last_axis", np.array([-1]))], keepdims=1)
    # A token whose channels are all 0 needs a scale too.
    largest = g.add("Max", [largest, g.constant("int8.least", np.array(1e-12, np.float32))])
    step = g.add("Mul", [largest, g.constant("int8.step", np.array(1 / LARGEST, np.float32))])
    rounded = g.add("Round", [g.add("Div", [x, step])])
    shifted = g.add("Add", [rounded, g.constant("int8.shift", np.array(ZERO, np.float32))])
    feeds = [g.add("Cast", [shifted], to=TensorProto.UINT8), g.constant(f"{name}.int8", whole.T)]
    product = g.add("MatMulInteger", [*feeds, g.constant("int8.zero", np.array(ZERO, np.uint8))])
    product = g.add("Mul", [g.add("Cast", [product], to=TensorProto.FLOAT), step])
    return g.add("Mul", [product, g.constant(f"{name}.scales", scales)], outputs)
