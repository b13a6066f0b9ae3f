"""Architecture search: overrides and only those, stages shared and resumed, every variant through training and export, the front."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from example_sets import write_examples
from safetensors.torch import save_file
from test_reasoning_measure import photo
from transformers import LlamaConfig, LlamaModel

from veraretouch.data.files import DataError, write_json
from veraretouch.engine.params import sample_params
from veraretouch.eval import candidates
from veraretouch.eval.front import Point, front, plot, table, ticks
from veraretouch.export.dialogue import added_tokens
from veraretouch.export.tokenizer import small_tokenizer, tokenizer_files
from veraretouch.models.layout import ImageTokens
from veraretouch.reasoning import compose
from veraretouch.reasoning.compose import Plain
from veraretouch.reasoning.figures import figures
from veraretouch.train import search as searching
from veraretouch.train import tone, vlm
from veraretouch.train.common import read_config, save_atomically
from veraretouch.train.renderer import Networks
from veraretouch.train.search import chosen, collect, run_job, run_variant, search_all, write_plot
from veraretouch.train.variants import (
    SearchError,
    Variant,
    configurations,
    inputs_of,
    jobs_of,
    merge,
    read_bases,
    read_variants,
)

torch.set_num_threads(1)
CONFIGS = Path(__file__).resolve().parents[1] / "configs"
SEARCH, BASES = read_config(CONFIGS / "search.toml"), read_bases(CONFIGS)
VARIANTS = {v.name: v for v in read_variants(SEARCH)}
PIXELS, LAYERS = 120, 12


def _small() -> tuple[dict, dict]:
    """The real search and stages with one step each, on tiny networks."""
    tiny = {
        "renderer": {"renderer_widths": [8], "head_hidden": 8, "encoder_width": 8, "pair_width": 8, "encoder_size": 32, "latent": 8},
        "tone": {"batch": {"auto": 2, "style": 2, "param": 2}, "pixels": 32, "half": False},
        "effect": {"batch": 2, "optimiser": "soap"},
        "align": {"batch": 6, "pixels": 32, "half": False},
        "rsft": {"batch": 3, "pixels": 32, "half": False},
    }
    bases = {stage: {**BASES[stage], **tiny[stage]} for stage in BASES}
    budget = {stage: {"steps": 1} for stage in BASES} | {"rsft": {"steps": 0}}
    return {**SEARCH, "budget": budget, "judge": {"count": 2, "photos": 1, "threads": [1]}}, bases


def _examples(folder: Path) -> None:
    rng = np.random.default_rng(5)
    for task in ("auto", "style", "param"):
        before = np.stack([(photo(PIXELS) * 255).round().byte().numpy() for _ in range(2)])
        params = sample_params(2, torch.Generator().manual_seed(1)).numpy()
        arrays = {"before": before, "after": before // 2, "params": params if task == "param" else params * 0}
        if task != "param":
            arrays["picture"] = rng.integers(0, 255, (2, 256, 256, 3), np.uint8)
            arrays["features"] = rng.standard_normal((2, 9, 1280)).astype(np.float16)
            arrays["figures"] = np.stack([figures(torch.from_numpy(b).float() / 255).numpy() for b in before])
        metas = []
        for i, pixels in enumerate(torch.from_numpy(before).float() / 255):
            said = compose(pixels, pixels / 2, Plain(), [], task, None, params[i].tolist() if task == "param" else None)
            metas.append({"task": task, "names": [], "instruction": "warm and faded", "plainFields": said, "fields": said})
        write_examples(folder, task, arrays, metas)


def _language_model(folder: Path, tokenizer) -> None:
    """A tiny one where `load_language_model` keeps SmolLM2."""
    torch.manual_seed(0)
    folder.mkdir(parents=True)
    config = LlamaConfig(
        vocab_size=tokenizer.get_vocab_size() - len(added_tokens()), hidden_size=32, intermediate_size=48, num_hidden_layers=LAYERS,
        num_attention_heads=2, num_key_value_heads=1,
    )  # fmt: skip
    save_file({k: v.contiguous() for k, v in LlamaModel(config).state_dict().items()}, folder / "model.safetensors")
    config.to_json_file(folder / "config.json")
    for name, content in tokenizer_files(tokenizer).items():
        (folder / name).write_bytes(content)


def _stage_one(config: dict, path: Path) -> None:
    torch.manual_seed(config["latent"])
    nets = Networks(config).eval()
    save_atomically({"config": config, "average": nets.state_dict()}, path)


@pytest.fixture(scope="module")
def work(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("work")
    search, bases = _small()
    words = ["Lift the shadows a little", "warm and faded", "Slightly raise the contrast", "Leave the colors as is"]
    tokenizer = small_tokenizer(words * 20, 400, ["<voice_%d>" % i for i in range(len(added_tokens()) - len(added_tokens(())))])
    patch = pytest.MonkeyPatch()
    # The real vocabulary of 49,152 tokens would cost every stage seconds.
    for module in (tone, vlm):
        patch.setattr(module, "smollm2_tokenizer", lambda: tokenizer)
    patch.setattr(vlm, "PRETRAINED_TOKENS", tokenizer.get_vocab_size() - len(added_tokens()))
    for split in ("train", "val"):
        _examples(folder / "shards" / bases["align"]["shards"] / split)
    _language_model(folder / "smollm2", tokenizer)
    _stage_one(bases["renderer"], folder / bases["tone"]["renderer"])
    yield folder
    patch.undo()


def _jobs(name: str, work: Path) -> list:
    search, bases = _small()
    return jobs_of(search, bases, VARIANTS[name], inputs_of(work, bases))


def _train(name: str, work: Path) -> list:
    jobs = _jobs(name, work)
    for job in jobs:
        if job.kind == "renderer" and not (work / job.marker).exists():
            # Stage 1 needs photos and looks; what matters here is the width of its latents.
            _stage_one(job.config, work / job.folder / "last.pt")
            write_json(work / job.marker, {"seconds": 0.0})
        run_job(job, work, work)
    return jobs


def test_overrides_are_applied_and_only_those():
    plain = configurations(BASES, Variant("plain", ""), {}, 0)
    assert plain == BASES
    for variant in VARIANTS.values():
        changed = configurations(BASES, variant, {}, 0)
        for stage, config in changed.items():
            flat = lambda table: dict(itertools.chain.from_iterable(
                [((k, i), x) for i, x in v.items()] if isinstance(v, dict) else [((k,), v)] for k, v in table.items()
            ))  # fmt: skip
            differs = {k: v for k, v in flat(config).items() if flat(BASES[stage])[k] != v}
            asked = {k: v for k, v in flat(variant.overrides.get(stage, {})).items() if flat(BASES[stage])[k] != v}
            assert differs == asked, (variant.name, stage)
    budget = {"tone": {"steps": 7}}
    moved = configurations(BASES, VARIANTS["base"], budget, 5)
    assert moved["tone"]["steps"] == 7 and moved["align"]["steps"] == BASES["align"]["steps"]
    assert all(moved[stage]["seed"] == BASES[stage]["seed"] + 5 for stage in BASES)


def test_what_is_not_set_up_right_is_said():
    with pytest.raises(SearchError, match="no such key"):
        merge(BASES["align"], {"layer": 4}, "x.align")
    with pytest.raises(SearchError, match=r"x\.align\.layers is True"):
        merge(BASES["align"], {"layers": True}, "x.align")
    with pytest.raises(SearchError, match="layers differs among align, rsft"):
        configurations(BASES, Variant("x", "", {"align": {"layers": 4}}), {}, 0)
    # What RSFT says does not matter where there is none.
    configurations(BASES, Variant("x", "", {"align": {"layers": 4}}), {"rsft": {"steps": 0}}, 0)
    with pytest.raises(SearchError, match="names of their own"):
        read_variants({"variants": [{"name": "a"}, {"name": "a"}]})
    with pytest.raises(SearchError, match="speed is no stage"):
        read_variants({"variants": [{"name": "a", "speed": 3}]})
    with pytest.raises(SearchError, match="no variant nothing"):
        chosen(list(VARIANTS.values()), "base,nothing")
    for table in ({"tone": False}, {"overall": 2}, {"sematic": False}, {"semantic": 1}):
        with pytest.raises(DataError, match="Nothing was built"):
            ImageTokens.of({"tokens": table})


def test_stages_are_shared_where_variants_agree_and_nowhere_else(work):
    folders = {name: [j.folder for j in _jobs(name, work)] for name in VARIANTS}
    for name in ("layers-4", "layers-12", "words-first", "no-words"):
        assert folders[name][:3] == folders["base"][:3] and folders[name][3] != folders["base"][3]
    for name in ("tone-only", "semantic-only", "factors-only", "latent-32", "latent-64"):
        assert not set(folders[name]) & set(folders["base"])
    search, bases = _small()
    inputs = inputs_of(work, bases)
    other = jobs_of(search, bases, VARIANTS["base"], {**inputs, "renderer/last.pt": "another"})
    assert not {j.folder for j in other} & set(folders["base"])
    whole = jobs_of({**search, "budget": {**search["budget"], "rsft": {"steps": 2}}}, bases, VARIANTS["base"], inputs)
    assert [j.kind for j in whole] == ["tone", "retell", "effect", "align", "retell", "rsft"]
    assert whole[-1].config["start_from"] == f"{whole[3].folder}/last.pt" and whole[-1].config["retold"] == whole[3].folder


# Image tokens, where the factors' begin, and whether there are words.
FORMS = {"tone-only": (8, 0), "semantic-only": (9, 0), "factors-only": (3, 0)}


@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_trains_and_exports(work, name):
    jobs = _train(name, work)
    checkpoint = work / jobs[-1].folder / "last.pt"
    state = torch.load(checkpoint, weights_only=True)
    assert state["step"] == 1 and state["config"] == jobs[-1].config
    search, bases = _small()
    shards = candidates.Shards(work / "shards" / bases["align"]["shards"] / "val")
    nets = candidates.load_networks(work / jobs[-1].config["renderer"])
    model, dialogue, _ = candidates.load_answering(checkpoint, nets, work)
    tokens, row = FORMS.get(name, (17, 9))
    layers = {"layers-4": 4, "layers-12": 12}.get(name, 8)
    assert len(model.lm.layers) == layers and model.focus_row == row
    assert nets.renderer.latent == VARIANTS[name].overrides.get("renderer", {}).get("latent", 8)
    found = candidates.cost(model, nets, dialogue, shards, work, 1, [1])
    assert found["imageTokens"] == tokens and found["bytes"] > 10_000
    timed = found["latency"]["1"]
    if name == "no-words":
        assert timed["words"] is None and timed["tokens"] == 3
    else:
        assert (timed["picture"] > timed["words"]) == (name == "words-first")
