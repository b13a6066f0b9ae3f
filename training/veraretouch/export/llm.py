"""decoder.onnx and embed.onnx from a Llama model of `transformers`.

The decoder is written node by node with onnxruntime's GroupQueryAttention, because its key and
value caches grow in place, which no exporter's generic graph does. Equations: Touvron et al.,
"LLaMA" (2023); rotary positions: Su et al., "RoFormer" (2021); grouped queries: Ainslie et al.,
"GQA" (2023). `transformers` keeps queries and keys in the half-split rotary layout, which is
rotary_interleaved=0 here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import onnx
import torch
from onnx import TensorProto

from veraretouch.export.errors import ExportError
from veraretouch.export.graph import MICROSOFT, GraphBuilder, tensor
from veraretouch.export.storage import (
    Storage,
    StorageOf,
    default_storage,
    quantise_rows,
)

# Longest context of the decoder: image and prompt rows plus an answer.
MAX_POSITIONS = 1024


@dataclass(frozen=True)
class DecoderShape:
    """Sizes of a Llama decoder; `hidden` need not be heads * head_dim."""

    hidden: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    rope_theta: float
    epsilon: float

    @staticmethod
    def of(config) -> DecoderShape:
        """From a `transformers` LlamaConfig (plain rotary positions only)."""
        rope = getattr(config, "rope_parameters", None) or {}
        if rope.get("rope_type", "default") != "default":
            raise ExportError(
                f"Rotary positions of type {rope['rope_type']!r} cannot be exported, only the "
                "default ones. Nothing was written."
            )
        theta = rope.get("rope_theta") or getattr(config, "rope_theta", 10000.0)
        head_dim = getattr(config, "head_dim", None)
        return DecoderShape(
            hidden=config.hidden_size,
            layers=config.num_hidden_layers,
            heads=config.num_attention_heads,
            kv_heads=config.num_key_value_heads,
            head_dim=head_dim or config.hidden_size // config.num_attention_heads,
            rope_theta=float(theta),
            epsilon=float(config.rms_norm_eps),
        )


def rotary_tables(shape: DecoderShape, positions: int) -> tuple[np.ndarray, np.ndarray]:
    """cos and sin, each float32 [positions, head_dim/2]; angle = position * theta^(-2i/head_dim)."""
    index = torch.arange(0, shape.head_dim, 2, dtype=torch.int64).float()
    inverse = 1.0 / (shape.rope_theta ** (index / shape.head_dim))
    angles = torch.outer(torch.arange(positions).float(), inverse)
    return angles.cos().numpy(), angles.sin().numpy()


def build_decoder(
    state: dict[str, torch.Tensor],
    shape: DecoderShape,
    head: torch.Tensor,
    storage_of: StorageOf = default_storage,
    positions: int = MAX_POSITIONS,
) -> onnx.ModelProto:
    """The decoder graph of the bundle format.

    `state` is the state dict of a LlamaModel (names without "model."); only the first
    `shape.layers` layers are used. `head` [Vout,H] scores the output tokens. `storage_of` gets
    the names of `state` after "lm.", and "lm.head.weight".
    Inputs: inputs_embeds [1,S,H], attention_mask int64 [1,P+S], past.{i}.key and past.{i}.value
    [1,kv,P,d]. Outputs: hidden [1,S,H] after the final norm, logits [1,1,Vout] of the last
    position, present.{i}.key and present.{i}.value [1,kv,P+S,d].
    """
    missing = [n for n in _weight_names(shape.layers) if n not in state]
    if missing:
        raise ExportError(
            f"The language model lacks {missing[0]} ({len(missing)} weights in all). Nothing was "
            "written; pass the state dict of a LlamaModel."
        )
    return decoder_graph(_StoredWeights(state, head, storage_of), shape, positions)


class DecoderWeights(Protocol):
    """Where a decoder's graph gets its weights, by the names of a LlamaModel's state dict."""

    # Rows of the head.
    outputs: int

    def values(self, name: str) -> np.ndarray:
        """A norm's gains, float32."""

    def project(self, g: GraphBuilder, x: str, name: str) -> str:
        """x times the transposed weight of that name, plus its bias where the model has one."""

    def score(self, g: GraphBuilder, x: str) -> None:
        """x times the transposed head, as "logits"."""


def decoder_graph(
    weights: DecoderWeights, shape: DecoderShape, positions: int, static_cache: bool = False
) -> onnx.ModelProto:
    """The decoder graph over any form of weights; inputs and outputs as `build_decoder` says.

    `positions` is the longest context. With `static_cache` past and present both have that many places from the first
    run on, and only `attention_mask` [1,T] tells how many are taken, those of the run among them.
    """
    g = GraphBuilder("decoder")
    lengths, total = _lengths(g)
    cos, sin = rotary_tables(shape, positions)
    caches = (g.constant("rotary.cos", cos), g.constant("rotary.sin", sin))

    skip = "inputs_embeds"
    x = _first_norm(g, skip, weights.values("layers.0.input_layernorm.weight"), shape.epsilon)
    for i in range(shape.layers):
        last = i == shape.layers - 1
        attended = _attention(g, x, i, weights, shape, (lengths, total), caches)
        after = weights.values(f"layers.{i}.post_attention_layernorm.weight")
        x, skip = _skip_norm(g, attended, skip, f"layers.{i}.post", after, shape.epsilon)
        expanded = _feed_forward(g, x, i, weights)
        name = "norm.weight" if last else f"layers.{i + 1}.input_layernorm.weight"
        x, skip = _skip_norm(
            g, expanded, skip, name, weights.values(name), shape.epsilon, "hidden" if last else None
        )
    newest = g.add(
        "Slice",
        [x, g.constant("minus_one", np.array([-1])), g.constant("end", np.array([2**31])),
         g.constant("time_axis", np.array([1]))],
    )  # fmt: skip
    weights.score(g, newest)
    lengths_of_cache = (positions, positions, "T") if static_cache else ("P", "P+S", "P+S")
    return _as_model(g, shape, weights.outputs, *lengths_of_cache)


class _StoredWeights:
    """A state dict and a head together with how each weight is stored; no projection has a bias."""

    def __init__(self, state: dict[str, torch.Tensor], head: torch.Tensor, storage_of: StorageOf) -> None:
        self._state, self._head, self._storage_of = state, head, storage_of
        self.outputs = len(head)

    def values(self, name: str) -> np.ndarray:
        return self._state[name].detach().float().cpu().numpy()

    def storage(self, name: str) -> Storage:
        return self._storage_of(f"lm.{name}", self._state[name])

    def project(self, g: GraphBuilder, x: str, name: str) -> str:
        return g.linear(x, name, self.values(name), self.storage(name))

    def score(self, g: GraphBuilder, x: str) -> None:
        rows = self._head.detach().float().cpu().numpy()
        g.linear(x, "head", rows, self._storage_of("lm.head.weight", self._head), output="logits")


def _weight_names(layers: int) -> list[str]:
    each = ("input_layernorm", "post_attention_layernorm", "self_attn.q_proj", "self_attn.k_proj",
            "self_attn.v_proj", "self_attn.o_proj", "mlp.gate_proj", "mlp.up_proj",
            "mlp.down_proj")  # fmt: skip
    names = [f"layers.{i}.{part}.weight" for i in range(layers) for part in each]
    return ["norm.weight", *names]


def _lengths(g: GraphBuilder) -> tuple[str, str]:
    """seqlens_k (int32 [1], index of the last valid position) and the total length (int32 [])."""
    axis = g.constant("mask_axis", np.array([1]))
    count = g.add("ReduceSum", ["attention_mask", axis], keepdims=0)
    last = g.add("Sub", [count, g.constant("one", np.array([1]))])
    lengths = g.add("Cast", [last], to=TensorProto.INT32)
    width = g.add("Shape", ["attention_mask"])
    width = g.add("Gather", [width, g.constant("mask_axis_scalar", np.array(1))], axis=0)
    return lengths, g.add("Cast", [width], to=TensorProto.INT32)


def _first_norm(g, x, weight, epsilon) -> str:
    """RMS norm in standard operators: the fused one without a skip has no standard name here."""
    square = g.add("Mul", [x, x])
    mean = g.add("ReduceMean", [square, g.constant("last_axis", np.array([-1]))], keepdims=1)
    shifted = g.add("Add", [mean, g.constant("epsilon", np.array(epsilon, dtype=np.float32))])
    scaled = g.add("Div", [x, g.add("Sqrt", [shifted])])
    return g.add("Mul", [scaled, g.constant("layers.0.norm", weight)])


def _skip_norm(g, x, skip, name, weight, epsilon, output=None) -> tuple[str, str]:
    """(RMS norm of x + skip, x + skip)."""
    normed, total = output or f"{name}.out", f"{name}.sum"
    g.add(
        "SkipSimplifiedLayerNormalization",
        [x, skip, g.constant(name, weight)],
        [normed, "", "", total],
        domain=MICROSOFT,
        epsilon=epsilon,
    )
    return normed, total


def _attention(g, x, i, weights, shape, lengths, caches) -> str:
    prefix = f"layers.{i}.self_attn"
    q, k, v = (
        weights.project(g, x, f"{prefix}.{p}_proj.weight") for p in "qkv"
    )
    out = f"{prefix}.out"
    g.add(
        "GroupQueryAttention",
        [q, k, v, f"past.{i}.key", f"past.{i}.value", *lengths, *caches],
        [out, f"present.{i}.key", f"present.{i}.value"],
        domain=MICROSOFT,
        num_heads=shape.heads,
        kv_num_heads=shape.kv_heads,
        do_rotary=1,
        rotary_interleaved=0,
        scale=float(1.0 / np.sqrt(shape.head_dim)),
    )
    return weights.project(g, out, f"{prefix}.o_proj.weight")


def _feed_forward(g, x, i, weights) -> str:
    prefix = f"layers.{i}.mlp"
    gate, up = (weights.project(g, x, f"{prefix}.{p}_proj.weight") for p in ("gate", "up"))
    silu = g.add("Mul", [gate, g.add("Sigmoid", [gate])])
    both = g.add("Mul", [silu, up])
    return weights.project(g, both, f"{prefix}.down_proj.weight")


def _as_model(
    g: GraphBuilder, shape: DecoderShape, outputs: int, past: int | str, present: int | str, taken: str
) -> onnx.ModelProto:
    """`past`, `present`: places of the cache before and after a run; `taken`: length of the mask."""

    def caches(prefix: str, length: int | str):
        size = [1, shape.kv_heads, length, shape.head_dim]
        return [
            tensor(f"{prefix}.{i}.{part}", size)
            for i in range(shape.layers)
            for part in ("key", "value")
        ]

    ins = [
        tensor("inputs_embeds", [1, "S", shape.hidden]),
        tensor("attention_mask", [1, taken], TensorProto.INT64),
        *caches("past", past),
    ]
    outs = [
        tensor("hidden", [1, "S", shape.hidden]),
        tensor("logits", [1, 1, outputs]),
        *caches("present", present),
    ]
    return g.model(ins, outs)


def build_embed(embedding: np.ndarray, storage: Storage = "int8") -> onnx.ModelProto:
    """input_ids int64 [1,S] -> embeds [1,S,H]; the table [V,H] stays in its stored form in memory."""
    g = GraphBuilder("embed")
    if storage == "int8":
        whole, scale = quantise_rows(embedding)
        rows = g.add("Gather", [g.constant("table.int8", whole), "input_ids"], axis=0)
        wide = g.add("Cast", [rows], to=TensorProto.FLOAT)
        scales = g.add("Gather", [g.constant("table.scale", scale[:, None]), "input_ids"], axis=0)
        g.add("Mul", [wide, scales], ["embeds"])
    elif storage == "float16":
        half = g.constant("table.half", embedding.astype(np.float16))
        rows = g.add("Gather", [half, "input_ids"], axis=0)
        g.add("Cast", [rows], ["embeds"], to=TensorProto.FLOAT)
    else:
        table = g.constant("table", embedding.astype(np.float32))
        g.add("Gather", [table, "input_ids"], ["embeds"], axis=0)
    width = embedding.shape[1]
    return g.model(
        [tensor("input_ids", [1, "S"], TensorProto.INT64)], [tensor("embeds", [1, "S", width])]
    )
