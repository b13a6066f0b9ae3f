"""Parts that read the answers: form, agreement of plans with pixels, repeated sentences, key elements, prompt fidelity."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import torch

from ...data.elements import MIN_POSITIVES, caption_counts
from ...data.files import TABLES, read_json
from ...reasoning.measure import Pixels, change, stats
from ...reasoning.parse import agreement_with
from ...reasoning.read_problems import is_true, read_problems, right_figures
from ..prompts import fidelity, load_prompts
from .results import Column, Part, Sample, Table
from .subject import Context, grid

FIELDS = ("elements", "problems.light", "problems.globalColor", "problems.specificColor",
          "plan.light", "plan.globalColor", "plan.specificColor")  # fmt: skip
FACTORS = ("light", "globalColor", "specificColor")
MODES = {"auto": "Auto", "style": "Style", "param": "Param"}
# Words by which the composer says that nobody named anything: then the key elements are main tones.
_TONES = re.compile(r"\b(?:tones|areas|mostly|mainly|scene in|picture in|frame with)\b")


def complete(result, mode: str) -> bool:
    """Every section there, none cut off, latents finite."""
    wanted = FIELDS if mode != "param" else FIELDS[4:]
    return bool(result.well_formed and all(result.fields.get(n, "").strip() for n in wanted) and np.isfinite(result.latents).all())


def sentences(fields: dict[str, str]) -> set[str]:
    """The sentences of an answer: split by section and at full stops, in lower case without marks at the ends. Key elements are a
    list of names and no sentence: photos of people name people."""
    told = (text for field, text in fields.items() if field != "elements")
    parts = (part for text in told for part in re.split(r"[.!?]+(?:\s+|$)", text.lower()))
    return {part.strip(" .,;:!?") for part in parts} - {""}


def most_repeated(answers: list[dict[str, str]]) -> list[tuple[str, int]]:
    """Sentences with the number of answers that contain them, the commonest first."""
    return Counter(s for fields in answers for s in sorted(sentences(fields))).most_common()


def counted(result, mode: str, before: torch.Tensor, after: torch.Tensor) -> dict[str, list[float]]:
    """Factor -> [claims that the pixels show, claims that count] of one answer."""
    measured = change(Pixels(before), Pixels(after))
    found = {f: agreement_with(measured, result.fields.get(f"plan.{f}", ""), f, mode == "param") for f in FACTORS}
    return {f: [float(a.agreed), float(a.claims)] for f, a in found.items()}


def faults_told(result, mode: str, before: torch.Tensor) -> dict[str, list[float]]:
    """What an answer's problems say of its photo: "faults" [that the photo shows, that are named], "figures" [right, told]."""
    photo = stats(before)
    told = [one for f in FACTORS for one in read_problems(result.fields.get(f"problems.{f}", ""), f, mode)]
    named_faults = [one for one in told if one.fault]
    return {
        "faults": [float(sum(is_true(one, photo) for one in named_faults)), float(len(named_faults))],
        "figures": [float(sum(right_figures(one, photo) for one in told)), float(sum(len(one.figures) for one in told))],
    }


@torch.no_grad()
def answers(context: Context) -> Part:
    """All answers of the three benches."""
    columns = {
        "wellFormed": Column("well-formed", "%", 2), "light": Column("light", "%", 1), "globalColor": Column("global colour", "%", 1),
        "specificColor": Column("specific colour", "%", 1), "claims": Column("claims an answer", "", 2, 0),
        "faults": Column("faults shown", "%", 1), "figures": Column("figures right", "%", 1),
        "repeated": Column("commonest sentence", "%", 1, -1), "sameNames": Column("commonest names", "%", 1, 0),
    }  # fmt: skip
    part = Part("answers", "Answers: form, agreement of plans with pixels, repetition", {}, columns, notes=[
        "Well-formed: every section is there, none was cut off, the latents are finite. Agreement: of the changes that a plan announces, "
        "the share that the pixels show along the named axis, in its direction, by more than a quarter of the axis' dead zone; n counts "
        "claims, intervals are over answers. In Param a slider whose effect this photo cannot show either way is not counted; "
        "\"own factor alone\" compares each plan with what its own factor's latent does by itself.",
        "Faults shown (Auto): of the faults that problems name, the share that the photo shows by the composer's limits. Figures right: of the "
        "numbers told of the photo, the share that is within one step of their rounding (5 of L*, chroma and %; 1 of a cast) of what "
        "is measured on other pixels; n counts faults and numbers.",
        "Commonest sentence: share of answers that contain the same sentence (sections and full stops divide), whichever it is; "
        "the lists of key elements are no sentences, so the share of the commonest list stands beside it.",
    ])  # fmt: skip
    form: list[float] = []
    for mode, label in MODES.items():
        items = getattr(context, mode)()
        results = getattr(context, f"{mode}_answers")(items)
        rows, alone, whole = [], [], [float(complete(r, mode)) for r in results]
        for item, result in zip(items, results, strict=True):
            before = grid(item.before)
            after = context.subject.render(before, result.latents)
            rows.append(counted(result, mode, before, after))
            if mode == "param":
                alone.append({f: _alone(context, result, before, i) for i, f in enumerate(FACTORS)})
        part.rows[mode] = f"{label}, {len(items)} answers"
        form += whole
        part.add(mode, "wellFormed", whole, "share")
        part.add(mode, "claims", [sum(pair[1] for pair in row.values()) for row in rows])
        for row, found in ((mode, rows), ("paramAlone", alone)):
            for factor in FACTORS if found else ():
                part.add(row, factor, [r[factor] for r in found], "ratio")
        if mode != "param":
            of_photos = [faults_told(result, mode, grid(item.before)) for item, result in zip(items, results, strict=True)]
            for name in ("faults", "figures"):
                if any(row[name][1] for row in of_photos):
                    part.add(mode, name, [row[name] for row in of_photos], "ratio")
        told = [r.fields for r in results]
        common = most_repeated(told)
        if common:
            part.add(mode, "repeated", [float(common[0][0] in sentences(fields)) for fields in told], "share")
            if mode != "param":
                lists = [fields.get("elements", "").strip(" .").lower() for fields in told]
                commonest = Counter(lists).most_common(1)[0][0]
                part.add(mode, "sameNames", [float(names == commonest) for names in lists], "share")
            part.tables.append(Table(f"{label}: commonest sentences", ["share of answers", "sentence"], [
                [f"{100 * count / len(told):.1f} %", text] for text, count in common[:6]
            ]))  # fmt: skip
    part.rows |= {"paramAlone": "Param, own factor alone", "all": f"all {len(form)}"}
    part.add("all", "wellFormed", form, "share")
    return part


def _alone(context: Context, result, before: torch.Tensor, number: int) -> list[float]:
    own = torch.zeros(result.latents.shape)
    own[number] = torch.from_numpy(result.latents[number])
    measured = change(Pixels(before), Pixels(context.subject.render(before, own)))
    factor = FACTORS[number]
    found = agreement_with(measured, result.fields.get(f"plan.{factor}", ""), factor, True)
    return [float(found.agreed), float(found.claims)]


def named(text: str, names: set[str]) -> list[str]:
    """Key elements of an answer: "A dog, people and grass" -> dog, people, grass; main tones name nothing.

    Of each piece the longest ending that is a known name; where none is, its last word, so that what no list knows is not
    left uncounted: it has been said to somebody.
    """
    if _TONES.search(text.lower()):
        return []
    found: list[str] = []
    for piece in re.split(r"[,.;:]|\band\b", text.lower()):
        words = re.findall(r"[a-z]+", piece)
        if not words:
            continue
        endings = (" ".join(words[-size:]) for size in (3, 2, 1) if len(words) >= size)
        forms = (form for ending in endings for form in (ending, ending.removesuffix("s")))
        name = next((form for form in forms if form in names), words[-1])
        if name not in found:
            found.append(name)
    return found


def in_captions(name: str, captions: list[str], forms: dict[str, list[str]]) -> bool:
    """Whether any caption names it, in one of the forms of nouns.json, else as it is, with or without a plural s."""
    text = " ".join(captions).lower()
    return any(re.search(rf"\b{re.escape(form)}(?:e?s)?\b", text) for form in {name, *forms.get(name, ())})


@torch.no_grad()
def elements(context: Context) -> Part:
    """Key elements of Auto answers to captioned photos, against five captions each."""
    columns = {"value": Column("share", "%", 1)}
    part = Part("elements", "Key elements against captions (Flickr8k test photos)", {
        "allRight": "photos with names, all of them right (headline)", "anyRight": "photos with at least one name that is right",
        "judgedRight": "photos whose names are all right, without those that captions hardly ever give", "precision": "names that are right",
        "judgedPrecision": "names that are right, without those", "named": "photos of which anything is named",
    }, columns, notes=[
        "A name is right when at least one of a photo's five captions contains it. The headline is the strictest: all names of the answer "
        "are right, and a photo of which only tones are said counts as wrong. Captions leave things out, so a right name may count as wrong: "
        "\"room\" is said of photos taken indoors and stands in few captions. Names that no list of nouns knows count too.",
        "Names that captions hardly ever give (\"sky\"): those that at least two captions name on fewer than 40 training photos of Flickr8k, the "
        "rule of data.elements. Without them a photo counts as right when a name is left and all that are left are right.",
    ])  # fmt: skip
    paths = [context.work / name for name in ("flickr.npy", "flickr.json", "captions.json")]
    if not all(p.exists() for p in paths):
        part.missing.append("Not measured: the captioned photos are missing. Run `python -m veraretouch.data.flickr`.")
        return part
    table = read_json(TABLES / "nouns.json", "It is part of the project; restore it.")
    known = {*table["captions"], *table["classes"]}
    captions = read_json(paths[2], "Run `python -m veraretouch.data.flickr` first.")
    index = read_json(paths[1], "Run `python -m veraretouch.data.flickr` first.")
    row_of = {name: i for i, name in enumerate(index)}
    cache = np.load(paths[0], mmap_mode="r")
    names = [context.benches.table["elements"][n] for n in context.numbers("elements")]
    lost = [name for name in names if name not in row_of]
    if lost:
        part.missing.append(f"{len(lost)} of {len(names)} photos are not in the cache of captioned photos and were left out.")
    names = [name for name in names if name in row_of]
    pictures = [torch.from_numpy(cache[row_of[name]].copy()).float() / 255 for name in names]
    results = context.subject.answers("auto", pictures)
    rows = []
    for name, result in zip(names, results, strict=True):
        said = named(result.fields["elements"], known)
        rows.append((name, said, [in_captions(s, captions[name], table["captions"]) for s in said], result.fields["elements"]))
    taught = [caption_counts(captions[name], table["captions"]) for name, (split, _) in index.items() if split == "train"]
    often = Counter(noun for counts in taught for noun, count in counts.items() if count >= 2)
    judged = [[ok for s, ok in zip(said, right, strict=True) if often[s] >= MIN_POSITIVES] for _, said, right, _ in rows]
    part.add("judgedRight", "value", [float(bool(right) and all(right)) for right in judged], "share")
    part.add("judgedPrecision", "value", [[float(sum(right)), float(len(right))] for right in judged], "ratio")
    part.add("allRight", "value", [float(bool(right) and all(right)) for _, _, right, _ in rows], "share")
    part.add("anyRight", "value", [float(any(right)) for _, _, right, _ in rows], "share")
    part.add("precision", "value", [[float(sum(right)), float(len(right))] for _, _, right, _ in rows], "ratio")
    part.add("named", "value", [float(bool(said)) for _, said, _, _ in rows], "share")
    wrong = Counter(s for _, said, right, _ in rows for s, ok in zip(said, right, strict=True) if not ok)
    part.tables.append(Table("Names most often wrong", ["name", "wrong", "said", "in captions"], [
        [s, str(n), str(sum(s in said for _, said, _, _ in rows)), "often" if often[s] >= MIN_POSITIVES else "hardly ever"] for s, n in wrong.most_common(8)
    ]))  # fmt: skip
    part.tables.append(Table("First answers", ["key elements", "first caption"], [[text, captions[name][0]] for name, _, _, text in rows[:6]]))
    return part


@torch.no_grad()
def prompts(context: Context) -> Part:
    """Prompt fidelity (`eval.prompts`): what the words of an instruction ask for, measured on pixels."""
    columns = {"value": Column("share", "%", 1)}
    part = Part("prompts", "Prompt fidelity: the measured change agrees with the words", {
        "asked": "movements asked for that happened (headline)", "whole": "instructions carried out whole, limits kept",
        "limits": "limits kept", "seen": "in words of training", "unseen": "in words kept out of training",
    }, columns, notes=[
        "The instructions of training/data/prompts.json on named test photos. A movement happened when the pixels moved that way by more than "
        "half of the axis' dead zone. Intervals from the standard error of a ratio over photos, as clusters.",
    ])  # fmt: skip
    photos = torch.stack([context.benches.photo(context.benches.table["prompts"][n]) for n in context.numbers("prompts")])
    listed = load_prompts()
    wanted = listed[:: context.config["counts"].get("every_prompt", 1)]
    # Every prompt on every photo, at once: answers are kept by all their inputs.
    pictures = [p.float() / 255 for p in photos]
    results = context.subject.answers("style", pictures * len(wanted), [p["text"] for p in wanted for _ in pictures])
    told = iter(results)

    def render(batch: torch.Tensor, texts: list[str]) -> torch.Tensor:
        outs = [context.subject.render(picture, next(told).latents) for picture in batch.permute(0, 2, 3, 1)]
        return torch.stack(outs).permute(0, 3, 1, 2)

    # The model sees the whole photo; every second pixel in both directions is plenty for what is measured.
    report = fidelity(render, wanted, photos[:, ::2, ::2])
    for row in part.rows:
        if row in report:
            share, error = report[row]["share"], report[row]["error"]
            low, high = (None, None) if error is None else (max(0.0, share - 1.96 * error), min(1.0, share + 1.96 * error))
            fixed = {"value": share, "low": low, "high": high, "n": report[row]["count"]}
            part.samples.append(Sample(row, "value", [], "share", fixed))
    worst = sorted(report["prompts"], key=lambda row: row["share"])[:12]
    part.tables.append(Table("Instructions followed least", ["share", "instruction"], [[f"{100 * r['share']:.0f} %", r["text"]] for r in worst]))
    part.tables.append(Table("By axis", ["axis", "share", "n"], [
        [axis, f"{100 * r['share']:.0f} %", str(r["count"])] for axis, r in sorted(report["axis"].items(), key=lambda kv: kv[1]["share"])
    ]))  # fmt: skip
    return part
