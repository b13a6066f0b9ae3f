"""The sizes of a checkpoint, from its config.json and back."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from pathlib import Path

from veraretouch.official.errors import OfficialModelError
from veraretouch.official.model import OfficialConfig
from veraretouch.official.vision import VisionShape

KIND = "llava_qwen2"
# Ours of what config.json says of the language model.
LANGUAGE = {
    "vocabulary": "vocab_size", "hidden": "hidden_size", "layers": "num_hidden_layers", "heads": "num_attention_heads",
    "kv_heads": "num_key_value_heads", "ffn": "intermediate_size",
}  # fmt: skip
# The published config.json does not have this entry, for its code holds these sizes; a shrunken model's has it.
SIZES = "veraretouch_sizes"
LARGEST = 10_000_000


def read_config(folder: Path) -> OfficialConfig:
    """Sizes from a checkpoint's config.json; what it does not tell is as published.

    Raises OfficialModelError: no such file, no JSON, another kind of model, a size that is none.
    """
    path = folder / "config.json"
    try:
        raw = json.loads(path.read_text())
        kind = raw["model_type"]
        sizes = {ours: raw[theirs] for ours, theirs in LANGUAGE.items()}
        theta, epsilon = float(raw.get("rope_theta", 1e6)), float(raw.get("rms_norm_eps", 1e-6))
        more = dict(raw.get(SIZES, {}))
        vision = dict(more.pop("vision", {}))
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise OfficialModelError(
            f"{path} is no configuration of the published model ({error!r}). Nothing was converted; give the checkpoint's folder."
        ) from error
    if kind != KIND:
        raise OfficialModelError(
            f"{path} describes a model of the kind {kind!r}; the published one is {KIND!r}. Nothing was converted."
        )
    known = {field.name for field in fields(OfficialConfig)} - {*LANGUAGE, "vision", "rope_theta", "epsilon", "tied"}
    strange = [*(more.keys() - known), *(vision.keys() - {field.name for field in fields(VisionShape)})]
    if strange:
        raise OfficialModelError(f"{path} names a size {strange[0]!r} that there is not. Nothing was converted.")
    for name, size in [*sizes.items(), *more.items(), *vision.items()]:
        if not all(type(one) is int and 0 < one < LARGEST for one in (size if isinstance(size, list) else [size])):
            raise OfficialModelError(f"{path} gives no whole number for {name}. Nothing was converted.")
    tied = bool(raw.get("tie_word_embeddings", True))
    shape = VisionShape(**{name: _tuple(size) for name, size in vision.items()})
    rest = {name: _tuple(size) for name, size in more.items()}
    return OfficialConfig(**sizes, **rest, vision=shape, rope_theta=theta, epsilon=epsilon, tied=tied)


def config_json(config: OfficialConfig) -> dict:
    """The content of a config.json from which `read_config` reads `config` again."""
    published = OfficialConfig(config.vocabulary)
    own = {"rope_theta", "epsilon", "tied", *LANGUAGE}
    sizes = {
        name: size for name, size in asdict(config).items() if name not in own and size != asdict(published)[name]
    }
    return {
        "architectures": ["LlavaQwen2ForCausalLM"],
        "model_type": KIND,
        **{theirs: getattr(config, ours) for ours, theirs in LANGUAGE.items()},
        "rms_norm_eps": config.epsilon,
        "rope_theta": config.rope_theta,
        "tie_word_embeddings": config.tied,
        **({SIZES: sizes} if sizes else {}),
    }


def _tuple(size: int | list[int]) -> int | tuple[int, ...]:
    return tuple(size) if isinstance(size, list) else size
