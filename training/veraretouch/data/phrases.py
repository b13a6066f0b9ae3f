"""More ways to say what `intents`, `moods` and `voices` say, for training only: nothing of it is ever held out.

The table is `data/phrases.json`. What is kept out of training is drawn from the modules named (`spoken.held_out`), so that
the table can grow without moving it; whatever would let something held out be heard is left out when it is read.
"""

from __future__ import annotations

import re
from functools import cache

from .files import TABLES, read_json

TABLE = TABLES / "phrases.json"


@cache
def table() -> dict[str, dict]:
    """"phrases": intent -> kind (`intents.Intent`) -> texts; "forms": voice -> sentences with a slot; "degrees": degree ->
    list (`voices.Degree`) -> texts around {}; "riders": rider -> texts."""
    return read_json(TABLE, "It is part of the project; restore it.")


def bare(text: str) -> str:
    """A text to be compared by its words: the slot as {}, no capitals, no stops."""
    return " ".join(re.sub(r"[.,?!;:]", " ", re.sub(r"\{\w*\}", " {} ", text.lower())).split())


def unheard(texts: list[str], held: frozenset[str], behind: tuple[str, ...] = ()) -> tuple[str, ...]:
    """`texts` without any in which a text of `held` would be heard: the same words, or those words within others. "{} a tad"
    is heard in "make it {} a tad, please", and behind "less" the phrase "light" says "less light"."""
    out = [f" {bare(text)} " for text in held]
    ways = ("", *(f" {word}" for word in behind))
    return tuple(text for text in texts if not any(one in f"{way} {bare(text)} " for way in ways for one in out))
