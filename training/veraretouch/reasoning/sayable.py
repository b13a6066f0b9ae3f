"""What a plan may say: every claim in every wording, and whether a text that is being written keeps to those that are true.

Where the picture is known before its words, its change is measured first, and the plan then says nothing that the pixels do not
show, nothing twice, and sizes as they were measured. The language model still chooses: which of the true claims, in which
words. What stands before the plan: `sayable_problems`. All that a runtime needs for both is `wording.json` of a bundle; the same
rules in TypeScript: `src/inference/grounding`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from .axes import AXES, FACTORS, MOST_CLAIMS, STILL, Claim, axes_of, effect, magnitude, refutes
from .measure import BANDS, LEAST_BAND_SHARE, Change
from .parameters import AXIS_OF, DEAD, OTHER_STEPS, STEPS, announced, is_set, parameter_values
from .sentences import GIVEN_WORDING, LEAVE_WORDING, UNSET_WORDING, about
from .wording import PLURAL, SIZES, WORDING, neighbour

JOINTS = (" and ", ", then ", ", ")
# What may stand behind a whole word.
BEHIND_WORDS = " ,;:"
# A change is spoken of from this part of its axis' dead zone on: twice the noise (`axes.NOISE`) below which a claim counts as
# false, for other pixels of the same photo measure a little differently.
CLEAR = 0.5
# Likewise "leave as it is" asks for less movement than `axes.STILL` allows, also of hue bands that are a little too small to
# be spoken of, and a claim about a hue band for a little more of the photo.
STILL_SAID = 0.8 * STILL
LEAST_SHARE_STILL = 0.8 * LEAST_BAND_SHARE
LEAST_SHARE_CLAIMED = 1.2 * LEAST_BAND_SHARE
# Another key element is named only where the comma before it is by so much likelier than the end (logits; 9 to 1). Without,
# all names were right on 61.7 % of 600 validation photos with captions, with it on 73.0 %, of 1.8 and 1.4 names each.
NAMES_MARGIN = 2.2
# From here on down the saturation slider leaves no colour.
MONOCHROME = -0.9


@dataclass(frozen=True)
class Sayable:
    """What one section may say: `clauses` (text -> axis), joined by `joints`, at most `most`, each axis once; or one of `sentences`
    alone (text -> the axes that it speaks of). `first`: axes of which one comes first; any where empty. `following`: the clauses
    that may stand behind another, where not all may. All in lower case; a section begins with a capital."""

    clauses: Mapping[str, str]
    sentences: Mapping[str, frozenset[str]]
    most: int
    joints: tuple[str, ...] = JOINTS
    first: frozenset[str] = frozenset()
    following: Mapping[str, str] | None = None

    def __post_init__(self) -> None:
        behind = self.clauses if self.following is None else self.following
        object.__setattr__(self, "_behind", behind)
        object.__setattr__(self, "_sorted", sorted({*self.clauses, *self.sentences}))
        object.__setattr__(self, "_sorted_behind", sorted(behind))
        object.__setattr__(self, "_axes_behind", frozenset(behind.values()))

    def only(self, starts: Callable[[str], bool], follows: Callable[[str], bool]) -> Sayable:
        """The same without the texts that a model cannot write: at the beginning of a section, behind another clause."""
        return replace(
            self,
            clauses={text: axis for text, axis in self.clauses.items() if starts(text)},
            following={text: axis for text, axis in self.clauses.items() if follows(text)},
            sentences={text: axes for text, axes in self.sentences.items() if starts(text)},
        )

    def fits(self, text: str) -> bool:
        """Whether `text` can still become a plan that may be said."""
        lowered = _lowered(text)
        return lowered is not None and (self._begins(lowered, frozenset(), True) or self._walk(lowered, whole=False) is not None)

    def goes_on(self, words: str) -> bool:
        """Whether `words`, the last of which is whole, are such a plan or can still become one."""
        return self.complete(words) or any(self.fits(words + next_sign) for next_sign in BEHIND_WORDS)

    def complete(self, text: str) -> bool:
        """Whether `text` is such a plan."""
        lowered = _lowered(text)
        return bool(lowered) and (lowered in self.sentences or self._walk(lowered, whole=True) is not None)

    def axes_in(self, text: str) -> frozenset[str]:
        """The axes that a complete text speaks of."""
        lowered = _lowered(text) or ""
        return self.sentences.get(lowered) or self._walk(lowered, whole=True) or frozenset()

    def _begins(self, text: str, used: frozenset[str], first: bool) -> bool:
        """Whether some clause of an axis not used, or at the beginning a sentence, begins with `text`."""
        texts, clauses = (self._sorted, self.clauses) if first else (self._sorted_behind, self._behind)
        at = bisect_left(texts, text)
        while at < len(texts) and texts[at].startswith(text):
            said = texts[at]
            if (said in clauses and self._may(clauses[said], used)) or (first and said in self.sentences):
                return True
            at += 1
        return False

    def _may(self, axis: str, used: frozenset[str]) -> bool:
        return axis not in used and (bool(used) or not self.first or axis in self.first)

    def _walk(self, text: str, whole: bool, used: frozenset[str] = frozenset()) -> frozenset[str] | None:
        """The axes of `text` if it is clauses in a row, else None; unless `whole`, the last clause may be unfinished, or a joint
        behind one."""
        for clause, axis in (self._behind if used else self.clauses).items():
            if not text.startswith(clause) or not self._may(axis, used):
                continue
            rest, now = text[len(clause) :], used | {axis}
            if not rest:
                return now
            if len(now) == self.most or not self._axes_behind - now:
                continue
            for joint in self.joints:
                if not whole and joint.startswith(rest):
                    return now
                if not rest.startswith(joint):
                    continue
                behind = rest[len(joint) :]
                if not whole and self._begins(behind, now, False):
                    return now
                if found := self._walk(behind, whole, now):
                    return found
        return None


def _lowered(text: str) -> str | None:
    """`text` without its capital; None where it begins with none."""
    if not text:
        return ""
    return text[0].lower() + text[1:] if text[0].isupper() else None


@cache
def clause_texts(axis: str, direction: int, form: str, size: str | None) -> tuple[str, ...]:
    """Every wording of one claim, in lower case. `form`: step or hold for tonal zones, else empty; `size` None where it has none."""
    kind, _, band = axis.partition(".")
    found = []
    for verbs, objects in WORDING[f"band {kind}" if band else kind, direction, form]:
        for verb in verbs:
            if band:
                verb = verb.replace("{next}", neighbour(band, direction))
            for thing in objects:
                text = verb.replace("{}", thing.format(band=PLURAL[band]) if band else thing)
                found += _sized(text, size)
    return tuple(dict.fromkeys(found))


def _sized(text: str, size: str | None) -> list[str]:
    if size is None:
        return [text]
    first, last, comparative = SIZES[size]
    if "~" in text:
        return [text.replace("~", word + " ") for word in comparative]
    return [f"{word} {text}" for word in first] + [f"{text} {word}" for word in last]


@cache
def sentence_texts(wordings: tuple[str, ...], factor: str) -> dict[str, frozenset[str]]:
    """Wordings about a factor, or about any one hue band of specific colors; none speaks of an axis."""
    bands = ("", *BANDS) if factor == "specificColor" else ("",)
    return {about(wording, factor, band): frozenset() for wording in wordings for band in bands}


def _forms(axis: str) -> tuple[str, ...]:
    return ("step", "hold") if (axis, 1, "step") in WORDING else ("",)


def _sayable(claims: Iterable[tuple[Claim, Sequence[str]]], sentences: Mapping[str, frozenset[str]], factor: str) -> Sayable:
    texts = {
        text: claim.axis
        for claim, forms in claims
        for form in forms
        for text in clause_texts(claim.axis, claim.direction, form, claim.magnitude)
    }
    return Sayable(texts, sentences, MOST_CLAIMS[factor])


def sayable_of_change(measured: Change, factor: str) -> Sayable:
    """What may be said of a measured change (`measure.change` with `LEAST_SHARE_STILL`): the claims that pixels show, and that
    nothing moved where nothing did."""
    steps = {"highlights": measured.highlights_step, "shadows": measured.shadows_step}
    names, still = moved_axes(measured, factor)
    shown = []
    for name in names:
        value = effect(measured, name)
        direction = 1 if value > 0 else -1
        forms = _forms(name)
        if name in steps:
            # A zone that only moves less than the rest is held, not moved.
            forms = ("step",) if steps[name] * direction > 0 else ("hold",)
        shown.append((Claim(name, direction, None if name == "monochrome" else magnitude(AXES[name], value)), forms))
    return _sayable(shown, sentence_texts(LEAVE_WORDING, factor) if still else {}, factor)


def moved_axes(measured: Change, factor: str) -> tuple[list[str], bool]:
    """Axes of a factor whose change may be spoken of, and whether it may be said that nothing moved. One or the other always holds,
    for changes of middling size both."""
    moved = [axis for axis in axes_of(factor) if abs(effect(measured, axis.name)) > CLEAR * axis.dead]
    still = all(abs(effect(measured, axis.name)) <= STILL_SAID * axis.dead for axis in moved)
    large = [axis for axis in moved if factor != "specificColor" or _share(measured, axis.name) >= LEAST_SHARE_CLAIMED]
    # Where only small bands moved, and too far to be called still, they are spoken of.
    return [axis.name for axis in large or ([] if still else moved)], still


def _share(measured: Change, axis: str) -> float:
    return measured.bands[BANDS.index(axis.partition(".")[2])].share_of_all


def sayable_of_sliders(params: Mapping[str, float] | Sequence[float], factor: str, measured: Change | None = None) -> Sayable:
    """What may be said of 38 values in [-1, 1]: the sliders' own claims, less those that the photo refutes where its change is
    known; that they are followed; or that there are none. Raises ReasoningError as `parameter_values` does."""
    values = parameter_values(params)
    if not is_set(values, factor):
        return Sayable({}, sentence_texts(UNSET_WORDING, factor), MOST_CLAIMS[factor])
    said = [(claim, _forms(claim.axis)) for claim in announced(values, factor)]
    if factor == "globalColor" and values["Saturation"] <= MONOCHROME:
        said.append((Claim("monochrome", 1), ("",)))
    if measured is not None:
        said = [(claim, forms) for claim, forms in said if not refutes(claim, measured)]
    return _sayable(said, sentence_texts(GIVEN_WORDING, factor), factor)


def plan_wording() -> dict:
    """All of the above as data. Sizes hold the words before a clause, behind it, and before a comparative, whose place in a clause
    is `~`; `{}` in a verb is the place of an object."""
    clauses = []
    for axis in AXES:
        kind, _, band = axis.partition(".")
        for direction in (1, -1):
            for form in _forms(axis):
                for verbs, objects in WORDING.get((f"band {kind}" if band else kind, direction, form), ()):
                    near = neighbour(band, direction) if band else ""
                    clauses.append({
                        "axis": axis, "direction": direction, "form": form,
                        "verbs": [verb.replace("{next}", near) for verb in verbs],
                        "objects": [thing.format(band=PLURAL[band]) if band else thing for thing in objects],
                    })  # fmt: skip
    kinds = {"leave": LEAVE_WORDING, "given": GIVEN_WORDING, "unset": UNSET_WORDING}
    return {
        "axes": [
            {"name": a.name, "factor": a.factor, "dead": a.dead, "moderate": a.moderate, "strong": a.strong, "measured": a.measured}
            for a in AXES.values()
        ],
        "mostClaims": MOST_CLAIMS, "namesMargin": NAMES_MARGIN, "clear": CLEAR, "still": STILL_SAID, "leastShare": [LEAST_SHARE_STILL, LEAST_SHARE_CLAIMED],
        "sliders": {"axes": list(AXIS_OF.values()), "dead": DEAD, "steps": OTHER_STEPS, "stepsOf": STEPS, "monochrome": MONOCHROME},
        "sizes": SIZES, "joints": JOINTS, "clauses": clauses,
        "sentences": {kind: {f: sorted(sentence_texts(words, f)) for f in FACTORS} for kind, words in kinds.items()},
    }  # fmt: skip

