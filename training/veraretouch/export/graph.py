"""Building blocks of hand-made ONNX graphs and the storage of weights inside a graph."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from veraretouch.export.errors import ExportError
from veraretouch.export.storage import Storage, quantise_rows

OPSET = 21
# The file format version that onnxruntime 1.20 and later read.
IR_VERSION = 10
MICROSOFT = "com.microsoft"


class GraphBuilder:
    """Collects nodes and initialisers; every method returns the name of the tensor it makes.

    `first`: the number before that of the first node, for nodes that are to join another graph.
    """

    def __init__(self, name: str, first: int = 0) -> None:
        self.name = name
        self.nodes: list[onnx.NodeProto] = []
        self.initialisers: list[onnx.TensorProto] = []
        self._known: set[str] = set()
        self._count = first

    def constant(self, name: str, values: np.ndarray) -> str:
        """An initialiser; asking for the same name again returns the first one."""
        if name not in self._known:
            self._known.add(name)
            self.initialisers.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def add(
        self, op: str, inputs: list[str], outputs: list[str] | None = None, domain: str = "", **attrs
    ) -> str:
        """Adds a node and returns its first output."""
        self._count += 1
        outputs = outputs or [f"{op.lower()}_{self._count}"]
        self.nodes.append(
            helper.make_node(
                op, inputs, outputs, name=f"{op}_{self._count}", domain=domain, **attrs
            )
        )
        return outputs[0]

    def linear_weight(self, name: str, weight: np.ndarray, storage: Storage) -> str:
        """PyTorch's [out,in] -> a float32 tensor [in,out], computed from the stored form.

        onnxruntime evaluates this once, when the session is created.
        """
        if storage == "int8":
            whole, scale = quantise_rows(weight)
            wide = self.add(
                "Cast", [self.constant(f"{name}.int8", whole.T)], to=TensorProto.FLOAT
            )
            return self.add("Mul", [wide, self.constant(f"{name}.scale", scale[None, :])])
        if storage == "float16":
            half = self.constant(f"{name}.half", weight.T.astype(np.float16))
            return self.add("Cast", [half], to=TensorProto.FLOAT)
        return self.constant(name, np.asarray(weight.T, dtype=np.float32))

    def linear(
        self,
        x: str,
        name: str,
        weight: np.ndarray,
        storage: Storage,
        bias: np.ndarray | None = None,
        output: str | None = None,
    ) -> str:
        """x [...,in] times weight [out,in] transposed (plus bias) -> [...,out]."""
        outputs = [output] if output and bias is None else None
        y = self.add("MatMul", [x, self.linear_weight(name, weight, storage)], outputs)
        if bias is None:
            return y
        return self.add(
            "Add",
            [y, self.constant(f"{name}.bias", bias.astype(np.float32))],
            [output] if output else None,
        )

    def model(
        self, inputs: list[onnx.ValueInfoProto], outputs: list[onnx.ValueInfoProto]
    ) -> onnx.ModelProto:
        """The finished model, in onnxruntime's format version."""
        graph = helper.make_graph(self.nodes, self.name, inputs, outputs, self.initialisers)
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(MICROSOFT, 1)]
        model = helper.make_model(graph, opset_imports=opsets, producer_name="veraretouch")
        model.ir_version = IR_VERSION
        return model


def tensor(name: str, shape: list[int | str], kind: int = TensorProto.FLOAT):
    """Description of a graph input or output."""
    return helper.make_tensor_value_info(name, kind, shape)


def store_initialisers(model: onnx.ModelProto, storage_of) -> None:
    """Replaces float32 initialisers by their stored form plus the nodes that widen it, in place.

    `storage_of(name, array)` says how each is kept. int8 scales run along the first axis.
    Raises ExportError when a float16 form would change a value: weights must already be those
    that the storage can hold (see storage.py).
    """
    graph = model.graph
    widened: list[onnx.NodeProto] = []
    kept: list[onnx.TensorProto] = []
    for initialiser in graph.initializer:
        name = initialiser.name
        values = numpy_helper.to_array(initialiser)
        storage = storage_of(name, values) if values.dtype == np.float32 else "float32"
        if storage == "float32":
            kept.append(initialiser)
        elif storage == "float16":
            half = values.astype(np.float16)
            if not np.array_equal(half.astype(np.float32), values):
                raise ExportError(
                    f"{name} was not rounded to float16 before the export. Nothing was written; "
                    "pass the module through storage.as_stored first."
                )
            kept.append(numpy_helper.from_array(half, f"{name}.half"))
            widened.append(
                helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT)
            )
        else:
            whole, scale = quantise_rows(values)
            shape = (-1, *([1] * (values.ndim - 1)))
            kept.append(numpy_helper.from_array(whole, f"{name}.int8"))
            kept.append(numpy_helper.from_array(scale.reshape(shape), f"{name}.scale"))
            wide = f"{name}.wide"
            widened.append(
                helper.make_node("Cast", [f"{name}.int8"], [wide], to=TensorProto.FLOAT)
            )
            widened.append(helper.make_node("Mul", [wide, f"{name}.scale"], [name]))
    nodes = [*widened, *graph.node]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend(kept)


def save(model: onnx.ModelProto, path: Path) -> None:
    """Checks and writes a graph as one file (at most 2 GB)."""
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
