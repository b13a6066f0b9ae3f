"""How many bytes a bundle needs on each device, counted from its files and shapes.

A count, not a measurement: weights in the form in which the runtime holds them, the cache, the largest activations, and
what loading takes beside them.
"""

from __future__ import annotations

from collections.abc import Mapping

from veraretouch.official.model import OfficialConfig

# Of the runtime and of the program around it.
RUNTIME = 150_000_000
FLOAT, HALF = 4, 2
# The tower's first stage works on a quarter of the photo's sides and widens its channels as often. Of the widened there
# are two at once, before and after the activation, beside what they will be added to.
STEM, EXPANSION, ALIVE = 4, 4, 2
# While a graph is loaded its file is there as read, as handed to the runtime, and as parsed.
COPIES = 3
# These have their big weights in half precision in the default files, and in single precision once they are loaded.
WIDENED = ("vision", "adaptor", "encoder")


def memory_needs(
    config: OfficialConfig, positions: int, files: Mapping[str, Mapping[str, str]], sizes: Mapping[str, int]
) -> dict[str, dict[str, int]]:
    """`memory` of bundle.json, by device. `files`: names by graph and device; `sizes`: bytes of each, its weights included."""
    devices = {key for by_device in files.values() for key in by_device} - {"default"}
    return {device: _needs(device, config, positions, files, sizes) for device in sorted({"node", *devices})}


def _needs(device: str, config: OfficialConfig, positions: int, files: Mapping, sizes: Mapping[str, int]) -> dict[str, int]:
    width = HALF if device == "webgpu-f16" else FLOAT
    read = {graph: sizes[_file(by_device, device)] for graph, by_device in files.items()}
    # A file of its own holds what is computed with; one with its weights apart is not held twice while it is loaded.
    own = {graph for graph, by_device in files.items() if device in by_device}
    held = {g: size * (2 if g in WIDENED and g not in own and len(files["decoder"]) > 1 else 1) for g, size in read.items()}
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
    apart = device == "webgpu"
    loading = max(size * (1 if apart and graph == "vision" else COPIES) for graph, size in read.items())
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
