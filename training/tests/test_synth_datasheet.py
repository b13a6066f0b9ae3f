"""The datasheet counts what is in the shards, and shows only photos that may be shown."""

import json

import pytest
import torch
from PIL import Image
from synth_set import ALONE, CONFIG, fill_cache, write_config

from veraretouch.synth import datasheet, run, throughput
from veraretouch.synth.prepare import Sources
from veraretouch.synth.tally import tally

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sheet")
    fill_cache(folder)
    names = json.loads((folder / "photos.json").read_text())
    names = {name: (split, "research" if i % 2 else "open") for i, (name, (split, _)) in enumerate(names.items())}
    (folder / "photos.json").write_text(json.dumps(names))
    counts = {"auto": 16, "style": 16, "param": 8}
    run.build(CONFIG, Sources(folder, folder, without=frozenset(ALONE)), "train", counts, folder / "set", 0, None, lambda line: None)
    write_config(folder / "config.toml")
    return folder


def arguments(work, out) -> list[str]:
    return [
        "--shards", str(work / "set"), "--data", str(work), "--work", str(work), "--config", str(work / "config.toml"),
        "--leave-out", ",".join(ALONE), "--out", str(out),
    ]  # fmt: skip


def test_counts_are_those_of_the_shards(work):
    _, found = tally(work / "set")
    assert {t: c.count for t, c in found.items()} == {"auto": 16, "style": 16, "param": 8}
    auto, style = found["auto"], found["style"]
    assert sum(auto.degradations.values()) == 16 and set(auto.degradations) <= {"raw", "broad"} and auto.targets == {"original": 16}
    assert style.looks == {"spoken": 16} and len(style.instructions) > 10
    assert sum(auto.classes.values()) == 16 and set(auto.classes) == {"open", "research"}
    # A degradation that can be seen is no small change.
    assert min(auto.difference) > 2 and all(5 < n < 120 for n in auto.words) and all(0 < v < 100 for v in auto.lightness)


def test_a_sheet_with_pictures_of_open_photos_is_written(work, tmp_path):
    (tmp_path / "datasheet.toml").write_text('motivation = "Why it was made."\n')
    assert datasheet.main(arguments(work, tmp_path / "SHEET.md")) == 0
    text = (tmp_path / "SHEET.md").read_text()
    assert [line[3:].lower() for line in text.splitlines() if line.startswith("## ")] == list(datasheet.HEADINGS)
    assert "Why it was made." in text and "40 examples of the split `train`" in text and "| auto | 16 |" in text
    with Image.open(tmp_path / "sheet.jpg") as image:
        assert image.format == "JPEG" and image.width > 900
    assert (tmp_path / "sheet.jpg").stat().st_size <= 300_000
    names = [line for line in text.splitlines() if line.startswith("- `")]
    assert len(names) == 5 and all("`" in line for line in names)


def test_only_photos_that_may_be_shown_are_chosen(work):
    _, found = tally(work / "set")
    cells = datasheet.chosen(found)
    assert {task for task, _, _ in cells} == {"auto", "style", "param"} and {meta["class"] for _, _, meta in cells} == {"open"}
    assert all(found[task].first[number] is meta for task, number, meta in cells)
    kinds = [meta["degradation"] for task, _, meta in cells if task == "auto"]
    assert len(set(kinds[:2])) == len(set(kinds))


def test_a_sheet_of_other_examples_is_refused(work, tmp_path, capsys):
    other = write_config(tmp_path / "other.toml", {**CONFIG, "pixels": 32})
    given = arguments(work, tmp_path / "SHEET.md")
    given[given.index("--config") + 1] = str(other)
    assert datasheet.main(given) == 1 and "another configuration" in capsys.readouterr().err
    assert not (tmp_path / "SHEET.md").exists()


def test_a_million_is_projected_from_the_rates():
    rates = {1: {"auto": 10.0, "param": 50.0}, 2: {"auto": 18.0, "param": 90.0}, 4: {"auto": 17.0, "param": 80.0}}
    told = throughput.projection(rates, {"auto": 70000.0, "param": 8000.0}, 2)
    assert told["workersHere"] == 2 and told["hoursHere"] == pytest.approx((1e6 / 18 + 1e6 / 90) / 3600, abs=0.1)
    assert told["efficiency"] == {"workers": 2, "share": pytest.approx(0.9, abs=0.01)}
    alone = (1e6 / 10 + 1e6 / 50) / 3600
    assert told["hoursOnCores"]["8"] == pytest.approx(alone / 8 / 0.9, abs=0.1)
    assert told["gigabytes"] == {"auto": 70.0, "param": 8.0}


def test_bytes_of_an_example_are_those_of_its_tar():
    from veraretouch.synth.cluster import make_row
    from veraretouch.synth.store import Sample

    class OfOne:
        def samples(self, task: str, first: int, count: int) -> list[Sample]:
            return [Sample("param-000000000", {"a": 1}, {"params": torch.zeros(38).numpy()})]

    # A header and the content, each filled up to 512 bytes: JSON of 8, and 152 bytes with NumPy's header of 128.
    assert throughput.stored_bytes(make_row(OfOne(), ("param", 0, 1))) == 4 * 512
