"""The report from end to end on the tiny bundle: files whole, second runs from the disk, seeds, missing pieces, errors."""

import argparse
import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from veraretouch.data.files import DataError
from veraretouch.eval import rawtherapee_auto
from veraretouch.eval.benches import SETS, Benches, pack, save_benches
from veraretouch.eval.rawtherapee_check import OracleError
from veraretouch.eval.report import __main__ as report
from veraretouch.eval.report import subject as subjects
from veraretouch.export.check import save_reference
from veraretouch.export.tiny import write_tiny_bundle

torch.set_num_threads(1)
SIDE = 64
CONFIG = """
version = "1"
perceptual = 1
preference = "preference/last.pt"
counts = { auto = 2, style = 0, param = 3, masks = 2, reference = 2, elements = 2, prompts = 0 }
worst = { count = 3, learnt = [["", "Everything is random"]] }
[[target]]
figure = "param.head.psnr"
what = "Param, head"
least = 0.0
[[target]]
figure = "masks.L.head"
what = "mask L"
least = 99.0
[[target]]
figure = "elements.allRight.value"
what = "elements"
least = 0.7
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    stored, _ = write_tiny_bundle(folder / "bundle")
    save_reference(stored, folder / "reference.pt")
    generator = torch.Generator().manual_seed(1)
    photos = torch.randint(0, 256, (3, SIDE, SIDE, 3), generator=generator, dtype=torch.uint8)
    np.save(folder / "photos.npy", photos.numpy())
    (folder / "photos.json").write_text(json.dumps({f"{n}.jpg": ["test", "open"] for n in "abc"}))
    settings = [0] * 38
    settings[0], settings[13], settings[20] = 20, 30, -40
    lut = torch.rand(9, 9, 9, 3, generator=generator)
    save_benches({
        "version": 1, "style": [], "masks": [0, 1], "elements": ["x.jpg"], "prompts": [],
        "auto": [{"photo": "a.jpg", "kind": "raw", "params": [5 * v for v in settings]}, {"photo": "b.jpg", "kind": "inverse", "lut": pack(lut)}],
        "param": [{"photo": f"{n}.jpg", "params": settings} for n in "abc"],
        "reference": [{"photo": "a.jpg", "other": "b.jpg", "params": settings}, {"photo": "b.jpg", "other": "c.jpg", "params": settings}],
    }, folder / "benches.json")  # fmt: skip
    (folder / "evaluation.toml").write_text(CONFIG)
    return folder


def _arguments(world: Path, **more) -> argparse.Namespace:
    told = {
        "bundle": world / "bundle", "reference": world / "reference.pt", "config": world / "evaluation.toml", "data": world, "work": world,
        "out": world / "out", "only": "param,masks,reference,elements", "count": 0, "checkpoints": "", "threads": 1,
    }  # fmt: skip
    return argparse.Namespace(**(told | more))


@pytest.fixture(autouse=True)
def _own_sets(world, monkeypatch):
    monkeypatch.setattr(report, "Benches", lambda data, work: Benches(data, work, world / "benches.json"))


def test_both_files_are_written_and_a_second_run_reads_from_the_disk(world, monkeypatch):
    first = report.run(_arguments(world))
    kept = json.loads((world / "out" / "report.json").read_text())
    assert kept["figures"] == first["figures"]
    assert [row["verdict"] for row in kept["targets"]] == ["met", "missed", "not measured"]
    assert {"param.model.psnr", "masks.LGS.encoded", "reference.model.psnr"} <= set(kept["figures"])
    assert kept["figures"]["param.model.psnr"]["n"] == 3
    assert "captioned photos are missing" in kept["missing"]["elements"][0]
    html = (world / "out" / "report.html").read_text()
    assert "captioned photos are missing" in html
    assert "Everything is random" in html

    def never(*_, **__):
        raise AssertionError("generated again")

    monkeypatch.setattr(subjects, "generate_many", never)
    monkeypatch.setitem(report.PARTS, "param", never)
    assert report.run(_arguments(world))["figures"] == first["figures"]
    # Fewer examples are another measurement.
    with pytest.raises(AssertionError, match="generated again"):
        report.run(_arguments(world, count=1, only="param"))


def test_what_is_kept_depends_on_the_files_that_a_part_reads(world, tmp_path, monkeypatch):
    assert set(report.READS) == set(report.PARTS)
    for name in ("photos.npy", "photos.json"):
        shutil.copy(world / name, tmp_path / name)
    tables = tmp_path / "tables"
    tables.mkdir()
    for name in ("prompts.json", "nouns.json"):
        (tables / name).write_text("[]")
    monkeypatch.setattr(report, "TABLES", tables)
    context = SimpleNamespace(
        config={"version": "1", "perceptual": 1, "probe": {}, "counts": dict.fromkeys(SETS, 2)},
        count=0, work=tmp_path, identity=dict.fromkeys(report.TOOLS, ""),
        benches=SimpleNamespace(table={name: [] for name in SETS}),
    )  # fmt: skip

    def changed(act) -> set[str]:
        before = {part: report.key_of(context, part) for part in report.PARTS}
        act()
        return {part for part in report.PARTS if report.key_of(context, part) != before[part]}

    assert changed(lambda: None) == set()
    assert changed(lambda: (tables / "prompts.json").write_text("[1]")) == {"prompts"}
    assert changed(lambda: (tables / "nouns.json").write_text("[1]")) == {"elements"}
    assert changed(lambda: (tmp_path / "captions.json").write_text("{}")) == {"elements"}
    assert changed(lambda: context.config["counts"].update(every_prompt=5)) == {"prompts"}
    # The same photos at another size.
    photos = np.load(tmp_path / "photos.npy")
    assert changed(lambda: np.save(tmp_path / "photos.npy", photos[:, ::2, ::2])) == set(report.PARTS) - {"fivek", "elements"}
    assert changed(lambda: monkeypatch.setitem(report.REVISION, "masks", 2)) == {"masks"}


def test_seeds_stand_beside_each_other(world):
    stored = torch.load(world / "reference.pt", weights_only=False)
    with torch.no_grad():
        stored.renderer.out_layer.bias += 0.4
    save_reference(stored, world / "second.pt")
    both = report.run(_arguments(world, checkpoints=str(world / "second.pt"), only="param"))["figures"]["param.head.psnr"]
    one = report.run(_arguments(world, only="param"))["figures"]["param.head.psnr"]
    assert both["seeds"][0] == one["value"]
    assert both["seeds"][1] != both["seeds"][0]
    assert both["value"] == pytest.approx(sum(both["seeds"]) / 2, abs=1e-4)


def test_answers_are_those_of_the_bundle(world):
    subject = subjects.Subject(world / "bundle", world / "reference.pt", world / "kept")
    pictures = [torch.rand(SIDE, SIDE, 3, generator=torch.Generator().manual_seed(n)) for n in range(3)]
    fresh, again = (subject.answers("style", pictures, ["warm", "cool", "warm"]) for _ in range(2))
    for a, b in zip(fresh, again, strict=True):
        assert a.fields == b.fields
        assert np.allclose(a.latents, b.latents, atol=1e-6)
    other = subject.answers("style", pictures, ["warm", "warm", "warm"])
    assert not np.allclose(other[1].latents, fresh[1].latents, atol=1e-3)
    rgb = torch.rand(70_000, 3)
    whole = subject.models.renderer(rgb[None], torch.from_numpy(fresh[0].latents)[None])[0]
    assert torch.allclose(subject.render(rgb, fresh[0].latents), whole, atol=1e-6)


def test_what_cannot_be_measured_is_said(world, tmp_path):
    with pytest.raises(DataError, match="no part 'fivk'"):
        report.run(_arguments(world, only="fivk"))
    with pytest.raises(DataError, match="export.restore"):
        report.run(_arguments(world, reference=world / "none.pt"))
    (tmp_path / "junk.pt").write_bytes(b"junk")
    with pytest.raises(DataError, match="cannot be read as a bundle and its networks.*Nothing was measured"):
        report.run(_arguments(world, reference=tmp_path / "junk.pt"))
    torch.save({"average": {}}, tmp_path / "stage.pt")
    with pytest.raises(DataError, match="holds no network 'vlm'"):
        report.run(_arguments(world, reference=tmp_path / "stage.pt"))
    for content in ('{"answer": ', "{}", "[]"):
        (tmp_path / "bundle.json").write_text(content)
        with pytest.raises(DataError, match="check the bundle's files against SHA256SUMS"):
            report.run(_arguments(world, bundle=tmp_path))
    with pytest.raises(DataError, match="photos.json"):
        report.run(_arguments(world, work=tmp_path))


def test_rawtherapee_is_not_needed(monkeypatch):
    monkeypatch.setattr(rawtherapee_auto.shutil, "which", lambda _: None)
    with pytest.raises(OracleError, match="apt-get install rawtherapee"):
        rawtherapee_auto.auto_levels([torch.rand(8, 8, 3)])


@pytest.mark.skipif(not rawtherapee_auto.installed(), reason="rawtherapee-cli is not installed")
def test_rawtherapee_brightens_what_is_dark():
    dark = torch.rand(64, 64, 3, generator=torch.Generator().manual_seed(1)) * 0.3
    neutral = rawtherapee_auto.auto_levels([dark], rawtherapee_auto.profile(None))[0]
    assert (neutral - dark).abs().max() < 1.01 / 255
    assert rawtherapee_auto.auto_levels([dark])[0].mean() > dark.mean() + 0.1
