"""A tiny bundle of random weights by the same code as the real one, for tests of what reads it.

    python -m veraretouch.export.tiny --out DIR

It speaks nonsense and retouches at random, but every rule of the format is exercised: folded batch
norms, all three storages, an own tokenizer, sections that end and sections that are cut.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import nn

from veraretouch.engine.params import PARAMETERS
from veraretouch.export.bundle import BundleInfo, StoredModels, write_bundle
from veraretouch.export.bundle_files import add_file
from veraretouch.export.dialogue import VOICED_PROMPTS, VOICES, Dialogue, added_tokens, answer_sections
from veraretouch.export.graph import save
from veraretouch.export.modules import trace
from veraretouch.export.parity import parity_bytes
from veraretouch.export.pictures import picture, squash
from veraretouch.export.tokenizer import small_tokenizer
from veraretouch.models.effect import Effect
from veraretouch.models.encoder import RetouchEncoder
from veraretouch.models.param_head import ParamHead
from veraretouch.models.renderer import Renderer
from veraretouch.models.vlm import StyleProjector

HIDDEN, LATENT, SEED = 96, 8, 20260
IMAGE_SIZE, REFERENCE_SIZE, IMAGE_TOKENS = 64, 32, 4
# How strongly the end tokens are preferred, so that some sections end on their own.
END_GAIN = 1.6


class TinyVision(nn.Module):
    """image [B,3,S,S] -> image_tokens [B,4,H]: two convolutions with batch norm, a 2x2 grid."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 16, 4, 4), nn.BatchNorm2d(16), nn.ReLU(),
            nn.Conv2d(16, 32, 4, 4, bias=False), nn.BatchNorm2d(32), nn.ReLU(),
        )  # fmt: skip
        self.out = nn.Linear(32, hidden)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        x = self.layers(image * 2 - 1)
        rows, channels, height, width = x.shape
        x = x.reshape(rows, channels, 2, height // 2, 2, width // 2).mean(dim=(3, 5))
        return self.out(x.flatten(2).transpose(1, 2))


class TinyParamProjector(nn.Module):
    """params [B,38] -> param_tokens [B,3,H]."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.hidden = hidden
        self.out = nn.Linear(len(PARAMETERS), 3 * hidden)

    def forward(self, params: torch.Tensor) -> torch.Tensor:
        return self.out(params).reshape(-1, 3, self.hidden)


class TinyAdaptor(nn.Module):
    """states [B,3H], plan [B,3,H] if the model has factor tokens -> latents [B,3,D]."""

    def __init__(self, hidden: int, latent: int) -> None:
        super().__init__()
        self.latent = latent
        self.layers = nn.Sequential(
            nn.Linear(3 * hidden, 32), nn.LayerNorm(32), nn.GELU(), nn.Linear(32, 3 * latent)
        )
        self.shortcut = nn.Linear(hidden, latent)

    def forward(self, states: torch.Tensor, plan: torch.Tensor | None = None) -> torch.Tensor:
        latents = self.layers(states).reshape(-1, 3, self.latent)
        return latents if plan is None else latents + self.read(plan)

    def read(self, plan: torch.Tensor) -> torch.Tensor:
        return 0.3 * self.shortcut(plan)


class TinyVlm(nn.Module):
    """The parts of a VLM that the exporter and the generation need, as small as they go."""

    def __init__(self, vocabulary: int, output_ids: list[int], end_ids: list[int], voices: Sequence[str] = ()) -> None:
        super().__init__()
        from transformers import LlamaConfig, LlamaModel

        self.lm = LlamaModel(
            LlamaConfig(
                hidden_size=HIDDEN,
                intermediate_size=128,
                num_hidden_layers=2,
                num_attention_heads=3,
                num_key_value_heads=1,
                head_dim=32,
                vocab_size=vocabulary,
                rms_norm_eps=1e-5,
                max_position_embeddings=1024,
                rope_parameters={"rope_type": "default", "rope_theta": 100000.0},
            )
        )
        self.vision = TinyVision(HIDDEN)
        self.param_projector = TinyParamProjector(HIDDEN)
        self.adaptor = TinyAdaptor(HIDDEN, LATENT)
        self.style_projector = StyleProjector(HIDDEN, 1.0, width=24, heads=2, first_row=0)
        self.effect = Effect(HIDDEN, 1.0, zones=4, width=16, values=8, middle=24)
        self.focus_row = 1
        self.register_buffer("output_ids", torch.tensor(output_ids))
        self.added_rows = nn.Parameter(torch.randn(len(added_tokens(voices)), HIDDEN))
        self.head = nn.Parameter(torch.randn(len(output_ids), HIDDEN))
        self._make_lively(end_ids)

    @torch.no_grad()
    def _make_lively(self, end_ids: list[int]) -> None:
        """Bigger random weights than a start of training has, so that answers differ clearly."""
        for name, weight in self.lm.named_parameters():
            if weight.ndim == 2:
                gain = 1.0 if name.startswith("embed") else 2.0 / weight.shape[1] ** 0.5
                weight.copy_(torch.randn_like(weight) * gain)
        self.head[torch.isin(self.output_ids, torch.tensor(end_ids))] *= END_GAIN
        settle_batch_norms(self.vision, IMAGE_SIZE, pictures=1)


@torch.no_grad()
def settle_batch_norms(module: nn.Module, size: int, pictures: int) -> None:
    """Random gains, and running statistics as training would leave them: outputs vary with inputs."""
    norms = [m for m in module.modules() if isinstance(m, nn.BatchNorm2d)]
    for norm in norms:
        norm.weight.uniform_(0.5, 1.5)
        norm.bias.normal_(0.0, 0.2)
        norm.momentum = None  # the plain mean over what it is shown
    module.train()
    kinds = torch.stack([squash(picture(kind), size) for kind in range(12)])
    module(*[kinds.roll(shift, 0) for shift in range(pictures)])
    module.eval()


def tiny_texts() -> list[str]:
    """Sentences that the small tokenizer learns its merges from."""
    parts = ("the light", "the shadows", "the highlights", "the colours", "the reds", "the blues")
    verbs = ("lift", "lower", "warm", "cool", "strengthen", "soften", "balance", "deepen")
    ends = ("a little", "clearly", "by 12 %", "without clipping", "so that the mood stays")
    return [f"{v.capitalize()} {p} {e}. {p} {v} {e}." for v in verbs for p in parts for e in ends] + [
        "user", "assistant", "Retouch this photo.", "Apply these settings.", "Instruction: ",
    ]  # fmt: skip


def tiny_info(tokenizer: Tokenizer) -> BundleInfo:
    """Every field lacks an eighth of the text tokens, each another one."""
    own = {tokenizer.token_to_id(text) for text in added_tokens(())}
    text = [i for i in tiny_output_ids(tokenizer) if i not in own]
    fields = [section.field for section in answer_sections()["auto"]]
    tokens = {field: [i for i in text if (i // 3 + number) % 8] for number, field in enumerate(fields)}
    sections = answer_sections(elements=6, problem=5, plan=7, tokens=tokens)
    return BundleInfo("veraretouch-tiny", "0.1.0", "Apache-2.0", IMAGE_SIZE, REFERENCE_SIZE, 17, sections)


def tiny_output_ids(tokenizer: Tokenizer) -> list[int]:
    """Every third text token and the added ones, so that a logit's index is never its token id."""
    own = [tokenizer.token_to_id(text) for text in added_tokens(())]
    return [*range(3, min(own), 3), *own]


def tiny_models(seed: int = SEED, voices: Sequence[str] = ()) -> tuple[Tokenizer, dict[str, nn.Module]]:
    """Tokenizer and the four networks by the argument names of `write_bundle`; same every time."""
    tokenizer = small_tokenizer(tiny_texts(), voices=voices)
    ends = [tokenizer.token_to_id(s.end) for s in answer_sections()["auto"]]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        models = {
            "vlm": TinyVlm(tokenizer.get_vocab_size(), tiny_output_ids(tokenizer), ends, voices),
            "renderer": Renderer((16, 32), LATENT),
            "encoder": RetouchEncoder(width=8, pair_width=16, latent=LATENT, size=REFERENCE_SIZE),
            "param_head": ParamHead(LATENT, hidden=16),
        }
        settle_batch_norms(models["encoder"], REFERENCE_SIZE, pictures=2)
        models["encoder"].fc[-1].weight.data *= 8.0
    return tokenizer, {name: model.eval() for name, model in models.items()}


def write_tiny_bundle(out_dir: str | Path, latents_first: bool = False) -> tuple[StoredModels, Dialogue]:
    """Writes the tiny bundle with its parity.json; returns the reference networks. `latents_first`: with voices, too."""
    tokenizer, models = tiny_models(voices=VOICES if latents_first else ())
    info, outputs = tiny_info(tokenizer), tiny_output_ids(tokenizer)
    if latents_first:
        info = replace(info, latents_first=True, voices=VOICES, prompts=dict(VOICED_PROMPTS))
    stored = write_bundle(
        out_dir, **models, tokenizer=tokenizer, output_token_ids=outputs, info=info
    )
    dialogue = info.dialogue(tokenizer, outputs)
    add_file(Path(out_dir), "parity.json", parity_bytes(stored, dialogue, info))
    return stored, dialogue


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True, type=Path, help="folder of the bundle")
    parser.add_argument("--latents-first", action="store_true", help="the picture before the words, in voices")
    parser.add_argument("--plain-adaptor", type=Path, help="also write the adaptor of a model without factor tokens")
    arguments = parser.parse_args()
    out = arguments.out
    write_tiny_bundle(out, arguments.latents_first)
    if arguments.plain_adaptor:
        adaptor = tiny_models()[1]["vlm"].adaptor
        save(trace(adaptor, {"states": torch.zeros(1, 3 * HIDDEN)}, ["latents"]), arguments.plain_adaptor)
    size = sum(p.stat().st_size for p in out.iterdir())
    print(f"{out}: {len(list(out.iterdir()))} files, {size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
