"""The graphs around the language model, traced from small PyTorch modules.

Every wrapper below has exactly the inputs and outputs of the bundle format, batch 1.
"""

from __future__ import annotations

import io
import warnings

import numpy as np
import onnx
import torch
from torch import nn

from veraretouch.engine.params import factor_mask
from veraretouch.export.errors import ExportError
from veraretouch.export.graph import IR_VERSION, store_initialisers
from veraretouch.export.storage import SMALL, Storage, store_and_load

TRACE_OPSET = 17


class ParamsGraph(nn.Module):
    """params [1,38] -> (param_tokens [1,3,H], latents [1,3,D]; a factor of zeros has latents 0)."""

    def __init__(self, projector: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.projector, self.head = projector, head

    def forward(self, params: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        latents = self.head(params) * factor_mask(params)[:, :, None]
        return self.projector(params), latents


class RendererGraph(nn.Module):
    """rgb [N,3], latents [3,D] -> out [N,3], without the batch axis of the PyTorch renderer."""

    def __init__(self, renderer: nn.Module) -> None:
        super().__init__()
        self.renderer = renderer

    def forward(self, rgb: torch.Tensor, latents: torch.Tensor) -> torch.Tensor:
        return self.renderer(rgb[None], latents[None])[0]


def lossless_storage(name: str, values: np.ndarray) -> Storage:
    """The smallest storage of a big weight that loses nothing, else float32.

    `storage.as_stored` has rounded the weights before, so this finds what it rounded them to.
    """
    if values.ndim < 2 or values.size < SMALL:
        return "float32"
    for storage in ("int8", "float16"):
        try:
            if np.array_equal(store_and_load(values, storage), values):
                return storage
        except ExportError:
            continue  # too big for float16
    return "float32"


def trace(
    module: nn.Module,
    inputs: dict[str, torch.Tensor],
    outputs: list[str],
    dynamic: dict[str, dict[int, str]] | None = None,
    storage_of=lossless_storage,
) -> onnx.ModelProto:
    """One module as a graph whose big weights are in their stored form.

    `inputs` name and exemplify the inputs; `dynamic` names the axes that may vary. Weights keep
    their PyTorch layout (no folding here), onnxruntime folds and transposes them when it loads.
    """
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # The newer exporter writes the same networks with functions and shape arithmetic that
        # onnxruntime-web loads more slowly; the older one is deprecated and says so.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module.eval(),
            tuple(inputs.values()),
            buffer,
            input_names=list(inputs),
            output_names=outputs,
            dynamic_axes=dynamic or {},
            opset_version=TRACE_OPSET,
            dynamo=False,
            do_constant_folding=False,
        )
    model = onnx.load_from_string(buffer.getvalue())
    model.ir_version = min(model.ir_version, IR_VERSION)
    model.producer_name, model.producer_version = "veraretouch", ""
    for node in model.graph.node:
        node.doc_string = ""  # holds file paths of the exporting machine
    store_initialisers(model, storage_of)
    return model
