"""The graphs of the published model around its decoder, with the inputs and outputs of the bundle format."""

from __future__ import annotations

from collections.abc import Iterator

import onnx
import torch
from torch import nn

from veraretouch.export.llm import build_embed
from veraretouch.export.modules import RendererGraph, trace
from veraretouch.export.storage import Storage
from veraretouch.models.renderer import FACTOR_COUNT
from veraretouch.official.encoder_renderer import EncoderRenderer
from veraretouch.official.model import EMBEDDING, OfficialVlm


class _See(nn.Module):
    """image [1,3,S,S] -> image_tokens [1,T,H]."""

    def __init__(self, vlm: OfficialVlm) -> None:
        super().__init__()
        self.tower, self.projector = vlm.model.vision_tower, vlm.model.mm_projector

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.projector(self.tower(image))


class _Adapt(nn.Module):
    """states [1,3H] -> latents [1,3,D]."""

    def __init__(self, vlm: OfficialVlm) -> None:
        super().__init__()
        self.head, self.latent = vlm.retouch_head, vlm.config.latent

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        return self.head(states).reshape(-1, FACTOR_COUNT, self.latent)


def parts(
    vlm: OfficialVlm, pair: EncoderRenderer | None = None, table: Storage = "float32"
) -> Iterator[tuple[str, onnx.ModelProto]]:
    """vision, embed, adaptor, renderer, and encoder where `pair` is given, by name, each made when it is asked for: all at
    once would take gigabytes.

    All is float32 but the embedding, which is kept as `table` says. The renderer is the one of the vision-language
    checkpoint, to which the latents of both belong.
    """
    config = vlm.config
    generator = torch.Generator().manual_seed(7)

    def random(*shape: int) -> torch.Tensor:
        return torch.rand(shape, generator=generator)

    image = random(1, 3, config.image_size, config.image_size)
    yield "vision", _trace(_See(vlm), {"image": image}, ["image_tokens"])
    yield "embed", build_embed(vlm.state_dict()[EMBEDDING].numpy(), table)
    yield "adaptor", _trace(_Adapt(vlm), {"states": random(1, FACTOR_COUNT * config.hidden)}, ["latents"])
    colours = {"rgb": random(7, 3), "latents": random(FACTOR_COUNT, config.latent)}
    yield "renderer", _trace(RendererGraph(vlm.retouch_decoder), colours, ["out"], {"rgb": {0: "N"}, "out": {0: "N"}})
    if pair is not None:
        shape = (1, 3, config.reference_size, config.reference_size)
        yield "encoder", _trace(pair.encoder, {"before": random(*shape), "after": random(*shape)}, ["latents"])


def _trace(
    module: nn.Module, inputs: dict[str, torch.Tensor], outputs: list[str], dynamic: dict[str, dict[int, str]] | None = None
) -> onnx.ModelProto:
    return trace(module, inputs, outputs, dynamic, storage_of=lambda _name, _values: "float32")
