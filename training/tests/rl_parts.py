"""A tiny random model and tiny examples of the three tasks, for tests of reinforcement learning."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from example_sets import write_examples
from transformers import LlamaConfig, LlamaModel

from veraretouch.engine.params import sample_params
from veraretouch.export.dialogue import VOICED_PROMPTS, VOICES, Dialogue, added_tokens, answer_sections
from veraretouch.export.tokenizer import small_tokenizer
from veraretouch.models.param_head import ParamHead
from veraretouch.models.renderer import Renderer
from veraretouch.models.tone import ToneEncoder
from veraretouch.models.vlm import VeraRetouchVLM, add_tokens
from veraretouch.train.examples import Shards

WORDS = ["Lift the shadows a little", "warm and faded", "Slightly raise the contrast", "Leave the colors as is"]
LATENT = 4


def tiny_dialogue(longest: int = 6, first: bool = True) -> Dialogue:
    """Every section may be written with its own few tokens, so that masks differ. `first`: latents before the words."""
    tokenizer = small_tokenizer(WORDS * 20, 400, VOICES)
    plain = Dialogue(tokenizer, list(range(tokenizer.get_vocab_size())))
    fields = [s.field for s in answer_sections()["auto"]]
    tokens = {name: sorted(set(plain.encode(WORDS[i % len(WORDS)]))) for i, name in enumerate(fields)}
    answer = answer_sections(longest, longest, longest, tokens)
    outputs = list(range(tokenizer.get_vocab_size()))
    return Dialogue(tokenizer, outputs, VOICED_PROMPTS, answer, latents_first=first, voices=VOICES)


def tiny_model(dialogue: Dialogue, seed: int = 0) -> VeraRetouchVLM:
    torch.manual_seed(seed)
    size, added = dialogue.tokenizer.get_vocab_size(), len(added_tokens())
    config = LlamaConfig(
        vocab_size=size - added, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2,
    )  # fmt: skip
    lm = LlamaModel(config)
    add_tokens(lm, added, torch.Generator().manual_seed(1))
    tone = ToneEncoder(width=8, hidden=32, latent=LATENT)
    outputs = torch.from_numpy(dialogue.output_ids)
    vlm = VeraRetouchVLM(lm, torch.nn.Identity(), tone, ParamHead(LATENT, 16), Renderer((8,), LATENT), outputs, added)
    return vlm.eval()


def tiny_shards(folder: Path, count: int = 6, target: float = 0.0, seed: int = 3) -> Shards:
    """`count` examples a task; the target is the input moved by `target`."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    for task in ("auto", "style", "param"):
        before = rng.integers(60, 190, (count, 64, 3)).astype(np.uint8)
        after = np.clip(before + 255 * target, 0, 255).astype(np.uint8)
        params = sample_params(count, torch.Generator().manual_seed(seed)).numpy() if task == "param" else np.zeros((count, 38), np.float32)
        arrays = {"before": before, "after": after, "params": params}
        if task != "param":
            arrays["picture"] = rng.integers(60, 190, (count, 256, 256, 3)).astype(np.uint8)
            arrays["features"] = rng.standard_normal((count, 9, 1280)).astype(np.float16)
            arrays["figures"] = np.zeros((count, 44), np.float32)
        metas = [{"task": task, "voice": i % 16, **({"instruction": WORDS[i % 3]} if task == "style" else {})} for i in range(count)]
        write_examples(folder, task, arrays, metas)
    return Shards(folder)


def tiny_config(**changes) -> dict:
    rewards = {"format": 0.5, "similarity": 4.0, "histogram": 1.0, "agreement": 0.5, "overlong": 0.5}
    config = {
        "name": "dapo", "seed": 1, "tasks": ["auto", "style", "param"], "prompts": 3, "group": 4, "draws": 3,
        "least_spread": 1e-4, "temperature": 1.0, "latent_sigma": 0.1, "latent_weight": 4.0, "clip_low": 0.2, "clip_high": 0.28,
        "epochs": 1, "minibatches": 1, "micro": 8, "gradient": 1.0, "longest": 120, "buffer": 20, "lr_language": 1e-3,
        "lr_perception": 1e-3, "lr": 1e-3, "average_decay": 0.5, "steps": 2, "evaluate_every": 2, "evaluate_count": 3,
        "only": ["lm.layers.", "adaptor.layers.", "head", "added_rows"],
        "rewards": {"auto": {**rewards, "aesthetic": 0.5}, "style": {**rewards, "aesthetic": 0.1}, "param": rewards},
        "guard": {"lightness": 50.0, "chroma": 50.0, "similarity": 1.0},
    }  # fmt: skip
    return config | changes


class MeanLevel(torch.nn.Module):
    """A judge that likes it bright: `weight` times the mean of a picture."""

    def __init__(self, weight: float = 1.0):
        super().__init__()
        self.weight = weight

    def score(self, rgb: torch.Tensor) -> torch.Tensor:
        return self.weight * rgb.flatten(1).mean(1)


def tiny_run(folder: Path, target: float = 0.0, first: bool = True) -> SimpleNamespace:
    dialogue = tiny_dialogue(first=first)
    model = tiny_model(dialogue)
    return SimpleNamespace(dialogue=dialogue, model=model, renderer=model.renderer, shards=tiny_shards(folder, target=target))
