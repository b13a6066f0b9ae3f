"""Key elements: the nouns that say what is in a photo.

python -m veraretouch.data.elements --work DIR [--open-only]

Two sources of names, both on frozen EfficientNet-Lite0 features:
- a linear probe trained on the nouns of the Flickr8k captions (needs `python -m veraretouch.data.flickr` first) and on
  480 photos of this collection that were labelled by eye (training/data/labelled.json);
- ImageNet classes of the encoder's own classifier, added up into everyday nouns.
A noun is said only above a threshold at which it was right on photos that its probe had not seen. Writes
WORK/elements.json (file -> at most four nouns) and WORK/elements-report.json (precision, recall, mean average precision).
With --open-only the probe is left out, as its captions are of licence class research.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

import numpy as np
import torch

from .features import FEATURE_SIZE, SemanticEncoder, image_to_tensor
from .files import TABLES, DataError, read_json, write_array, write_json

MAX_ELEMENTS = 4
MIN_PRECISION = 0.65  # what the lower confidence bound must reach where thresholds are set
MIN_POSITIVES = 40  # training photos that must show a noun
MIN_PREDICTED = 8  # photos above a threshold before its precision is believed
ENOUGH_LABELLED = 15  # labelled photos showing a noun; with fewer, captions help to set its threshold
FOLDS = 5
CLASS_THRESHOLD = 0.35
# A noun that ImageNet knows too is not said of a photo to which the classifier gives less than this: Flickr8k is full
# of dogs, and a probe alone finds them in kitchens.
CLASS_VETO = 0.08
# Weights in the loss. Captions of Flickr8k are of another kind of photo, so for nouns labelled by eye they only help;
# photos without captions count a little as not showing the nouns that only captions name.
CAPTION_WEIGHT_IF_LABELLED = 0.15
LABEL_WEIGHT = 3.0
WEAK_NEGATIVE = 0.2

# Saying the right-hand nouns after the left-hand one adds nothing.
_IMPLIED = {
    "people": ("person",), "house": ("building",), "kitchen": ("room",), "crowd": ("people", "person"), "child": ("person",), "ocean": ("water",), "lake": ("water",),
    "river": ("water",), "waterfall": ("water", "river"), "pool": ("water",), "beach": ("sand", "water"), "pier": ("water",),
    "mountain": ("hill",), "cliff": ("rock",), "valley": ("hill",), "forest": ("tree",), "bridge": ("street",),
    "laptop": ("computer", "keyboard", "desk"), "computer": ("screen", "keyboard"), "screen": ("television",),
    "bed": ("quilt", "pillow", "room"), "night": ("sky",), "sunset": ("sky",), "library": ("room",), "coffee": ("cup",), "burger": ("food",), "pizza": ("food",), "ski": ("snow",),
}  # fmt: skip


def pooled_features(images: np.ndarray, encoder: SemanticEncoder, batch: int = 32) -> np.ndarray:
    """uint8 [N,256,256,3] -> float32 [N,1280], mean of the encoder's last feature map."""
    out = np.empty((len(images), FEATURE_SIZE), np.float32)
    with torch.no_grad():
        for start in range(0, len(images), batch):
            part = torch.from_numpy(np.array(images[start : start + batch]))
            out[start : start + len(part)] = encoder.feature_map(image_to_tensor(part)).mean(dim=(2, 3)).numpy()
            if start % 1024 < batch and len(images) > 1024:
                print(f"features {start}/{len(images)}", file=sys.stderr)
    return out


def cached_features(work: Path, stem: str, encoder: SemanticEncoder) -> np.ndarray:
    """Features of WORK/<stem>.npy, computed once and kept beside it."""
    source, kept = work / f"{stem}.npy", work / f"{stem}-pooled.npy"
    if kept.exists() and kept.stat().st_mtime >= source.stat().st_mtime:
        return np.load(kept)
    features = pooled_features(np.load(source, mmap_mode="r"), encoder)
    write_array(kept, features)
    return features


def caption_counts(captions: list[str], nouns: dict[str, list[str]]) -> dict[str, int]:
    """In how many captions of one photo each noun (any of its forms) occurs."""
    words = [set(re.findall(r"[a-z]+", caption)) for caption in captions]
    counts = {noun: sum(bool(w.intersection(forms)) for w in words) for noun, forms in nouns.items()}
    return {noun: count for noun, count in counts.items() if count}


def from_captions(work: Path) -> dict[str, list[str]]:
    """Elements of the Flickr8k photos: what at least two of a photo's five captions name, the commonest first."""
    nouns = read_json(TABLES / "nouns.json", "It is part of the project; restore it.")["captions"]
    captions = read_json(work / "captions.json", "Run `python -m veraretouch.data.flickr` first.")
    found = {}
    for name, texts in captions.items():
        counts = {noun: count for noun, count in caption_counts(texts, nouns).items() if count >= 2}
        found[name] = choose({noun: count / len(texts) for noun, count in counts.items()})
    return found


def choose(scored: dict[str, float]) -> list[str]:
    """Nouns by score -> at most MAX_ELEMENTS, the best first, without nouns that a better one implies."""
    chosen: list[str] = []
    for noun in sorted(scored, key=lambda n: (-scored[n], n)):
        if any(noun in _IMPLIED.get(other, ()) for other in chosen):
            continue
        chosen = [other for other in chosen if other not in _IMPLIED.get(noun, ())] + [noun]
        if len(chosen) == MAX_ELEMENTS:
            break
    return chosen


def train_probe(
    x: torch.Tensor, target: torch.Tensor, weight: torch.Tensor, seed: int, epochs: int = 15
) -> torch.nn.Linear:
    """Linear probe [N,F] -> [N,K]: AdamW on binary cross-entropy, each target weighted by `weight` [N,K]."""
    generator = torch.Generator().manual_seed(seed)
    probe = torch.nn.Linear(x.shape[1], target.shape[1])
    prior = ((target * weight).sum(0) + 1) / (weight.sum(0) + 2)
    with torch.no_grad():
        probe.weight.zero_()
        probe.bias.copy_(torch.logit(prior))
    optimizer = torch.optim.AdamW(probe.parameters(), lr=2e-3, weight_decay=0.5)
    batches = -(-len(x) // 512)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * batches)
    for _ in range(epochs):
        for rows in torch.randperm(len(x), generator=generator).chunk(batches):
            loss = torch.nn.functional.binary_cross_entropy_with_logits(
                probe(x[rows]), target[rows], weight=weight[rows], reduction="sum"
            )
            optimizer.zero_grad()
            (loss / len(rows)).backward()
            optimizer.step()
            schedule.step()
    return probe


def lower_bound(right: np.ndarray, said: np.ndarray, z: float = 1.0) -> np.ndarray:
    """Lower end of Wilson's interval (1927) for the share right / said, at z standard deviations."""
    share = right / said
    centre, spread = share + z * z / (2 * said), z * np.sqrt(share * (1 - share) / said + z * z / (4 * said * said))
    return (centre - spread) / (1 + z * z / said)


def threshold_for(probability: np.ndarray, truth: np.ndarray, precision: float) -> float | None:
    """Lowest threshold above which the share of photos that show the noun surely reaches `precision`; None if none does."""
    order = np.argsort(-probability, kind="stable")
    said = np.arange(1, len(order) + 1)
    good = np.nonzero(lower_bound(np.cumsum(truth[order]), said) >= precision)[0]
    good = good[good >= MIN_PREDICTED - 1]
    return float(probability[order[good[-1]]]) if len(good) else None


def average_precision(probability: np.ndarray, truth: np.ndarray) -> float:
    """Area under the precision-recall curve (mean of the precisions at the positives)."""
    order = np.argsort(-probability)
    hits = truth[order].astype(bool)
    if not hits.any():
        return float("nan")
    return float((np.cumsum(hits) / np.arange(1, len(hits) + 1))[hits].mean())


class Probe:
    """Nouns from pooled features, by cross-fitting: no photo is judged by a probe that was trained on it.

    features, counts, splits: Flickr8k, `counts` from `caption_counts`. own: features of this collection; labels: for
    each of them the set of nouns it shows, or None where nobody looked; labelled: the nouns that were looked for.
    Thresholds of labelled nouns are set on the labelled photos (and, where these show too few, on the training photos of
    Flickr8k as well), those of the others on the training photos of Flickr8k alone.
    """

    def __init__(
        self, features: np.ndarray, counts: list[dict[str, int]], splits: list[str],
        own: np.ndarray, labels: list[set[str] | None], labelled: list[str],
    ) -> None:  # fmt: skip
        which = np.array(splits)
        train, test = which == "train", which == "test"
        in_captions = sorted({noun for c in counts for noun in c})
        table = np.array([[c.get(noun, 0) for noun in in_captions] for c in counts], np.int64)
        often = (table[train] >= 2).sum(0) >= MIN_POSITIVES
        self.nouns = sorted({n for n, keep in zip(in_captions, often, strict=True) if keep} | set(labelled))
        column = {noun: table[:, k] for k, noun in enumerate(in_captions)}
        table = np.stack([column.get(noun, np.zeros(len(counts), np.int64)) for noun in self.nouns], axis=1)
        self.labelled = np.array([noun in labelled for noun in self.nouns])
        known = np.array([row is not None for row in labels])
        truth = np.array([[noun in (row or ()) for noun in self.nouns] for row in labels])
        x = torch.from_numpy(np.concatenate([features[train], own]))
        mean, scale = x.mean(0), x.std(0) + 1e-3
        x = (x - mean) / scale
        target, weight = self._targets(table[train], truth, known)
        fold = torch.arange(len(x)) % FOLDS
        held_out = torch.zeros(len(x), len(self.nouns))
        on_test = torch.zeros(int(test.sum()), len(self.nouns))
        for k in range(FOLDS):
            probe = train_probe(x[fold != k], target[fold != k], weight[fold != k], seed=k)
            with torch.no_grad():
                held_out[fold == k] = probe(x[fold == k]).sigmoid()
                on_test += probe((torch.from_numpy(features[test]) - mean) / scale).sigmoid() / FOLDS
        captioned, self.own = held_out[: int(train.sum())].numpy(), held_out[int(train.sum()) :].numpy()
        self.thresholds = []
        for k in range(len(self.nouns)):
            judged = [(captioned[:, k], table[train, k] >= 1)]
            if self.labelled[k]:
                enough = truth[known, k].sum() >= ENOUGH_LABELLED or not table[train, k].any()
                judged = [*(() if enough else judged), (self.own[known, k], truth[known, k])]
            self.thresholds.append(threshold_for(*map(np.concatenate, zip(*judged, strict=True)), MIN_PRECISION))
        self.report = {
            "captions": self._report(
                on_test.numpy(), table[test] >= 1, table[test] >= 2, ~self.labelled, self.thresholds
            ),
            "labelled": self._labelled_report(self.own[known], truth[known]),
        }

    def _targets(self, table: np.ndarray, truth: np.ndarray, known: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        """Targets and loss weights [N,K] of the captioned photos and then the own ones."""
        # Two captions make a positive, none a negative; a single mention is left open.
        caption_weight = (table != 1) * np.where(self.labelled, CAPTION_WEIGHT_IF_LABELLED, 1.0)
        # Where captions never name a labelled noun (nobody writes "sky"), their silence says nothing.
        caption_weight *= ((table >= 2).sum(0) >= MIN_POSITIVES) | ~self.labelled
        own_weight = np.where(self.labelled, LABEL_WEIGHT * known[:, None], WEAK_NEGATIVE)
        target = np.concatenate([table >= 2, truth & self.labelled])
        weight = np.concatenate([caption_weight, own_weight])
        return torch.from_numpy(target).float(), torch.from_numpy(weight).float()

    def _labelled_report(self, probability: np.ndarray, truth: np.ndarray) -> dict:
        """Thresholds taken on one half of the labelled photos, counted on the other, and the reverse."""
        halves = []
        for side in (0, 1):
            here, there = np.arange(len(truth)) % 2 == side, np.arange(len(truth)) % 2 != side
            thresholds = [
                threshold_for(probability[here, k], truth[here, k], MIN_PRECISION) for k in range(len(self.nouns))
            ]
            halves.append(self._report(probability[there], truth[there], truth[there], self.labelled, thresholds))
        return {"photos": len(truth), "halves": halves}

    def _report(
        self, probability: np.ndarray, right: np.ndarray, strict: np.ndarray, nouns: np.ndarray, thresholds: list[float | None]
    ) -> dict:  # fmt: skip
        """Counts of what is said (precision against `right`) and of what should be (recall against `strict`)."""
        rows, precisions, totals = {}, [], np.zeros(4)
        for k in np.nonzero(nouns)[0]:
            precisions.append(average_precision(probability[:, k], strict[:, k]))
            if thresholds[k] is None:
                continue
            yes = probability[:, k] >= thresholds[k]
            row = [int(v.sum()) for v in (yes, yes & right[:, k], yes & strict[:, k], strict[:, k])]
            rows[self.nouns[k]] = {"said": row[0], "right": row[1], "shown": row[3], "found": row[2]}
            totals += row
        said, hit, found, shown = totals.tolist()
        return {
            "nouns": int(nouns.sum()), "nounsSaid": len(rows), "precision": round(hit / max(1, said), 3),
            "recall": round(found / max(1, shown), 3), "meanAveragePrecision": round(float(np.nanmean(precisions)), 3),
            "perNoun": rows,
        }  # fmt: skip

    def scores(self) -> list[dict[str, float]]:
        """For each of the own photos, nouns above their threshold with their score (1 at the threshold, 2 at certainty)."""
        pairs = [(k, n, t) for k, (n, t) in enumerate(zip(self.nouns, self.thresholds, strict=True)) if t is not None]
        return [{n: 1 + float(row[k] - t) / (1 - t + 1e-6) for k, n, t in pairs if row[k] >= t} for row in self.own]


def class_sums(features: np.ndarray, encoder: SemanticEncoder, classes: dict[str, list[int]]) -> dict[str, np.ndarray]:
    """ImageNet probabilities added up by noun: noun -> [N]."""
    with torch.no_grad():
        probability = encoder.classifier(torch.from_numpy(features)).softmax(-1).numpy()
    return {noun: probability[:, numbers].sum(1) for noun, numbers in classes.items()}


def combine(sums: dict[str, np.ndarray], probed: list[dict[str, float]] | None, index: int) -> dict[str, float]:
    """Scores of one photo: classes above CLASS_THRESHOLD, and probed nouns that the classifier does not rule out."""
    scores = {
        noun: 1 + (float(v[index]) - CLASS_THRESHOLD) / (1 - CLASS_THRESHOLD)
        for noun, v in sums.items()
        if v[index] >= CLASS_THRESHOLD
    }
    for noun, score in (probed[index] if probed else {}).items():
        if noun not in sums or sums[noun][index] >= CLASS_VETO:
            scores[noun] = max(score, scores.get(noun, 0.0))
    return scores


def label_all(work: Path, nouns: dict, open_only: bool) -> tuple[dict[str, list[str]], dict]:
    """Elements of every cached photo, and the report."""
    encoder = SemanticEncoder()
    names = list(read_json(work / "photos.json", "Run `python -m veraretouch.data.photos` first."))
    features = cached_features(work, "photos", encoder)
    sums = class_sums(features, encoder, nouns["classes"])
    elements: dict[str, list[str]] = {}
    report: dict = {}
    probed = None
    if not open_only:
        index = read_json(work / "flickr.json", "Run `python -m veraretouch.data.flickr` first, or pass --open-only.")
        captions = read_json(work / "captions.json", "Run `python -m veraretouch.data.flickr` first.")
        counts = [caption_counts(captions[name], nouns["captions"]) for name in index]
        splits = [split for split, _ in index.values()]
        looked = read_json(TABLES / "labelled.json", "It is part of the project; restore it.")
        seen = {name: {looked["codes"][c] for c in codes} for name, codes in looked["photos"].items()}
        labels = [seen.get(name) for name in names]
        flickr = cached_features(work, "flickr", encoder)
        probe = Probe(flickr, counts, splits, features, labels, list(looked["codes"].values()))
        report["probe"], probed = probe.report, probe.scores()
        for name, count in zip(index, counts, strict=True):
            elements[name] = choose({noun: float(n) for noun, n in count.items() if n >= 2})
    for i, name in enumerate(names):
        elements[name] = choose(combine(sums, probed, i))
    found = [len(elements[name]) for name in names]
    report["photos"] = {
        "count": len(names),
        "withElements": sum(n > 0 for n in found),
        "elementsPerPhoto": round(float(np.mean(found)), 2),
    }
    return elements, report


def label_others(work: Path, photos: np.ndarray, nouns: dict) -> tuple[list[list[str]], bool]:
    """Elements of photos that are not of this collection, uint8 [N,256,256,3], and whether the probe named them.

    The probe needs the caches of `data.photos` and `data.flickr` in WORK; without them only ImageNet classes are named.
    """
    encoder = SemanticEncoder()
    features = pooled_features(photos, encoder)
    sums, probed = class_sums(features, encoder, nouns["classes"]), None
    if all((work / name).exists() for name in ("flickr.npy", "flickr.json", "captions.json", "photos.npy", "photos.json")):
        index, captions = (read_json(work / f"{name}.json", "") for name in ("flickr", "captions"))
        counts = [caption_counts(captions[name], nouns["captions"]) for name in index]
        looked = read_json(TABLES / "labelled.json", "It is part of the project; restore it.")
        names = list(read_json(work / "photos.json", ""))
        seen = {name: {looked["codes"][c] for c in codes} for name, codes in looked["photos"].items()}
        known = [i for i, name in enumerate(names) if name in seen]
        labels: list[set[str] | None] = [seen[names[i]] for i in known]
        own = np.concatenate([cached_features(work, "photos", encoder)[known], features])
        splits = [split for split, _ in index.values()]
        probe = Probe(
            cached_features(work, "flickr", encoder), counts, splits, own, labels + [None] * len(features),
            list(looked["codes"].values()),
        )  # fmt: skip
        probed = probe.scores()[len(known) :]
    return [choose(combine(sums, probed, i)) for i in range(len(features))], probed is not None


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="folder with the photo caches")
    parser.add_argument("--open-only", action="store_true", help="do without Flickr8k: ImageNet classes only")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    try:
        nouns = read_json(TABLES / "nouns.json", "It is part of the project; restore it.")
        elements, report = label_all(options.work, nouns, options.open_only)
    except DataError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    write_json(options.work / "elements.json", elements, indent=None)
    write_json(options.work / "elements-report.json", report)
    for kind, figures in report.get("probe", {}).items():
        for part in figures.get("halves", [figures]):
            print(kind, {k: v for k, v in part.items() if k != "perNoun"})
    print(report["photos"])
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
