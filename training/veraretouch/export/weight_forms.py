"""Other forms of the weights of a bundle's finished graph: MatMulNBits, whole numbers with a scale a token, four bits on disk.

A bundle's own form is eight bits a row, widened to float32 when the graph is loaded. `with_form` takes such a graph and gives
the same graph with its matrix products in another form; `embed_int4` does it for the table of embeddings. Blocks of four bits
follow onnxruntime's MatMulNBits (docs/ContribOperators.md): value = (q - zero) * scale, one scale and zero a block of inputs.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from veraretouch.export.errors import ExportError
from veraretouch.export.graph import MICROSOFT, GraphBuilder, tensor
from veraretouch.export.storage import quantise_rows
from veraretouch.official.int8 import multiply_int8

# What MatMulNBits may round activations to: to 8 bits block by block, or not at all.
ROUGH, EXACT = 4, 0
# Nodes that join a graph are numbered from here on, so that no name is taken twice.
FIRST_NEW = 100_000


@dataclass(frozen=True)
class Form:
    """How products with a weight are stored and computed.

    kind: "widened" (float32 when loaded; 4 bits only, eight are what a bundle has), "nbits" (MatMulNBits), "either" (the
    bundle's own eight bits by DequantizeLinear: onnxruntime makes MatMulNBits of it, or float32 when the session is told so),
    "integer" (whole numbers, every token with a scale of its own). bits, block, symmetric, level: of the first two. wide: parts of names of
    weights that are kept in eight bits where the others have four.
    """

    name: str
    kind: Literal["widened", "nbits", "either", "integer"]
    bits: int = 8
    block: int = 64
    symmetric: bool = True
    level: int = ROUGH
    wide: tuple[str, ...] = ()

    def bits_of(self, weight: str) -> int:
        return 8 if any(part in weight for part in self.wide) else self.bits


def blocks_of(weight: np.ndarray, bits: int, block: int, symmetric: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """float [N,K] -> (uint8 [N,B,block] whole numbers, float32 scales [N,B], uint8 zeros [N,B]), B = K/block rounded up.

    Symmetric: the zero is the middle, and the value furthest from 0 is met exactly; else least and largest are. Raises
    ExportError for values that are no numbers.
    """
    if not np.isfinite(weight).all():
        raise ExportError("A weight is infinite or not a number. Nothing was written; give a bundle that passes its check.")
    rows, columns = weight.shape
    count = -(-columns // block)
    padded = np.zeros((rows, count * block), np.float32)
    padded[:, :columns] = weight
    parts = padded.reshape(rows, count, block)
    middle, most = 2 ** (bits - 1), 2**bits - 1
    if symmetric:
        furthest = np.take_along_axis(parts, np.abs(parts).argmax(axis=2)[:, :, None], axis=2)[:, :, 0]
        # Eight bits keep both ends; four cannot spare a sixteenth, so the longer side ends at q = 0.
        scales = np.abs(furthest) / (middle - 1) if bits == 8 else furthest / -middle
        zeros = np.full((rows, count), middle, np.uint8)
    else:
        low, high = np.minimum(parts.min(axis=2), 0), np.maximum(parts.max(axis=2), 0)
        scales = (high - low) / most
        zeros = np.clip(np.rint(-low / np.where(scales == 0, 1, scales)), 0, most).astype(np.uint8)
    scales = np.where(scales == 0, 1, scales).astype(np.float32)
    whole = np.clip(np.rint(parts / scales[:, :, None]) + zeros[:, :, None], 0, most).astype(np.uint8)
    return whole, scales, zeros


def values_of(whole: np.ndarray, scales: np.ndarray, zeros: np.ndarray, columns: int) -> np.ndarray:
    """The weight float32 [N,columns] that `blocks_of` stands for."""
    values = (whole.astype(np.float32) - zeros[:, :, None]) * scales[:, :, None]
    return values.reshape(len(values), -1)[:, :columns]


def with_form(model: onnx.ModelProto, form: Form) -> onnx.ModelProto:
    """The same graph, its products with stored matrices of at least one block a row in `form`; `model` stays as it is.

    Raises ExportError when it has no such product.
    """
    changed = copy.deepcopy(model)
    graph = changed.graph
    constants, roots = _constants(graph)
    g = GraphBuilder(graph.name, FIRST_NEW)
    nodes, count = [], 0
    for node in graph.node:
        weight = _weight(node, constants)
        # What is stored as float32 is small.
        if weight is None or constants[roots[node.input[1]]].dtype == np.float32:
            nodes.append(node)
            continue
        count += 1
        g.nodes = []
        _product(g, node, roots[node.input[1]], weight, form)
        nodes += g.nodes
    if count == 0:
        raise ExportError(f"The graph {graph.name!r} has no product with a stored matrix. Nothing was written; choose another graph.")
    del graph.node[:]
    graph.node.extend(nodes)
    graph.initializer.extend(_new(g.initialisers, graph.initializer))
    _drop_unused(graph)
    if all(opset.domain != MICROSOFT for opset in changed.opset_import):
        changed.opset_import.append(helper.make_opsetid(MICROSOFT, 1))
    return changed


def embed_int4(model: onnx.ModelProto, block: int = 32) -> onnx.ModelProto:
    """The graph "embed" with its table in four bits, a scale of half precision for every `block` values.

    Raises ExportError when the table is not in eight bits, or `block` does not divide its width.
    """
    table = {i.name: numpy_helper.to_array(i) for i in model.graph.initializer}
    if "table.int8" not in table or table["table.int8"].shape[1] % block:
        raise ExportError(f"The table of embeddings is not in eight bits, or not a multiple of {block} wide. Nothing was written.")
    weight = table["table.int8"].astype(np.float32) * table["table.scale"]
    width = weight.shape[1]
    _, scales, zeros = blocks_of(weight, 4, block, symmetric=True)
    half = scales.astype(np.float16)
    safe = np.where(half == 0, np.float16(1), half).astype(np.float32)
    parts = weight.reshape(len(weight), -1, block)
    whole = np.clip(np.rint(parts / safe[:, :, None]) + zeros[:, :, None], 0, 15).astype(np.uint8).reshape(weight.shape)
    g = GraphBuilder("embed")
    packed = g.constant("table.int4", whole[:, : width // 2] | (whole[:, width // 2 :] << 4))
    wide = _widened(g, g.add("Gather", [packed, "input_ids"], axis=0), axis=2)
    wide = g.add("Reshape", [wide, g.constant("blocks", np.array([1, -1, width // block, block]))])
    rows = g.add("Gather", [g.constant("table.scale", half[:, :, None]), "input_ids"], axis=0)
    scaled = g.add("Mul", [wide, g.add("Cast", [rows], to=TensorProto.FLOAT)])
    g.add("Reshape", [scaled, g.constant("width", np.array([1, -1, width]))], ["embeds"])
    return g.model([tensor("input_ids", [1, "S"], TensorProto.INT64)], [tensor("embeds", [1, "S", width])])


def _new(made: list[onnx.TensorProto], there: Sequence[onnx.TensorProto]) -> list[onnx.TensorProto]:
    """Those that the graph lacks: small constants, such as an axis, may be there by the same name and value."""
    values = {i.name: numpy_helper.to_array(i) for i in there}
    for i in made:
        if i.name in values and not np.array_equal(values[i.name], numpy_helper.to_array(i)):
            raise ExportError(f"The graph has another constant {i.name!r}. Nothing was written; give a graph of the exporter.")
    return [i for i in made if i.name not in values]


def _constants(graph: onnx.GraphProto) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Values of the initialisers and of what Cast and Mul make of nothing but those; and the initialiser that each comes from."""
    known = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
    roots = {name: name for name in known}
    for node in graph.node:
        if not node.input or any(name not in known for name in node.input):
            continue
        given = [known[name] for name in node.input]
        if node.op_type == "Mul":
            known[node.output[0]] = given[0] * given[1]
        elif node.op_type == "Cast" and node.attribute[0].i == TensorProto.FLOAT:
            known[node.output[0]] = given[0].astype(np.float32)
        if node.output[0] in known:
            roots[node.output[0]] = roots[node.input[0]]
    return known, roots


def _weight(node: onnx.NodeProto, constants: dict[str, np.ndarray]) -> np.ndarray | None:
    """The matrix [N,K] of a product with a constant, None for other nodes."""
    if node.op_type not in ("MatMul", "Gemm") or node.input[0] in constants or node.input[1] not in constants:
        return None
    weight = constants[node.input[1]]
    if weight.ndim != 2 or weight.dtype != np.float32:
        return None
    settings = {a.name: a.i or a.f for a in node.attribute}
    if node.op_type == "Gemm" and (settings.get("transA") or settings.get("alpha", 1) != 1 or settings.get("beta", 1) != 1):
        return None
    return weight if node.op_type == "Gemm" and settings.get("transB") else np.ascontiguousarray(weight.T)


def _product(g: GraphBuilder, node: onnx.NodeProto, name: str, weight: np.ndarray, form: Form) -> None:
    """Nodes that give what `node` gave: x times the transposed weight, plus a Gemm's bias."""
    biased = node.op_type == "Gemm" and len(node.input) > 2
    # Not the name of what is there, which may stay in use.
    name = f"{name}.product"
    out = None if biased else list(node.output)
    if form.kind == "integer":
        y = multiply_int8(g, node.input[0], name, weight, out)
    elif form.kind == "either":
        y = g.add("MatMul", [node.input[0], _dequantised(g, name, weight, form)], out)
    elif form.kind == "nbits":
        y = _nbits(g, node.input[0], name, weight, form, out)
    else:
        y = g.add("MatMul", [node.input[0], _widened_weight(g, name, weight, form)], out)
    if biased:
        g.add("Add", [y, node.input[2]], list(node.output))


def _nbits(g: GraphBuilder, x: str, name: str, weight: np.ndarray, form: Form, out: list[str] | None) -> str:
    bits = form.bits_of(name)
    whole, scales, zeros = blocks_of(weight, bits, form.block, form.symmetric or bits == 8)
    if bits == 4:
        whole = whole[:, :, 0::2] | (whole[:, :, 1::2] << 4)
    inputs = [x, g.constant(f"{name}.int{bits}", whole), g.constant(f"{name}.scales", scales.reshape(-1))]
    if not form.symmetric and bits == 4:
        even = np.zeros((len(zeros), zeros.shape[1] + zeros.shape[1] % 2), np.uint8)
        even[:, : zeros.shape[1]] = zeros
        inputs.append(g.constant(f"{name}.zeros", (even[:, 0::2] | (even[:, 1::2] << 4)).reshape(-1)))
    return g.add(
        "MatMulNBits", inputs, out, domain=MICROSOFT, K=weight.shape[1], N=weight.shape[0], bits=bits,
        block_size=form.block, accuracy_level=form.level,
    )  # fmt: skip


def _dequantised(g: GraphBuilder, name: str, weight: np.ndarray, form: Form) -> str:
    """float32 [K,N] by DequantizeLinear along K in blocks, each with its row's scale: the very values that were stored.

    onnxruntime turns it and the product into MatMulNBits (optimizer/qdq_transformer), unless the session says
    "session.disable_quant_qdq": then it is computed once, when the graph is loaded.
    """
    # onnxruntime 1.32 gives other values where the last block is not full.
    block = next((b for b in (form.block, 32, 16) if weight.shape[1] % b == 0), None)
    if block is None:
        return g.linear_weight(name, weight, "int8")
    whole, scales = quantise_rows(weight)
    repeated = np.repeat(scales[None, :], weight.shape[1] // block, axis=0)
    # Unsigned, with a zero for each block: what is signed and has none, onnxruntime rewrites on some processors, and fails.
    shifted = (whole.T.astype(np.int16) + 128).astype(np.uint8)
    zeros = g.constant(f"zeros.{repeated.shape[0]}.{repeated.shape[1]}", np.full(repeated.shape, 128, np.uint8))
    inputs = [g.constant(f"{name}.uint8", shifted), g.constant(f"{name}.scales", repeated), zeros]
    return g.add("DequantizeLinear", inputs, axis=0, block_size=block)


def _widened_weight(g: GraphBuilder, name: str, weight: np.ndarray, form: Form) -> str:
    """float32 [K,N] from four bits, computed once when the graph is loaded. K must be a multiple of twice the block or less."""
    columns, rows = weight.shape[1], weight.shape[0]
    if form.bits_of(name) == 8 or columns % form.block or columns % 2:
        return g.linear_weight(name, weight, "int8")
    whole, scales, zeros = blocks_of(weight, 4, form.block, form.symmetric)
    flat = np.ascontiguousarray(whole.reshape(rows, columns).T)
    packed = g.constant(f"{name}.int4", flat[: columns // 2] | (flat[columns // 2 :] << 4))
    wide = _widened(g, packed, axis=0, middle=form.symmetric)
    shape = g.constant(f"blocks.{columns}.{rows}", np.array([columns // form.block, form.block, rows]))
    wide = g.add("Reshape", [wide, shape])
    if not form.symmetric:
        offset = np.ascontiguousarray(zeros.T)[:, None, :]
        wide = g.add("Sub", [wide, g.add("Cast", [g.constant(f"{name}.zeros", offset)], to=TensorProto.FLOAT)])
    scaled = g.add("Mul", [wide, g.constant(f"{name}.scales", np.ascontiguousarray(scales.T)[:, None, :])])
    return g.add("Reshape", [scaled, g.constant(f"whole.{columns}.{rows}", np.array([columns, rows]))])


def _widened(g: GraphBuilder, packed: str, axis: int, middle: bool = True) -> str:
    """float32 of four bits, two a byte: the low halves are the first half along `axis`. `middle`: 8 is taken off."""
    low = g.add("BitwiseAnd", [packed, g.constant("low_half", np.array(15, np.uint8))])
    high = g.add("BitShift", [packed, g.constant("four", np.array(4, np.uint8))], direction="RIGHT")
    wide = g.add("Cast", [g.add("Concat", [low, high], axis=axis)], to=TensorProto.FLOAT)
    return g.add("Sub", [wide, g.constant("eight", np.array(8, np.float32))]) if middle else wide


def _drop_unused(graph: onnx.GraphProto) -> None:
    """Removes nodes and initialisers that no output needs."""
    needed = {o.name for o in graph.output}
    kept = []
    for node in reversed(graph.node):
        if needed & set(node.output):
            kept.append(node)
            needed |= set(node.input)
    stored = [i for i in graph.initializer if i.name in needed]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(reversed(kept))
    graph.initializer.extend(stored)
