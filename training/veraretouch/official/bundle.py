"""Writes the published model as a bundle of format version 2, whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import onnx
from tokenizers import Tokenizer

from veraretouch.engine.params import PARAMETERS
from veraretouch.export.bundle_files import staged, write_checksums
from veraretouch.export.dialogue import RETOUCH_TOKENS, Dialogue
from veraretouch.export.graph import save
from veraretouch.export.tokenizer import tokenizer_files
from veraretouch.official.encoder_renderer import EncoderRenderer
from veraretouch.official.errors import OfficialModelError
from veraretouch.official.forms import computed_half, stored_half
from veraretouch.official.graphs_decoder import build_decoder
from veraretouch.official.graphs_parts import parts
from veraretouch.official.memory import memory_needs
from veraretouch.official.model import OfficialVlm
from veraretouch.official.prompts import IMAGE_PLACE, parameter_text, prompt
from veraretouch.official.skeleton import Skeleton
from veraretouch.official.tokens import encode_prompt

FORMAT_VERSION = 2
# The cache has a multiple of this many places.
PLACES = 128
# Those that may have files of their own, beside Node, for which the default ones are.
DEVICES = ("webgpu", "webgpu-f16", "wasm")
MAX_INSTRUCTION_TOKENS = 256
MAX_FILE_BYTES = 2_000_000_000
# Smaller tensors stay in the graph's own file.
SMALLEST_APART = 4096
LUT_SIZE = 33
LICENCE_FILE = "LICENSE-MODEL.txt"
SUMMARY = (
    "The weights of this model were published for academic research only; they may not be used for anything else, "
    "and not be passed on."
)


@dataclass(frozen=True)
class GraphFile:
    """A graph for some devices. `apart`: its weights are in a file of their own, which a web page's runtime can take over
    without holding them twice."""

    graph: str
    devices: tuple[str, ...]
    name: str
    model: onnx.ModelProto | None
    apart: bool = False
    # Are its big weights in half precision here, and widened when it is loaded?
    widened: bool = False

    @property
    def parts(self) -> tuple[str, ...]:
        return (self.name, weights_of(self.name)) if self.apart else (self.name,)


@dataclass(frozen=True)
class OfficialBundle:
    """What goes into a bundle. `pair`: without it, references are refused. `licence`: the text that came with the weights.

    `precision` "fp32": one file a graph, for every device, to compare with. "int4": the weights must be those of
    `forms.with_held_weights` and `with_held_pair`; `devices` says for which devices beside Node there are files of their own;
    `exact` leaves activations unrounded also where that is slower, to compare with.
    """

    vlm: OfficialVlm
    tokenizer: Tokenizer
    pair: EncoderRenderer | None = None
    precision: str = "int4"
    devices: tuple[str, ...] = DEVICES
    licence: str = ""
    skeleton: Skeleton = field(default_factory=Skeleton)
    exact: bool = False

    @cached_property
    def positions(self) -> int:
        """Places of the cache: enough for the longest prompt and answer of every mode."""
        config, longest = self.vlm.config, 0
        for mode, fields in self.skeleton.fields.items():
            text = prompt(mode, parameter_text([-0.123] * len(PARAMETERS)) if mode == "param" else "")
            asked = sum(len(ids) for ids in encode_prompt(self.tokenizer, text))
            asked += 0 if mode == "param" else config.image_tokens
            asked += MAX_INSTRUCTION_TOKENS if mode == "style" else 0
            between = "".join((self.skeleton.separators or {}).get(mode, []))
            skeleton = len(self.tokenizer.encode(between).ids) + len(RETOUCH_TOKENS)
            longest = max(longest, asked + skeleton + len(fields) * (self.skeleton.longest + 2))
        return -(-longest // PLACES) * PLACES

    def dialogue(self) -> Dialogue:
        return self.skeleton.dialogue(self.tokenizer, self.vlm.config.vocabulary)


def check_place(out_dir: Path) -> None:
    """Raises OfficialModelError when `out_dir` is there and is neither empty nor a bundle."""
    if out_dir.exists() and (not out_dir.is_dir() or (any(out_dir.iterdir()) and not (out_dir / "bundle.json").exists())):
        raise OfficialModelError(
            f"{out_dir} is there and is no bundle, so it is not replaced. Nothing was written; choose a new folder."
        )


def write_official_bundle(
    out_dir: Path,
    content: OfficialBundle,
    more: Callable[[], dict[str, bytes]] = lambda: {},
    check: Callable[[Path], None] = lambda _folder: None,
    on_file: Callable[[str, int], None] = lambda _name, _bytes: None,
) -> None:
    """Writes the bundle whole or not at all. `more` gives further files by name, when all graphs are there;
    `check` gets the finished folder and throws where it is not good; `on_file` hears of each graph's file and its bytes.

    Raises OfficialModelError when a graph's file would be too large, or when `out_dir` holds something that is not
    a bundle; then nothing is written and nothing is left behind.
    """
    check_place(out_dir)
    with staged(out_dir) as staging:
        made: list[GraphFile] = []
        for file in graph_files(content):
            if file.apart:
                _save_apart(file.model, staging, file.name)
            else:
                _save(file.model, staging / file.name)
            made.append(replace(file, model=None))
            on_file(file.name, sum((staging / part).stat().st_size for part in made[-1].parts))
        sizes = {file.name: sum((staging / part).stat().st_size for part in file.parts) for file in made}
        texts = {
            **tokenizer_files(content.tokenizer),
            LICENCE_FILE: f"{SUMMARY}\n\n{content.licence}".encode(),
            "bundle.json": (json.dumps(describe(content, made, sizes), indent=2, ensure_ascii=False) + "\n").encode(),
        }
        for name, data in texts.items():
            (staging / name).write_bytes(data)
        for name, data in more().items():
            (staging / name).write_bytes(data)
        for path in staging.iterdir():
            path.chmod(0o644)
        write_checksums(staging)
        check(staging)


def graph_files(content: OfficialBundle) -> Iterator[GraphFile]:
    """One after the other: all at once would take many gigabytes."""
    vlm, devices = content.vlm, () if content.precision == "fp32" else content.devices
    yield GraphFile("decoder", ("default",), "decoder.onnx", build_decoder(vlm, content.positions, content.precision, content.exact))
    if "webgpu-f16" in devices:
        decoder = build_decoder(vlm, content.positions, "int4", exact=True)
        half = computed_half(decoder, ["inputs_embeds", "hidden", "logits"])
        del decoder
        yield GraphFile("decoder", ("webgpu-f16",), "decoder-f16.onnx", half)
        del half
    if "wasm" in devices:
        yield GraphFile("decoder", ("wasm",), "decoder-wasm.onnx", build_decoder(vlm, content.positions, "int8"), apart=True)
    for name, graph in parts(vlm, content.pair, "float32" if content.precision == "fp32" else "int8"):
        halved = content.precision == "int4" and name in ("vision", "adaptor", "encoder")
        kept = stored_half(graph) if halved else graph
        yield GraphFile(name, ("default",), f"{name}.onnx", kept, widened=halved)
        if name != "vision":
            continue
        if "webgpu-f16" in devices:
            yield GraphFile(name, ("webgpu-f16",), "vision-f16.onnx", computed_half(graph, ["image", "image_tokens"]))
        web = tuple(device for device in ("webgpu", "wasm") if device in devices)
        if web:
            yield GraphFile(name, web, "vision-web.onnx", graph, apart=True)


def describe(content: OfficialBundle, made: list[GraphFile], sizes: dict[str, int]) -> dict:
    """The content of bundle.json. `sizes`: bytes of each graph's file, with its weights."""
    files: dict[str, dict[str, str]] = {}
    for file in made:
        files.setdefault(file.graph, {}).update(dict.fromkeys(file.devices, file.name))
    apart = {file.name: weights_of(file.name) for file in made if file.apart}
    widened = {file.name for file in made if file.widened}
    config, dialogue = content.vlm.config, content.dialogue()
    return {
        "formatVersion": FORMAT_VERSION,
        "name": "veraretouch-published",
        "version": "1.0.0",
        # Read by nothing but `check`.
        "precision": content.precision,
        "licence": "LicenseRef-research-only",
        "research": True,
        "terms": {"summary": SUMMARY, "file": LICENCE_FILE},
        "dimensions": {
            "hidden": config.hidden,
            "layers": config.layers,
            "heads": config.heads,
            "kvHeads": config.kv_heads,
            "headDim": config.hidden // config.heads,
            "latent": config.latent,
            "imageTokens": config.image_tokens,
            "vocabulary": config.vocabulary,
        },
        "preprocess": {
            "image": {"kind": "letterbox", "shortEdge": config.short_edge, "size": config.image_size},
            "reference": {"kind": "resize", "size": config.reference_size, "channels": "bgr"},
        },
        "graphs": files,
        **({"weights": apart} if apart else {}),
        # A page has no room for it beside the decoder, and seeing a photo takes far longer there than loading it again.
        **({"release": {"wasm": ["vision"]}} if "wasm" in files["decoder"] else {}),
        "tokenizer": {"tokenizer": "tokenizer.json", "config": "tokenizer_config.json"},
        "parameters": list(PARAMETERS),
        "parameterText": "python-dict",
        "prompts": {
            "auto": prompt("auto").replace(IMAGE_PLACE, "{image}"),
            "style": prompt("style", "{instruction}").replace(IMAGE_PLACE, "{image}"),
            "param": prompt("param", "{parameters}"),
        },
        "answer": {mode: [s.as_json() for s in sections] for mode, sections in dialogue.answer.items()},
        **({"separators": content.skeleton.separators} if content.skeleton.separators else {}),
        "retouchTokens": list(RETOUCH_TOKENS),
        "latentStates": "predicting",
        "cache": {
            "positions": content.positions,
            **({"float16": ["webgpu-f16"]} if "webgpu-f16" in files["decoder"] else {}),
        },
        "memory": memory_needs(config, content.positions, files, sizes, widened),
        "maxInstructionTokens": MAX_INSTRUCTION_TOKENS,
        "lutSize": LUT_SIZE,
    }


def weights_of(name: str) -> str:
    """The file of weights beside the graph `name`."""
    return name.removesuffix(".onnx") + ".weights"


def _save(graph: onnx.ModelProto, path: Path) -> None:
    if graph.ByteSize() > MAX_FILE_BYTES:
        raise OfficialModelError(
            f"{path.name} would have {graph.ByteSize() / 1e6:.0f} MB, a file may have {MAX_FILE_BYTES / 1e6:.0f}. Nothing was "
            "written; convert with four bits."
        )
    save(graph, path)


def _save_apart(graph: onnx.ModelProto, folder: Path, name: str) -> None:
    onnx.checker.check_model(graph)
    onnx.save_model(
        graph, folder / name, save_as_external_data=True, location=weights_of(name), size_threshold=SMALLEST_APART
    )
