"""Sets of examples: the same bytes whoever makes them, going on after a kill, and no mixing."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from synth_set import ALONE, CONFIG, fill_cache, write_config

from veraretouch.data.files import DataError
from veraretouch.synth import cluster, run
from veraretouch.synth.prepare import Sources
from veraretouch.synth.store import Entry, Index, SynthError, read_shard
from veraretouch.train.examples import Shards

torch.set_num_threads(1)
COUNTS = CONFIG["counts"]["train"]


def quiet(line: str) -> None:
    pass


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.iterdir() if not p.name.startswith(".")}


@pytest.fixture(scope="module")
def work(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("work")
    fill_cache(folder)
    write_config(folder / "config.toml")
    return folder


@pytest.fixture(scope="module")
def made(work) -> Path:
    """A set made in one go by this process."""
    run.build(CONFIG, Sources(work, work, without=frozenset(ALONE)), "train", COUNTS, work / "made", 0, None, quiet)
    return work / "made"


def command(work: Path, out: Path, pairs: str, *more: str) -> list[str]:
    # Without photos or data of its own the command has nothing to read but the cache.
    return [
        sys.executable, "-m", "veraretouch.synth.run", "--data", str(work), "--work", str(work), "--config",
        str(work / "config.toml"), "--pairs", pairs, "--out", str(out), "--leave-out", ",".join(ALONE), *more,
    ]  # fmt: skip


def test_a_set_holds_what_was_asked_for(made):
    index = Index.read(made)
    assert [(e.name, e.count) for e in index.entries.values()] == [
        ("auto-000000.tar", 16), ("auto-000001.tar", 4), ("param-000000.tar", 16), ("param-000001.tar", 16), ("param-000002.tar", 8),
    ]  # fmt: skip
    keys = [s.key for name in sorted(index.entries) for s in read_shard(made / name)]
    assert len(set(keys)) == len(keys) == 60 and keys[0] == "auto-000000000" and keys[-1] == "param-000000039"
    shards = Shards(made)
    assert len(shards) == 60 and shards.rows("auto") == list(range(20))
    first = next(read_shard(made / "auto-000000.tar"))
    assert shards.metas[0] == first.meta and set(first.meta["fields"]) >= {"plan.light", "problems.light"}
    for name, array in first.arrays.items():
        assert np.array_equal(shards.arrays[name][0].numpy(), array)
    before, after = shards.pixels(torch.arange(20), 64)
    assert before.shape == (20, 64, 3) and bool(((before - after).abs().mean((1, 2)) > 0.01).all())


def test_ray_workers_make_the_same_bytes(work, made, tmp_path):
    done = subprocess.run(command(work, tmp_path / "out", "auto=20", "--workers", "2"), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    ours, theirs = bytes_of(made), bytes_of(tmp_path / "out")
    assert all(theirs[f"auto-00000{n}.tar"] == ours[f"auto-00000{n}.tar"] for n in (0, 1))
    # Ray keeps quiet: what is printed are our lines.
    assert done.stderr == "" and all("examples" in line or "left out" in line for line in done.stdout.splitlines())


def test_a_killed_run_goes_on(work, made, tmp_path):
    out = tmp_path / "out"
    process = subprocess.Popen(command(work, out, "auto=20,param=40", "--workers", "0"), stdout=subprocess.DEVNULL)
    for _ in range(6000):
        time.sleep(0.01)
        if (out / "index.jsonl").exists() and Index.read(out).entries:
            break
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    held = Index.read(out).entries
    assert 0 < len(held) < 5, "the run was over, or had not begun, when it was killed"
    stamp = (out / next(iter(held))).stat().st_mtime_ns
    (out / ".param-000000.tar.half").write_bytes(b"x")
    with (out / "index.jsonl").open("a") as file:
        file.write('{"name": "param-0000')
    sources = Sources(work, work, without=frozenset(ALONE))
    run.build(CONFIG, sources, "train", COUNTS, out, 0, None, quiet)
    assert (out / next(iter(held))).stat().st_mtime_ns == stamp
    assert bytes_of(out) == bytes_of(made) and not (out / ".param-000000.tar.half").exists()


def test_another_configuration_is_refused(work, made):
    before, sources = bytes_of(made), Sources(work, work, without=frozenset(ALONE))
    other = {**CONFIG, "auto": {**CONFIG["auto"], "visible": 20.0}}
    with pytest.raises(SynthError, match="another configuration"):
        run.build(other, sources, "train", COUNTS, made, 0, None, quiet)
    with pytest.raises(SynthError, match="another configuration, seed"):
        run.build({**CONFIG, "seed": 4}, sources, "train", COUNTS, made, 0, None, quiet)
    with pytest.raises(SynthError, match="another split"):
        run.build(CONFIG, sources, "val", COUNTS, made, 0, None, quiet)
    assert bytes_of(made) == before


def test_a_set_without_shards_binds_nobody(tmp_path):
    Index.open(tmp_path, {"seed": 1})
    assert Index.open(tmp_path, {"seed": 2, "shard": 8}).size == 8 and Index.read(tmp_path).header == {"seed": 2, "shard": 8}


def test_two_runs_do_not_write_at_once(work, made):
    with run.writing(made), pytest.raises(SynthError, match="Another run"), run.writing(made):
        pass


def test_a_set_that_lost_a_shard_is_made_whole_or_refused(made, tmp_path):
    out = tmp_path / "copy"
    shutil.copytree(made, out)
    (out / "auto-000000.tar").write_bytes((out / "auto-000000.tar").read_bytes()[:5000])
    index = Index.read(out)
    assert run.shards_to_make(index, COUNTS) == [("auto", 0, 16)]
    with pytest.raises(DataError, match=r"auto-000000\.tar"):
        Shards(out)
    with pytest.raises(SynthError, match=r"synth\.run"):
        Shards(tmp_path)


def test_counts_are_read_or_refused():
    assert run.counts_of("auto=8, param=16") == {"auto": 8, "param": 16}
    for wrong in ("auto", "auto=-1", "other=3", ""):
        with pytest.raises(SynthError, match="TASK=N"):
            run.counts_of(wrong)


def test_shards_of_all_tasks_come_in_turns(tmp_path):
    index = Index(tmp_path, {})
    index.entries["auto-000001.tar"] = Entry("auto-000001.tar", "auto", 256, 256, 5, "")
    (tmp_path / "auto-000001.tar").write_bytes(b"12345")
    wanted = run.shards_to_make(index, {"auto": 700, "style": 600})
    assert wanted == [("auto", 0, 256), ("style", 0, 256), ("style", 256, 256), ("auto", 512, 188), ("style", 512, 88)]
    rows = run.Assembly(index, wanted, quiet).rows()
    assert rows[15:17] == [("auto", 240, 16), ("style", 0, 16)] and sum(n for _, _, n in rows) == 700 - 256 + 600


def test_a_cluster_that_cannot_be_joined_is_told():
    with pytest.raises(SynthError, match="--address auto"):
        cluster.start(1, "ray://127.0.0.1:10001")


def test_missing_sources_are_told(work, tmp_path, capsys):
    base = ["--work", str(tmp_path), "--config", str(work / "config.toml"), "--pairs", "param=16", "--workers", "0"]
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("x")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "b.jpg").write_text("no picture")
    for name, words in (
        ("missing", "There is no folder"), ("empty", "There are no photos"), ("notes", "There are no photos"),
        ("broken", "None of the 1 files"),
    ):  # fmt: skip
        assert run.main([*base, "--photos", str(tmp_path / name)]) == 1
        assert words in capsys.readouterr().err
    assert run.main(base) == 1 and "--photos" in capsys.readouterr().err
    assert run.main([*base, "--data", str(tmp_path), "--leave-out", "weather"]) == 1 and "weather" in capsys.readouterr().err


def test_header_says_what_a_set_is_made_of(made):
    header = json.loads((made / "index.jsonl").read_text().split("\n")[0])
    assert header["seed"] == 3 and header["split"] == "train" and header["leftOut"] == sorted(ALONE) and len(header["photos"]) == 64
