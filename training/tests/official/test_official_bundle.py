"""A bundle of the published model's kind: what it says of itself, and that it comes whole or not at all."""

import json
from dataclasses import replace

import pytest
import torch
from twins import twin_config, write_tokenizer

from veraretouch.export.runner import verify_checksums
from veraretouch.official import bundle as bundle_module
from veraretouch.official.bundle import LICENCE_FILE, OfficialBundle, write_official_bundle
from veraretouch.official.encoder_renderer import EncoderRenderer
from veraretouch.official.errors import OfficialModelError
from veraretouch.official.model import OfficialVlm, random_state
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
    return OfficialBundle(vlm, tokenizer, pair, licence="For research.", reference_size=64)


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


def test_four_bits_are_smaller_and_without_the_pair_there_is_no_encoder(content, tmp_path):
    wide, small = tmp_path / "wide", tmp_path / "small"
    # Few positions: the tables of a long cache would be most of so small a file.
    write_official_bundle(wide, replace(content, positions=64))
    write_official_bundle(small, replace(content, positions=64, pair=None, precision="int4"))
    assert not (small / "encoder.onnx").exists()
    # Scales beside the weights, and what is not multiplied by, keep it from an eighth.
    assert (small / "decoder.onnx").stat().st_size < 0.4 * (wide / "decoder.onnx").stat().st_size
    assert (small / "embed.onnx").stat().st_size < 0.4 * (wide / "embed.onnx").stat().st_size


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
