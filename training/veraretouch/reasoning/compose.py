"""The reasoning of one training answer, composed from pixels before and after.

Which claims are made follows from the measurement alone (see axes.claims); only the wording is drawn at random, so a
model that sees the same change always learns the same claims.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

import torch

from .axes import FACTORS, LEAVE, MOST_CLAIMS, Claim, claims, refutes
from .errors import ReasoningError
from .measure import Change, Pixels, Stats, change, stats
from .parameters import announced, is_set, parameter_values
from .problems import auto_problem, band_named, style_problem
from .scene import elements_text
from .sentences import GIVEN_WORDING, LEAVE_WORDING, UNSET_WORDING, about
from .wording import (
    PLURAL,
    SIZES,
    WORDING,
    neighbour,
)

MODES = ("auto", "style", "param")
FIELDS = ("elements", *(f"problems.{f}" for f in FACTORS), *(f"plan.{f}" for f in FACTORS))
MOST_WORDS = 16
_TRIES = 6
# What a perception of a few tokens renders is told in its largest changes: a third one is seldom clear.
RETOLD_CLAIMS = 2
ELSEWHERE = 8
_ZONES = ("highlights", "shadows", "whites", "blacks", "lights", "darks")


class Plain(random.Random):
    """Draws the first of everything: the same claim is always said in the same words, whatever stands beside it."""

    def choice(self, seq):
        return seq[0]

    def random(self) -> float:
        return 0.0


def compose(
    before: torch.Tensor,
    after: torch.Tensor,
    rng: random.Random,
    elements: list[str],
    mode: str,
    instruction: str | None = None,
    params: Mapping[str, float] | Sequence[float] | None = None,
    clear: float = 1.0,
) -> dict[str, str]:
    """Text of the seven answer fields (keys FIELDS) for one retouch.

    before, after: the same pixels, [N, 3] sRGB in [0, 1]; elements: names of what is seen, may be empty;
    mode: auto, style or param; params (param mode): 38 values in [-1, 1] by name or in order. The instruction of
    style mode is not quoted: what is said comes from pixels only. Param mode leaves elements and problems empty.
    clear: how clear a change must be to be claimed (see axes.claims).
    Raises ReasoningError for an unknown mode, bad pixels or bad parameters.
    """
    if mode not in MODES:
        raise ReasoningError(f"unknown mode {mode!r}; one of {', '.join(MODES)}")
    if (mode == "param") != (params is not None):
        raise ReasoningError("parameters belong to param mode, and param mode needs them")
    p = Pixels(before)
    measured = change(p, Pixels(after))
    described = None if mode == "param" else stats(p)
    return compose_measured(described, measured, rng, elements, mode, params, clear)


def compose_measured(
    described: Stats | None,
    measured: Change,
    rng: random.Random,
    elements: list[str],
    mode: str,
    params: Mapping[str, float] | Sequence[float] | None = None,
    clear: float = 1.0,
    elsewhere: Sequence[Change] = (),
) -> dict[str, str]:
    """`compose` for a photo (not needed in param mode) and a change that were measured before.

    elsewhere (param mode): what the same sliders do to other photos. A plan of sliders is written without sight of the photo,
    so what only holds on this one cannot be foreseen: claims that more than one photo in ELSEWHERE refutes are left out.
    """
    fields = dict.fromkeys(FIELDS, "")
    if params is not None:
        values = parameter_values(params)
        for factor in FACTORS:
            fields[f"plan.{factor}"] = _capital(_param_plan(values, measured, factor, rng, clear, elsewhere))
        return fields
    fields["elements"] = _capital(elements_text(described, elements, rng))
    for factor in FACTORS:
        planned = claims(measured, factor, clear)
        if clear > 1.0:
            planned = planned[:RETOLD_CLAIMS]
        if mode == "auto":
            problem = auto_problem(described, planned, measured, factor, rng)
        else:
            problem = style_problem(described, planned, factor, rng)
        fields[f"problems.{factor}"] = _capital(problem)
        band = band_named(planned, described, factor)
        fields[f"plan.{factor}"] = _capital(plan_text(planned, measured, factor, rng, band))
    return fields


def plan_text(planned: list[Claim], measured: Change, factor: str, rng: random.Random, band: str = "") -> str:
    """One wording of a plan; `band`: the hue band that a plan to leave specific colors as they are is about. Of several draws the first within MOST_WORDS is taken, else the shortest."""
    if planned == [LEAVE]:
        return about(rng.choice(LEAVE_WORDING), factor, band)
    best = ""
    for _ in range(_TRIES):
        parts = [_clause(claim, measured, rng) for claim in planned]
        text = parts[0]
        if len(parts) > 1:
            text = ", ".join(parts[:-1]) + rng.choice((" and ", ", then ", ", ")) + parts[-1]
        if not best or len(text.split()) < len(best.split()):
            best = text
        if len(best.split()) <= MOST_WORDS:
            break
    return best


def _clause(claim: Claim, measured: Change, rng: random.Random) -> str:
    kind, _, band = claim.axis.partition(".")
    variant = ""
    if kind in _ZONES and not band:
        # Recovering highlights in a brightened photo may leave them brighter than they were: then they are held back.
        steps = {"highlights": measured.highlights_step, "shadows": measured.shadows_step}
        variant = "step" if steps.get(kind, claim.direction) * claim.direction > 0 else "hold"
    verbs, objects = rng.choice(WORDING[f"band {kind}" if band else kind, claim.direction, variant])
    thing = rng.choice(objects)
    if band:
        thing = thing.format(band=PLURAL[band])
    verb = rng.choice(verbs)
    text = verb.replace("{}", thing)
    if "{next}" in verb:
        text = verb.replace("{}", thing).replace("{next}", neighbour(band, claim.direction))
    if claim.magnitude is None:
        return text
    first, last, comparative = SIZES[claim.magnitude]
    if "~" in text:
        return text.replace("~", rng.choice(comparative) + " ")
    return f"{rng.choice(first)} {text}" if rng.random() < 0.5 else f"{text} {rng.choice(last)}"


def _param_plan(
    values: Mapping[str, float], measured: Change, factor: str, rng: random.Random, clear: float, elsewhere: Sequence[Change]
) -> str:
    """The sliders' own claims, without those that these pixels refute because another slider outdoes them."""
    if not is_set(values, factor):
        return about(rng.choice(UNSET_WORDING), factor)
    shown = []
    for claim in announced(values, factor):
        if claim.axis == "saturation" and measured.monochrome:
            claim = Claim("monochrome", 1)
        against = sum(refutes(claim, other) for other in elsewhere)
        if not refutes(claim, measured) and against * ELSEWHERE <= len(elsewhere):
            shown.append(claim)
    if not shown:
        return about(rng.choice(GIVEN_WORDING), factor)
    # Which slider comes third is seldom clear, and seldom of interest.
    most = MOST_CLAIMS[factor] if clear == 1.0 else RETOLD_CLAIMS
    return plan_text(shown[:most], measured, factor, rng)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
