"""Rewards stay in their ranges and mean what they say."""

import numpy as np
import pytest
import torch
from rl_parts import MeanLevel, tiny_run

from veraretouch.data.files import DataError
from veraretouch.eval.compare import COLUMNS, checkpoint_path, table_of
from veraretouch.export.answer import GenerationResult
from veraretouch.train.guard import answers_judged, summarise
from veraretouch.train.rewards import (
    COMPONENTS,
    Judge,
    agreement_score,
    format_score,
    histogram_cosine,
    statistics,
    worths,
)
from veraretouch.train.rollout import draw

torch.set_num_threads(1)


def _answer(light: str, colour: str = "Leave the colors as they are", cut: bool = False) -> GenerationResult:
    fields = {"plan.light": light, "plan.globalColor": colour, "plan.specificColor": "Leave single colors as they are"}
    return GenerationResult(fields, [1, 2, 3], np.zeros((3, 4), np.float32), not cut)


def _greys(low: float, high: float) -> torch.Tensor:
    return torch.linspace(low, high, 512)[:, None].repeat(1, 3)


@pytest.mark.parametrize("task", ["auto", "style", "param"])
def test_components_are_in_range(tmp_path, task):
    tiny = tiny_run(tmp_path)
    rollouts = draw(tiny.model, tiny.dialogue, tiny.shards, tiny.shards.rows(task)[:2], 3, 2.0, 1.0, [3])
    judge = Judge(tiny.renderer, tiny.shards, MeanLevel(), "cpu", 40, 20)
    seen = judge(task, [r.row for r in rollouts], [r.result for r in rollouts], torch.stack([r.latents for r in rollouts]))
    assert set(COMPONENTS) - set(seen) == ({"aesthetic"} if task == "param" else set())
    for name in set(COMPONENTS) & set(seen):
        low, high = (-1, 0) if name == "overlong" else (0, 1)
        assert seen[name].shape == (6,) and float(seen[name].min()) >= low and float(seen[name].max()) <= high, name
    assert float(seen["overlong"].min()) < 0 and len(set(seen["similarity"].tolist())) > 3
    figures = summarise(answers_judged(tiny.model, tiny.dialogue, tiny.shards, judge, tiny.shards.rows(task), batch=4))
    assert ("wins" in figures) == (task != "param") and len(figures["chroma_spread"]) == 3


def test_histograms_tell_near_from_far():
    generator = torch.Generator().manual_seed(1)
    target = 0.3 + 0.4 * torch.rand(1, 800, 3, generator=generator)
    same, near, far = (histogram_cosine(x, target).item() for x in (target, target + 0.05, 1 - 0.2 * target))
    assert same == pytest.approx(1, abs=1e-5) and same > near > far >= 0
    # Places do not count, only which colours there are.
    assert histogram_cosine(target.flip(1), target).item() == pytest.approx(1, abs=1e-5)


def test_plans_are_held_against_pixels():
    dark, light = _greys(0.1, 0.5), _greys(0.2, 0.75)
    brighter, darker = _answer("Strongly raise the exposure"), _answer("Strongly lower the exposure")
    right, claims = agreement_score(brighter, dark, light, settings=False)
    wrong, _ = agreement_score(darker, dark, light, settings=False)
    assert claims == 3 and right == pytest.approx(1) and wrong == pytest.approx(2 / 3)
    empty = GenerationResult({"plan.light": "", "plan.globalColor": "", "plan.specificColor": ""}, [], np.zeros((3, 4)), True)
    assert agreement_score(empty, dark, light, settings=False) == (0.0, 0)


def test_format_counts_cut_sections_and_empty_plans():
    assert format_score(_answer("Raise the exposure")) == 1
    assert format_score(_answer("Raise the exposure", cut=True)) == 0.5
    assert format_score(_answer("", cut=False)) == pytest.approx(0.5 + 0.5 * 2 / 3)


def test_statistics_of_known_pictures():
    grey = torch.full((1, 10, 3), 0.5)
    red = torch.tensor([1.0, 0.0, 0.0]).expand(1, 10, 3)
    half = torch.cat((torch.zeros(1, 5, 3), torch.ones(1, 5, 3)), dim=1)
    a, b, c = statistics(grey), statistics(red), statistics(half)
    assert a["lightness"].item() == pytest.approx(53.4, abs=0.1) and a["chroma"].item() < 0.1 and a["clipped"] == 0
    assert b["chroma"].item() == pytest.approx(104.6, abs=0.5) and b["clipped"] == 1
    assert c["lightness"].item() == pytest.approx(50, abs=0.1) and c["contrast"].item() > 50


def test_checkpoints_stand_side_by_side(tmp_path):
    figures = {"psnr": 25.126, "nothing": 20.0, "well_formed": 1.0}
    table = table_of({"rsft": {"auto": figures, "param": figures}, "dapo": {"auto": figures | {"psnr": 26.0}, "param": figures}})
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()]
    assert [line[:3] for line in lines[2:4]] == [["auto", "rsft", "25.13"], ["auto", "dapo", "26.00"]]
    # Sliders come without a picture: what was not measured is no number.
    assert all(len(line) == len(COLUMNS) + 2 for line in lines) and lines[4][6] == "-"
    (tmp_path / "rsft").mkdir()
    (tmp_path / "rsft" / "last.pt").touch()
    assert checkpoint_path(tmp_path, "rsft") == checkpoint_path(tmp_path, str(tmp_path / "rsft" / "last.pt"))
    with pytest.raises(DataError, match="no checkpoint sft"):
        checkpoint_path(tmp_path, "sft")


def test_words_behind_the_picture_earn_their_own():
    seen = {"format": torch.tensor([1.0, 0.5]), "agreement": torch.tensor([0.0, 1.0]), "similarity": torch.tensor([0.9, 0.2])}
    weights = {"format": 2.0, "agreement": 1.0, "similarity": 10.0}
    assert worths(seen, weights, picture_first=True).tolist() == [[2.0, 2.0], [9.0, 2.0]]
    assert worths(seen, weights, picture_first=False).tolist() == [[11.0, 4.0], [11.0, 4.0]]
    # A task that pays for one kind alone.
    assert worths(seen, {"similarity": 10.0}, picture_first=True).tolist() == [[0.0, 0.0], [9.0, 2.0]]
    with pytest.raises(DataError):
        worths(seen, {"beauty": 1.0}, picture_first=True)
