"""How many bytes a bundle needs on each device, counted from its files and shapes.

A count, not a measurement: weights in the form in which the runtime holds them, the cache, the largest activations, and
what loading takes beside them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from veraretouch.official.model import OfficialConfig

# Of the runtime and of the program around it.
RUNTIME = 150_000_000
FLOAT, HALF = 4, 2
# The tower's first stage works on a quarter of the photo's sides and widens its channels as often. Of the widened there
# are two at once, before and after the activation, beside what they will be added to.
STEM, EXPANSION, ALIVE = 4, 4, 2
# While a graph is loaded its file is there as read, as handed to the runtime, and as parsed.
COPIES = 3


def memory_needs(
    config: OfficialConfig,
    positions: int,
    files: Mapping[str, Mapping[str, str]],
    sizes: Mapping[str, int],
    widened_files: Collection[str],
) -> dict[str, dict[str, int]]:
    """`memory` of bundle.json, by device. `files`: names by graph and device; `sizes`: bytes of each, its weights included;
    `widened_files`: those whose big weights are in half precision in the file and in single precision once it is loaded."""
    devices = {key for by_device in files.values() for key in by_device} - {"default"}
    used = {
        device: {graph: _file(by_device, device) for graph, by_device in files.items()} for device in sorted({"node", *devices})
    }
    return {device: _needs(device, config, positions, names, sizes, widened_files) for device, names in used.items()}


def _needs(
    device: str,
    config: OfficialConfig,
    positions: int,
    names: Mapping[str, str],
    sizes: Mapping[str, int],
    widened_files: Collection[str],
) -> dict[str, int]:
    width = HALF if device == "webgpu-f16" else FLOAT
    read = {graph: sizes[name] for graph, name in names.items()}
    held = {graph: read[graph] * (2 if name in widened_files else 1) for graph, name in names.items()}
    cache = 2 * config.layers * config.kv_heads * (config.hidden // config.heads) * positions * width
    widened = (config.image_size // STEM) ** 2 * config.vision.widths[0] * EXPANSION * width
    activations = ALIVE * widened + widened // EXPANSION
    if device == "node":
        # The largest file, as read, goes once the graph is there.
        return {"page": RUNTIME + sum(held.values()) + cache + max(activations, max(read.values()))}
    if device == "wasm":
        # The tower and the decoder are never there together.
        others = sum(size for graph, size in held.items() if graph not in ("vision", "decoder"))
        seeing = held["vision"] + max(activations, read["vision"])
        writing = held["decoder"] + max(2 * cache, read["decoder"])
        return {"page": RUNTIME + others + max(seeing, writing)}
    on_gpu = {graph: size for graph, size in held.items() if graph != "embed"}  # that one is looked up beside the GPU
    # With its weights apart a graph is not held twice while it is loaded: the tower's is so where it is computed wide.
    loading = max(size * (1 if device == "webgpu" and graph == "vision" else COPIES) for graph, size in read.items())
    head = config.vocabulary * config.hidden // 2
    return {
        "page": RUNTIME + read["embed"] + loading,
        # What a run takes of the cache and what it gives are two there.
        "gpu": sum(on_gpu.values()) + 2 * cache + activations,
        "largestBuffer": max(head, widened),
    }


def _file(by_device: Mapping[str, str], device: str) -> str:
    keys = (device, "webgpu", "default") if device == "webgpu-f16" else (device, "default")
    return next(by_device[key] for key in keys if key in by_device)
