"""Training on a share of the examples: the first of every task, and only of the training split."""

import numpy as np
import pytest

from veraretouch.synth.store import SHARD, Index, Sample, SynthError, key_of, pack, shard_name, write_shard
from veraretouch.train.examples import Shards, split_of


@pytest.fixture
def work(tmp_path):
    """Two shards of six Auto examples and one of four Param examples, in both splits."""
    for split in ("train", "val"):
        folder = tmp_path / "shards" / "tiny" / split
        folder.mkdir(parents=True)
        index = Index.open(folder, {"version": 1})
        for task, number, count in (("auto", 0, 6), ("auto", 1, 6), ("param", 0, 4)):
            samples = []
            for i in range(count):
                array = np.full((2, 3), number * 6 + i, np.uint8)
                arrays = {"before": array, "after": array} | ({"picture": array} if task == "auto" else {})
                samples.append(Sample(key_of(task, number * 6 + i), {"task": task, "number": number * 6 + i}, arrays))
            write_shard(folder / shard_name(task, number * SHARD), ((s.key, pack(s)) for s in samples))
            index.add(task, number * SHARD, count)
        index.finish()
    return tmp_path


def _numbers(shards: Shards, task: str) -> list[int]:
    return [shards.metas[row]["number"] for row in shards.rows(task)]


@pytest.mark.parametrize(("share", "auto", "param"), [(1.0, 12, 4), (0.75, 9, 3), (0.5, 6, 2), (0.05, 1, 1)])
def test_the_first_of_every_task_are_read(work, share, auto, param):
    shards = split_of({"shards": "tiny", "share": share}, work, "train")
    assert _numbers(shards, "auto") == list(range(auto)) and _numbers(shards, "param") == list(range(param))
    assert len(shards) == auto + param == len(shards.arrays["before"]) and len(shards.arrays["picture"]) == auto
    assert [int(a[0, 0]) for a in shards.arrays["before"]] == [*range(auto), *range(param)]


def test_held_out_examples_are_all_read(work):
    assert len(split_of({"shards": "tiny", "share": 0.05}, work, "val")) == 16
    assert len(split_of({"shards": "tiny"}, work, "train")) == 16
    assert len(split_of({"shards": "tiny", "share": 0.5}, work, "train", ("param",))) == 2


@pytest.mark.parametrize("share", [0, -0.5, 1.5])
def test_another_share_is_refused(work, share):
    with pytest.raises(SynthError, match="share of the examples"):
        split_of({"shards": "tiny", "share": share}, work, "train")
