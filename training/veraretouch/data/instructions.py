"""Style instructions: what a person might type to get a look, in many wordings, some kept out of training.

python -m veraretouch.data.instructions --data DIR --work DIR     measures all looks, writes WORK/instructions.json

An instruction names the look, repeats a clause of its description, or says its measured effect. Clauses that speak of
what this engine does not do (grain, vignettes, blur), that quote figures, or that the measured effect contradicts are
left out, so no instruction promises what its pixels do not show.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
from dataclasses import asdict
from pathlib import Path

import torch

from .effects import Effect, effect_words, measure_effect, sample_pixels
from .files import DataError, read_json, write_json
from .looks import Look, apply_look, load_looks
from .photos import load_photos

MAX_WORDS = 22
MAX_SEEN = 20
MAX_UNSEEN = 6

# {n} name, {a} name with article, {e} measured effect, {c} a clause of the description, {d} another one, {k} what stays or is
# held back ("but not too bright"), where measured. Terse, chatty, art director, client and question have their forms.
_SEEN = {
    "name": [
        "{n}", "{n} look", "{n} style please", "Apply {a} look.", "Give this photo {a} look.", "Make it look like {n}.",
        "I'd love this to have that {n} feel.", "Could you edit this in the {n} style?", "Turn this into {a} shot.",
        "style: {n}", "Hey, can you do {a} look?", "Our client asks for {n}.", "The direction is {n}.", "how about {n}", "I'd grade it {n}.",
    ],
    "name+effect": ["{n}, {e}", "{n} style, so {e}.", "Go for {a} look and make it {e}.", "{n} please, {e}", "{e}, like {n}"],
    "name+kept": ["{n}, {k}", "{a} look, {k}", "Give it the {n} treatment, {k}.", "can we go {n}, {k}?"],
    "effect+kept": ["{e}, {k}", "make it {e}, {k}", "Please make this {e}, {k}.", "could it be {e}, {k}?"],
    "name+clause": ["{n}: {c}", "{a} look with {c}", "Think {n}, {c}."],
    "clause": ["{c}", "{c}, {d}", "Give it {c}.", "I want {c}.", "I'm after {c} and {d}.", "for the cover: {c}", "We'd prefer {c}.", "maybe {c}?"],
    "effect": [
        "make it {e}", "Make this {e}, please.", "{e}", "The photo should be {e}.", "Can you make the picture {e}?",
        "Hi, please make it {e}. Thanks!", "what if it were {e}?", "Take it {e}.", "I'd like it {e}", "go {e}",
    ],
    "film": ["as if shot on {n}", "{n} film emulation", "Make it look like it was taken on {n}.", "{n} film, {e}", "shot on {n}", "I miss my {n}, can it look like that?"],
    "person": ["in the style of {n}", "Edit it the way {n} would.", "inspired by the photographs of {n}", "{n} vibes", "like a print by {n}"],
    "mood": ["{n} mood", "Give me {a} vibe.", "something that feels like {n}", "make it feel like {n}", "{n} vibes please"],
}  # fmt: skip
_UNSEEN = {
    "name": ["Grade this picture to match {n}.", "Let's try the {n} treatment on this one."],
    "name+kept": ["Bring {n} to this one, {k}."],
    "effect+kept": ["Have it end up {e}, {k}.", "would it work {e}, {k}?"],
    "clause": ["Aim for {c} in this shot.", "What I have in mind is {c}."],
    "effect": ["Push the image so that it ends up {e}.", "Let it come out {e}."],
    "film": ["Pretend I had {n} loaded in the camera.", "Emulate {n} stock."],
    "person": ["Channel {n}.", "How would {n} have printed this?"],
    "mood": ["I'm feeling {n} here.", "Set the atmosphere to {n}."],
}  # fmt: skip

_FILM_CATEGORIES = {"Color-Negative", "Slide"}
_MOOD_CATEGORIES = {"Geographic", "Seasonal", "Decade", "Creative", "Mobile"}
# Effects outside a per-pixel colour mapping, history, and file talk: never promised.
_NOT_DONE = re.compile(
    r"\b(grain\w*|vignett\w*|blur\w*|soft(-| )?focus|leaks?|sharp\w*|halo\w*|halation|texture\w*|bokeh|scan\w*|noise|nr|detail\w*|clarity"
    r"|micro\w*|lens|flash|dust|scratch\w*|glitch\w*|recreation|emulation|simulation|filter|preset|video|name|aka|iso|speed|format|born"
    r"|solari[sz]\w*|reversal|renders?|discontinued|invented|process(ed|ing)?|developed|chemistry|edition|legend\w*|heritage|layer|bleed|latitude)\b",
    re.IGNORECASE,
)
_COLOUR_TALK = re.compile(
    r"\b(warm\w*|cool\w*|cold|ton(e|es|ed|al|ality)|contrast\w*|shadows?|highlights?|midtones?|blacks?|whites?|blues?|reds?|greens?|yellows?|"
    r"oranges?|teals?|cyans?|magentas?|purples?|pinks?|browns?|golds?|golden|amber|sepia|palette|saturat\w*|desaturat\w*|muted|pastels?|faded?|"
    r"matte|moody|bright\w*|dark\w*|glow\w*|vivid|vibran\w*|airy|neutral|earthy|punchy|rich|deep|crushed|lifted|milky|skin|cinematic|nostalgi\w*|"
    r"dreamy|dramatic|monochrome|silver\w*|colou?rs?|hues?|soft|light|mood|haze|sun\w*|neon|creamy|vintage|retro)\b",
    re.IGNORECASE,
)
# word -> is this claim false for the measured effect?
_CONTRADICTIONS = (
    (r"\b(warm\w*|golden|amber|sepia|browns?|orange)\b", lambda e: e.warmth < -1 if not e.monochrome else not 20 < e.tone[1] < 110 or e.tone[0] < 3),
    (r"\b(cool\w*|cold|icy|blues?|cyan|teal)\b", lambda e: e.warmth > 3 or (e.monochrome and (e.tone[0] < 3 or 20 < e.tone[1] < 130))),
    (r"\b(bright\w*|airy|high-key|luminous)\b", lambda e: e.lightness < -1),
    (r"\b(dark\w*|moody|night|low-key|brooding)\b", lambda e: e.lightness > 2),
    (r"\b(high(er)?[- ]contrast|punchy|strong contrast|heavy contrast|harsh|bold contrast|crushed)\b", lambda e: e.contrast < 0),
    (r"\b(low(er)?[- ]contrast|soft(er)? contrast|flat|gentle|faded?|matte|lifted|milky)\b", lambda e: e.contrast > 0.1 and e.blacks < 3),
    (r"\b(satur\w*|vivid|vibran\w*|rich colou?rs?|colou?rful|punchy colou?rs?)\b", lambda e: e.colour < 0),
    (r"\b(desaturat\w*|muted|pastels?|subdued|washed)\b", lambda e: e.colour > 0.1 and not e.monochrome),
    (r"\b(b&w|black[- ]and[- ]white|monochrom\w*|silver\w*)\b", lambda e: not e.monochrome),
    (r"\b(pinks?|reds?|greens?|magentas?|purples?|yellows?|teals?|cyan|palette|colou?rs?|hues?|skin|foliage|gold\w*)\b", lambda e: e.monochrome and e.tone[0] < 3),
)  # fmt: skip


def contradicts(text: str, effect: Effect) -> bool:
    """True when a phrase claims something that the measured effect does not show."""
    return any(re.search(word, text, re.IGNORECASE) and false_for(effect) for word, false_for in _CONTRADICTIONS)


def clauses_of(description: str, effect: Effect) -> list[str]:
    """The parts of a description that can be asked for: short, about tone or colour, done and not contradicted."""
    found = []
    for part in re.split(r"[,.;:()]|\s[—–-]\s|[—–]|\*\*", description):
        text = part.strip().strip("\"'").strip()
        if (
            not 2 <= len(text.split()) <= 7
            or re.search(r"\d", text)
            or _NOT_DONE.search(text)
            or not _COLOUR_TALK.search(text)
        ):
            continue
        if re.search(r"[\"'“”]\s|^\W|\b(is|was|were|are|that|which|with the|designed|its)\b", text) or contradicts(
            text, effect
        ):
            continue
        # Sentence case -> running text, but names such as Prussian or Kodak keep their capital.
        first = text.split()[0]
        if _COLOUR_TALK.fullmatch(first) or first.lower() in (
            "soft",
            "high",
            "low",
            "clean",
            "strong",
            "heavy",
            "natural",
            "subtle",
        ):
            text = text[0].lower() + text[1:]
        found.append(text)
    return found


def join_words(words: list[str]) -> str:
    """["warmer", "a little faded", "blue in the shadows"] -> "warmer, a little faded and blue in the shadows"."""
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]


def spoken_name(look: Look) -> str:
    """Name as a person would type it: no variant marks, no file habits."""
    name = re.sub(r"\s*\(.*?\)|\s-\s(Creator )?Tuned$|\sVideo$|\sLook$|\sStyle$", "", look.name)
    name = re.sub(r"\s(Constlclip|Constlmap|Cuspclip)$", " cinema print", name)
    name = re.sub(r"\s(Generic|Alt)$", "", re.sub(r"(\s[+-]\d|\s[+-]{1,3})(?=\s|$)", "", name))
    return re.sub(r"(?<=[a-z])-(?=[A-Z])", " ", name).replace("→", " to ").replace("  ", " ").strip()


def difference_words(effect: Effect, base: Effect) -> list[str]:
    """How a variant of a look differs from the plain one, in measured words, at most two."""
    pairs = [
        ((effect.lightness - base.lightness) / 3, "brighter", "darker"),
        ((effect.contrast - base.contrast) / 0.12, "more contrasty", "softer"),
        ((effect.warmth - base.warmth) / 3, "warmer", "cooler"),
        ((effect.colour - base.colour) / 0.25, "more colourful", "more muted"),
    ]
    if effect.monochrome or base.monochrome:
        pairs = pairs[:2]
    strong = sorted((p for p in pairs if abs(p[0]) >= 1), key=lambda p: -abs(p[0]))[:2]
    return [up if value > 0 else down for value, up, down in strong]


# A measured word -> other ways to say the same.
_DEGREES = {
    "a little ": ("a little ", "a touch ", "slightly ", "a bit ", "somewhat ", "a tad "),
    "much ": ("much ", "a lot ", "far ", "way ", "so much "),
}
_OPPOSITE = {"cooler": "warm", "warmer": "cool", "darker": "bright", "brighter": "dark", "softer in contrast": "harsh", "more contrasty": "flat",
             "more muted": "colourful", "more colourful": "dull"}  # fmt: skip
# A small measured change in one direction -> how a person holds it back.
_HELD_BACK = {
    "a little brighter": "but not too bright", "a little darker": "but not too dark", "a little warmer": "but not too warm",
    "a little cooler": "but not too cold", "a little more contrasty": "but not too harsh", "a little softer in contrast": "but not too flat",
    "a little more colourful": "but don't oversaturate", "a little more muted": "but leave some colour in it",
}  # fmt: skip


def reworded(words: list[str], rng: random.Random) -> list[str]:
    """The measured words in other words of the same degree; now and then by what it shall be less of, last."""
    found = []
    for word in words:
        degree = next((d for d in _DEGREES if word.startswith(d)), "")
        core = word.removeprefix(degree)
        if core in _OPPOSITE and rng.random() < 0.2:
            core = f"less {_OPPOSITE[core]}"
        found.append((rng.choice(_DEGREES[degree]) if degree else "") + core)
    return sorted(found, key=lambda text: "less " in text)


def kept_clauses(effect: Effect) -> list[str]:
    """What a look leaves alone or moves only a little, as a person would ask for it."""
    found = [held for word, held in _HELD_BACK.items() if word in effect_words(effect)]
    if abs(effect.lightness) < 1:
        found += ["same brightness please", "without changing the exposure"]
    if abs(effect.contrast) < 0.05 and effect.blacks < 4 and effect.whites > -6:
        found += ["but leave the contrast alone", "contrast as it is"]
    tinted = max(abs(effect.warmth), abs(effect.tint), effect.shadow_tint[0] / 2, effect.highlight_tint[0] / 2) >= 1
    if not (effect.monochrome or tinted):
        found += ["without a colour cast", "but keep the white balance"]
        found += ["but leave the colours alone", "without touching the colours"] if abs(effect.colour) < 0.08 else []
    return found


def _with_article(name: str) -> str:
    return ("an " if name[0].lower() in "aeiou" and not name.startswith(("Uni", "Eu")) else "a ") + name


def _kinds(look: Look) -> list[str]:
    kinds = ["name", "name+effect", "name+clause", "clause", "effect", "name+kept", "effect+kept"]
    if look.kind == "film" or look.category in _FILM_CATEGORIES:
        kinds.append("film")
    elif look.category == "Photographer":
        kinds.append("person")
    elif look.category in _MOOD_CATEGORIES:
        kinds.append("mood")
    return kinds


def _fill(
    templates: dict[str, list[str]], look: Look, effect: Effect, variant: list[str], rng: random.Random
) -> list[str]:
    """All wordings of one set of templates, shuffled, without doubles and without those that need what is missing."""
    name = spoken_name(look)
    if variant:
        name = f"{name}, but {join_words(variant)}"
    words, clauses, kept = effect_words(effect), clauses_of(look.description, effect), kept_clauses(effect)
    found: dict[str, list[str]] = {}
    for kind in _kinds(look):
        for template in templates.get(kind, []):
            if (
                ("{c}" in template and not clauses)
                or ("{d}" in template and len(clauses) < 2)
                or ("{e}" in template and not words)
                or ("{k}" in template and not kept)
            ):
                continue
            if (
                variant
                and ("{n}" in template or "{a}" in template)
                and not re.fullmatch(r".*(\{n\}|\{a\})\.?", template)
            ):
                continue  # "a Portra 400, but brighter look" is not English
            c, d = rng.sample(clauses, 2) if len(clauses) > 1 else (clauses * 2 or ["", ""])[:2]
            e = join_words(reworded(words[: rng.randint(1, min(3, len(words)))], rng)) if words else ""
            text = template.format(n=name, a=_with_article(name), e=e, c=c, d=d, k=rng.choice(kept or [""]))
            if rng.random() < 0.35:
                text = text.rstrip(".")
            text = text[0].upper() + text[1:] if text.endswith((".", "?")) else text
            if len(text.split()) <= MAX_WORDS:
                found.setdefault(kind, []).append(text)
    # Round robin over the kinds, so that names do not crowd out feelings and measurements.
    for texts in found.values():
        rng.shuffle(texts)
    mixed = [
        t
        for row in range(max(map(len, found.values()), default=0))
        for t in (v[row] for v in found.values() if row < len(v))
    ]
    return list(dict.fromkeys(mixed))


def style_instructions(look: Look, effect: Effect, base: Effect | None = None) -> dict[str, list[str]]:
    """6 to MAX_SEEN wordings for training under "seen" and up to MAX_UNSEEN of other templates under "unseen".

    base: effect of the plain look when this one is a variant ("+", "--") of it. The same input gives the same wordings.
    """
    rng = random.Random(f"instructions {look.key}")
    variant = difference_words(effect, base) if base is not None else []
    return {
        "seen": _fill(_SEEN, look, effect, variant, rng)[:MAX_SEEN],
        "unseen": _fill(_UNSEEN, look, effect, variant, rng)[:MAX_UNSEEN],
    }


def effect_instruction(effect: Effect, rng: random.Random, unseen: bool = False) -> str | None:
    """One instruction from measured words alone, for any edit; None when the edit changes too little to be named."""
    words = effect_words(effect)
    if not words:
        return None
    template = rng.choice((_UNSEEN if unseen else _SEEN)["effect"])
    return template.format(e=join_words(reworded(words[: rng.randint(1, min(3, len(words)))], rng)))


def _base_key(look: Look, names: dict[tuple[str, str, str], str]) -> str | None:
    plain = re.sub(r"(\s[+-]\d|\s[+-]{1,3})(?=\s|$)", "", look.name).strip()
    return None if plain == look.name else names.get((look.kind, look.category, plain))


def build(data: Path, photos: torch.Tensor) -> dict[str, dict]:
    """Measures every look and composes its instructions: key -> {"effect", "words", "seen", "unseen"}."""
    looks = load_looks(data)
    pixels = sample_pixels(photos)
    effects = {look.key: measure_effect(pixels, apply_look(pixels, look)) for look in looks}
    names = {(look.kind, look.category, look.name): look.key for look in looks}
    table = {}
    for look in looks:
        base = _base_key(look, names)
        texts = style_instructions(look, effects[look.key], effects[base] if base else None)
        table[look.key] = {"effect": asdict(effects[look.key]), "words": effect_words(effects[look.key]), **texts}
    return table


def load_instructions(work: Path | str) -> dict[str, dict]:
    """WORK/instructions.json: look key -> {"effect", "words", "seen", "unseen"}."""
    return read_json(
        Path(work) / "instructions.json", "Run `python -m veraretouch.data.instructions --data DIR --work DIR` first."
    )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with the looks")
    parser.add_argument("--work", type=Path, required=True, help="folder with the photo cache")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    try:
        # Open photos only, so that the measured words are the same with and without --open-only.
        photos, _ = load_photos(options.work, "train", open_only=True)
        table = build(options.data, photos)
        write_json(options.work / "instructions.json", table)
    except DataError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    counts = [len(entry["seen"]) for entry in table.values()]
    print(
        f"{len(table)} looks, {sum(counts)} wordings ({min(counts)} to {max(counts)} per look), {sum(len(e['unseen']) for e in table.values())} unseen"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
