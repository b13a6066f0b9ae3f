"""Measured effects and the instructions composed from them."""

import random
import re

import pytest
import torch

torch.set_num_threads(1)

from veraretouch.data import effects, files, instructions, looks
from veraretouch.engine.params import INDEX


@pytest.fixture(scope="module")
def pixels():
    generator = torch.Generator().manual_seed(3)
    grey = torch.rand(1500, 1, generator=generator)
    return (grey + 0.15 * torch.randn(1500, 3, generator=generator)).clamp(0, 1)


def words(pixels, change) -> list[str]:
    return effects.effect_words(effects.measure_effect(pixels, change(pixels)))


def test_words_follow_the_pixels(pixels):
    assert words(pixels, lambda x: x) == []
    assert words(pixels, lambda x: x * 0.6)[0] == "much darker"
    assert any("brighter" in w for w in words(pixels, lambda x: x**0.7))
    assert "much warmer" in words(pixels, lambda x: x * torch.tensor([1.0, 0.92, 0.7]))
    assert any("cooler" in w for w in words(pixels, lambda x: x * torch.tensor([0.8, 0.93, 1.0])))
    assert any("faded" in w for w in words(pixels, lambda x: 0.2 + 0.7 * x))
    luma = lambda x: (x @ torch.tensor([0.3, 0.6, 0.1]))[:, None].expand(-1, 3)
    assert words(pixels, luma)[0] == "black and white"
    assert "monochrome" in words(pixels, lambda x: luma(x) * torch.tensor([1.0, 0.8, 0.6]))[0]
    assert any("muted" in w for w in words(pixels, lambda x: 0.5 * x + 0.5 * luma(x)))
    assert any("contrasty" in w for w in words(pixels, lambda x: (0.5 + 1.3 * (x - 0.5)).clamp(0, 1)))


def test_measuring_refuses_wrong_shapes(pixels):
    with pytest.raises(files.DataError):
        effects.measure_effect(pixels, pixels[:10])


def look(name="Kodak Portra 400", category="Color-Negative", description="") -> looks.Look:
    params = torch.zeros(38)
    params[INDEX["IncrementalTemperature"]] = 0.4
    return looks.Look("preset", f"preset/{name}", name, category, description, looks.family_of(name), params=params)


@pytest.fixture(scope="module")
def warm(pixels):
    return effects.measure_effect(pixels, looks.apply_look(pixels, look()))


def test_instructions_are_many_short_and_unseen_ones_differ(warm):
    made = instructions.style_instructions(look(description="Warm skin tones, soft golden light, heavy grain"), warm)
    assert 6 <= len(made["seen"]) <= instructions.MAX_SEEN and made["unseen"]
    assert not set(made["seen"]) & set(made["unseen"])
    assert all(len(t.split()) <= instructions.MAX_WORDS for t in made["seen"] + made["unseen"])
    assert made == instructions.style_instructions(
        look(description="Warm skin tones, soft golden light, heavy grain"), warm
    )
    text = " ".join(made["seen"] + made["unseen"])
    assert "Portra" in text and "warmer" in text and "grain" not in text and "{" not in text


def test_clauses_keep_to_what_is_done_and_true(warm):
    kept = instructions.clauses_of(
        "Warm golden skin tones, icy blue shadows, heavy film grain, 1970s colours, Invented in Rochester; deep vignette",
        warm,
    )
    assert kept == ["warm golden skin tones"]


def test_names_lose_variant_marks_and_figures_are_not_promised(warm):
    assert instructions.spoken_name(look("Kodak Portra 400 +2")) == "Kodak Portra 400"
    assert instructions.spoken_name(look("Velvia 50 Video")) == "Velvia 50"
    assert instructions.spoken_name(look("Cross Process E6→C41")) == "Cross Process E6 to C41"
    made = instructions.style_instructions(look("Beach", "Seasonal", "Exposure up by 0.7 EV, bright sun, 5500 K"), warm)
    assert not any(re.search(r"\d", t) for t in made["seen"] + made["unseen"])


def test_variants_name_the_measured_difference(pixels, warm):
    darker = effects.measure_effect(pixels, looks.apply_look(pixels, look()) * 0.8)
    assert instructions.difference_words(darker, warm)[0] == "darker"
    made = instructions.style_instructions(look("Kodak Portra 400 -1"), darker, base=warm)
    assert any("Kodak Portra 400, but darker" in t for t in made["seen"])


def test_effect_instruction_for_any_edit(pixels, warm):
    made = {instructions.effect_instruction(warm, random.Random(seed)) for seed in range(20)}
    assert len(made) > 5 and any("warmer" in text for text in made)
    assert effects.effect_words(warm) == ["yellow in the highlights", "warmer"]
    assert all("yellow in the highlights" in text for text in made) and any("less cool" in text for text in made)
    assert not made & {instructions.effect_instruction(warm, random.Random(seed), unseen=True) for seed in range(20)}
    same = effects.measure_effect(pixels, pixels)
    assert instructions.effect_instruction(same, random.Random(1)) is None


def test_degrees_are_said_in_other_words_of_the_same_degree():
    rng = random.Random(1)
    made = {tuple(instructions.reworded(["much darker", "a little warmer"], rng)) for _ in range(200)}
    assert len(made) > 20
    for words in made:
        light, temperature = sorted(words, key=lambda w: "warm" in w or "cool" in w)
        assert re.fullmatch(r"(much|a lot|far|way|so much) (darker|less bright)", light), words
        assert re.fullmatch(r"(a little|a touch|slightly|a bit|somewhat|a tad) (warmer|less cool)", temperature), words
    assert instructions.reworded(["black and white"], rng) == ["black and white"]


def test_what_is_held_back_is_measured(pixels):
    def kept(change) -> list[str]:
        return instructions.kept_clauses(effects.measure_effect(pixels, change(pixels)))

    assert "but not too warm" in kept(lambda x: x * torch.tensor([1.0, 0.99, 0.95]))
    assert "but not too warm" not in kept(lambda x: x * torch.tensor([1.0, 0.92, 0.7]))
    assert "without a colour cast" not in kept(lambda x: x * torch.tensor([1.0, 0.92, 0.7]))
    brighter = kept(lambda x: x**0.7)
    assert "same brightness please" not in brighter and "but not too bright" not in brighter
    luma = lambda x: (x @ torch.tensor([0.3, 0.6, 0.1]))[:, None].expand(-1, 3)
    assert not any("colour" in text for text in kept(luma))
    # Coloured highlights are no colours left alone, though the mean cast is none.
    split = lambda x: (x + torch.where(x.mean(1, keepdim=True) > 0.5, 1.0, -1.0) * torch.tensor([0.03, 0.0, -0.06])).clamp(0, 1)
    assert not any("colour" in text or "white balance" in text for text in kept(split))


def test_build_covers_every_look_and_joins_variants_to_their_base(pixels, monkeypatch):
    plain = look("Stock")
    strong = looks.Look("preset", "preset/s", "Stock +1", "Color-Negative", "", "stock", params=look().params * 2)
    monkeypatch.setattr(instructions, "load_looks", lambda data: [plain, strong])
    photos = (pixels[:1024].view(1, 32, 32, 3) * 255).to(torch.uint8)
    table = instructions.build(None, photos)
    assert set(table) == {plain.key, strong.key}
    assert any("but" in t and "warmer" in t for t in table["preset/s"]["seen"])
    assert table[plain.key]["words"] and table[plain.key]["effect"]["warmth"] > 0
