"""Any folder of photos becomes a cache: what is left out is told by name and stays as it was."""

import io
import json

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms
from synth_set import save_photo
from test_data_photos import picture

from veraretouch.data.files import DataError, fraction_of_hash
from veraretouch.data.photos import PhotoCache, draw_split
from veraretouch.synth import folder

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    root = tmp_path_factory.mktemp("photos")
    for i, ending in enumerate(("jpg", "png", "webp", "tif", "JPEG", "tiff")):
        save_photo(root / f"in/side {i}" / f"p{i}.{ending}", i)
    close = np.clip(picture(1, (200, 260)).astype(int) + 2, 0, 255).astype(np.uint8)
    Image.fromarray(close).save(root / "again.png")
    (root / "in" / "again-bytes.png").write_bytes((root / "again.png").read_bytes())
    save_photo(root / "tiny.png", 30, (90, 120))
    (root / "bröken.jpg").write_bytes(b"\xff\xd8 no picture")
    whole = (root / "in/side 0/p0.jpg").read_bytes()
    (root / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    Image.fromarray(picture(40, (200, 200)).mean(-1).astype(np.uint8)).save(root / "grey.png")
    flat = np.zeros((300, 300, 3), np.uint8)
    flat[:150], flat[:, 100:] = (200, 30, 40), (20, 60, 220)
    Image.fromarray(flat).save(root / "drawing.png")
    (root / "notes.txt").write_text("no photo")
    (root / ".hidden.jpg").write_bytes(b"x")
    return root


def test_a_folder_becomes_a_cache_and_is_not_read_twice(photos, tmp_path, monkeypatch):
    said: list[str] = []
    before = {p: p.read_bytes() for p in photos.rglob("*.*")}
    cache = folder.prepare(photos, tmp_path, None, 2, said.append)
    report = json.loads((cache / folder.REPORT).read_text())
    dropped = {reason: sorted(names) for reason, names in report["dropped"].items()}
    assert dropped == {
        "unreadable": ["bröken.jpg", "cut.jpg"], "duplicate": ["in/again-bytes.png"], "small": ["tiny.png"],
        "colourless": ["grey.png"], "flat": ["drawing.png"],
    }  # fmt: skip
    assert report["files"] == 13 and report["kept"] == 7 and sum(report["splits"].values()) == 7
    told = "\n".join(said)
    assert "bröken.jpg (" in told and "cut.jpg (" in told and "7 of 13 files" in told and "ImageNet classes alone" in told
    assert {p: p.read_bytes() for p in photos.rglob("*.*")} == before
    split = json.loads((cache / "photos.json").read_text())
    # Near-duplicates (again.png is p1.png, a little lighter) are of one split.
    assert split["again.png"] == split["in/side 1/p1.png"]
    table = np.load(cache / "photos.npy")
    assert table.shape == (7, 256, 256, 3) and set(json.loads((cache / "elements.json").read_text())) == set(split)
    kept = [PhotoCache(cache, s) for s in ("train", "val", "test")]
    assert sum(map(len, kept)) == 7 and {c for k in kept for c in k.classes} == {"own"}
    at = list(split).index("in/side 1/p1.png")
    where = next(k for k in kept if "in/side 1/p1.png" in k.names)
    assert np.array_equal(where[where.names.index("in/side 1/p1.png")].numpy(), table[at])
    monkeypatch.setattr(folder, "examine", None)
    assert folder.prepare(photos, tmp_path, None, 2, said.append) == cache


def test_splits_follow_the_content_of_files(photos):
    name = "in/side 2/p2.webp"
    one = folder.examine(photos, photos / name, [])
    assert one.reason is None and draw_split(one.content) in ("train", "val", "test") and 0 <= fraction_of_hash(one.content) < 1
    assert folder.examine(photos, photos / name, [one.fingerprint]).reason == "near-benchmark"


def test_photos_are_turned_upright_scaled_and_brought_to_srgb(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(picture(1, (400, 900))).save(tmp_path / "turned.jpg", exif=exif)
    assert folder.read_photo(tmp_path / "turned.jpg").shape == (864, 384, 3)
    plain = Image.fromarray(picture(2, (200, 200)))
    plain.save(tmp_path / "plain.png")
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    plain.save(tmp_path / "srgb.png", icc_profile=lab.tobytes())
    plain.save(tmp_path / "odd.png", icc_profile=b"no profile at all")
    expected = folder.read_photo(tmp_path / "plain.png").astype(int)
    assert np.abs(folder.read_photo(tmp_path / "srgb.png").astype(int) - expected).max() <= 1
    assert np.array_equal(folder.read_photo(tmp_path / "odd.png"), expected)


def test_headers_of_arrays_leave_room_for_their_count():
    short, long = io.BytesIO(), io.BytesIO()
    folder._header(short, 1)
    folder._header(long, 10**9)
    assert short.tell() == long.tell()


def test_folders_without_photos_are_told(tmp_path):
    with pytest.raises(DataError, match="There is no folder"):
        folder.find(tmp_path / "none")
    with pytest.raises(DataError, match="There are no photos"):
        folder.find(tmp_path)
    save_photo(tmp_path / "tiny.png", 3, (50, 50))
    with pytest.raises(DataError, match=r"usable photo \(1 small\)"):
        folder.prepare(tmp_path, tmp_path / "work", None, 1, print)
    assert not list((tmp_path / "work").rglob("photos.npy*"))
