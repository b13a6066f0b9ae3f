"""Writes a bundle: a folder with bundle.json, its graphs, the tokenizer and SHA256SUMS."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import onnx
import torch
from tokenizers import Tokenizer
from torch import nn

from veraretouch.data.features import INPUT_SIZE
from veraretouch.engine.params import PARAMETERS
from veraretouch.export.bundle_files import WORDING, check_sizes, manifest_bytes, staged, wording_bytes, write_checksums
from veraretouch.export.dialogue import (
    MAX_INSTRUCTION_TOKENS,
    PROMPTS,
    RETOUCH_TOKENS,
    Dialogue,
    Section,
    answer_sections,
    tokens_by_field,
)
from veraretouch.export.errors import ExportError
from veraretouch.export.graph import save
from veraretouch.export.llm import (
    MAX_POSITIONS,
    DecoderShape,
    build_decoder,
    build_embed,
)
from veraretouch.export.modules import ParamsGraph, RendererGraph, trace
from veraretouch.export.reference import embedding_table, output_head
from veraretouch.export.storage import (
    StorageOf,
    as_stored,
    default_storage,
    quantise_dequantise,
)
from veraretouch.export.tokenizer import tokenizer_files
from veraretouch.models.effect import Foresight

FORMAT_VERSION = 1
PARAM_TOKENS = 3


@dataclass(frozen=True)
class BundleInfo:
    """What a bundle says about itself. `answer` maps a mode to its sections; `latents_first` and `voices` as in `Dialogue`;
    `wording`: are answers kept to what is true of the picture (`export.grounding`)? Only with latents first."""

    name: str
    version: str
    licence: str = "Apache-2.0"
    image_size: int = INPUT_SIZE
    reference_size: int = 112
    lut_size: int = 33
    answer: dict[str, list[Section]] = field(default_factory=answer_sections)
    prompts: dict[str, str] = field(default_factory=lambda: dict(PROMPTS))
    latents_first: bool = False
    voices: tuple[str, ...] = ()
    wording: bool = False

    def dialogue(self, tokenizer: Tokenizer, output_token_ids: list[int]) -> Dialogue:
        return Dialogue(
            tokenizer, output_token_ids, self.prompts, self.answer, latents_first=self.latents_first, voices=self.voices
        )


@dataclass(frozen=True)
class StoredModels:
    """The networks with exactly the weights that a bundle holds: float32, on the CPU, frozen."""

    vlm: nn.Module
    renderer: nn.Module
    encoder: nn.Module
    param_head: nn.Module


class _StoredVlm(nn.Module):
    """The parts of a VLM that generation uses, each as stored."""

    def __init__(
        self,
        vlm: nn.Module,
        renderer: nn.Module,
        dialogue: Dialogue,
        image_size: int,
        storage_of: StorageOf,
    ) -> None:
        super().__init__()
        picture = torch.rand(1, 3, image_size, image_size, generator=_generator())
        params = torch.rand(1, len(PARAMETERS), generator=_generator()) * 2 - 1
        self.lm = as_stored(vlm.lm, "lm.", None, storage_of)
        table = embedding_table(vlm)
        self.lm.embed_tokens.weight.copy_(_stored("lm.embed_tokens.weight", table, storage_of))
        head = output_head(vlm, dialogue)
        self.register_buffer("head", _stored("lm.head.weight", head, storage_of))
        self.register_buffer("output_ids", torch.from_numpy(dialogue.output_ids.copy()))
        self.vision = as_stored(vlm.vision, "vision.", (picture,), storage_of)
        self.param_projector = as_stored(
            vlm.param_projector, "param_projector.", (params,), storage_of
        )
        self.adaptor = as_stored(vlm.adaptor, "adaptor.", None, storage_of)
        self.focus_row = getattr(vlm, "focus_row", None)
        if self.focus_row is not None:
            prefix = "style_projector."
            self.style_projector = as_stored(vlm.style_projector, prefix, None, storage_of)
            effect = as_stored(vlm.effect, "effect.", None, storage_of)
            self.foresee = Foresight(effect, self.adaptor, renderer)

    @property
    def effect(self) -> nn.Module:
        return self.foresee.effect


def _stored(name: str, weight: torch.Tensor, storage_of: StorageOf) -> torch.Tensor:
    return quantise_dequantise({name: weight}, storage_of)[name]


def _generator() -> torch.Generator:
    return torch.Generator().manual_seed(7)


def stored_models(
    vlm: nn.Module,
    renderer: nn.Module,
    encoder: nn.Module,
    param_head: nn.Module,
    dialogue: Dialogue,
    info: BundleInfo,
    storage_of: StorageOf = default_storage,
) -> StoredModels:
    """Copies of the networks as a bundle will hold them: batch norms folded, weights rounded.

    These are the PyTorch reference of that bundle. Applying it twice changes nothing.
    The renderer stays float32: it is small and its output is what is seen.
    """
    if getattr(encoder, "size", info.reference_size) != info.reference_size:
        raise ExportError(
            f"The encoder was trained on pictures of {encoder.size} pixels, the bundle would say "
            f"{info.reference_size}. Nothing was made; set reference_size."
        )
    pair = tuple(
        torch.rand(1, 3, info.reference_size, info.reference_size, generator=_generator())
        for _ in range(2)
    )
    params = torch.rand(1, len(PARAMETERS), generator=_generator()) * 2 - 1
    kept = as_stored(renderer, "renderer.", None, lambda _name, _weight: "float32")
    return StoredModels(
        _StoredVlm(vlm, kept, dialogue, info.image_size, storage_of),
        kept,
        as_stored(encoder, "encoder.", pair, storage_of),
        as_stored(param_head, "param_head.", (params,), storage_of),
    )


def write_bundle(
    out_dir: str | Path,
    vlm: nn.Module,
    renderer: nn.Module,
    encoder: nn.Module,
    param_head: nn.Module,
    tokenizer: Tokenizer,
    output_token_ids: list[int],
    info: BundleInfo,
    storage_of: StorageOf = default_storage,
    extra_files: dict[str, bytes] | None = None,
) -> StoredModels:
    """Writes the bundle into `out_dir`, whole or not at all; returns the networks as stored.

    A bundle that is already there is replaced only when the new one is complete. `extra_files`
    (for example a model card) are added by name. Raises ExportError when parts do not fit
    together, a file would be too big, or the folder holds something that is not a bundle.
    """
    out_dir = Path(out_dir)
    if out_dir.exists() and any(out_dir.iterdir()) and not (out_dir / "bundle.json").exists():
        raise ExportError(
            f"{out_dir} holds files but no bundle.json, so it is not replaced. Nothing was "
            "written; choose an empty or a new folder."
        )
    dialogue = info.dialogue(tokenizer, output_token_ids)
    models = stored_models(vlm, renderer, encoder, param_head, dialogue, info, storage_of)
    graphs = build_graphs(models, dialogue, info, storage_of)
    with staged(out_dir) as staging:
        for name, graph in graphs.items():
            save(graph, staging / f"{name}.onnx")
        own = tokens_by_field(info.answer)
        manifest = describe(models.vlm, graphs, tokenizer, info)
        files = {
            **tokenizer_files(tokenizer),
            "output_tokens.json": json.dumps(list(map(int, output_token_ids))).encode(),
            **({} if own is None else {"section_tokens.json": json.dumps(own).encode()}),
            "bundle.json": manifest_bytes(manifest),
            **({WORDING: wording_bytes()} if info.wording else {}),
            **_documents(out_dir),
            **(extra_files or {}),
        }
        for name, content in files.items():
            (staging / name).write_bytes(content)
        write_checksums(staging)
        check_sizes(staging)
    return models


def _documents(folder: Path) -> dict[str, bytes]:
    """Texts that people put beside a bundle; they stay when it is replaced."""
    found = [p for kind in ("*.md", "LICENSE*", "NOTICE*") for p in sorted(folder.glob(kind))]
    return {p.name: p.read_bytes() for p in found}


def build_graphs(
    models: StoredModels, dialogue: Dialogue, info: BundleInfo, storage_of: StorageOf
) -> dict[str, onnx.ModelProto]:
    """The graphs of the format by name, from networks that are already as stored.

    "style" and "effect" are only there for a model that adds factor tokens to its answer.
    """
    vlm = models.vlm
    shape = DecoderShape.of(vlm.lm.config)
    state = vlm.lm.state_dict()
    table = state["embed_tokens.weight"]
    _check_lengths(vlm, dialogue, info)
    picture = torch.rand(1, 3, info.image_size, info.image_size, generator=_generator())
    params = torch.rand(1, len(PARAMETERS), generator=_generator()) * 2 - 1
    states = {"states": torch.randn(1, 3 * shape.hidden, generator=_generator())}
    if vlm.focus_row is not None:
        states["plan"] = torch.randn(1, 3, shape.hidden, generator=_generator())
    latents = vlm.adaptor(**states)
    small = torch.rand(1, 3, info.reference_size, info.reference_size, generator=_generator())
    graphs = {
        "vision": trace(vlm.vision, {"image": picture}, ["image_tokens"]),
        "params": trace(
            ParamsGraph(vlm.param_projector, models.param_head),
            {"params": params},
            ["param_tokens", "latents"],
        ),
        "embed": build_embed(table.numpy(), storage_of("lm.embed_tokens.weight", table)),
        "decoder": build_decoder(state, shape, vlm.head, storage_of),
        "adaptor": trace(vlm.adaptor, states, ["latents"]),
        "renderer": trace(
            RendererGraph(models.renderer),
            {"rgb": torch.rand(7, 3), "latents": latents[0]},
            ["out"],
            {"rgb": {0: "N"}, "out": {0: "N"}},
            storage_of=lambda _name, _values: "float32",
        ),
        "encoder": trace(models.encoder, {"before": small, "after": small.flip(3)}, ["latents"]),
    }
    if vlm.focus_row is not None:
        words = torch.randn(1, 7, shape.hidden, generator=_generator())
        inputs = {"embeds": words, "image_tokens": vlm.vision(picture)}
        graphs["style"] = trace(vlm.style_projector, inputs, ["style_tokens"], {"embeds": {1: "S"}})
        inputs = {"image": picture, "plan": states["plan"]}
        graphs["effect"] = trace(vlm.foresee, inputs, ["effect_tokens"])
    return graphs


def _check_lengths(vlm: nn.Module, dialogue: Dialogue, info: BundleInfo) -> None:
    """The longest prompt and answer must fit into the decoder's rotary tables."""
    for mode, sections in info.answer.items():
        prompt = sum(
            len(part) if isinstance(part, list) else _place_rows(vlm, part, info)
            for part in dialogue.prompt_parts(mode, "")
        )
        answer = sum(section.max_tokens + 2 for section in sections) + 2
        longest = prompt + dialogue.max_instruction_tokens + answer
        if longest > MAX_POSITIONS:
            raise ExportError(
                f"Mode {mode} can reach {longest} positions, the decoder holds {MAX_POSITIONS}. "
                "Nothing was written; shorten the sections."
            )


def _place_rows(vlm: nn.Module, place: str, info: BundleInfo) -> int:
    return PARAM_TOKENS if place == "params" else _image_tokens(vlm, info)


def _image_tokens(vlm: nn.Module, info: BundleInfo) -> int:
    with torch.no_grad():
        return vlm.vision(torch.zeros(1, 3, info.image_size, info.image_size)).shape[1]


def describe(vlm: nn.Module, graphs, tokenizer: Tokenizer, info: BundleInfo) -> dict:
    """The content of bundle.json."""
    shape = DecoderShape.of(vlm.lm.config)
    latent = next(o for o in graphs["adaptor"].graph.output if o.name == "latents")
    vocabulary = vlm.lm.embed_tokens.weight.shape[0]
    if tokenizer.get_vocab_size(with_added_tokens=True) > vocabulary:
        raise ExportError(
            f"The tokenizer has {tokenizer.get_vocab_size()} tokens, the embedding only "
            f"{vocabulary} rows. Nothing was written; extend the embedding."
        )
    focus = {} if vlm.focus_row is None else {"focus": {"imageRow": vlm.focus_row}}
    return {
        "formatVersion": FORMAT_VERSION,
        "name": info.name,
        "version": info.version,
        "licence": info.licence,
        "dimensions": {
            "hidden": shape.hidden,
            "layers": shape.layers,
            "heads": shape.heads,
            "kvHeads": shape.kv_heads,
            "headDim": shape.head_dim,
            "latent": latent.type.tensor_type.shape.dim[-1].dim_value,
            "imageTokens": _image_tokens(vlm, info),
            "paramTokens": PARAM_TOKENS,
            "vocabulary": vocabulary,
        },
        "preprocess": {
            "image": {"size": info.image_size},
            "reference": {"size": info.reference_size},
        },
        "graphs": {name: {"default": f"{name}.onnx"} for name in graphs},
        "tokenizer": {"tokenizer": "tokenizer.json", "config": "tokenizer_config.json"},
        "outputTokens": "output_tokens.json",
        **({} if tokens_by_field(info.answer) is None else {"sectionTokens": "section_tokens.json"}),
        "parameters": list(PARAMETERS),
        "prompts": info.prompts,
        "answer": {
            mode: [section.as_json() for section in sections]
            for mode, sections in info.answer.items()
        },
        "retouchTokens": list(RETOUCH_TOKENS),
        "latentStates": "first" if info.latents_first else "predicting",
        **({"voices": list(info.voices)} if info.voices else {}),
        **({"wording": WORDING} if info.wording else {}),
        **focus,
        "maxInstructionTokens": MAX_INSTRUCTION_TOKENS,
        "lutSize": info.lut_size,
    }
