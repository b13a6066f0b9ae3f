"""Reads the published weights without executing anything that is in their files.

A `.pth` is a pickle, which can run any code when it is opened: PyTorch's weights-only reader takes tensors and plain
containers and refuses all else. `safetensors` holds no code at all.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open

from veraretouch.official.errors import OfficialModelError

INDEX, SINGLE = "model.safetensors.index.json", "model.safetensors"
GET_AGAIN = "Nothing was converted; get the file again from where it was published."
# How many wrong tensors a message names.
NAMED = 3


def read_safetensors(folder: Path) -> dict[str, torch.Tensor]:
    """All tensors of a folder with `model.safetensors`, or with shards and their index, by name, as stored.

    Raises OfficialModelError: no such file, a truncated or damaged shard, an index that does not fit its shards.
    """
    index = folder / INDEX
    if not index.is_file():
        if not (folder / SINGLE).is_file():
            raise OfficialModelError(
                f"{folder} holds neither {SINGLE} nor {INDEX}. Nothing was converted; give the folder of the checkpoint."
            )
        return _read_shard(folder / SINGLE)
    shard_of = _read_index(index)
    state: dict[str, torch.Tensor] = {}
    for shard in sorted(set(shard_of.values())):
        path = folder / shard
        if not path.is_file():
            raise OfficialModelError(f"{INDEX} names the shard {shard}, which is not there. {GET_AGAIN}")
        tensors = _read_shard(path)
        listed = {name for name, where in shard_of.items() if where == shard}
        for name in sorted(listed ^ tensors.keys()):
            where = "lacks it" if name in listed else "does not list it there"
            raise OfficialModelError(
                f"The tensor {name} and {shard} do not fit: {shard if name in listed else INDEX} {where}. {GET_AGAIN}"
            )
        state |= tensors
    return state


def read_pickled(path: Path, key: str = "model_state_dict") -> dict[str, torch.Tensor]:
    """The tensors under `key` of a `.pth`, by name, as stored.

    Raises OfficialModelError: no such file, damaged, anything in it but tensors and plain containers (nothing of
    that is executed), no such key.
    """
    if not path.is_file():
        raise OfficialModelError(f"There is no file {path}. Nothing was converted; give the published .pth.")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        # Also what PyTorch raises for a file that is no pickle at all.
        raise OfficialModelError(
            f"{path.name} holds something that is not a tensor, or is no such file: {_first_line(error)}. It was not "
            f"executed. {GET_AGAIN}"
        ) from error
    except Exception as error:  # a damaged pickle makes the reader throw whatever its parts throw
        raise OfficialModelError(f"{path.name} is damaged: {_first_line(error)}. {GET_AGAIN}") from error
    state = content.get(key) if isinstance(content, dict) else None
    if not isinstance(state, dict) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise OfficialModelError(f"{path.name} has no tensors under {key!r}. {GET_AGAIN}")
    return state


def check_tensors(
    found: Mapping[str, torch.Tensor], wanted: Mapping[str, torch.Size | tuple[int, ...]], optional: Iterable[str] = ()
) -> None:
    """Raises OfficialModelError naming what is missing, extra, or of another shape.

    `wanted` maps every name of the table to its shape; those of `optional` may be missing.
    """
    missing = sorted(wanted.keys() - found.keys() - set(optional))
    extra = sorted(found.keys() - wanted.keys())
    wrong = sorted(n for n in found.keys() & wanted.keys() if tuple(found[n].shape) != tuple(wanted[n]))
    shapes = [f"{n} is {list(found[n].shape)} instead of {list(wanted[n])}" for n in wrong]
    for names, what in ((missing, "lacks"), (extra, "has, beside those of the published model,"), (shapes, "differs:")):
        if names:
            more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
            raise OfficialModelError(f"The checkpoint {what} {', '.join(names[:NAMED])}{more}. {GET_AGAIN}")


def check_finite(found: Mapping[str, torch.Tensor]) -> None:
    """Raises OfficialModelError naming the first tensor that holds an infinity or what is no number."""
    for name, value in found.items():
        if value.is_floating_point() and not torch.isfinite(value).all():
            raise OfficialModelError(f"{name} holds a value that is infinite or no number. {GET_AGAIN}")


def _read_index(path: Path) -> dict[str, str]:
    try:
        shard_of = json.loads(path.read_text())["weight_map"]
    except (ValueError, KeyError, TypeError) as error:
        raise OfficialModelError(f"{path.name} is no index of shards: {_first_line(error)}. {GET_AGAIN}") from error
    # A name with a folder in it would read files from elsewhere.
    if not isinstance(shard_of, dict) or not all(
        isinstance(shard, str) and shard.endswith(".safetensors") and Path(shard).name == shard
        for shard in shard_of.values()
    ):
        raise OfficialModelError(f"{path.name} names files that are no shards beside it. {GET_AGAIN}")
    return shard_of


def _read_shard(path: Path) -> dict[str, torch.Tensor]:
    try:
        with safe_open(path, framework="pt") as shard:
            return {name: shard.get_tensor(name) for name in shard.keys()}
    except (SafetensorError, OSError, ValueError) as error:
        raise OfficialModelError(f"{path.name} is truncated or damaged: {_first_line(error)}. {GET_AGAIN}") from error


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
