"""The published files are read without running anything in them, and refused by name where they are not what they should be."""

import json
import os
import pickle
from random import Random

import pytest
import torch
from safetensors.torch import save_file

from veraretouch.official.checkpoint import check_tensors, read_pickled, read_safetensors
from veraretouch.official.errors import OfficialModelError

TENSORS = {"a.weight": torch.arange(6.0).reshape(2, 3), "b.bias": torch.tensor([1.5, -2.0], dtype=torch.bfloat16)}


@pytest.fixture
def sharded(tmp_path):
    """A checkpoint of two shards."""
    shards = {"a.weight": "model-00001-of-00002.safetensors", "b.bias": "model-00002-of-00002.safetensors"}
    for name, shard in shards.items():
        save_file({name: TENSORS[name]}, tmp_path / shard)
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": shards}))
    return tmp_path


def same(state):
    return state.keys() == TENSORS.keys() and all(
        torch.equal(state[name], value) and state[name].dtype == value.dtype for name, value in TENSORS.items()
    )


def test_shards_and_one_file_give_the_same(sharded, tmp_path_factory):
    single = tmp_path_factory.mktemp("single")
    save_file(TENSORS, single / "model.safetensors")
    assert same(read_safetensors(sharded))
    assert same(read_safetensors(single))


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(OfficialModelError, match="holds neither"):
        read_safetensors(tmp_path)


@pytest.mark.parametrize("keep", [4, 40, -4])
def test_a_truncated_shard_is_refused_by_name(sharded, keep):
    shard = sharded / "model-00002-of-00002.safetensors"
    shard.write_bytes(shard.read_bytes()[:keep])
    with pytest.raises(OfficialModelError, match="model-00002-of-00002.safetensors is truncated or damaged"):
        read_safetensors(sharded)


def test_a_missing_shard_is_refused_by_name(sharded):
    (sharded / "model-00001-of-00002.safetensors").unlink()
    with pytest.raises(OfficialModelError, match="the shard model-00001-of-00002.safetensors, which is not there"):
        read_safetensors(sharded)


@pytest.mark.parametrize("shards", [{"a.weight": "../x.safetensors"}, {"a.weight": 3}, {"a.weight": "x.pth"}, []])
def test_an_index_that_leads_elsewhere_is_refused(sharded, shards):
    (sharded / "model.safetensors.index.json").write_text(json.dumps({"weight_map": shards}))
    with pytest.raises(OfficialModelError, match="no shards beside it"):
        read_safetensors(sharded)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}"])
def test_an_index_that_is_none_is_refused(sharded, text):
    (sharded / "model.safetensors.index.json").write_text(text)
    with pytest.raises(OfficialModelError, match="no index of shards"):
        read_safetensors(sharded)


def test_an_index_that_does_not_fit_its_shards_is_refused(sharded):
    index = sharded / "model.safetensors.index.json"
    shards = json.loads(index.read_text())["weight_map"]
    index.write_text(json.dumps({"weight_map": {**shards, "c.weight": shards["a.weight"]}}))
    with pytest.raises(OfficialModelError, match=r"c\.weight .* lacks it"):
        read_safetensors(sharded)
    del shards["b.bias"]
    save_file(TENSORS, sharded / shards["a.weight"])
    index.write_text(json.dumps({"weight_map": shards}))
    with pytest.raises(OfficialModelError, match=r"b\.bias .* does not list it there"):
        read_safetensors(sharded)


class Malicious:
    """Makes a file when it is unpickled by a reader that trusts it."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_a_pickle_that_would_run_code_is_refused_and_runs_none(tmp_path):
    trap = tmp_path / "trap"
    modern, old = tmp_path / "modern.pth", tmp_path / "old.pth"
    torch.save({"model_state_dict": {"a": Malicious(trap)}}, modern)
    old.write_bytes(pickle.dumps(Malicious(trap), protocol=2))
    for path in (modern, old):
        with pytest.raises(OfficialModelError, match="was not executed"):
            read_pickled(path)
    assert not trap.exists()
    # The trap works: it is the reader that keeps it shut.
    pickle.loads(old.read_bytes())
    assert trap.exists()


def test_tensors_come_out_of_a_pickle(tmp_path):
    path = tmp_path / "encoder_renderer.pth"
    torch.save({"model_state_dict": TENSORS, "epoch": 3}, path)
    assert same(read_pickled(path))


@pytest.mark.parametrize(
    "content", [{}, {"model_state_dict": 3}, {"model_state_dict": {"a": 1.0}}, [torch.zeros(1)]], ids=str
)
def test_a_pickle_without_the_weights_is_refused(tmp_path, content):
    path = tmp_path / "other.pth"
    torch.save(content, path)
    with pytest.raises(OfficialModelError, match="has no tensors under 'model_state_dict'"):
        read_pickled(path)


@pytest.mark.parametrize("keep", [0, 10, 300, -30])
def test_a_truncated_pickle_is_refused(tmp_path, keep):
    path = tmp_path / "cut.pth"
    torch.save({"model_state_dict": TENSORS}, path)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(OfficialModelError, match=r"cut\.pth"):
        read_pickled(path)


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_flipped_bytes_give_tensors_or_our_own_error(tmp_path, zipped):
    """Damage in the values cannot be seen here; damage anywhere else is refused, never with an error of the reader's."""
    path = tmp_path / "flipped.pth"
    torch.save({"model_state_dict": TENSORS}, path, _use_new_zipfile_serialization=zipped)
    whole, random, refused = path.read_bytes(), Random(7), 0
    for _ in range(400):
        damaged = bytearray(whole)
        damaged[random.randrange(len(damaged))] ^= 1 << random.randrange(8)
        path.write_bytes(damaged)
        try:
            read_pickled(path)
        except OfficialModelError:
            refused += 1
    assert refused > 20


def test_what_is_missing_extra_or_of_another_shape_is_named():
    wanted = {name: value.shape for name, value in TENSORS.items()}
    check_tensors(TENSORS, wanted)
    check_tensors({"a.weight": TENSORS["a.weight"]}, wanted, optional=["b.bias"])
    with pytest.raises(OfficialModelError, match=r"lacks b\.bias\."):
        check_tensors({"a.weight": TENSORS["a.weight"]}, wanted)
    with pytest.raises(OfficialModelError, match=r"has, beside .*, c\."):
        check_tensors({**TENSORS, "c": torch.zeros(1)}, wanted)
    with pytest.raises(OfficialModelError, match=r"a\.weight is \[3, 2\] instead of \[2, 3\]"):
        check_tensors({**TENSORS, "a.weight": torch.zeros(3, 2)}, wanted)
    with pytest.raises(OfficialModelError, match=r"lacks w0, w1, w2 and 7 more"):
        check_tensors({}, {f"w{i}": (1,) for i in range(10)})
