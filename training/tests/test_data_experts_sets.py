"""Loaders of FiveK and PPR10K on synthetic folders in every layout they understand."""

import json
import random

import imagecodecs
import numpy as np
import pytest
import tifffile
import torch
from PIL import Image

from veraretouch.data import fivek, pictures, ppr10k
from veraretouch.data.experts_sets import CachedPairs, ExpertTargets, export_pairs, pair_cache, with_validation
from veraretouch.data.files import DataError

torch.set_num_threads(1)


def picture(value: float, height: int = 30, width: int = 40) -> np.ndarray:
    """A ramp from dark to `value` with a tint: float [H, W, 3]."""
    ramp = np.linspace(0.1, value, width)[None, :, None]
    return np.broadcast_to(ramp * np.array([1.0, 0.8, 0.6]), (height, width, 3)).astype(np.float32)


def write(path, rgb: np.ndarray, bits: int = 8, **more) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    array = np.ascontiguousarray((rgb * (2**bits - 1)).round().astype(np.uint16 if bits == 16 else np.uint8))
    if path.suffix == ".tif":
        tifffile.imwrite(path, array, photometric="rgb", **more)
    elif bits == 16:
        path.write_bytes(imagecodecs.png_encode(array))
    else:
        Image.fromarray(array).save(path, **({"quality": 98} if path.suffix == ".jpg" else {}))


NAMES = ["a0001-jmac_DSC1459", "a0002-dgw_005", "a4501-kme_0001", "a5000-kme_0204"]
LISTS = {"train_input.txt": NAMES[:1], "train_label.txt": NAMES[1:2], "test.txt": NAMES[2:]}


def lists(folder, table: dict[str, list[str]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, names in table.items():
        (folder / name).write_text("\n".join(names) + "\n" if name.endswith("txt") else json.dumps({n: {"id": 1} for n in names}))


def lut_layout(root) -> None:
    """As the 3D-LUT papers publish it: 8-bit sRGB and 16-bit XYZ inputs, expert C."""
    for name in NAMES:
        write(root / "input/JPG/480p" / f"{name}.jpg", picture(0.5))
        write(root / "input/PNG/480p_16bits_XYZ_WB" / f"{name}.png", picture(0.2), 16)
        write(root / "expertC/JPG/480p" / f"{name}.jpg", picture(0.9))
    lists(root, LISTS)


def dpe_layout(root) -> None:
    for name in NAMES:
        write(root / "input" / f"{name}.png", picture(0.5))
        write(root / "output" / f"{name}.png", picture(0.9))
    lists(root, {"images_train.txt": ["a0001"], "images_valid.txt": ["a0002"], "images_test.txt": ["a4501", "a5000"]})


def archive_layout(root) -> None:
    """All five experts as 16-bit TIFF under the names of the official archive."""
    for name in NAMES:
        write(root / "MITAboveFiveK/input" / f"{name}.png", picture(0.5), 16)
        for n, expert in enumerate("abcde"):
            write(root / f"MITAboveFiveK/processed/tiff16_{expert}" / f"{name}.tif", picture(0.6 + 0.05 * n), 16, compression="lzw")
    lists(root / "MITAboveFiveK", {"training.json": NAMES[:1], "validation.json": NAMES[1:2], "testing.json": NAMES[2:]})


def export_layout(root) -> None:
    """Exports from the catalogue: folders named by collections, numbers only, several formats."""
    for number in ("a0001", "a0002", "a4501", "a5000"):
        write(root / "InputAsShotZeroed" / f"{number}.tif", picture(0.5), 16, compression="zlib")
        write(root / "Expert C 480p" / f"{number}.jpg", picture(0.9))
        write(root / "ExpertA" / f"{number}.png", picture(0.8))
    (root / "Expert C 480p" / "readme.png").write_bytes(b"no picture, and no photo's number")


@pytest.mark.parametrize(
    ("layout", "rule", "experts", "splits"),
    [
        (lut_layout, None, "c", ["train", "train", "test", "test"]),
        (dpe_layout, None, "c", ["train", "val", "test", "test"]),
        (archive_layout, None, "abcde", ["train", "val", "test", "test"]),
        (export_layout, "last500", "ac", ["train", "train", "test", "test"]),
    ],
)  # fmt: skip
def test_fivek_in_every_layout(tmp_path, layout, rule, experts, splits):
    layout(tmp_path)
    pairs, published = fivek.find_pairs(tmp_path, rule=rule)
    assert sum(published.values()) == 5000
    assert [p.name for p in pairs if p.expert == experts[0]] == ["a0001", "a0002", "a4501", "a5000"]
    assert [p.split for p in pairs if p.expert == experts[0]] == splits
    assert "".join(p.expert for p in pairs if p.name == "a0001") == experts
    before, after = pairs[0].read()
    assert before.shape == after.shape == (30, 40, 3) and before.dtype == np.float32
    # The sRGB input, not the XYZ one; and each side is itself.
    assert np.abs(before - picture(0.5)).max() < 0.02
    assert after[:, -1, 0].mean() > before[:, -1, 0].mean() + 0.05
    if layout is archive_layout:
        last = [p for p in pairs if p.name == "a0001"]
        assert [round(float(p.after()[0, -1, 0]), 2) for p in last] == [0.6, 0.65, 0.7, 0.75, 0.8]
        assert fivek.find_pairs(tmp_path, "bd")[0][0].expert == "b"


def test_photos_of_the_benchmark_never_train(tmp_path):
    for name in ("a2803", "a2804"):
        write(tmp_path / "input" / f"{name}.png", picture(0.5))
        write(tmp_path / "expertC" / f"{name}.png", picture(0.9))
    pairs, _ = fivek.find_pairs(tmp_path, rule="last500")
    assert [p.split for p in pairs] == ["train", "train"]
    assert [p.split for p in fivek.without_benchmark(pairs)] == ["test", "train"]


def test_fivek_says_what_is_missing(tmp_path):
    lut_layout(tmp_path)
    (tmp_path / "expertC/JPG/480p" / f"{NAMES[2]}.jpg").unlink()
    with pytest.raises(DataError, match=rf"{NAMES[2]}.jpg \(input\) has no counterpart in expert C; 1 of 4"):
        fivek.find_pairs(tmp_path)
    write(tmp_path / "expertC/JPG/480p" / f"{NAMES[2]}.jpg", picture(0.9))
    (tmp_path / "input/JPG/480p" / f"{NAMES[0]}.jpg").unlink()
    with pytest.raises(DataError, match=rf"{NAMES[0]}.jpg \(expert C\) has no counterpart in input"):
        fivek.find_pairs(tmp_path)
    with pytest.raises(DataError, match="no folder of expert 'a'; found: c"):
        fivek.find_pairs(tmp_path, "a")
    with pytest.raises(DataError, match="No such folder"):
        fivek.find_pairs(tmp_path / "none")
    (tmp_path / "test.txt").unlink()
    with pytest.raises(DataError, match="no list of a standard split"):
        fivek.find_pairs(tmp_path)
    lists(tmp_path, {"test.txt": NAMES[:1]})
    with pytest.raises(DataError, match="also in the list of train"):
        fivek.find_pairs(tmp_path)
    lists(tmp_path, {"test.txt": ["holiday"]})
    with pytest.raises(DataError, match=r"not a list of FiveK photos \('holiday'\)"):
        fivek.find_pairs(tmp_path)


def test_fivek_asks_which_folder_and_refuses_camera_files(tmp_path):
    dpe_layout(tmp_path)
    for name in NAMES:
        write(tmp_path / "source" / f"{name}.png", picture(0.4))
    with pytest.raises(DataError, match="Several folders hold the side 'input'"):
        fivek.find_pairs(tmp_path)
    pairs, _ = fivek.find_pairs(tmp_path, wanted="source")
    assert pairs[0].before_path.parent.name == "source"
    raw = tmp_path / "raw_only"
    lists(raw, LISTS)
    (raw / "raw").mkdir()
    (raw / "raw" / f"{NAMES[0]}.dng").write_bytes(b"x")
    write(raw / "expertC" / f"{NAMES[0]}.png", picture(0.9))
    with pytest.raises(DataError, match="no folder of untouched photos.*develop the camera files"):
        fivek.find_pairs(raw)


GROUPS = ["0_0", "0_1", "1355_0", "1356_0", "1680_2"]


def flat_ppr(root, suffix: str = ".tif", augmented: bool = False) -> None:
    """As published: 16-bit sources, 8-bit targets, all groups together."""
    for name in GROUPS:
        write(root / "source" / f"{name}{suffix}", picture(0.5, 36, 54), 16 if suffix != ".jpg" else 8)
        for n, expert in enumerate("abc"):
            write(root / f"target_{expert}" / f"{name}{suffix}", picture(0.7 + 0.1 * n, 36, 54))
        for n in range(1, 3) if augmented else ():
            write(root / "source_aug_6" / f"{name}_{n}{suffix}", picture(0.3 + 0.1 * n, 36, 54), 16)
        if augmented:
            write(root / "source_aug_6" / f"{name}{suffix}", picture(0.5, 36, 54), 16)


def split_ppr(root) -> None:
    """As the paper's code lays them out."""
    for name in GROUPS:
        train = int(name.split("_")[0]) < 1356
        folder = root / ("train" if train else "val")
        write(folder / ("source_aug" if train else "source") / f"{name}.tif", picture(0.5), 16)
        if train:
            write(folder / "source_aug" / f"{name}_1.tif", picture(0.3), 16)
        write(folder / "target_a" / f"{name}.tif", picture(0.8))
        write(root / "masks_360p" / f"{name}.png", picture(1.0))


@pytest.mark.parametrize("suffix", [".tif", ".png", ".jpg"])
def test_ppr10k_all_photos_together(tmp_path, suffix):
    flat_ppr(tmp_path / "train_val_images_tif_360p", suffix)
    pairs = ppr10k.find_pairs(tmp_path)
    assert [p.name for p in pairs if p.expert == "b"] == GROUPS and len(pairs) == 15
    assert [p.split for p in pairs if p.expert == "a"] == ["train", "train", "train", "test", "test"]
    assert pairs[0].group == "0" and [p.expert for p in pairs[:3]] == ["a", "b", "c"]
    before, after = pairs[2].read()
    assert abs(before[0, -1, 0] - 0.5) < 0.02 and abs(after[0, -1, 0] - 0.9) < 0.02
    assert {p.expert for p in ppr10k.find_pairs(tmp_path, "b")} == {"b"}


def test_ppr10k_augmented_sources_share_the_target_and_stay_in_training(tmp_path):
    flat_ppr(tmp_path, augmented=True)
    assert len(ppr10k.find_pairs(tmp_path)) == 15
    pairs = ppr10k.find_pairs(tmp_path, "a", augmented=True)
    assert [p.name for p in pairs] == ["0_0", "0_0_1", "0_0_2", "0_1", "0_1_1", "0_1_2", "1355_0", "1355_0_1", "1355_0_2", "1356_0", "1680_2"]
    assert pairs[1].after_path == pairs[0].after_path and pairs[1].before_path != pairs[0].before_path


def test_ppr10k_in_folders_by_split(tmp_path):
    split_ppr(tmp_path)
    pairs = ppr10k.find_pairs(tmp_path)
    assert [(p.name, p.split) for p in pairs] == [(n, "train" if int(n.split("_")[0]) < 1356 else "test") for n in GROUPS]
    assert len(ppr10k.find_pairs(tmp_path, augmented=True)) == 8
    write(tmp_path / "train/source_aug/1400_0.tif", picture(0.5), 16)
    with pytest.raises(DataError, match="belongs to test by its group, but lies in train"):
        ppr10k.find_pairs(tmp_path)


def test_ppr10k_says_what_is_missing(tmp_path):
    with pytest.raises(DataError, match="no folder target_a"):
        ppr10k.find_pairs(tmp_path)
    flat_ppr(tmp_path)
    (tmp_path / "target_b/1355_0.tif").unlink()
    with pytest.raises(DataError, match=r"1355_0.tif \(source\) has no counterpart in target_b; 1 of 5"):
        ppr10k.find_pairs(tmp_path)
    assert len(ppr10k.find_pairs(tmp_path, "ac")) == 10


def test_sizes_that_differ_by_rounding_are_brought_together_and_others_refused(tmp_path):
    dpe_layout(tmp_path)
    target = tmp_path / "output" / f"{NAMES[0]}.png"
    write(target, picture(0.9, 31, 41))
    pair = fivek.find_pairs(tmp_path)[0][0]
    before, after = pair.read()
    assert before.shape == after.shape and pair.after().shape == (31, 41, 3)
    assert np.abs(after - picture(0.9)).max() < 0.02
    write(target, picture(0.9, 40, 30))
    with pytest.raises(DataError, match=f"{NAMES[0]}.png is 30x40.*40x30: not the same frame"):
        pair.read()
    target.write_bytes(b"broken")
    with pytest.raises(DataError, match=f"{NAMES[0]}.png cannot be read"):
        pair.read()


def test_sixteen_bits_stay_sixteen_bits(tmp_path):
    fine = picture(0.5) + np.linspace(0, 1 / 300, 30)[:, None, None].astype(np.float32)
    for name, more in (("x.tif", {"compression": "lzw"}), ("y.tif", {}), ("z.png", {}), ("p.tif", {"planarconfig": "separate"})):
        rgb = np.moveaxis(fine, -1, 0) if name == "p.tif" else fine
        write(tmp_path / name, rgb, 16, **more)
        assert np.abs(pictures.read_picture(tmp_path / name) - fine).max() < 1e-4, name
    grey = (fine[..., 0] * 255).round().astype(np.uint8)
    Image.fromarray(grey).save(tmp_path / "grey.png")
    assert pictures.read_picture(tmp_path / "grey.png").shape == (30, 40, 3)
    tifffile.imwrite(tmp_path / "float.tif", fine, photometric="rgb")
    with pytest.raises(DataError, match="float32"):
        pictures.read_picture(tmp_path / "float.tif")


def test_wide_gamut_becomes_srgb():
    """sRGB's primaries as CSS Color 4 gives them in ProPhoto, and the same in Adobe RGB (1998)."""
    prophoto = np.array([[0.7022, 0.2757, 0.1036], [0.5403, 0.9276, 0.3046], [0.3363, 0.1370, 0.9230], [1, 1, 1], [0, 0, 0]], np.float32)
    srgb = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1], [0, 0, 0]])
    assert np.abs(pictures.from_prophoto(prophoto) - srgb).max() < 0.02
    adobe = np.array([[0.8586, 0, 0], [0.5650, 1, 0.2344], [0, 0, 0.9810], [1, 1, 1], [0.5, 0.5, 0.5]], np.float32)
    assert np.abs(pictures.from_adobe_rgb(adobe)[:4] - srgb[:4]).max() < 0.03
    # Grey stays grey through both curves: gamma 2.2 is close to sRGB's.
    assert np.ptp(pictures.from_adobe_rgb(adobe)[4]) < 0.002 and abs(pictures.from_adobe_rgb(adobe)[4, 0] - 0.5) < 0.02


def test_a_profile_that_is_not_known_is_refused_by_name(tmp_path):
    from PIL import ImageCms

    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()
    Image.fromarray((picture(0.5) * 255).astype(np.uint8)).save(tmp_path / "a0001.jpg", icc_profile=lab)
    with pytest.raises(DataError, match=r"a0001.jpg is in the colour space .*export it in sRGB"):
        pictures.read_picture(tmp_path / "a0001.jpg")
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray((picture(0.5) * 255).astype(np.uint8)).save(tmp_path / "a0002.jpg", icc_profile=srgb, quality=98)
    assert np.abs(pictures.read_picture(tmp_path / "a0002.jpg") - picture(0.5)).max() < 0.02


def test_the_cache_holds_each_photo_once_and_each_expert_apart(tmp_path):
    archive_layout(tmp_path / "set")
    pairs, _ = fivek.find_pairs(tmp_path / "set")
    work = tmp_path / "work"
    assert pair_cache(pairs, work, "fivek") == 20
    assert np.load(work / "fivek-before.npy").shape == (4, 256, 256, 3)
    test = CachedPairs(work, "fivek", "test")
    assert len(test) == 10 and [m["expert"] for m in test.metas] == list("abcde") * 2
    before, after = test[4]
    assert before.shape == after.shape == (256, 256, 3) and before.dtype == np.uint8
    assert abs(int(before[:, -1, 0].mean()) - 127) <= 2 and abs(int(after[:, -1, 0].mean()) - 0.8 * 255) <= 3
    assert len(CachedPairs(work, "fivek", "train", "ac")) == 2 and len(list(test)) == 10
    targets = ExpertTargets(work, "test")
    assert len(targets) == 2 and len(ExpertTargets(tmp_path, "test")) == 0
    drawn = [targets.draw(random.Random(n)) for n in range(40)]
    assert {meta["expert"] for *_, meta in drawn} == set("abcde") and {meta["photo"] for *_, meta in drawn} == {"fivek/a4501", "fivek/a5000"}
    assert all(after[:, -1].mean() > before[:, -1].mean() for before, after, _ in drawn)
    assert export_pairs(CachedPairs(work, "fivek", "train"), tmp_path / "out") == 5
    assert sorted(p.name for p in (tmp_path / "out/after").iterdir()) == [f"a0001-{e}.png" for e in "abcde"]


def test_a_broken_picture_leaves_no_cache(tmp_path):
    dpe_layout(tmp_path / "set")
    pairs, _ = fivek.find_pairs(tmp_path / "set")
    pair_cache(pairs, tmp_path / "work", "fivek")
    (tmp_path / "set/output" / f"{NAMES[3]}.png").write_bytes(b"broken")
    with pytest.raises(DataError, match=NAMES[3]):
        pair_cache(pairs, tmp_path / "work", "fivek")
    assert not list((tmp_path / "work").glob("*.part*")) and not (tmp_path / "work/fivek.json").exists()
    with pytest.raises(DataError, match="Run `python -m veraretouch.data.fivek"):
        CachedPairs(tmp_path / "work", "fivek", "test")
    with pytest.raises(DataError, match="no pairs"):
        pair_cache([], tmp_path / "work", "fivek")


def test_validation_comes_from_training_by_group_and_never_from_test(tmp_path):
    for group in range(200):
        for index in range(2):
            write(tmp_path / "source" / f"{group}_{index}.png", picture(0.5, 4, 6))
            write(tmp_path / "target_a" / f"{group}_{index}.png", picture(0.9, 4, 6))
    flat_ppr(tmp_path / "other")
    pairs = with_validation(ppr10k.find_pairs(tmp_path))
    held = [p for p in pairs if p.split == "val"]
    assert 0 < len(held) < 30 and len(held) == 2 * len({p.group for p in held})
    assert not {p.group for p in held} & {p.group for p in pairs if p.split == "train"}
    dpe_layout(tmp_path / "dpe")
    own = fivek.find_pairs(tmp_path / "dpe")[0]
    assert with_validation(own) == own
    test = [p for p in ppr10k.find_pairs(tmp_path / "other", "a") if p.split == "test"]
    assert [p for p in with_validation(test) if p.split == "test"] == test


def test_the_commands_print_counts_against_the_published_ones(tmp_path, capsys, monkeypatch):
    dpe_layout(tmp_path / "fivek")
    flat_ppr(tmp_path / "ppr")
    for module, folder, told in (
        (fivek, "fivek", 'published: {"train": 2250, "val": 2250, "test": 500}, here: {"train": 1, "val": 1, "test": 2}'),
        (ppr10k, "ppr", "train has 3 of 8875 photos, 2 of 1356 groups; test has 2 of 2286 photos, 2 of 325 groups"),
    ):
        monkeypatch.setattr("sys.argv", ["x", "--folder", str(tmp_path / folder), "--work", str(tmp_path / "work")])
        assert module.main() == 0
        printed = capsys.readouterr().out
        assert told in printed and "test: 2 photos" in printed and "pairs in" in printed
    assert len(ExpertTargets(tmp_path / "work", "test")) == 4
    monkeypatch.setattr("sys.argv", ["x", "--folder", str(tmp_path / "ppr" / "source"), "--check"])
    assert ppr10k.main() == 1 and "error: " in capsys.readouterr().err
