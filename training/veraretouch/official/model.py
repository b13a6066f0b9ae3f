"""The published vision-language model: FastViTHD, a projector, Qwen2, an adaptor and the renderer, under its own names.

`transformers` holds Qwen2; what the published model adds to it is here. Its latents are read from the states that PREDICTED
the three retouch tokens: state i is the one that made token i of the answer.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import nn
from transformers import Qwen2Config, Qwen2Model

from veraretouch.models.renderer import FACTOR_COUNT, Renderer
from veraretouch.official.checkpoint import check_finite, check_tensors
from veraretouch.official.encoder_renderer import ENCODER_SIZE, ENCODER_WIDTH, LATENT, RENDERER_WIDTHS
from veraretouch.official.errors import OfficialModelError
from veraretouch.official.preprocess import IMAGE_SIZE, SHORT_EDGE
from veraretouch.official.vision import FastViTHD, VisionShape

HEAD = "lm_head.weight"
EMBEDDING = "model.embed_tokens.weight"


@dataclass(frozen=True)
class OfficialConfig:
    """Sizes; the defaults are the published ones but for `vocabulary`, which the checkpoint's config.json tells."""

    vocabulary: int
    hidden: int = 896
    layers: int = 24
    heads: int = 14
    kv_heads: int = 2
    ffn: int = 4864
    rope_theta: float = 1_000_000.0
    epsilon: float = 1e-6
    tied: bool = True
    latent: int = LATENT
    adaptor: int = 1344
    renderer: tuple[int, ...] = RENDERER_WIDTHS
    vision: VisionShape = field(default_factory=VisionShape)
    image_size: int = IMAGE_SIZE
    # Of the encoder of reference pairs.
    encoder: int = ENCODER_WIDTH
    reference_size: int = ENCODER_SIZE

    @property
    def image_tokens(self) -> int:
        return (self.image_size // self.vision.patch) ** 2

    @property
    def short_edge(self) -> int:
        """Pixels to which a photo's short edge is scaled; smaller for a smaller square, by the published proportion."""
        return max(1, SHORT_EDGE * self.image_size // IMAGE_SIZE)

    def language(self) -> Qwen2Config:
        return Qwen2Config(
            vocab_size=self.vocabulary,
            hidden_size=self.hidden,
            intermediate_size=self.ffn,
            num_hidden_layers=self.layers,
            num_attention_heads=self.heads,
            num_key_value_heads=self.kv_heads,
            rms_norm_eps=self.epsilon,
            rope_parameters={"rope_type": "default", "rope_theta": self.rope_theta},
            tie_word_embeddings=self.tied,
            max_position_embeddings=32768,
        )


class _VisionTower(nn.Module):
    """Two wrappers deep, as the checkpoint's names are: `vision_tower.model`."""

    def __init__(self, shape: VisionShape) -> None:
        super().__init__()
        self.vision_tower = nn.Module()
        self.vision_tower.model = FastViTHD(shape)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.vision_tower.model(image)


class OfficialVlm(nn.Module):
    def __init__(self, config: OfficialConfig) -> None:
        super().__init__()
        self.config = config
        hidden, wide = config.hidden, config.adaptor
        self.model = Qwen2Model(config.language())
        self.model.vision_tower = _VisionTower(config.vision)
        self.model.mm_projector = nn.Sequential(
            nn.Linear(config.vision.channels, hidden), nn.GELU(), nn.Linear(hidden, hidden)
        )
        self.lm_head = nn.Linear(hidden, config.vocabulary, bias=False)
        if config.tied:
            self.lm_head.weight = self.model.embed_tokens.weight
        self.retouch_head = nn.Sequential(
            nn.Linear(FACTOR_COUNT * hidden, wide), nn.LayerNorm(wide), nn.GELU(),
            nn.Linear(wide, wide), nn.LayerNorm(wide), nn.GELU(),
            nn.Linear(wide, FACTOR_COUNT * config.latent),
        )  # fmt: skip
        self.retouch_decoder = Renderer(config.renderer, config.latent)

    def load(self, state: dict[str, torch.Tensor]) -> OfficialVlm:
        """Takes over a checkpoint's weights as float32, ready to run.

        Raises OfficialModelError naming tensors that are missing, extra, of another shape or not finite, or a head that differs
        from the embedding it is said to be tied to; then nothing is taken.
        """
        own = self.state_dict()
        optional = [name for name in own if name.endswith("num_batches_tracked")]
        if self.config.tied:
            optional.append(HEAD)
        check_tensors(state, {name: value.shape for name, value in own.items()}, optional)
        check_finite(state)
        if self.config.tied and HEAD in state and not torch.equal(state[HEAD], state[EMBEDDING]):
            raise OfficialModelError(
                f"{HEAD} differs from {EMBEDDING}, although config.json ties them. Nothing was converted; set "
                "tie_word_embeddings to false if the checkpoint is meant so."
            )
        given = {name: value.float() if value.is_floating_point() else value for name, value in state.items()}
        if self.config.tied:
            given[HEAD] = given[EMBEDDING]
        self.load_state_dict({**{name: own[name] for name in optional}, **given})
        return self.eval().requires_grad_(False)

    def see(self, image: torch.Tensor) -> torch.Tensor:
        """Pictures [B,3,S,S] in [0,1] -> their rows [B,image_tokens,hidden] in the prompt."""
        return self.model.mm_projector(self.model.vision_tower(image))

    def embed(self, ids: list[int]) -> torch.Tensor:
        """Token ids -> [1,S,hidden]."""
        return self.model.embed_tokens(torch.tensor([ids], dtype=torch.long))

    def latents(self, states: torch.Tensor, masks: list[float] | None = None) -> torch.Tensor:
        """The states [3,hidden] that predicted the retouch tokens -> latents [3,D]; a mask of 0 makes a factor's row 0."""
        rows = self.retouch_head(states.reshape(1, -1)).reshape(FACTOR_COUNT, self.config.latent)
        return rows if masks is None else rows * torch.tensor(masks).to(rows)[:, None]

    @torch.no_grad()
    def answer(self, embeds: torch.Tensor, end: int, longest: int) -> tuple[list[int], torch.Tensor]:
        """Greedy answer to a prompt [1,S,hidden]: at most `longest` token ids, the last one `end` if it came so far, and the
        states [N,hidden] that predicted them."""
        ids: list[int] = []
        states: list[torch.Tensor] = []
        cache = None
        while len(ids) < longest and (not ids or ids[-1] != end):
            out = self.model(inputs_embeds=embeds, past_key_values=cache, use_cache=True)
            cache, state = out.past_key_values, out.last_hidden_state[0, -1]
            states.append(state)
            ids.append(int(self.lm_head(state).argmax()))
            embeds = self.embed(ids[-1:])
        return ids, torch.stack(states)


def retouch_states(ids: list[int], states: torch.Tensor, retouch: tuple[int, int, int]) -> torch.Tensor:
    """Of an answer, the states [3,hidden] at the FIRST place of each retouch token.

    Raises OfficialModelError when the answer lacks one: the published script fails there too.
    """
    missing = [token for token in retouch if token not in ids]
    if missing:
        raise OfficialModelError(
            f"The answer of {len(ids)} tokens never came to the retouch token {missing[0]}. No retouch was made; "
            "allow a longer answer."
        )
    return torch.stack([states[ids.index(token)] for token in retouch])


def random_state(config: OfficialConfig, seed: int) -> dict[str, torch.Tensor]:
    """Seeded random weights under every name of a checkpoint, lively enough that answers vary with their prompts.

    For tests and timings: the published weights cannot be had everywhere.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.device("meta"):
        shapes = OfficialVlm(config).state_dict()

    def values(name: str, like: torch.Tensor) -> torch.Tensor:
        if name.endswith("num_batches_tracked"):
            return torch.zeros((), dtype=torch.long)
        noise = torch.randn(like.shape, generator=generator)
        if name.endswith("running_var"):
            return 0.5 + noise.abs()
        if "layer_scale" in name:
            return 0.3 + 0.1 * noise
        if like.ndim < 2:
            # Gains of norms stay near 1, shifts near 0.
            return (1.0 if name.endswith("weight") else 0.0) + 0.1 * noise
        if name in (EMBEDDING, HEAD):
            # Small beside what the layers add, or a tied head says the same token for ever.
            return 0.05 * noise
        # Those of the tower that nothing follows but the next one: dozens in a row may not swell what they are given.
        gain = 1.0 if name.endswith(("token_mixer.reparam_conv.weight", "conv.conv.weight")) else 1.5
        return noise * (gain / like[0].numel() ** 0.5)

    state = {name: values(name, like) for name, like in shapes.items()}
    if config.tied:
        state[HEAD] = state[EMBEDDING]
    return state
