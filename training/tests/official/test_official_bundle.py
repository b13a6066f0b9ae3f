"""A bundle of the published model's kind: what it says of itself, and that it comes whole or not at all."""

import json
from dataclasses import replace

import pytest
import torch
from PIL import Image

from veraretouch.export.runner import verify_checksums
from veraretouch.official import bundle as bundle_module
from veraretouch.official.bundle import LICENCE_FILE, MAX_INSTRUCTION_TOKENS, OfficialBundle, write_official_bundle
from veraretouch.official.encoder_renderer import EncoderRenderer
from veraretouch.official.errors import OfficialModelError
from veraretouch.official.forms import with_held_pair, with_held_weights
from veraretouch.official.memory import memory_needs
from veraretouch.official.model import OfficialConfig, OfficialVlm, random_state
from veraretouch.official.prompts import parameter_text, prompt
from veraretouch.official.reference import OfficialReference
from veraretouch.official.skeleton import Skeleton
from veraretouch.official.synthetic import twin_config, write_tokenizer
from veraretouch.official.tokens import read_tokenizer


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tokenizer")
    write_tokenizer(folder)
    tokenizer = read_tokenizer(folder)
    config = twin_config(tokenizer.get_vocab_size())
    vlm = OfficialVlm(config).load(random_state(config, 1))
    torch.manual_seed(2)
    pair = EncoderRenderer(width=16, widths=(8, 12), latent=6).eval().requires_grad_(False)
    return OfficialBundle(with_held_weights(vlm), tokenizer, with_held_pair(pair), licence="For research.")


def test_a_bundle_says_what_it_is_and_every_file_is_listed(content, tmp_path):
    out = tmp_path / "new" / "bundle"
    write_official_bundle(out, content)
    verify_checksums(out)
    manifest = json.loads((out / "bundle.json").read_text())
    assert manifest["formatVersion"] == 2 and manifest["research"] is True
    assert manifest["dimensions"]["imageTokens"] == 4 and "paramTokens" not in manifest["dimensions"]
    assert manifest["preprocess"]["image"] == {"kind": "letterbox", "shortEdge": 64, "size": 128}
    assert set(manifest["graphs"]) == {"vision", "embed", "decoder", "adaptor", "renderer", "encoder"}
    places = {"auto": {"{image}"}, "style": {"{image}", "{instruction}"}, "param": {"{parameters}"}}
    for mode, expected in places.items():
        found = {p for p in ("{image}", "{instruction}", "{parameters}", "{params}") if p in manifest["prompts"][mode]}
        assert found == expected
    assert (out / LICENCE_FILE).read_text().endswith("only; they may not be used for anything else, and not be passed on.\n\nFor research.")
    assert [path.name for path in out.parent.iterdir()] == ["bundle"]
    assert manifest["graphs"]["decoder"] == {
        "default": "decoder.onnx", "webgpu-f16": "decoder-f16.onnx", "wasm": "decoder-wasm.onnx",
    }  # fmt: skip
    assert manifest["weights"] == {
        "decoder-wasm.onnx": "decoder-wasm.weights", "vision-web.onnx": "vision-web.weights",
    }  # fmt: skip
    assert manifest["cache"] == {"positions": content.positions, "float16": ["webgpu-f16"]}
    assert set(manifest["memory"]) == {"node", "wasm", "webgpu", "webgpu-f16"}
    # Most of such a graph is in its file of weights.
    assert (out / "vision-web.weights").stat().st_size > 10 * (out / "vision-web.onnx").stat().st_size


def test_the_cache_holds_the_longest_prompt_and_answer(content):
    skeleton = content.skeleton
    asks = OfficialReference(content.vlm, content.tokenizer)
    for mode in ("auto", "style", "param"):
        said = parameter_text([-0.123] * 38) if mode == "param" else ""
        photo = None if mode == "param" else Image.new("RGB", (40, 30))
        rows = asks.prompt_rows(prompt(mode, said), photo).shape[1] + (MAX_INSTRUCTION_TOKENS if mode == "style" else 0)
        assert rows + len(skeleton.fields[mode]) * (skeleton.longest + 2) + 2 <= content.positions
    assert replace(content, skeleton=Skeleton(longest=192)).positions > content.positions


def test_four_bits_are_smaller_and_devices_are_chosen(content, tmp_path):
    wide, small = tmp_path / "wide", tmp_path / "small"
    write_official_bundle(wide, replace(content, precision="fp32", skeleton=Skeleton(longest=1)))
    write_official_bundle(small, replace(content, pair=None, devices=("webgpu-f16",), skeleton=Skeleton(longest=1)))
    assert not (small / "encoder.onnx").exists()
    names = {path.name for path in small.iterdir()}
    assert "decoder-f16.onnx" in names and not any("wasm" in name or "web." in name for name in names)
    assert not any("-" in path.name for path in wide.glob("*.onnx"))
    manifest = json.loads((small / "bundle.json").read_text())
    # What Node needs does not hang on which other devices have files.
    alone = tmp_path / "alone"
    write_official_bundle(alone, replace(content, pair=None, devices=(), skeleton=Skeleton(longest=1)))
    assert json.loads((alone / "bundle.json").read_text())["memory"]["node"] == manifest["memory"]["node"]
    assert "weights" not in manifest and "release" not in manifest and set(manifest["memory"]) == {"node", "webgpu-f16"}
    # Scales beside the weights, and what is not multiplied by, keep it from an eighth.
    assert (small / "decoder.onnx").stat().st_size < 0.5 * (wide / "decoder.onnx").stat().st_size
    assert (small / "embed.onnx").stat().st_size < 0.4 * (wide / "embed.onnx").stat().st_size


def test_at_the_published_sizes_a_page_and_its_gpu_have_room():
    """By count, from the sizes that the files of a published-size conversion had, with a cache for 96 tokens a section."""
    files = {
        "decoder": {"default": "d", "webgpu-f16": "dh", "wasm": "dw"},
        "vision": {"default": "v", "webgpu-f16": "vh", "webgpu": "vw", "wasm": "vw"},
        **{name: {"default": name} for name in ("embed", "adaptor", "renderer", "encoder")},
    }
    sizes = {
        "d": 309_475_622, "dh": 278_280_118, "dw": 496_543_548, "v": 253_677_927, "vh": 252_973_731, "vw": 505_604_868,
        "embed": 136_742_800, "adaptor": 18_109_656, "renderer": 10_317_476, "encoder": 25_305_671,
    }  # fmt: skip
    needs = memory_needs(OfficialConfig(151_936), 1024, files, sizes, {"v", "adaptor", "encoder"})
    for device in ("wasm", "webgpu", "webgpu-f16"):
        assert 0.5e9 < needs[device]["page"] <= 1.5e9, device
    assert needs["webgpu-f16"]["gpu"] < needs["webgpu"]["gpu"] <= 1.2e9
    # The least that every WebGPU has to give for one buffer.
    assert needs["webgpu"]["largestBuffer"] <= 128 * 1024**2


def test_what_is_no_bundle_is_not_replaced(content, tmp_path):
    out = tmp_path / "photos"
    out.mkdir()
    (out / "holiday.jpg").write_bytes(b"x")
    with pytest.raises(OfficialModelError, match="is no bundle"):
        write_official_bundle(out, content)
    assert [path.name for path in tmp_path.iterdir()] == ["photos"] and (out / "holiday.jpg").read_bytes() == b"x"


def test_a_graph_that_is_too_large_leaves_nothing_behind_and_the_old_bundle_as_it_was(content, tmp_path, monkeypatch):
    out = tmp_path / "bundle"
    write_official_bundle(out, content)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    monkeypatch.setattr(bundle_module, "MAX_FILE_BYTES", 100_000)
    with pytest.raises(OfficialModelError, match=r"decoder\.onnx would have"):
        write_official_bundle(out, content)
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
