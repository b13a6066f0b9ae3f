"""Figures with confidence intervals: the percentile bootstrap over photos (Efron and Tibshirani 1993, chapter 13), seeded.

Samples are [n] values, one a photo, or [n, 2] pairs (what agreed, of how many) for shares of claims: claims of one photo
are not independent, photos are. Several seeds of a training are several rows of the same photos: the figure is the mean
over seeds, and photos are drawn for all seeds together, so that the interval is about photos and the seeds stand beside.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

DRAWS = 1000
LEVEL = 0.95
SEED = 20


class IntervalError(ValueError):
    """Samples from which no figure can be made; nothing was computed."""


def _mean(x: np.ndarray) -> np.ndarray:
    return x.mean(-1)


def _p10(x: np.ndarray) -> np.ndarray:
    return np.quantile(x, 0.1, axis=-1)


def _ratio(x: np.ndarray) -> np.ndarray:
    hits, counts = x[..., 0].sum(-1), x[..., 1].sum(-1)
    return np.divide(hits, counts, out=np.full_like(hits, np.nan), where=counts > 0)


# Statistic -> its function on [..., n] or, for ratio, [..., n, 2].
STATISTICS = {"mean": _mean, "share": _mean, "p10": _p10, "ratio": _ratio}


def estimate(seeds: Sequence[Sequence], statistic: str = "mean", draws: int = DRAWS, seed: int = SEED) -> dict:
    """Samples per seed (all of the same photos) -> {"value", "low", "high", "n", "seeds"}; limits of the 95 % interval.

    "n" is the number of photos, for ratios that of claims (of the first seed). A single photo has no interval: None.
    Raises IntervalError for no samples, or for seeds of different lengths.
    """
    function = STATISTICS[statistic]
    rows = [np.asarray(s, dtype=np.float64) for s in seeds]
    if not rows or not len(rows[0]) or any(r.shape != rows[0].shape for r in rows):
        raise IntervalError(f"A figure needs the same photos for every seed, not {[r.shape for r in rows]}.")
    values = [float(function(r)) for r in rows]
    ratio, count = statistic == "ratio", len(rows[0])
    n = int(rows[0][:, 1].sum()) if ratio else count
    if ratio and n == 0:
        raise IntervalError("No claim was counted, so there is no share.")
    low = high = None
    if count > 1:
        which = np.random.default_rng(seed).integers(count, size=(draws, count))
        drawn = np.mean([function(r[which]) for r in rows], axis=0)
        # A draw without any claim says nothing.
        low, high = (float(q) for q in np.nanquantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]))
    return {"value": float(np.mean(values)), "low": low, "high": high, "n": n, "seeds": values}
