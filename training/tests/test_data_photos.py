"""Photo filter, split, cache and loading, on generated pictures."""

import json

import numpy as np
import pytest
import torch

torch.set_num_threads(1)
from PIL import Image

from veraretouch.data import files, images, photos


def picture(seed: int, size: tuple[int, int] = (48, 64)) -> np.ndarray:
    """A smooth colour field with sensor-like noise: counts as a photograph."""
    rng = np.random.default_rng(seed)
    coarse = torch.from_numpy(rng.uniform(20, 235, (1, 3, 5, 6)).astype(np.float32))
    field = torch.nn.functional.interpolate(coarse, size, mode="bicubic")[0].permute(1, 2, 0).numpy()
    return np.clip(field + rng.normal(0, 3, (*size, 3)), 0, 255).astype(np.uint8)


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data"
    (folder / "photos").mkdir(parents=True)
    (folder / "fivek-dev" / "input").mkdir(parents=True)
    (folder / "fivek-dev" / "target").mkdir()
    entries = []

    def add(name: str, rgb: np.ndarray, cls: str = "open") -> None:
        Image.fromarray(rgb).save(folder / "photos" / name)
        entries.append({"file": name, "set": "s", "source": name, "licence": "x", "cls": cls, "size": [64, 48]})

    for i in range(40):
        add(f"p{i:02}.png", picture(i), photos.CLASSES[i % 3])
        add(f"p{i:02}-copy.png", np.clip(picture(i).astype(int) + 2, 0, 255).astype(np.uint8), photos.CLASSES[i % 3])
    grey = picture(100).mean(-1, keepdims=True).astype(np.uint8).repeat(3, -1)
    add("grey.png", grey)
    flat = np.zeros((48, 64, 3), np.uint8)
    flat[:24], flat[:, 32:] = (200, 30, 40), (20, 60, 220)
    add("flat.png", flat)
    add("near-benchmark.png", np.clip(picture(200).astype(int) + 4, 0, 255).astype(np.uint8))
    Image.fromarray(picture(200)).save(folder / "fivek-dev" / "input" / "a.png")
    (folder / "photos.json").write_text(json.dumps(entries))
    return folder


def run(data, tmp_path, *more: str) -> int:
    return photos.main(
        ["--data", str(data), "--work", str(tmp_path / "work"), "--split", str(tmp_path / "split.json"), *more]
    )


def test_split_filters_and_keeps_near_duplicates_together(data, tmp_path):
    assert run(data, tmp_path) == 0
    table = json.loads((tmp_path / "split.json").read_text())
    assert table["dropped"] == {
        "colourless": ["grey.png"],
        "flat": ["flat.png"],
        "near-benchmark": ["near-benchmark.png"],
    }
    split = photos.read_split(tmp_path / "split.json")
    assert len(split) == 80
    assert all(split[f"p{i:02}.png"] == split[f"p{i:02}-copy.png"] for i in range(40))
    assert {s for s, _ in split.values()} == set(photos.SPLITS)


def test_split_is_drawn_once_and_cache_follows_it(data, tmp_path):
    run(data, tmp_path)
    before = (tmp_path / "split.json").read_bytes()
    (data / "photos.json").write_text("[]")
    assert run(data, tmp_path) == 0
    assert (tmp_path / "split.json").read_bytes() == before
    split = photos.read_split(tmp_path / "split.json")
    loaded = [photos.load_photos(tmp_path / "work", part) for part in photos.SPLITS]
    assert sorted(n for _, names in loaded for n in names) == sorted(split)
    pixels, names = loaded[0]
    assert pixels.dtype == torch.uint8 and pixels.shape == (len(names), 256, 256, 3)
    source = images.read_rgb(data / "photos" / names[-1])
    assert (pixels[-1].numpy() == images.squash(source, 256)).all()


def test_open_only_leaves_out_research(data, tmp_path):
    run(data, tmp_path)
    split = photos.read_split(tmp_path / "split.json")
    _, names = photos.load_photos(tmp_path / "work", "train", open_only=True)
    assert names == sorted(n for n, (s, c) in split.items() if s == "train" and c != "research")
    with pytest.raises(files.DataError, match="exclude each other"):
        photos.load_photos(tmp_path / "work", "train", open_only=True, include_flickr=True)
    assert run(data, tmp_path, "--open-only") == 0
    assert not any(c == "research" for _, c in json.loads((tmp_path / "work" / "photos.json").read_text()).values())


def test_missing_cache_and_unknown_split_say_what_to_do(tmp_path):
    with pytest.raises(files.DataError, match="veraretouch.data.photos"):
        photos.load_photos(tmp_path, "train")
    with pytest.raises(files.DataError, match="no split 'all'"):
        photos.load_photos(tmp_path, "all")


def test_damaged_image_stops_before_anything_is_written(data, tmp_path, capsys):
    (data / "photos" / "p05.png").write_bytes(b"no image")
    assert run(data, tmp_path) == 1
    assert "p05.png" in capsys.readouterr().err
    assert not (tmp_path / "split.json").exists() and not (tmp_path / "work").exists()


def test_squash_is_the_contracts_average():
    rgb = picture(3, (30, 50))
    size = 7
    out = images.squash(rgb, size)
    for i, j in ((0, 0), (3, 5), (6, 6)):
        rows = slice(i * 30 // size, -(-(i + 1) * 30 // size))
        columns = slice(j * 50 // size, -(-(j + 1) * 50 // size))
        expected = rgb[rows, columns].reshape(-1, 3).mean(0)
        assert np.abs(out[i, j] - expected).max() <= 0.51


def test_difference_hash_survives_brightness_and_tells_pictures_apart():
    a = picture(1)
    brighter = np.clip(a * 0.8 + 30, 0, 255).astype(np.uint8)
    assert images.hash_distance(images.difference_hash(a), images.difference_hash(brighter)) <= photos.NEAR_DUPLICATE
    assert images.hash_distance(images.difference_hash(a), images.difference_hash(picture(2))) > photos.NEAR_DUPLICATE


def test_write_whole_leaves_the_old_file_on_failure(tmp_path):
    path = tmp_path / "a.json"
    files.write_json(path, {"a": 1})

    def fail(stream):
        stream.write(b"half")
        raise OSError("disk full")

    with pytest.raises(OSError):
        files.write_whole(path, fail)
    assert json.loads(path.read_text()) == {"a": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_committed_split_is_sound():
    table = json.loads((files.TABLES / "split.json").read_text())
    names = [n for s in photos.SPLITS for c in photos.CLASSES for n in table[s][c]]
    dropped = [n for v in table["dropped"].values() for n in v]
    assert len(set(names) | set(dropped)) == len(names) + len(dropped)
    assert len(table["train"]["open"]) > 400
    share = sum(len(v) for v in table["test"].values()) / len(names)
    assert 0.08 < share < 0.13
    reviewed = json.loads((files.TABLES / "reviewed.json").read_text())
    assert set(reviewed["drawing"]) == set(table["dropped"]["drawing"])
