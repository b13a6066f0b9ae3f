"""Key elements: the nouns that say what is in a photo.

python -m veraretouch.data.elements --work DIR [--open-only]

Two sources of names, both on frozen EfficientNet-Lite0 features:
- a linear probe trained on the nouns of the Flickr8k captions (needs `python -m veraretouch.data.flickr` first);
- ImageNet classes of the encoder's own classifier, added up into everyday nouns.
A noun is said only above a threshold at which it was right on held-out photos. Writes WORK/elements.json
(file -> at most four nouns) and WORK/elements-report.json (precision, recall, mean average precision).
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
MIN_PRECISION = 0.7  # demanded on the validation photos, so that test photos keep 0.6
MIN_POSITIVES = 25  # training photos that must show a noun
MIN_PREDICTED = 5  # validation photos above a threshold before its precision is believed
CLASS_THRESHOLD = 0.5
# Saying the right-hand nouns after the left-hand one adds nothing.
_IMPLIED = {
    "man": ("people", "person"), "woman": ("people",), "boy": ("child", "people", "man"), "girl": ("child", "people", "woman"),
    "child": ("people",), "baby": ("child", "people"), "crowd": ("people",), "team": ("people",), "player": ("people", "man"),
    "skateboarder": ("skateboard", "man", "boy"), "snowboarder": ("snowboard", "man"), "skier": ("ski",), "surfer": ("surfboard", "man"),
    "cyclist": ("bicycle", "man"), "couple": ("people",), "ocean": ("water",), "lake": ("water",), "river": ("water",),
    "pool": ("water",), "beach": ("water", "sand"), "wave": ("water", "ocean"), "mountain": ("hill",), "cliff": ("rock",),
    "bride": ("woman", "people"), "snowboard": ("ski",), "kayak": ("boat",), "grass": ("yard",), "field": ("park",), "cup": ("coffee",),
    "laptop": ("computer", "keyboard", "desk"), "computer": ("screen", "keyboard"), "screen": ("television",), "bed": ("quilt",),
}  # fmt: skip


def pooled_features(images: np.ndarray, encoder: SemanticEncoder, batch: int = 32) -> np.ndarray:
    """uint8 [N,224,224,3] -> float32 [N,1280], mean of the encoder's last feature map."""
    out = np.empty((len(images), FEATURE_SIZE), np.float32)
    with torch.no_grad():
        for start in range(0, len(images), batch):
            part = torch.from_numpy(np.array(images[start : start + batch]))
            out[start : start + len(part)] = encoder.feature_map(image_to_tensor(part)).mean(dim=(2, 3)).numpy()
            if start % 1024 < batch:
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


def train_probe(features: torch.Tensor, target: torch.Tensor, known: torch.Tensor, steps: int = 400) -> torch.nn.Linear:
    """Linear probe [N,F] -> [N,K] by full-batch AdamW on binary cross-entropy; `known` [N,K] masks doubtful targets out."""
    torch.manual_seed(0)
    probe = torch.nn.Linear(features.shape[1], target.shape[1])
    prior = (target.sum(0) + 1) / (known.sum(0) + 2)
    with torch.no_grad():
        probe.weight.zero_()
        probe.bias.copy_(torch.logit(prior))
    optimizer = torch.optim.AdamW(probe.parameters(), lr=3e-3, weight_decay=0.3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        loss = torch.nn.functional.binary_cross_entropy_with_logits(
            probe(features), target, weight=known, reduction="sum"
        )
        optimizer.zero_grad()
        (loss / len(features)).backward()
        optimizer.step()
        schedule.step()
    return probe


def threshold_for(probability: np.ndarray, truth: np.ndarray, precision: float) -> float | None:
    """Lowest threshold at and above which at least `precision` of the photos show the noun; None if there is none."""
    order = np.argsort(-probability)
    right = np.cumsum(truth[order])
    share = right / np.arange(1, len(order) + 1)
    good = np.nonzero(share >= precision)[0]
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
    """Caption nouns from pooled features: thresholds taken on the validation photos, figures measured on the test photos."""

    def __init__(self, features: np.ndarray, counts: list[dict[str, int]], splits: list[str]) -> None:
        which = np.array(splits)
        nouns = sorted({noun for c in counts for noun in c})
        table = np.array([[c.get(noun, 0) for noun in nouns] for c in counts], np.int64)
        often = (table[which == "train"] >= 2).sum(0) >= MIN_POSITIVES
        nouns, table = [n for n, keep in zip(nouns, often) if keep], table[:, often]
        x = torch.from_numpy(features)
        train = torch.from_numpy(which == "train")
        self.mean, self.scale = x[train].mean(0), x[train].std(0) + 1e-3
        x = (x - self.mean) / self.scale
        mentions = torch.from_numpy(table)
        # Two captions make a positive, none a negative; a single mention is left open.
        self.linear = train_probe(x[train], (mentions[train] >= 2).float(), (mentions[train] != 1).float())
        with torch.no_grad():
            probability = self.linear(x).sigmoid().numpy()
        val, test = which == "val", which == "test"
        self.nouns = nouns
        self.thresholds = [
            threshold_for(probability[val, k], table[val, k] >= 1, MIN_PRECISION) for k in range(len(nouns))
        ]
        self.report = self._report(probability[test], table[test])

    def _report(self, probability: np.ndarray, table: np.ndarray) -> dict:
        rows, said, right, strict, shown = {}, 0, 0, 0, 0
        precisions = []
        for k, noun in enumerate(self.nouns):
            precisions.append(average_precision(probability[:, k], table[:, k] >= 2))
            if self.thresholds[k] is None:
                continue
            yes = probability[:, k] >= self.thresholds[k]
            hit, often = yes & (table[:, k] >= 1), yes & (table[:, k] >= 2)
            total = int((table[:, k] >= 2).sum())
            rows[noun] = {
                "said": int(yes.sum()),
                "right": int(hit.sum()),
                "recall": round(float(often.sum() / max(1, total)), 3),
            }
            said, right, strict, shown = (
                said + int(yes.sum()),
                right + int(hit.sum()),
                strict + int(often.sum()),
                shown + total,
            )
        return {
            "testPhotos": len(table), "nouns": len(self.nouns), "nounsSaid": len(rows),
            "precision": round(right / max(1, said), 3), "precisionTwoCaptions": round(strict / max(1, said), 3),
            "recall": round(strict / max(1, shown), 3), "meanAveragePrecision": round(float(np.nanmean(precisions)), 3),
            "perNoun": rows,
        }  # fmt: skip

    def scores(self, features: np.ndarray) -> list[dict[str, float]]:
        """Nouns above their threshold with their score (1 at the threshold, 2 at certainty)."""
        with torch.no_grad():
            probability = self.linear((torch.from_numpy(features) - self.mean) / self.scale).sigmoid().numpy()
        return [
            {
                n: 1 + (p - t) / (1 - t + 1e-6)
                for n, p, t in zip(self.nouns, row, self.thresholds)
                if t is not None and p >= t
            }
            for row in probability
        ]


def class_scores(
    features: np.ndarray, encoder: SemanticEncoder, classes: dict[str, list[int]]
) -> list[dict[str, float]]:
    """ImageNet probabilities added up by noun; those above CLASS_THRESHOLD, scored from 1 to 2."""
    with torch.no_grad():
        probability = encoder.classifier(torch.from_numpy(features)).softmax(-1).numpy()
    sums = {noun: probability[:, numbers].sum(1) for noun, numbers in classes.items()}
    return [
        {
            noun: 1 + (float(v[i]) - CLASS_THRESHOLD) / (1 - CLASS_THRESHOLD)
            for noun, v in sums.items()
            if v[i] >= CLASS_THRESHOLD
        }
        for i in range(len(features))
    ]


def label_all(work: Path, nouns: dict, open_only: bool) -> tuple[dict[str, list[str]], dict]:
    """Elements of every cached photo, and the report."""
    encoder = SemanticEncoder()
    names = list(read_json(work / "photos.json", "Run `python -m veraretouch.data.photos` first."))
    features = cached_features(work, "photos", encoder)
    scores = class_scores(features, encoder, nouns["classes"])
    elements: dict[str, list[str]] = {}
    report: dict = {}
    if not open_only:
        index = read_json(work / "flickr.json", "Run `python -m veraretouch.data.flickr` first, or pass --open-only.")
        captions = read_json(work / "captions.json", "Run `python -m veraretouch.data.flickr` first.")
        counts = [caption_counts(captions[name], nouns["captions"]) for name in index]
        probe = Probe(cached_features(work, "flickr", encoder), counts, [split for split, _ in index.values()])
        report["probe"] = probe.report
        for mine, other in zip(scores, probe.scores(features)):
            for noun, score in other.items():
                mine[noun] = max(score, mine.get(noun, 0.0))
        for name, count in zip(index, counts):
            elements[name] = choose({noun: float(n) for noun, n in count.items() if n >= 2})
    for name, score in zip(names, scores):
        elements[name] = choose(score)
    found = [len(elements[name]) for name in names]
    report["photos"] = {
        "count": len(names),
        "withElements": sum(n > 0 for n in found),
        "elementsPerPhoto": round(float(np.mean(found)), 2),
    }
    return elements, report


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
    print({k: v for k, v in report.get("probe", {}).items() if k != "perNoun"})
    print(report["photos"])
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
