"""Architecture search: overrides and only those, stages shared and resumed, every variant through training and export, the front."""

import dataclasses
import itertools
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from example_sets import write_examples
from PIL import Image
from safetensors.torch import save_file
from test_reasoning_measure import photo
from transformers import LlamaConfig, LlamaModel

from veraretouch.data.files import DataError, write_json
from veraretouch.engine.params import sample_params
from veraretouch.eval import candidates
from veraretouch.eval.front import Point, front, mean_agreement, plot, table, ticks
from veraretouch.eval.latency import TimedRunner
from veraretouch.export.dialogue import VOICES, added_tokens
from veraretouch.export.reference import generate
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
    # Of two examples a task no share is left out: there would be no spread to standardise by.
    return {**SEARCH, "budget": budget, "share": 1.0, "judge": {"count": 2, "photos": 1, "threads": [1]}}, bases


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
    bases = _small()[1]
    words = ["Lift the shadows a little", "warm and faded", "Slightly raise the contrast", "Leave the colors as is"]
    tokenizer = small_tokenizer(words * 20, 400, VOICES)
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
    for wrong in ({"tone": False}, {"overall": 2}, {"sematic": False}, {"semantic": 1}):
        with pytest.raises(DataError, match="Nothing was built"):
            ImageTokens.of({"tokens": wrong})


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
    half = jobs_of({**search, "share": 0.5}, bases, VARIANTS["base"], inputs)
    assert not {j.folder for j in half} & set(folders["base"]) and {j.config["share"] for j in half} == {0.5}
    table = {**search, "share": 0.5, "seed": 3, "variants": [{"name": "own", "share": 0.25, "seed": 7}, {"name": "given"}]}
    own, given = ({j.kind: j.config for j in jobs_of(table, bases, v, inputs)} for v in read_variants(table))
    for stage in ("tone", "effect", "align"):
        assert own[stage]["seed"] == bases[stage]["seed"] + 7 and own[stage]["share"] == 0.25
        assert given[stage]["seed"] == bases[stage]["seed"] + 3 and given[stage]["share"] == 0.5
    whole = jobs_of({**search, "budget": {**search["budget"], "rsft": {"steps": 2}}}, bases, VARIANTS["base"], inputs)
    assert [j.kind for j in whole] == ["tone", "retell", "effect", "align", "retell", "rsft"]
    assert whole[-1].config["start_from"] == f"{whole[3].folder}/last.pt" and whole[-1].config["retold"] == whole[3].folder


# Image tokens, and where the factors' begin.
FORMS = {"tone-only": (8, 0), "semantic-only": (9, 0), "factors-only": (3, 0)}


# These have the graphs of layers-4 and latent-32, with other numbers: they are only built.
ALIKE = ("base", "layers-12", "latent-64", "latent-96")


@pytest.mark.parametrize("name", ALIKE)
def test_these_variants_differ_in_a_number(work, name):
    align = _jobs(name, work)[-1].config
    latent = VARIANTS[name].overrides.get("renderer", {}).get("latent", 8)
    nets = Networks({**_small()[1]["renderer"], "latent": latent})
    model = vlm.build_vlm(work, align["layers"], nets, [1, 2, 3], 20, layout=ImageTokens.of(align))
    assert len(model.lm.layers) == (12 if name == "layers-12" else 8)
    assert model.adaptor.latent == latent and model.adaptor.shortcut[0].out_features == latent


@pytest.mark.parametrize("name", [name for name in VARIANTS if name not in ALIKE])
def test_every_variant_trains_exports_and_answers(work, tmp_path, name):
    jobs = _train(name, work)
    checkpoint = work / jobs[-1].folder / "last.pt"
    state = torch.load(checkpoint, weights_only=True)
    assert state["step"] == 1 and state["config"] == jobs[-1].config
    nets = candidates.load_networks(work / jobs[-1].config["renderer"])
    model, dialogue, _ = candidates.load_answering(checkpoint, nets, work)
    tokens, row = FORMS.get(name, (17, 9))
    assert len(model.lm.layers) == {"layers-4": 4}.get(name, 8) and model.focus_row == row
    assert nets.renderer.latent == model.adaptor.latent == VARIANTS[name].overrides.get("renderer", {}).get("latent", 8)
    seen = np.random.default_rng(1).integers(0, 255, (256, 256, 3), np.uint8)
    stored, _ = candidates.write_model(model, nets, dialogue, tmp_path / "bundle", "candidate", "0.0.0")
    runner = TimedRunner(tmp_path / "bundle", 1)
    assert (runner.manifest["focus"]["imageRow"], runner.manifest["dimensions"]["imageTokens"]) == (row, tokens)
    timed, ours = runner.time_auto(seen)
    theirs = generate(stored.vlm, dialogue, "auto", torch.from_numpy(seen).permute(2, 0, 1).float() / 255)
    np.testing.assert_allclose(ours.latents, theirs.latents, atol=2e-3)
    # Random weights choose between near equals: only that there are words, and which sections, can be compared.
    assert set(ours.fields) == set(theirs.fields) == {s.field for s in dialogue.answer["auto"]}
    if name == "no-words":
        assert timed.words is None and timed.tokens == 3 and not ours.fields
    else:
        # The lattice is rendered behind the last word only where the words come first.
        assert timed.tokens > 3 and (timed.picture > timed.words) == (name == "words-first")


def test_a_finished_variant_is_kept_and_a_changed_one_is_not(work, monkeypatch, capsys):
    search, bases = _small()
    _train("layers-4", work)
    inputs, variant = inputs_of(work, bases), VARIANTS["layers-4"]
    path = searching.result_path(search, work, variant)
    assert not run_variant(search, bases, variant, inputs, work, work, deadline=0.0) and not path.exists()
    assert run_variant(search, bases, variant, inputs, work, work)
    found = json.loads(path.read_text())
    assert found["overrides"] == {"align": {"layers": 4}, "rsft": {"layers": 4}} and found["latency"]["1"]["picture"] > 0
    assert found["bytes"] > 10_000 and found["imageTokens"] == 17 and found["parameters"] > 100_000
    for task in ("auto", "style", "param"):
        figures = found["tasks"][task]
        assert np.isfinite(figures["psnr"]) and figures["words"] > 0 and 0 <= figures["wellFormed"] <= 1
        assert set(figures["firstRight"]) == set(figures["agreement"]) == {"light", "globalColor", "specificColor"}
    assert [k.split()[1] for k in found["seconds"]] == ["tone", "retell", "effect", "align"]
    judged: list[Path] = []
    monkeypatch.setattr(searching, "judge_candidate", lambda checkpoint, *_: judged.append(checkpoint) or {"tasks": {}})
    stamp = path.read_bytes()
    assert run_variant(search, bases, variant, inputs, work, work)
    assert not judged and path.read_bytes() == stamp and "finished before" in capsys.readouterr().out
    # Judged by another rule it is judged again, but not trained again: the checkpoint is the same.
    assert run_variant({**search, "judge": {**search["judge"], "count": 1}}, bases, variant, inputs, work, work)
    assert judged == [work / found["checkpoint"]]
    path.write_bytes(stamp)
    # Timed anew, it keeps all other figures, and counts as finished as before.
    monkeypatch.setattr(searching, "time_candidate", lambda *_: {"latency": {"1": {"picture": 7.0, "words": None}}, "load": 0.0})
    searching.retime(search, work)
    assert json.loads(path.read_text()) == found | {"latency": {"1": {"picture": 7.0, "words": None}}, "load": 0.0}
    assert run_variant(search, bases, variant, inputs, work, work) and len(judged) == 1
    monkeypatch.undo()
    searching.retime(search, work)
    assert 0 < json.loads(path.read_text())["latency"]["1"]["picture"] < 7
    path.write_bytes(stamp)


def test_without_alignment_variants_are_perceptions_alone(work, tmp_path, capsys):
    search, bases = _small()
    search = {**search, "name": "seen", "budget": {**search["budget"], "align": {"steps": 0}}, "variants": [
        {"name": "one"}, {"name": "other", "seed": 7, "note": "another seed", "tone": {"harm_weight": 5.0}},
    ]}  # fmt: skip
    inputs = inputs_of(work, bases)
    for variant in read_variants(search):
        assert [j.kind for j in jobs_of(search, bases, variant, inputs)] == ["tone"]
        assert run_variant(search, bases, variant, inputs, work, work)
    found = searching.collect(search, work)
    assert found["one"]["perception"] != found["other"]["perception"] and found["one"]["perception"]["auto_direct"] > 0
    capsys.readouterr()
    searching.write_plot(search, work, tmp_path)
    head, _, *lines = (tmp_path / "seen.md").read_text().splitlines()
    assert len(lines) == 2 and len({line.count(" | ") for line in (head, *lines)}) == 1
    assert f"| {found['other']['perception']['param_tokens']:.2f} |" in lines[1] and "another seed" in lines[1]
    assert capsys.readouterr().out.splitlines()[0] == head


def test_a_stage_by_the_clock_begins_anew_and_one_by_steps_goes_on(work, monkeypatch):
    search, bases = _small()
    job = jobs_of(search, bases, VARIANTS["base"], {})[0]
    held: list[bool] = []
    monkeypatch.setattr(tone, "train", lambda config, *_: held.append((work / config["name"] / "half").exists()))
    for minutes in (0.0, 1.0):
        part = dataclasses.replace(job, folder=f"clock-{minutes}", config={**job.config, "name": f"clock-{minutes}"}, minutes=minutes)
        (work / part.folder).mkdir()
        (work / part.folder / "half").touch()
        run_job(part, work, work)
        run_job(part, work, work)
        assert (work / part.marker).exists()
    assert held == [True, False]


def test_one_variant_that_fails_does_not_cost_the_others(work, tmp_path, monkeypatch):
    for stage in BASES:
        (tmp_path / f"{stage}.toml").write_bytes((CONFIGS / f"{stage}.toml").read_bytes())
    (tmp_path / "search.toml").write_bytes((CONFIGS / "search.toml").read_bytes())
    seen: list[str] = []

    def run(search, bases, variant, *_):
        seen.append(variant.name)
        if variant.name == "layers-4":
            raise ValueError("cannot be trained")
        return variant.name != "tone-only"

    monkeypatch.setattr(searching, "run_variant", run)
    assert search_all(tmp_path / "search.toml", work, work, "cpu", 1.0) == ["layers-4"]
    # Time was up in tone-only.
    assert seen == ["base", "layers-4", "layers-12", "tone-only"]
    with pytest.raises(SearchError, match="no effect.toml"):
        (tmp_path / "effect.toml").unlink()
        search_all(tmp_path / "search.toml", work, work, "cpu", 0.0)


def _figures(psnr: float, picture: float, words: float | None, agreed: float = 0.9, own: bool = False) -> dict:
    spoken = {} if words is None else {
        "agreement": dict.fromkeys(("light", "globalColor", "specificColor"), agreed), "wellFormed": 1.0, "words": 0.3,
        "firstRight": dict.fromkeys(("light", "globalColor", "specificColor"), 0.5),
        "claims": {"light": 12, "globalColor": 9, "specificColor": 0},
    }  # fmt: skip
    return {
        "tasks": {task: {"psnr": psnr, "nothing": 20.0, **spoken} for task in ("auto", "style", "param")}, "imageTokens": 17,
        "overrides": {"renderer": {"latent": 32}} if own else {}, "parameters": 62_000_000, "bytes": 61_000_000, "note": "n", "trainedSeconds": 90.0,
        "latency": {"1": {"picture": picture, "words": words, "tokens": 90}},
    }  # fmt: skip


def test_the_front_is_what_nothing_beats():
    points = [Point("a", 1, 10), Point("b", 2, 12), Point("c", 2, 11), Point("d", 3, 12), Point("e", 0.5, 3), Point("f", 9, 13)]
    assert [p.name for p in front(points)] == ["e", "a", "b", "f"]
    # Equals do not beat each other.
    assert [p.name for p in front([Point("x", 1, 1), Point("y", 1, 1)])] == ["x", "y"]
    assert ticks(0.13, 0.58) == [0.2, 0.3, 0.4, 0.5] and ticks(27.9, 33.4, 5) == [28, 29, 30, 31, 32, 33]


def test_the_plot_and_the_table_show_every_finished_variant(tmp_path):
    search = {**SEARCH, "judge": {"threads": [1]}}
    with pytest.raises(SearchError, match="No variant of search is finished"):
        collect(search, tmp_path)
    shown = {"no-words": _figures(29.0, 0.05, None), "base": _figures(30.0, 0.06, 2.0), "layers-12": _figures(29.9, 0.08, 3.0, 0.95)}
    # What nothing was claimed of counts neither for nor against it.
    shown["base"]["tasks"]["auto"]["agreement"]["specificColor"] = 0.0
    assert mean_agreement(shown["base"]) == pytest.approx(0.9)
    # With a stage 1 of its own: better than all, and yet on a front of its own only.
    shown["latent-32"] = _figures(35.0, 0.01, 0.5, 0.99, own=True)
    for name, one in shown.items():
        write_json(tmp_path / "search" / "variants" / f"{name}.json", one)
    found = collect(search, tmp_path)
    assert list(found) == ["base", "layers-12", "no-words", "latent-32"]  # The order of the configuration.
    write_plot(search, tmp_path, tmp_path / "out")
    image = Image.open(tmp_path / "out" / "search.png")
    assert image.size == plot(found, "1").size == (1520, 1240)
    rows = {line.split(" | ")[0].strip("| "): line for line in (tmp_path / "out" / "search.md").read_text().splitlines()[2:6]}
    assert set(rows) == set(found)
    assert "| picture, words |" in rows["latent-32"] and "| picture, words |" in rows["base"] and "| words |" in rows["layers-12"] and "| - | picture |" in rows["no-words"]
    alone = plot({"no-words": shown["no-words"]}, "1")
    assert alone.size == (760, 620) and "| auto | no-words | 29.00 | 20.00 | - | - | - | - | - |" in table({"no-words": shown["no-words"]}, ["1"])
