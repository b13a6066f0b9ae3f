"""The report's machinery: targets judged both ways, a page that holds every part, missing pieces in words, named benches."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import torch

from veraretouch.data.files import DataError
from veraretouch.eval.benches import FILE, SETS, Benches, pack, save_benches, unpack
from veraretouch.eval.benches_draw import differences
from veraretouch.eval.latents_or_parameters import as_settings, best_known, train_probe
from veraretouch.eval.report.__main__ import NEEDS, PARTS, TOOLS, load_tools
from veraretouch.eval.report.html import page
from veraretouch.eval.report.pictures import COLUMNS, fill, measure
from veraretouch.eval.report.results import Column, Part, Sample, Table, figures
from veraretouch.eval.report.scaling import scaling
from veraretouch.eval.report.subject import grid, resized
from veraretouch.eval.report.targets import MET, MISSED, UNMEASURED, judge, shortfall, tally
from veraretouch.eval.report.words import complete, in_captions, most_repeated, named, sentences
from veraretouch.eval.report.worst import chosen, jpeg
from veraretouch.train.common import read_config

torch.set_num_threads(1)
CONFIG = Path(__file__).resolve().parents[1] / "configs" / "evaluation.toml"


def _figure(value, low, high, n=10, seeds=1):
    return {"value": value, "low": low, "high": high, "n": n, "seeds": [value] * seeds, "statistic": "mean"}


def test_targets_are_judged_both_ways():
    found = {"a": _figure(2.0, 1.5, 2.5), "b": _figure(0.04, 0.02, 0.08), "c": _figure(3.0, 2.9, 3.1, 10, 3)}
    rows = judge(
        [{"figure": "a", "least": 1.0}, {"figure": "a", "least": 1.9}, {"figure": "a", "least": 2.2}, {"figure": "a", "least": 3.0},
         {"figure": "b", "most": 0.1}, {"figure": "b", "most": 0.05}, {"figure": "b", "most": 0.03}, {"figure": "b", "most": 0.01},
         {"figure": "none", "least": 0.0}, {"figure": "a", "least": 1.0, "count": 11}, {"figure": "c", "least": 1.0, "seeds": 3}],
        found,
    )  # fmt: skip
    assert [r["verdict"] for r in rows] == [MET, MET, MISSED, MISSED] * 2 + [UNMEASURED, MET, MET]
    assert [r.get("sure") for r in rows[:8]] == [True, False, False, True] * 2
    assert shortfall(rows[9]) == "10 of the 11 samples asked for"
    assert shortfall(rows[10]) == shortfall(rows[8]) == ""
    assert tally(rows) == "5 met, 4 missed, 1 not measured, 1 measured with fewer samples or seeds than the target asks for"
    assert tally(rows[:1]) == "1 met, 0 missed, 0 not measured"
    with pytest.raises(DataError, match="either"):
        judge([{"figure": "a"}], found)


def test_every_target_of_the_configuration_names_a_cell_that_a_part_can_have():
    config = read_config(CONFIG)
    for target in config["target"]:
        part, row, _column = target["figure"].split(".")
        assert part in PARTS, target
        assert "least" in target or "most" in target
        assert row
    assert set(NEEDS) == set(PARTS)
    assert {need for needs in NEEDS.values() for need in needs} <= {*config["counts"], *TOOLS, "probe"}


class _Reader(HTMLParser):
    """Ids, links, text, and whether all that is opened is closed."""

    def __init__(self):
        super().__init__()
        self.ids, self.links, self.open, self.text = [], [], [], ""

    def handle_starttag(self, tag, attrs):
        told = dict(attrs)
        if "id" in told:
            self.ids.append(told["id"])
        if tag == "a":
            self.links.append(told["href"])
        assert tag not in ("script", "link"), "the page asks for something"
        if tag not in ("meta", "br", "img"):
            self.open.append(tag)
        elif tag == "img":
            assert told["src"].startswith("data:image/jpeg;base64,")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def _part(key):
    part = Part(key, f"Title of {key}", {"model": "this <model>"}, {"psnr": Column("PSNR", "dB"), "share": Column("share", "%", 1)})
    part.add("model", "psnr", [20.0, 22.0, 24.0])
    part.add("model", "share", [1.0, 0.0, 1.0], "share")
    part.notes, part.tables = ["A note & more"], [Table("Texts", ["one"], [["<b>"]])]
    return part


def test_the_page_holds_every_part_and_says_what_is_missing():
    parts = [_part(key) for key in PARTS] + [scaling([{"share": 5, "file": "no/such.json"}], Path("/nowhere"))]
    parts[1].missing = ["RawTherapee's automatic mode was not measured: rawtherapee-cli is not installed."]
    found = {k: v for p in parts for k, v in figures([p]).items()}
    judged = judge([{"figure": "auto.model.psnr", "least": 30.0, "what": "Auto"}, {"figure": "x.y.z", "least": 1, "what": "Nothing"}], found)
    worst = [{
        "part": "auto", "name": "auto 3", "photo": "p.jpg", "kind": "raw", "instruction": "warm & <soft>", "psnr": 12.0, "nothing": 15.0, "gain": -3.0,
        "fields": {"plan.light": "Lift it"}, "pictures": [jpeg(torch.rand(20, 30, 3))] * 3,
    }]  # fmt: skip
    html = page({"bundle": "tiny 1"}, parts, found, judged, worst, ["Night skies are brightened"])
    reader = _Reader()
    reader.feed(html)
    assert reader.open == []
    assert {link.removeprefix("#") for link in reader.links} <= set(reader.ids)
    assert {*PARTS, "scaling", "targets", "worst"} <= set(reader.ids)
    for words in ("0 met, 1 missed, 1 not measured", "≥ 30.00 dB", "22.00", "66.7", "rawtherapee-cli is not installed", "no/such.json does not exist",
                  "this <model>", "warm & <soft>", "Lift it", "Night skies", "-3.0 dB", "A note & more"):  # fmt: skip
        assert words in reader.text, words
    assert not re.search(r'(?:src|href)="(?!#|data:)', html)


def test_parts_survive_the_disk_and_seeds_are_put_together():
    part = _part("auto")
    part.samples.append(Sample("model", "fixed", [], "share", {"value": 0.9, "low": 0.8, "high": 1.0, "n": 7}))
    again = Part.from_json(json.loads(json.dumps(part.as_json())))
    assert again == part
    second = _part("auto")
    second.samples[0].values = [30.0, 32.0, 34.0]
    found = figures([part, second])
    assert found["auto.model.psnr"]["value"] == 27.0
    assert found["auto.model.psnr"]["seeds"] == [22.0, 32.0]
    # The second seed lacks it.
    assert "auto.model.fixed" not in found
    assert figures([part])["auto.model.fixed"]["n"] == 7


def test_measures_of_a_picture_by_hand():
    before, target = torch.full((40, 40, 3), 0.4), torch.full((40, 40, 3), 0.5)
    tools = {"preference": lambda x: x.mean((1, 2, 3))}
    found = measure(target + 0.01, target, before, tools, True)
    assert found["psnr"] == pytest.approx(40, abs=1e-3)
    assert found["gain"] == pytest.approx(20, abs=1e-3)
    assert (found["overEdited"], found["preferred"]) == (0, 1)
    assert measure(before - 0.1, target, before, tools, True)["overEdited"] == 1
    assert measure(target, target, before, tools, True)["psnr"] == 50
    part = Part("auto", "", columns=COLUMNS)
    fill(part, "nothing", [found, found])
    assert not {s.column for s in part.samples} & {"gain", "preferred", "overEdited", "stLpips"}


def test_sentences_are_split_by_section_and_full_stop():
    first = {"elements": "People, sky", "plan.light": "Lift the shadows. Keep 2.5 stops, more.", "plan.globalColor": "Leave as is"}
    assert sentences(first) == {"lift the shadows", "keep 2.5 stops, more", "leave as is"}
    assert sentences({"plan.light": "Raise it by 12. Leave as is. L 2.5."}) == {"raise it by 12", "leave as is", "l 2.5"}
    common = most_repeated([first, {"plan.light": "Leave as is. Leave as is."}, {"plan.light": ""}])
    assert common[0] == ("leave as is", 2)


def test_names_in_answers_and_captions():
    names = {"dog", "people", "grass", "orange", "hot dog", "tree"}
    assert named("A dog, people and grass", names) == ["dog", "people", "grass"]
    assert named("Two brown dogs, a hot dog", names) == ["dog", "hot dog"]
    assert named("Mostly orange and gray tones, dark", names) == []
    # No list knows it, but it was said.
    assert named("Dog, a living room", names) == ["dog", "room"]
    assert named("Hot dogs, the hot dog", names) == ["hot dog"]
    assert named("Dog, , and .", names) == ["dog"]
    captions = ["a man and two puppies run", "a brown doggy"]
    assert in_captions("dog", captions, {"dog": ["puppies"]})
    assert not in_captions("dog", captions, {})
    assert in_captions("bench", ["two benches"], {})


class _Answer:
    def __init__(self, fields, well_formed=True, latents=(0.0,)):
        self.fields, self.well_formed, self.latents = fields, well_formed, np.array(latents)


def test_what_counts_as_well_formed():
    whole = {f"{p}.{f}": "x" for p in ("problems", "plan") for f in ("light", "globalColor", "specificColor")} | {"elements": "x"}
    assert complete(_Answer(whole), "auto")
    assert not complete(_Answer(whole | {"elements": " "}), "auto")
    assert complete(_Answer({k: v for k, v in whole.items() if k.startswith("plan")}), "param")
    assert not complete(_Answer(whole, well_formed=False), "auto")
    assert not complete(_Answer(whole, latents=(np.nan,)), "auto")


def test_missing_tools_are_said_in_words(tmp_path):
    tools, identity, missing = load_tools({"preference": "preference/last.pt"}, tmp_path)
    assert set(tools) == {"stLpips"}
    assert identity["preference"] == ""
    assert "preference/last.pt is not in the work folder" in missing["preference"]


def test_scaling_reads_all_kinds_of_file(tmp_path):
    old = {"fivekDevelopment": {"psnr": {"model": {"all": 24.82, "fivek_uegan": 21.65}}}, "param": {"model": {"mean": 43.9}}}
    new = {"figures": {"fivek.model.psnr": {"value": 26.5}, "style.model.psnr": {"value": 25.0}}}
    (tmp_path / "a.json").write_text(json.dumps(old))
    (tmp_path / "b.json").write_text(json.dumps(new))
    variant = {"name": "share-50", "perception": {"fivek_all": 25.1, "fivek_uegan": 22.0, "auto_tokens": 28.2, "param_tokens": 44.8}}
    (tmp_path / "v.json").write_text(json.dumps(variant))
    runs = [(5, "a.json"), (20, "b.json"), (50, "v.json"), (100, "c.json")]
    part = scaling([{"share": share, "file": file} for share, file in runs], tmp_path)
    assert part.tables[0].rows[0][:3] == ["5 %", "24.82", "21.65"]
    assert part.tables[0].rows[1][1:5] == ["26.50", "-", "-", "25.00"]
    assert part.tables[0].rows[2][1:6] == ["25.10", "22.00", "28.20", "-", "44.80"]
    assert part.missing == ["No run on 100 % of the examples yet: c.json does not exist."]
    (tmp_path / "c.json").write_text("{")
    with pytest.raises(DataError, match="cannot be read"):
        scaling([{"share": 100, "file": "c.json"}], tmp_path)


def test_worst_cases_come_first():
    parts = [Part("auto", "", cases=[{"gain": 1.0}, {"gain": -5.0}]), Part("style", "", cases=[{"gain": -1.0}])]
    assert [c["gain"] for c in chosen(parts, 2)] == [-5.0, -1.0]


def _benches(tmp_path, side=16):
    """A table with one entry a set, and a cache of two photos."""
    photos = torch.randint(0, 256, (2, side, side, 3), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)
    np.save(tmp_path / "photos.npy", photos.numpy())
    (tmp_path / "photos.json").write_text(json.dumps({"a.jpg": ["test", "open"], "b.jpg": ["test", "open"]}))
    lut = torch.rand(9, 9, 9, 3, generator=torch.Generator().manual_seed(2))
    settings = [0] * 38
    settings[0] = 20
    table = {
        "version": 1, "auto": [{"photo": "a.jpg", "kind": "raw", "params": [10 * v for v in settings]}, {"photo": "b.jpg", "kind": "inverse", "lut": pack(lut)}],
        "style": [], "param": [{"photo": "b.jpg", "params": settings}], "masks": [0], "elements": ["x.jpg"], "prompts": ["a.jpg"],
        "reference": [{"photo": "a.jpg", "other": "b.jpg", "params": settings}],
    }  # fmt: skip
    save_benches(table, tmp_path / "benches.json")
    return table, photos, lut


def test_benches_say_what_to_do_from_data_alone(tmp_path):
    table, photos, lut = _benches(tmp_path)
    assert (unpack(pack(lut)) - lut).abs().max() <= 0.5 / 255 + 1e-6
    benches = Benches(tmp_path, tmp_path, tmp_path / "benches.json")
    assert benches.verify()["param"] == 1
    brighter = benches.auto(0)
    assert torch.equal(brighter.target, photos[0].float() / 255)
    assert brighter.before.mean() > brighter.target.mean() + 0.05
    assert brighter.picture.dtype == torch.uint8
    # Exposure by one stop, from the same number in param and reference.
    rgb = torch.tensor([[0.2, 0.3, 0.4]])
    assert benches.operation(table["reference"][0])(rgb).gt(rgb + 0.05).all()
    assert benches.param(0).params[0] == pytest.approx(0.2)
    table["auto"][0]["photo"] = "gone.jpg"
    save_benches(table, tmp_path / "benches.json")
    with pytest.raises(DataError, match="gone.jpg"):
        Benches(tmp_path, tmp_path, tmp_path / "benches.json").auto(0)
    del table["style"]
    save_benches(table, tmp_path / "benches.json")
    with pytest.raises(DataError, match="lacks the set 'style'"):
        Benches(tmp_path, tmp_path, tmp_path / "benches.json")
    with pytest.raises(DataError, match="cannot be read"):
        unpack("AAAA")


def test_another_drawing_is_compared_entry_by_entry(tmp_path):
    table, _, lut = _benches(tmp_path)
    again = json.loads(json.dumps(table))
    again["auto"][1]["lut"] = pack((lut + 1.2 / 255).clamp(0, 1))
    assert differences(table, again) == []
    again["auto"][1]["lut"] = pack(lut.flip(0))
    again["param"][0]["params"][3] = 1
    again["masks"] = []
    assert [line.split()[0] + line.split()[1] for line in differences(table, again)] == ["auto1:", "param0:", "masks:1"]


def test_the_committed_sets_are_whole():
    table = json.loads(FILE.read_text())
    assert {name: len(table[name]) for name in SETS} == {
        "auto": 200, "style": 200, "param": 1000, "masks": 200, "reference": 200, "elements": 200, "prompts": 8
    }  # fmt: skip
    for number in table["masks"]:
        params = table["param"][number]["params"]
        assert any(params[:10]) and any(params[10:14]) and any(params[14:])
    assert all(len(e["params"]) == 38 for e in table["param"])
    split = json.loads((FILE.parent / "split.json").read_text())["test"]
    known = {name for names in split.values() for name in names}
    used = {e["photo"] for name in ("auto", "style", "param", "reference") for e in table[name]} | set(table["prompts"])
    assert used <= known
    unseen = set(json.loads((FILE.parent / "looks_split.json").read_text())["unseen"])
    assert {e["look"] for e in table["style"]} | {e["look"] for e in table["reference"] if "look" in e} <= unseen


def test_grid_and_resizing():
    picture = torch.arange(8 * 8 * 3).view(8, 8, 3).float() / 192
    assert grid(picture).shape == (4, 3)
    assert torch.equal(grid(picture)[1], picture[0, 4])
    assert torch.allclose(resized(picture, 4)[:, 0, 0], picture[:2, :2].mean((0, 1)))
    assert resized(picture, 16).shape == (3, 16, 16)


def test_a_probe_learns_settings_from_tokens_that_tell_them():
    generator = torch.Generator().manual_seed(4)
    tokens = torch.randn(80, 6, generator=generator)
    rgb = torch.rand(80, 12, 3, generator=generator) * 0.6 + 0.1
    rgb[:, :2] = torch.tensor([[0.0], [1.0]])
    said = torch.zeros(80, 38)
    said[:, 0] = 0.15 * torch.tanh(tokens[:, 0])
    after = as_settings(torch.atanh(said), rgb)
    probe, score = train_probe(tokens, rgb, after, 38, as_settings, 40, 1)
    nothing = -10 * (after[-8:] - rgb[-8:]).square().mean((1, 2)).log10().mean().item()
    assert score > nothing + 3
    assert score == pytest.approx(-10 * (as_settings(probe(tokens[-8:]), rgb[-8:]) - after[-8:]).square().mean((1, 2)).log10().mean().item(), abs=0.5)
    known = best_known(rgb[:3], after[:3], torch.full((3, 38), 1e-3), as_settings, 40)
    left, missed = ((x - after[:3]).square().mean() for x in (as_settings(known, rgb[:3]), rgb[:3]))
    assert left < missed / 10
