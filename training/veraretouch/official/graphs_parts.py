"""The graphs of the published model around its decoder, with the inputs and outputs of the bundle format."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
import torch
from torch import nn

from veraretouch.export.llm import build_embed
from veraretouch.export.modules import RendererGraph, trace
from veraretouch.export.storage import Storage
from veraretouch.models.renderer import FACTOR_COUNT
from veraretouch.official.encoder_renderer import ENCODER_SIZE, EncoderRenderer
from veraretouch.official.model import EMBEDDING, OfficialVlm

StorageOf = Callable[[str, np.ndarray], Storage]


def _as_it_is(_name: str, _values: np.ndarray) -> Storage:
    return "float32"


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


def build_parts(
    vlm: OfficialVlm,
    pair: EncoderRenderer | None = None,
    *,
    storage_of: StorageOf = _as_it_is,
    table: Storage = "float32",
    reference_size: int = ENCODER_SIZE,
) -> dict[str, onnx.ModelProto]:
    """vision, embed, adaptor, renderer, and encoder where `pair` is given, by name.

    `storage_of` says how the weights of vision and adaptor are kept, `table` how the embedding is. The renderer's stay
    float32: it is small, and what it gives is what is seen. It is the one of the vision-language checkpoint, to which
    the latents of both belong.
    """
    config = vlm.config
    generator = torch.Generator().manual_seed(7)
    image = torch.rand(1, 3, config.image_size, config.image_size, generator=generator)
    states = torch.randn(1, FACTOR_COUNT * config.hidden, generator=generator)
    latents = torch.randn(FACTOR_COUNT, config.latent, generator=generator)
    graphs = {
        "vision": trace(_See(vlm), {"image": image}, ["image_tokens"], storage_of=storage_of),
        "embed": build_embed(vlm.state_dict()[EMBEDDING].numpy(), table),
        "adaptor": trace(_Adapt(vlm), {"states": states}, ["latents"], storage_of=storage_of),
        "renderer": trace(
            RendererGraph(vlm.retouch_decoder),
            {"rgb": torch.rand(7, 3, generator=generator), "latents": latents},
            ["out"],
            {"rgb": {0: "N"}, "out": {0: "N"}},
            storage_of=_as_it_is,
        ),
    }
    if pair is not None:
        shape = (1, 3, reference_size, reference_size)
        feeds = {"before": torch.rand(shape, generator=generator), "after": torch.rand(shape, generator=generator)}
        graphs["encoder"] = trace(pair.encoder, feeds, ["latents"], storage_of=_as_it_is)
    return graphs
