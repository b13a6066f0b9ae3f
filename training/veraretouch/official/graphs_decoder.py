"""The decoder of the published model as an ONNX graph: Qwen2 with its biases, a cache of one size, weights in one of three forms."""

from __future__ import annotations

import numpy as np
import onnx

from veraretouch.export.graph import MICROSOFT, GraphBuilder
from veraretouch.export.llm import DecoderShape, decoder_graph
from veraretouch.official.int4 import BLOCK, pack_int4
from veraretouch.official.int8 import multiply_int8
from veraretouch.official.model import HEAD, OfficialVlm

# "int8" multiplies in integers with activations rounded on the way: what is fast where MatMulNBits is not.
PRECISIONS = ("fp32", "int4", "int8")
# What MatMulNBits may round activations to, block by block: to 8 bits, which makes it more than twice as fast on a processor,
# or not at all.
ROUGH, EXACT = 4, 0


def build_decoder(vlm: OfficialVlm, positions: int, precision: str = "fp32", exact: bool = False) -> onnx.ModelProto:
    """inputs_embeds [1,S,H], attention_mask int64 [1,T], past.{i}.key and past.{i}.value [1,kv,positions,d] -> hidden
    [1,S,H] after the last norm, logits [1,1,V] of the last position, present.{i}.key and present.{i}.value like past.

    T is how many places are taken, those of this run among them. `precision` is that of the projections and the head; with
    "int4" `exact` leaves the activations as they are.
    """
    if precision not in PRECISIONS:
        raise ValueError(f"{precision!r} is none of {', '.join(PRECISIONS)}.")
    shape = DecoderShape.of(vlm.model.config)
    return decoder_graph(_Qwen2Weights(vlm, precision, EXACT if exact else ROUGH), shape, positions, static_cache=True)


class _Qwen2Weights:
    """Queries, keys and values have biases, which stay float32."""

    def __init__(self, vlm: OfficialVlm, precision: str, level: int) -> None:
        self._state, self._precision, self._level = vlm.state_dict(), precision, level
        self.outputs = len(self._state[HEAD])

    def values(self, name: str) -> np.ndarray:
        return self._array(f"model.{name}")

    def project(self, g: GraphBuilder, x: str, name: str) -> str:
        bias = f"model.{name.removesuffix('weight')}bias"
        y = self._multiply(g, x, f"model.{name}")
        return g.add("Add", [y, g.constant(bias, self._array(bias))]) if bias in self._state else y

    def score(self, g: GraphBuilder, x: str) -> None:
        self._multiply(g, x, HEAD, ["logits"])

    def _array(self, name: str) -> np.ndarray:
        return self._state[name].detach().float().cpu().numpy()

    def _multiply(self, g: GraphBuilder, x: str, name: str, outputs: list[str] | None = None) -> str:
        """x times the transposed weight `name` [out,in]."""
        weight = self._array(name)
        if self._precision == "fp32":
            return g.add("MatMul", [x, g.constant(name, weight.T)], outputs)
        if self._precision == "int8":
            return multiply_int8(g, x, name, weight, outputs)
        packed, scales = pack_int4(weight)
        inputs = [x, g.constant(f"{name}.int4", packed), g.constant(f"{name}.scales", scales.reshape(-1))]
        return g.add(
            "MatMulNBits", inputs, outputs, domain=MICROSOFT, K=weight.shape[1], N=weight.shape[0], bits=4,
            block_size=BLOCK, accuracy_level=self._level,
        )  # fmt: skip
