"""How weights are kept in a bundle: float32, float16, or int8 with one scale per row.

Storing a weight changes its value a little, so the PyTorch reference is given the very values that
the bundle holds: `quantise_dequantise` is applied first, and storing its result loses nothing
(both storages are idempotent).
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Literal

import numpy as np
import torch
from torch import nn

from veraretouch.export.errors import ExportError

Storage = Literal["float32", "float16", "int8"]
StorageOf = Callable[[str, torch.Tensor], Storage]

# Weights below this many values stay float32: they save nothing.
SMALL = 4096
_SCALE_BITS = 12


def _scales(magnitude: np.ndarray) -> np.ndarray:
    """Row maximum [R] -> scale [R], the maximum over 127 rounded UP to 12 mantissa bits.

    So short a scale times 127 is exact in float32, therefore quantising dequantised weights finds
    the same scale and the same integers again.
    """
    mantissa, exponent = np.frexp(magnitude.astype(np.float64) / 127.0)
    scale = np.ldexp(np.ceil(mantissa * 2**_SCALE_BITS) / 2**_SCALE_BITS, exponent)
    return np.where(magnitude > 1e-30, scale, 1.0).astype(np.float32)


def quantise_rows(weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """float [R,...] -> (int8 of the same shape in [-127,127], scale float32 [R]); symmetric."""
    rows = np.asarray(weight, dtype=np.float32).reshape(len(weight), -1)
    if not np.isfinite(rows).all():
        raise ExportError(
            "A weight is infinite or not a number. Nothing was written; train again from the last "
            "good checkpoint."
        )
    scale = _scales(np.abs(rows).max(axis=1))
    whole = np.clip(np.rint(rows / scale[:, None]), -127, 127).astype(np.int8)
    return whole.reshape(weight.shape), scale


def dequantise_rows(whole: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Inverse of `quantise_rows`: one float32 product per weight, as the graphs compute it."""
    return whole.astype(np.float32) * scale.reshape(-1, *([1] * (whole.ndim - 1)))


def store_and_load(weight: np.ndarray, storage: Storage) -> np.ndarray:
    """float32 weights as they come back out of the given storage."""
    weight = np.asarray(weight, dtype=np.float32)
    if storage == "int8":
        return dequantise_rows(*quantise_rows(weight))
    if storage == "float16":
        with np.errstate(over="ignore"):
            half = weight.astype(np.float16)
        if not np.isfinite(half).all():
            raise ExportError(
                "A weight does not fit into float16. Nothing was written; keep it as float32."
            )
        return half.astype(np.float32)
    return weight


def default_storage(name: str, weight: torch.Tensor) -> Storage:
    """Matrices of the big parts int8, other big weights (convolutions too) float16, the rest float32.

    The parameter head, the projector that contains it and the adaptor's shortcut stay at float16:
    sliders are judged at 35 dB and more. So do the tone encoder's latents, which tokens carry exactly.
    """
    if weight.ndim < 2 or weight.numel() < SMALL or not weight.is_floating_point():
        return "float32"
    if name.startswith(("adaptor.shortcut.", "vision.tone.direct.")):
        return "float16"
    whole = weight.ndim == 2 and name.startswith(("lm.", "vision.", "style_projector.", "adaptor."))
    return "int8" if whole else "float16"


def quantise_dequantise(
    state: dict[str, torch.Tensor], storage_of: StorageOf = default_storage
) -> dict[str, torch.Tensor]:
    """A state dict as the bundle will hold it: same names and shapes, float32 stored values."""
    result = {}
    for name, weight in state.items():
        if weight.is_floating_point():
            values = store_and_load(weight.detach().float().cpu().numpy(), storage_of(name, weight))
            result[name] = torch.from_numpy(np.array(values))
        else:
            result[name] = weight.clone()
    return result


def fold_batch_norms(module: nn.Module, *inputs: torch.Tensor) -> int:
    """Folds every batch norm that directly follows a convolution into it, in place.

    Which follows which is observed on one forward pass over `inputs`, so any way of writing the
    network works. Returns how many were folded. Raises ExportError when the output changed.
    """
    module.eval()
    made_by: dict[int, nn.Module] = {}
    kept_alive: list[torch.Tensor] = []  # an id means nothing once its tensor is gone
    pairs: list[tuple[nn.Module, nn.Module]] = []

    def after_convolution(conv: nn.Module, _: tuple, output: torch.Tensor) -> None:
        made_by[id(output)] = conv
        kept_alive.append(output)

    def before_norm(norm: nn.Module, args: tuple) -> None:
        if id(args[0]) in made_by:
            pairs.append((made_by[id(args[0])], norm))

    convolutions = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
    norms = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
    hooks = []
    for child in module.modules():
        if isinstance(child, convolutions):
            hooks.append(child.register_forward_hook(after_convolution))
        elif isinstance(child, norms):
            hooks.append(child.register_forward_pre_hook(before_norm))
    with torch.no_grad():
        before = _flat(module(*inputs))
        for hook in hooks:
            hook.remove()
        for conv, norm in pairs:
            _fold(conv, norm)
        _replace(module, {norm for _, norm in pairs})
        after = _flat(module(*inputs))
    tolerance = 1e-4 * max(1.0, float(before.abs().max()))
    if float((before - after).abs().max()) > tolerance:
        raise ExportError(
            "Folding the batch norms changed what the network computes (a convolution is used "
            "twice, or something else reads its output). Nothing was written."
        )
    return len(pairs)


def _flat(output: torch.Tensor | tuple) -> torch.Tensor:
    tensors = output if isinstance(output, (tuple, list)) else (output,)
    return torch.cat([t.detach().reshape(-1).float() for t in tensors])


def _fold(conv: nn.Module, norm: nn.Module) -> None:
    gain = torch.rsqrt(norm.running_var + norm.eps)
    if norm.weight is not None:
        gain = gain * norm.weight
    bias = conv.bias if conv.bias is not None else torch.zeros_like(norm.running_mean)
    shifted = (bias - norm.running_mean) * gain
    if norm.bias is not None:
        shifted = shifted + norm.bias
    shape = (-1, *([1] * (conv.weight.ndim - 1)))
    conv.weight = nn.Parameter(conv.weight.detach() * gain.reshape(shape).detach(), False)
    conv.bias = nn.Parameter(shifted.detach(), False)


def _replace(module: nn.Module, folded: set[nn.Module]) -> None:
    for parent in module.modules():
        for name, child in parent.named_children():
            if child in folded:
                setattr(parent, name, nn.Identity())


def as_stored(
    module: nn.Module,
    prefix: str,
    example: tuple[torch.Tensor, ...] | None = None,
    storage_of: StorageOf = default_storage,
) -> nn.Module:
    """A float32 CPU copy of `module` whose weights are those that the bundle will hold.

    `prefix` is put before the parameter names given to `storage_of` (for example "lm.").
    With `example` inputs the batch norms are folded first.
    """
    stored = copy.deepcopy(module).float().cpu().eval().requires_grad_(False)
    if example is not None:
        fold_batch_norms(stored, *example)
    for name, parameter in stored.named_parameters():
        values = store_and_load(parameter.numpy(), storage_of(f"{prefix}{name}", parameter))
        parameter.data.copy_(torch.from_numpy(np.array(values)))
    return stored
