"""Writes the published model as a bundle of format version 2, whole or not at all."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import onnx
from tokenizers import Tokenizer

from veraretouch.engine.params import PARAMETERS
from veraretouch.export.bundle import staged, write_checksums
from veraretouch.export.dialogue import RETOUCH_TOKENS, Dialogue
from veraretouch.export.graph import save
from veraretouch.export.tokenizer import tokenizer_files
from veraretouch.official.encoder_renderer import ENCODER_SIZE, EncoderRenderer
from veraretouch.official.errors import OfficialModelError
from veraretouch.official.graphs_decoder import build_decoder
from veraretouch.official.graphs_parts import build_parts
from veraretouch.official.model import OfficialVlm
from veraretouch.official.prompts import IMAGE_PLACE, prompt
from veraretouch.official.reference import official_dialogue

FORMAT_VERSION = 2
# Prompt and answer together.
POSITIONS = 2048
MAX_INSTRUCTION_TOKENS = 256
MAX_FILE_BYTES = 2_000_000_000
LUT_SIZE = 33
LICENCE_FILE = "LICENSE-MODEL.txt"
SUMMARY = (
    "The weights of this model were published for academic research only; they may not be used for anything else, "
    "and not be passed on."
)


@dataclass(frozen=True)
class OfficialBundle:
    """What goes into a bundle. `pair`: without it, references are refused. `licence`: the text that came with the weights."""

    vlm: OfficialVlm
    tokenizer: Tokenizer
    pair: EncoderRenderer | None = None
    precision: str = "fp32"
    licence: str = ""
    separators: dict[str, list[str]] | None = None
    reference_size: int = ENCODER_SIZE
    positions: int = POSITIONS

    def dialogue(self) -> Dialogue:
        return official_dialogue(self.tokenizer, self.vlm.config.vocabulary, self.separators)


def write_official_bundle(out_dir: Path, content: OfficialBundle) -> None:
    """Raises OfficialModelError when a graph's file would be too large, or when `out_dir` holds something that is not
    a bundle; then nothing is written and nothing is left behind."""
    if out_dir.exists() and (not out_dir.is_dir() or (any(out_dir.iterdir()) and not (out_dir / "bundle.json").exists())):
        raise OfficialModelError(
            f"{out_dir} is there and is no bundle, so it is not replaced. Nothing was written; choose a new folder."
        )
    with staged(out_dir) as staging:
        decoder = build_decoder(content.vlm, content.positions, content.precision)
        table = "int8" if content.precision == "int4" else "float32"
        parts = build_parts(content.vlm, content.pair, table=table, reference_size=content.reference_size)
        graphs = {"decoder": decoder, **parts}
        for name, graph in graphs.items():
            _save(graph, staging / f"{name}.onnx")
        files = {
            **tokenizer_files(content.tokenizer),
            LICENCE_FILE: f"{SUMMARY}\n\n{content.licence}".encode(),
            "bundle.json": (json.dumps(describe(content, list(graphs)), indent=2, ensure_ascii=False) + "\n").encode(),
        }
        for name, data in files.items():
            (staging / name).write_bytes(data)
        write_checksums(staging)


def describe(content: OfficialBundle, graphs: list[str]) -> dict:
    """The content of bundle.json."""
    config, dialogue = content.vlm.config, content.dialogue()
    return {
        "formatVersion": FORMAT_VERSION,
        "name": "veraretouch-published",
        "version": "1.0.0",
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
            "reference": {"kind": "resize", "size": content.reference_size, "channels": "bgr"},
        },
        "graphs": {name: {"default": f"{name}.onnx"} for name in graphs},
        "tokenizer": {"tokenizer": "tokenizer.json", "config": "tokenizer_config.json"},
        "parameters": list(PARAMETERS),
        "parameterText": "python-dict",
        "prompts": {
            "auto": prompt("auto").replace(IMAGE_PLACE, "{image}"),
            "style": prompt("style", "{instruction}").replace(IMAGE_PLACE, "{image}"),
            "param": prompt("param", "{parameters}"),
        },
        "answer": {mode: [s.as_json() for s in sections] for mode, sections in dialogue.answer.items()},
        **({"separators": content.separators} if content.separators else {}),
        "retouchTokens": list(RETOUCH_TOKENS),
        "latentStates": "predicting",
        "cache": {"positions": content.positions},
        "maxInstructionTokens": MAX_INSTRUCTION_TOKENS,
        "lutSize": LUT_SIZE,
    }


def _save(graph: onnx.ModelProto, path: Path) -> None:
    if graph.ByteSize() > MAX_FILE_BYTES:
        raise OfficialModelError(
            f"{path.name} would have {graph.ByteSize() / 1e6:.0f} MB, a file may have {MAX_FILE_BYTES / 1e6:.0f}. Nothing was "
            "written; convert with four bits."
        )
    save(graph, path)
