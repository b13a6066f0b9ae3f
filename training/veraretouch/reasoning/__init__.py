"""Reasoning text derived from measured pixels, and the check of a plan against them.

compose(before, after, rng, elements, mode) writes the answer fields; agreement(texts, before, after) reads them back.
"""

from .axes import AXES, FACTORS, Claim, claims
from .compose import FIELDS, compose
from .errors import ReasoningError
from .measure import change, stats
from .parse import Agreement, agreement, agreement_with, parse_plan

__all__ = [
    "AXES",
    "FACTORS",
    "FIELDS",
    "Agreement",
    "Claim",
    "ReasoningError",
    "agreement",
    "agreement_with",
    "change",
    "claims",
    "compose",
    "parse_plan",
    "stats",
]
