"""Networks read back out of a bundle against the graphs themselves, run by onnxruntime."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from veraretouch.data.features import SemanticEncoder
from veraretouch.export.bundle_files import write_checksums
from veraretouch.export.check import cosine
from veraretouch.export.errors import ExportError
from veraretouch.export.graph import save
from veraretouch.export.llm import DecoderShape, build_decoder
from veraretouch.export.pictures import picture, squash
from veraretouch.export.reference import generate
from veraretouch.export.restore import UNUSED, Restored, Weights, language_model, layout_of, vision_of
from veraretouch.export.runner import BundleRunner
from veraretouch.export.storage import fold_batch_norms
from veraretouch.models.layout import ImageTokens
from veraretouch.models.tone import ToneEncoder
from veraretouch.models.vlm import Vision
from veraretouch.train.common import read_config, save_atomically
from veraretouch.train.tone import load_networks
from veraretouch.train.vlm import load_answering

torch.set_num_threads(1)
ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "models"
pytestmark = pytest.mark.skipif(not (SHIPPED / "bundle.json").exists(), reason="the shipped bundle is not in this checkout")


def _config() -> dict:
    config = read_config(ROOT / "training" / "configs" / "renderer.toml")
    # Whatever the next training uses: the test is about the bundle that ships.
    size = json.loads((SHIPPED / "bundle.json").read_text())["preprocess"]["reference"]["size"]
    return config | {"encoder_size": size}


@pytest.fixture(scope="module")
def runner():
    return BundleRunner(SHIPPED)


@pytest.fixture(scope="module")
def restored():
    return Restored(SHIPPED)


@torch.no_grad()
def test_stage_one_computes_what_the_graphs_compute(restored, runner, tmp_path):
    save_atomically(restored.stage1(_config()), tmp_path / "last.pt")
    nets = load_networks(tmp_path / "last.pt")
    generator = torch.Generator().manual_seed(3)
    size = nets.encoder.size
    before, after = (torch.rand(1, 3, size, size, generator=generator) for _ in range(2))
    latents = runner.run("encoder", before=before.numpy(), after=after.numpy())["latents"]
    assert np.abs(nets.encoder(before, after).numpy() - latents).max() < 2e-5
    rgb = torch.rand(500, 3, generator=generator)
    assert np.abs(nets.renderer(rgb[None], torch.from_numpy(latents))[0].numpy() - runner.render(rgb.numpy(), latents[0])).max() < 1e-5
    params = torch.rand(1, 38, generator=generator) * 2 - 1
    assert np.abs(nets.head(params).numpy() - runner.run("params", params=params.numpy())["latents"]).max() < 1e-5


def test_the_model_is_a_checkpoint_of_its_stage_again(restored, runner, tmp_path):
    config = read_config(ROOT / "training" / "configs" / "rsft.toml")
    save_atomically(restored.stage1(_config()), tmp_path / "renderer.pt")
    save_atomically(restored.checkpoint(config, tmp_path), tmp_path / "last.pt")
    nets = load_networks(tmp_path / "renderer.pt")
    model, dialogue, state = load_answering(tmp_path / "last.pt", nets, tmp_path)
    assert state["restored"].startswith(runner.manifest["name"])
    assert dialogue.output_ids.tolist() == runner.dialogue.output_ids.tolist()
    assert {s.field: s.tokens for s in dialogue.answer["auto"]} == {s.field: s.tokens for s in runner.dialogue.answer["auto"]}
    image = picture(3, 96, 64)
    size = runner.manifest["preprocess"]["image"]["size"]
    wanted = runner.generate("auto", image, voice=4)
    got = generate(model, dialogue, "auto", image=squash(image, size), voice=4)
    assert cosine(got.latents, wanted.latents) > 0.999
    # The frozen embedding comes from its package again, unrounded: nearly all words are the same.
    same = sum(a == b for a, b in zip(got.token_ids, wanted.token_ids, strict=False))
    assert same > 0.8 * len(wanted.token_ids)
    with pytest.raises(ExportError, match="4 layers"):
        restored.checkpoint(config | {"layers": 4}, tmp_path)


def test_the_whole_answers_as_the_bundle_does(restored, runner):
    models = restored.models()
    params = torch.zeros(38)
    params[0], params[12] = 0.4, -0.6
    for given, torch_given in (
        ({"params": params.tolist()}, {"params": params}),
        ({"image": np.full((40, 60, 3), (120, 70, 30), np.uint8), "instruction": "colder"}, None),
    ):  # fmt: skip
        mode = "param" if "params" in given else "style"
        wanted = runner.generate(mode, **given)
        if torch_given is None:
            side = runner.manifest["preprocess"]["image"]["size"]
            picture = torch.tensor([120, 70, 30]).view(3, 1, 1).expand(3, side, side) / 255
            torch_given = {"image": picture, "instruction": "colder"}
        got = generate(models.vlm, runner.dialogue, mode, **torch_given)
        assert got.token_ids == wanted.token_ids
        assert cosine(got.latents, wanted.latents) > 0.99999


@torch.no_grad()
@pytest.mark.parametrize("layout", [ImageTokens(spatial=False, overall=3), ImageTokens(tone=False, spatial=False)])
def test_other_image_tokens_are_known_by_their_weights(layout):
    torch.manual_seed(6)
    tone = ToneEncoder(width=8, hidden=16, latent=4, fine=True) if layout.tone else None
    vision = Vision(SemanticEncoder(256), tone, 12, 0.1, layout=layout)
    picture = torch.rand(1, 3, 256, 256)
    fold_batch_norms(vision, picture)
    named = {n: v for n, v in vision.state_dict().items() if not n.startswith(UNUSED)}
    assert layout_of(named, 12) == layout
    again = vision_of(named, layout, 12, 4, 256)
    # The same weights at other addresses: a library may add from another place on.
    torch.testing.assert_close(again(picture), vision(picture), atol=1e-5, rtol=1e-5)


def test_decoder_weights_survive_both_storages(tmp_path):
    from transformers import LlamaConfig, LlamaModel

    torch.manual_seed(5)
    config = LlamaConfig(
        vocab_size=50, hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, head_dim=16, rope_theta=20000.0, rms_norm_eps=1e-5,
    )  # fmt: skip
    lm = LlamaModel(config).eval()
    shape = DecoderShape.of(config)
    for storage in ("float16", "float32"):
        save(build_decoder(lm.state_dict(), shape, torch.randn(30, 64), lambda *_, s=storage: s), tmp_path / "decoder.onnx")
        sizes = {"hidden": 64, "layers": 2, "heads": 4, "kvHeads": 2, "headDim": 16}
        again = language_model(Weights(tmp_path / "decoder.onnx"), lm.embed_tokens.weight.detach(), sizes)
        assert DecoderShape.of(again.config) == shape
        for name, value in lm.state_dict().items():
            wanted = value.half().float() if storage == "float16" and value.ndim == 2 and "embed" not in name else value
            assert torch.equal(again.state_dict()[name], wanted), name


def test_another_configuration_is_refused(restored):
    with pytest.raises(ExportError, match="Nothing was written"):
        restored.stage1(_config() | {"encoder_size": 64})
    with pytest.raises(ExportError, match="differ in"):
        restored.stage1(_config() | {"renderer_widths": [64, 128, 64]})


def test_a_changed_file_is_refused(tmp_path):
    for name in ("bundle.json", "encoder.onnx"):
        shutil.copy(SHIPPED / name, tmp_path / name)
    write_checksums(tmp_path)
    with pytest.raises(ExportError, match=r"renderer.onnx is missing"):
        Restored(tmp_path).renderer()
    (tmp_path / "encoder.onnx").write_bytes(b"")
    with pytest.raises(ExportError, match="changed after the export"):
        Restored(tmp_path)
