"""The decoder of the published model as an ONNX graph: Qwen2 with its biases, a cache of one size, weights of 32 or 4 bits.

Inputs and outputs are those of `export/llm.py`, but that the cache has `positions` places from the first run on, which
`present` gives back with the new entries in theirs.
"""

from __future__ import annotations

import numpy as np
import onnx
import torch

from veraretouch.export.graph import MICROSOFT, GraphBuilder, tensor
from veraretouch.export.llm import DecoderShape, rotary_tables
from veraretouch.official.int4 import BLOCK, pack_int4, unpack_int4
from veraretouch.official.model import HEAD, OfficialVlm

PRECISIONS = ("fp32", "int4")
# Lets the CPU multiply in 8-bit integers, which MatMulNBits needs to be fast there.
ACCURACY_LEVEL = 4


def build_decoder(vlm: OfficialVlm, positions: int, precision: str = "fp32") -> onnx.ModelProto:
    """inputs_embeds [1,S,H], attention_mask int64 [1,T], past.{i}.key and past.{i}.value [1,kv,positions,d] -> hidden
    [1,S,H] after the last norm, logits [1,1,V] of the last position, present.{i}.key and present.{i}.value like past.

    T is how many places are taken, those of this run among them. `precision` is that of the projections and the head.
    """
    if precision not in PRECISIONS:
        raise ValueError(f"{precision!r} is none of {', '.join(PRECISIONS)}.")
    return _Qwen2Graph(vlm, positions, precision).build()


class _Qwen2Graph:
    def __init__(self, vlm: OfficialVlm, positions: int, precision: str) -> None:
        self.shape = DecoderShape.of(vlm.model.config)
        self.positions, self.precision = positions, precision
        self.state = vlm.state_dict()
        self.g = GraphBuilder("decoder")

    def build(self) -> onnx.ModelProto:
        g, shape = self.g, self.shape
        axis = g.constant("mask_axis", np.array([1]))
        count = g.add("ReduceSum", ["attention_mask", axis], keepdims=0)
        last = g.add("Sub", [count, g.constant("one", np.array([1]))])
        width = g.add("Gather", [g.add("Shape", ["attention_mask"]), g.constant("second", np.array(1))], axis=0)
        int32 = onnx.TensorProto.INT32
        lengths = (g.add("Cast", [last], to=int32), g.add("Cast", [width], to=int32))
        cos, sin = rotary_tables(shape, self.positions)
        tables = (g.constant("rotary.cos", cos), g.constant("rotary.sin", sin))
        skip = "inputs_embeds"
        x = self._norm(skip, "model.layers.0.input_layernorm.weight")
        for i in range(shape.layers):
            final = i == shape.layers - 1
            prefix = f"model.layers.{i}"
            attended = self._attention(x, i, lengths, tables)
            x, skip = self._skip_norm(attended, skip, f"{prefix}.post_attention_layernorm.weight")
            expanded = self._feed_forward(x, f"{prefix}.mlp")
            name = "model.norm.weight" if final else f"model.layers.{i + 1}.input_layernorm.weight"
            x, skip = self._skip_norm(expanded, skip, name, "hidden" if final else None)
        ends = [g.constant("minus_one", np.array([-1])), g.constant("end", np.array([2**31])), axis]
        self._multiply(g.add("Slice", [x, *ends]), HEAD, output="logits")
        return g.model(self._inputs(), self._outputs())

    def _values(self, name: str) -> np.ndarray:
        return self.state[name].detach().float().cpu().numpy()

    def _multiply(self, x: str, name: str, bias: str | None = None, output: str | None = None) -> str:
        """x times the transposed weight `name` [out,in], plus a bias."""
        g, weight = self.g, self._values(name)
        outputs = [output] if output and bias is None else None
        if self.precision == "int4":
            packed, scales = pack_int4(weight)
            inputs = [x, g.constant(f"{name}.int4", packed), g.constant(f"{name}.scales", scales.reshape(-1))]
            y = g.add(
                "MatMulNBits", inputs, outputs, domain=MICROSOFT, K=weight.shape[1], N=weight.shape[0], bits=4,
                block_size=BLOCK, accuracy_level=ACCURACY_LEVEL,
            )  # fmt: skip
        else:
            y = g.add("MatMul", [x, g.constant(name, weight.T)], outputs)
        return y if bias is None else g.add("Add", [y, g.constant(bias, self._values(bias))])

    def _norm(self, x: str, name: str) -> str:
        """Root mean square norm. Zhang and Sennrich (2019)."""
        g = self.g
        mean = g.add("ReduceMean", [g.add("Mul", [x, x]), g.constant("last_axis", np.array([-1]))], keepdims=1)
        shifted = g.add("Add", [mean, g.constant("epsilon", np.array(self.shape.epsilon, dtype=np.float32))])
        return g.add("Mul", [g.add("Div", [x, g.add("Sqrt", [shifted])]), g.constant(name, self._values(name))])

    def _skip_norm(self, x: str, skip: str, name: str, output: str | None = None) -> tuple[str, str]:
        """(norm of x + skip, x + skip)."""
        outputs = [output or f"{name}.out", "", "", f"{name}.sum"]
        inputs = [x, skip, self.g.constant(name, self._values(name))]
        self.g.add(
            "SkipSimplifiedLayerNormalization", inputs, outputs, domain=MICROSOFT, epsilon=self.shape.epsilon
        )
        return outputs[0], outputs[3]

    def _attention(self, x: str, i: int, lengths: tuple[str, str], tables: tuple[str, str]) -> str:
        prefix = f"model.layers.{i}.self_attn"
        q, k, v = (self._multiply(x, f"{prefix}.{p}_proj.weight", f"{prefix}.{p}_proj.bias") for p in "qkv")
        out = f"{prefix}.out"
        self.g.add(
            "GroupQueryAttention",
            [q, k, v, f"past.{i}.key", f"past.{i}.value", *lengths, *tables],
            [out, f"present.{i}.key", f"present.{i}.value"],
            domain=MICROSOFT,
            num_heads=self.shape.heads,
            kv_num_heads=self.shape.kv_heads,
            do_rotary=1,
            rotary_interleaved=0,
            scale=float(1.0 / np.sqrt(self.shape.head_dim)),
        )
        return self._multiply(out, f"{prefix}.o_proj.weight")

    def _feed_forward(self, x: str, prefix: str) -> str:
        gate, up = (self._multiply(x, f"{prefix}.{part}_proj.weight") for part in ("gate", "up"))
        silu = self.g.add("Mul", [gate, self.g.add("Sigmoid", [gate])])
        return self._multiply(self.g.add("Mul", [silu, up]), f"{prefix}.down_proj.weight")

    def _caches(self, prefix: str) -> list[onnx.ValueInfoProto]:
        size = [1, self.shape.kv_heads, self.positions, self.shape.head_dim]
        return [tensor(f"{prefix}.{i}.{part}", size) for i in range(self.shape.layers) for part in ("key", "value")]

    def _inputs(self) -> list[onnx.ValueInfoProto]:
        mask = tensor("attention_mask", [1, "T"], onnx.TensorProto.INT64)
        return [tensor("inputs_embeds", [1, "S", self.shape.hidden]), mask, *self._caches("past")]

    def _outputs(self) -> list[onnx.ValueInfoProto]:
        hidden = tensor("hidden", [1, "S", self.shape.hidden])
        return [hidden, tensor("logits", [1, 1, len(self.state[HEAD])]), *self._caches("present")]


def with_int4_weights(vlm: OfficialVlm) -> OfficialVlm:
    """Rounds, in place, the weights that the graph of precision int4 holds in four bits, to what they stand for there; an
    embedding that was tied to the head keeps its own values. Returns `vlm`."""
    with torch.no_grad():
        vlm.lm_head.weight = torch.nn.Parameter(vlm.lm_head.weight.clone(), requires_grad=False)
        for name, parameter in vlm.named_parameters():
            if name == HEAD or (name.startswith("model.layers.") and name.endswith("proj.weight")):
                parameter.copy_(torch.from_numpy(unpack_int4(*pack_int4(parameter.numpy()))))
    return vlm
