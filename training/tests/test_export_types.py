"""Graphs of the bundles use only types for which the browser's runtime has kernels."""

from pathlib import Path

import onnx
import pytest

ROOT = Path(__file__).parents[2]
BUNDLES = [ROOT / "test" / "fixtures" / "tiny-bundle", ROOT / "models"]
GRAPHS = [path for folder in BUNDLES for path in sorted(folder.glob("*.onnx"))]


@pytest.mark.parametrize("path", GRAPHS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_no_graph_computes_in_doubles(path):
    graph = onnx.shape_inference.infer_shapes(onnx.load(path)).graph
    assert len(graph.node) > 0
    casts = [a.i for node in graph.node if node.op_type == "Cast" for a in node.attribute if a.name == "to"]
    kinds = [value.type.tensor_type.elem_type for value in (*graph.value_info, *graph.input, *graph.output)]
    stored = [tensor.data_type for tensor in graph.initializer]
    assert onnx.TensorProto.DOUBLE not in (*casts, *kinds, *stored)


def test_there_are_graphs():
    assert len(GRAPHS) > 5
