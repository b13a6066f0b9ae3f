"""The key elements of a photo: names where somebody knows them, else its main tones as measured."""

from __future__ import annotations

import random

from .measure import BANDS, Stats

MOST_ELEMENTS = 5
_SHAPES = (
    "mostly {colours} tones, {light}",
    "{colours} tones, {light}",
    "a scene in {colours}, {light}",
    "mainly {colours}, {light}",
    "a {light} scene, mostly {colours}",
    "a {light} picture in {colours}",
    "a {light} frame with {colours} tones",
    "{colours} areas, {light}",
)


def _tones(stats: Stats) -> list[str]:
    """Names of the main tones, largest share first."""
    shares: dict[str, float] = {}
    coloured = 0.0
    for name, band in zip(BANDS, stats.bands, strict=True):
        coloured += band.share_of_all
        brown = name in ("red", "orange") and band.lightness < 50 and band.chroma < 45
        tone = "brown" if brown else "beige" if name == "orange" and band.chroma < 25 else name
        shares[tone] = shares.get(tone, 0.0) + band.share_of_all
    grey = "white" if stats.p25 > 75 else "black" if stats.p75 < 20 else "gray"
    shares[grey] = 1.0 - coloured
    ranked = sorted(shares.items(), key=lambda item: -item[1])
    return [tone for i, (tone, share) in enumerate(ranked[:2]) if i == 0 or share >= 0.15]


def _light(stats: Stats) -> str:
    if stats.p98 - stats.p2 > 85 and stats.std > 28:
        return "contrasty"
    return "dark" if stats.median < 32 else "bright" if stats.median > 64 else "mid-toned"


def elements_text(stats: Stats, elements: list[str], rng: random.Random) -> str:
    """'a dog, grass' from known names (blank ones skipped, at most five), else main tones and light of the pixels."""
    known = [name.strip() for name in elements if name.strip()]
    if known:
        return ", ".join(known[:MOST_ELEMENTS])
    return rng.choice(_SHAPES).format(colours=" and ".join(_tones(stats)), light=_light(stats))
