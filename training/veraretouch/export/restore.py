"""PyTorch networks back out of a bundle: what only its ONNX files hold becomes a checkpoint again.

    python -m veraretouch.export.restore --bundle models --out WORK/reference.pt \
        [--renderer-config training/configs/renderer.toml --renderer WORK/renderer/last.pt] \
        [--model-config training/configs/rsft.toml --model WORK/rsft/last.pt --work WORK]

`--out` gets the same networks that `export.release` keeps beside a bundle, for `export.check`, the evaluation and the
baselines. `--renderer` gets renderer, encoder and parameter head as stage 1 leaves them, so that the later stages can
go on from a bundle that ships. `--model` gets the whole model as stage 5 leaves it, for more of that stage, DAPO-AE and answers of a
checkpoint. Stored weights are rounded; what they were before the rounding is lost. The tone encoder's batch norms come back
with mean 0 and variance 1: that is right as long as it stays in evaluation mode, as in all stages with a language model.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import nn

from veraretouch.data.features import SemanticEncoder
from veraretouch.export.bundle import BundleInfo, StoredModels, stored_models
from veraretouch.export.check import save_reference
from veraretouch.export.errors import ExportError
from veraretouch.export.llm import DecoderShape, rotary_tables
from veraretouch.export.runner import dialogue_of, verify_checksums
from veraretouch.export.storage import dequantise_rows, fold_batch_norms
from veraretouch.models.effect import Effect
from veraretouch.models.encoder import RetouchEncoder
from veraretouch.models.layout import ImageTokens
from veraretouch.models.param_head import ParamHead
from veraretouch.models.renderer import Renderer
from veraretouch.models.tone import ToneEncoder
from veraretouch.models.vlm import Adaptor, ParamProjector, StyleProjector, Vision
from veraretouch.train.common import read_config, save_atomically
from veraretouch.train.renderer import Networks
from veraretouch.train.vlm import PRETRAINED_TOKENS, build_vlm, trained_state

# Parts of the networks that no graph needs, so no bundle holds: they keep what they are built with.
UNUSED = ("semantic.classifier.",)
# What photos' tokens carry their latents by; bundles up to 1.0 have no such parts.
CARRYING = ("tone.direct.", "towards", "read_weight", "read_bias")


class Weights:
    """The weights of one graph under the names of the module it was traced from, float32.

    Hand-made graphs keep matrices transposed ([in, out], scales along the last axis); `matrix` gives those back as
    PyTorch has them. Raises ExportError for a name that is not there.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise ExportError(f"{path} is missing. Nothing was written; restore needs a whole bundle of our own networks.")
        self.path, self.graph = path, onnx.load(path).graph
        self._raw = {i.name: i for i in self.graph.initializer}

    def _array(self, name: str) -> np.ndarray:
        if name not in self._raw:
            raise ExportError(f"{self.path.name} holds no weight {name}. Nothing was written; the bundle is of another make.")
        return numpy_helper.to_array(self._raw[name])

    def matrix(self, name: str) -> torch.Tensor:
        if f"{name}.int8" in self._raw:
            whole, scale = self._array(f"{name}.int8").T, self._array(f"{name}.scale").reshape(-1)
            return torch.from_numpy(dequantise_rows(whole, scale))
        stored = f"{name}.half" if f"{name}.half" in self._raw else name
        return torch.from_numpy(np.ascontiguousarray(self._array(stored).T.astype(np.float32)))

    def plain(self, name: str) -> torch.Tensor:
        return torch.from_numpy(self._array(name).astype(np.float32))

    def named(self, prefix: str = "") -> dict[str, torch.Tensor]:
        """All weights of a traced graph whose name begins with `prefix`, without it."""
        found = {}
        for raw in self._raw:
            name = raw.removesuffix(".scale").removesuffix(".int8").removesuffix(".half")
            if not name.startswith(prefix) or raw.endswith(".scale"):
                continue
            values = self._array(raw)
            if raw.endswith(".int8"):
                values = dequantise_rows(values, self._array(f"{name}.scale").reshape(-1))
            found[name.removeprefix(prefix)] = torch.from_numpy(values.astype(np.float32))
        return found

    def factor(self, feeds: str) -> float:
        """The constant that something is multiplied by before node input `feeds` (a weight's name) is applied to it."""
        constants = {
            node.output[0]: numpy_helper.to_array(attribute.t)
            for node in self.graph.node if node.op_type == "Constant"
            for attribute in node.attribute if attribute.name == "value"
        }  # fmt: skip
        made = {output: node for node in self.graph.node for output in node.output}
        for node in self.graph.node:
            if feeds in node.input and node.input[0] in made and made[node.input[0]].op_type == "Mul":
                found = [constants[name] for name in made[node.input[0]].input if name in constants]
                if len(found) == 1 and found[0].size == 1:
                    return float(found[0])
        raise ExportError(f"{self.path.name} multiplies nothing before {feeds}. Nothing was written; the bundle is of another make.")


def fill(module: nn.Module, weights: dict[str, torch.Tensor], where: str, unused: Iterable[str] = ()) -> nn.Module:
    """Puts `weights` into all of a module but the parts named in `unused`; ExportError when any is missing or misfits."""
    state = module.state_dict()
    missing = [n for n in state if n not in weights and not n.startswith(tuple(unused)) and not n.endswith("num_batches_tracked")]
    strange = sorted(set(weights) - set(state))
    misfits = [n for n in weights if n in state and weights[n].shape != state[n].shape]
    if wrong := [*missing, *strange, *misfits]:
        raise ExportError(
            f"{where} of the bundle and the network of this code differ in {len(wrong)} weights, {wrong[0]} the first. "
            "Nothing was written; restore with the version that exported the bundle."
        )
    module.load_state_dict(weights, strict=False)
    return module.eval().requires_grad_(False)


def _generator() -> torch.Generator:
    return torch.Generator().manual_seed(7)


def decoder_shape(weights: Weights, sizes: dict) -> DecoderShape:
    """Sizes from bundle.json; the rotary base and the epsilon from the graph, where they have become tables."""
    cos, sin = weights.plain("rotary.cos").numpy(), weights.plain("rotary.sin").numpy()
    # Position 1 turns pair i by theta^(-2i/d).
    angles = np.arctan2(sin[1], cos[1]).astype(np.float64)
    pairs = np.arange(1, len(angles))
    theta = float(np.round(np.median(angles[1:] ** (-sizes["headDim"] / (2 * pairs)))))
    shape = DecoderShape(
        sizes["hidden"], sizes["layers"], sizes["heads"], sizes["kvHeads"], sizes["headDim"], theta,
        round(float(weights.plain("epsilon")), 12),
    )  # fmt: skip
    again = rotary_tables(shape, len(cos))
    if max(np.abs(again[0] - cos).max(), np.abs(again[1] - sin).max()) > 1e-6:
        raise ExportError(f"The decoder's rotary tables follow no base near {theta}. Nothing was written; the bundle is of another make.")
    return shape


def language_model(decoder: Weights, table: torch.Tensor, sizes: dict) -> nn.Module:
    """A transformers LlamaModel with the decoder's layers and the embedding `table` [V, H]."""
    from transformers import LlamaConfig, LlamaModel

    shape = decoder_shape(decoder, sizes)
    names = {"norm.weight": decoder.plain("norm.weight"), "embed_tokens.weight": table}
    for i in range(shape.layers):
        names[f"layers.{i}.input_layernorm.weight"] = decoder.plain("layers.0.norm" if i == 0 else f"layers.{i}.input_layernorm.weight")
        names[f"layers.{i}.post_attention_layernorm.weight"] = decoder.plain(f"layers.{i}.post")
        for part in (*(f"self_attn.{p}_proj" for p in "qkvo"), *(f"mlp.{p}_proj" for p in ("gate", "up", "down"))):
            names[f"layers.{i}.{part}.weight"] = decoder.matrix(f"layers.{i}.{part}.weight")
    config = LlamaConfig(
        vocab_size=len(table), hidden_size=shape.hidden, intermediate_size=len(names["layers.0.mlp.gate_proj.weight"]),
        num_hidden_layers=shape.layers, num_attention_heads=shape.heads, num_key_value_heads=shape.kv_heads,
        head_dim=shape.head_dim, rope_theta=shape.rope_theta, rms_norm_eps=shape.epsilon, max_position_embeddings=1024,
        tie_word_embeddings=False,
    )  # fmt: skip
    return fill(LlamaModel(config), names, "decoder.onnx")


def layout_of(named: dict[str, torch.Tensor], hidden: int) -> ImageTokens:
    """Which image tokens a bundle's vision.onnx makes, by the weights that it holds."""
    return ImageTokens(
        semantic="projector.mean" in named, tone="tone.trunk.0.weight" in named, spatial="tone_spatial.mean" in named,
        overall=len(named["tone_global.norm.weight"]) // hidden,
    )  # fmt: skip


def vision_of(named: dict[str, torch.Tensor], layout: ImageTokens, hidden: int, latent: int, size: int) -> Vision:
    """Image encoder and tone encoder with their projectors, batch norms folded as they were when exported."""
    tone = None
    if layout.tone:
        first = named["tone.trunk.0.weight"]
        tone = ToneEncoder(len(first), len(named["tone.mix.0.bias"]), latent, fine=first.shape[-1] == 8)
    semantic = SemanticEncoder(size) if layout.semantic or not layout.tone else None
    vision = Vision(semantic, tone, hidden, 1.0, layout=layout)
    fold_batch_norms(vision, torch.rand(1, 3, size, size, generator=_generator()))
    return fill(vision, named, "vision.onnx", UNUSED if "towards" in named else (*UNUSED, *CARRYING))


def encoder_of(named: dict[str, torch.Tensor], latent: int, size: int) -> RetouchEncoder:
    """The Retouch Encoder as built, not folded; `named` are the folded weights."""
    return RetouchEncoder(len(named["stem.0.0.bias"]), len(named["pairs.layers.2.bias"]), latent, size)


def folded_encoder(named: dict[str, torch.Tensor], latent: int, size: int) -> nn.Module:
    encoder = encoder_of(named, latent, size)
    pair = (torch.rand(1, 3, size, size, generator=_generator()) for _ in range(2))
    fold_batch_norms(encoder, *pair)
    return fill(encoder, named, "encoder.onnx")


def unfolded(encoder: RetouchEncoder, named: dict[str, torch.Tensor]) -> RetouchEncoder:
    """Folded weights in an encoder with batch norms: those take mean 0 and variance 1 and carry the bias."""
    state = {}
    for name, module in encoder.named_modules():
        if isinstance(module, nn.BatchNorm2d):
            convolution = f"{name.rsplit('.', 1)[0]}.0"
            state |= {
                f"{name}.weight": torch.ones_like(module.weight), f"{name}.bias": named[f"{convolution}.bias"],
                f"{name}.running_mean": torch.zeros_like(module.running_mean),
                f"{name}.running_var": torch.full_like(module.running_var, 1 - module.eps),
            }  # fmt: skip
    kept = {n: v for n, v in named.items() if n in encoder.state_dict()}
    return fill(encoder, state | kept, "encoder.onnx")


def unfolded_tone(vision: Vision, state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """What the tone encoder's batch norms are beside folded convolutions, whose biases they carry."""
    found = {}
    for name, module in vision.named_modules():
        if name.startswith("tone.") and isinstance(module, nn.BatchNorm2d):
            layers, place = name.rsplit(".", 1)
            found |= {
                f"vision.{name}.weight": torch.ones_like(module.weight),
                f"vision.{name}.bias": state[f"vision.{layers}.{int(place) - 1}.bias"],
                f"vision.{name}.running_mean": torch.zeros_like(module.running_mean),
                f"vision.{name}.running_var": torch.full_like(module.running_var, 1 - module.eps),
                f"vision.{name}.num_batches_tracked": torch.tensor(0),
            }  # fmt: skip
    return found


class _Parts(nn.Module):
    """The parts of a vision-language model under the names that `stored_models` asks for."""

    def __init__(self, **parts) -> None:
        super().__init__()
        self.head = nn.Parameter(parts.pop("head"), requires_grad=False)
        self.register_buffer("output_ids", parts.pop("output_ids"))
        for name, part in parts.items():
            setattr(self, name, part)


class Restored:
    """A verified bundle of our own networks, read back part by part."""

    def __init__(self, bundle: Path) -> None:
        verify_checksums(bundle)
        self.bundle = Path(bundle)
        self.manifest = json.loads((self.bundle / "bundle.json").read_text())
        if "effect" not in self.manifest["graphs"] or "focus" not in self.manifest:
            raise ExportError(
                f"{bundle} is no bundle of the networks trained here (it has no factor tokens). Nothing was written; a converted "
                "published model keeps its own checkpoint."
            )
        self.sizes = self.manifest["dimensions"]
        self.latent, self.hidden = self.sizes["latent"], self.sizes["hidden"]
        self.reference_size = self.manifest["preprocess"]["reference"]["size"]
        self.encoder_weights = self.graph("encoder").named()

    def graph(self, name: str) -> Weights:
        return Weights(self.bundle / self.manifest["graphs"][name]["default"])

    def renderer(self) -> Renderer:
        named = self.graph("renderer").named("renderer.")
        widths = [len(named[f"layers.{i}.bias"]) for i in range(sum(n.startswith("layers.") for n in named) // 2)]
        return fill(Renderer(tuple(widths), self.latent), named, "renderer.onnx")

    def head(self) -> ParamHead:
        """The exporter keeps one copy of weights that two modules share, under the first one's name."""
        weights = self.graph("params")
        named = weights.named("head.") or weights.named("projector.head.")
        return fill(ParamHead(self.latent, len(named["heads.0.0.bias"])), named, "params.onnx")

    def models(self) -> StoredModels:
        """All networks with exactly the weights of the bundle."""
        renderer, head, params = self.renderer(), self.head(), self.graph("params")
        adaptor, style = self.graph("adaptor"), self.graph("style")
        decoder, embed = self.graph("decoder"), self.graph("embed")
        projector = fill(ParamProjector(self.head(), self.latent, self.hidden, 1.0), params.named("projector."), "params.onnx")
        gain = adaptor.factor("shortcut.0.weight")
        words = style.named()
        heads, width = words["score.weight"].shape
        seen = self.graph("vision").named()
        layout = layout_of(seen, self.hidden)
        style_projector = StyleProjector(self.hidden, 1 / gain, width, heads, layout.focus_row, layout.overall)
        effect = self.graph("effect").named("effect.")
        zones, values = len(effect["zones.2.bias"]), len(effect["pairs.4.bias"])
        widths = len(effect["pairs.0.bias"]), values, len(effect["mlp.1.bias"])
        dialogue = dialogue_of(self.bundle, self.manifest)
        size = self.manifest["preprocess"]["image"]["size"]
        if layout.focus_row != self.manifest["focus"]["imageRow"]:
            raise ExportError(f"bundle.json says that the factors' tokens begin at row {self.manifest['focus']['imageRow']}, vision.onnx has them at {layout.focus_row}. Nothing was written.")
        vlm = _Parts(
            lm=language_model(decoder, _table(embed), self.sizes), head=decoder.matrix("head"),
            output_ids=torch.from_numpy(dialogue.output_ids.copy()), focus_row=layout.focus_row,
            vision=vision_of(seen, layout, self.hidden, self.latent, size), param_projector=projector,
            adaptor=fill(Adaptor(self.hidden, self.latent, gain), adaptor.named(), "adaptor.onnx"),
            style_projector=fill(style_projector, words, "style.onnx"),
            effect=fill(Effect(self.hidden, 1.0, zones, *widths), effect, "effect.onnx"),
        )  # fmt: skip
        info = BundleInfo(
            self.manifest["name"], self.manifest["version"], image_size=size, reference_size=self.reference_size
        )
        encoder = folded_encoder(self.encoder_weights, self.latent, self.reference_size)
        # Nothing is rounded a second time, whatever the storage of a newer version would be.
        return stored_models(vlm, renderer, encoder, head, dialogue, info, lambda _name, _weight: "float32")

    def checkpoint(self, config: dict, work: Path) -> dict:
        """A checkpoint of stage 5 under its configuration: `average` is what the bundle holds, and nothing to resume from. `work`
        holds the language model's cache. Raises ExportError when the configuration describes another model."""
        models = self.models()
        dialogue = dialogue_of(self.bundle, self.manifest)
        layers, first = config["layers"], self.manifest["latentStates"] == "first"
        if layers != self.sizes["layers"] or config["latents_first"] != first:
            raise ExportError(
                f"The configuration says {layers} layers and latents {'first' if config['latents_first'] else 'last'}, the bundle has "
                f"{self.sizes['layers']} and {'first' if first else 'last'}. Nothing was written; give the configuration that it was trained with."
            )
        added = dialogue.tokenizer.get_vocab_size() - PRETRAINED_TOKENS
        nets = SimpleNamespace(head=models.param_head, renderer=models.renderer)
        model = build_vlm(work, layers, nets, dialogue.output_ids.tolist(), added, layout=ImageTokens.of(config))
        stored = models.vlm.state_dict()
        state = {name.replace("foresee.effect.", "effect."): values for name, values in stored.items() if not name.startswith("foresee.adaptor.")}
        state["added_rows"] = stored["lm.embed_tokens.weight"][-added:]
        state |= unfolded_tone(model.vision, state)
        wanted = trained_state(model)
        found = {name: state[name] for name in wanted if name in state}
        if lost := [n for n in wanted if n not in found or found[n].shape != wanted[n].shape]:
            raise ExportError(f"The bundle lacks {len(lost)} weights of this configuration's model, {lost[0]} the first. Nothing was written; restore with the version that exported the bundle.")
        sections = {section.field: list(section.tokens) for mode in dialogue.answer.values() for section in mode}
        return {"config": config, "average": found, "model": found, "section_ids": sections, "step": 0,
                "restored": f"{self.manifest['name']} {self.manifest['version']}"}  # fmt: skip

    def stage1(self, config: dict) -> dict:
        """A checkpoint of stage 1 under its configuration: `average` is what the bundle holds, and nothing to resume from.

        Raises ExportError when the configuration describes other networks than the bundle's.
        """
        if config["encoder_size"] != self.reference_size:
            raise ExportError(
                f"The configuration's encoder sees {config['encoder_size']} pixels, the bundle's {self.reference_size}. Nothing was "
                "written; give the configuration that the bundle was trained with."
            )
        nets = Networks(config)
        fill(nets.renderer, self.graph("renderer").named("renderer."), "renderer.onnx")
        fill(nets.head, self.head().state_dict(), "params.onnx")
        unfolded(nets.encoder, self.encoder_weights)
        return {"config": config, "average": nets.state_dict(), "restored": f"{self.manifest['name']} {self.manifest['version']}"}


def _table(embed: Weights) -> torch.Tensor:
    """The embedding [V, H], its rows in the order of PyTorch (a gather needs no transposing)."""
    found = embed.named()
    if "table" not in found:
        raise ExportError("embed.onnx holds no table. Nothing was written; the bundle is of another make.")
    return found["table"]


def _refuse_to_replace(path: Path) -> None:
    if path.exists():
        raise ExportError(f"{path} exists and may be the result of hours. Nothing was written; remove it or name another file.")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--out", type=Path, help="the reference file to write (a Python pickle)")
    parser.add_argument("--renderer", type=Path, help="the checkpoint of stage 1 to write")
    parser.add_argument("--renderer-config", type=Path, help="configuration of stage 1, needed with --renderer")
    parser.add_argument("--model", type=Path, help="the checkpoint of stage 5 to write")
    parser.add_argument("--model-config", type=Path, help="configuration of stage 5, needed with --model")
    parser.add_argument("--work", type=Path, help="folder of the language model's cache, needed with --model")
    a = parser.parse_args()
    if not (a.out or a.renderer or a.model):
        parser.error("nothing to write: give --out, --renderer or --model")
    if a.model and not (a.model_config and a.work):
        parser.error("--model needs --model-config and --work")
    if a.renderer and not a.renderer_config:
        parser.error("--renderer needs --renderer-config")
    try:
        restored = Restored(a.bundle)
        if a.renderer:
            _refuse_to_replace(a.renderer)
            state = restored.stage1(read_config(a.renderer_config))
            save_atomically(state, a.renderer)
            print(f"wrote {a.renderer}")
        if a.model:
            _refuse_to_replace(a.model)
            save_atomically(restored.checkpoint(read_config(a.model_config), a.work), a.model)
            print(f"wrote {a.model}")
        if a.out:
            models = restored.models()
            a.out.parent.mkdir(parents=True, exist_ok=True)
            save_reference(models, a.out)
            print(f"wrote {a.out}")
    except (ExportError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
