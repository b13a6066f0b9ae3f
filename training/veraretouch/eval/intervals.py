"""Figures with confidence intervals over photos: a bootstrap, seeded; for shares of photos the exact binomial interval.

Means, quantiles and shares of claims: the expanded percentile bootstrap (Hesterberg, The American Statistician 69, 2015),
whose tails are those of Student's t and which makes up for the n - 1; the plain percentile interval of 6 photos held the
true mean in 85 % of trials, not in 95. Shares of photos: Clopper and Pearson (1934), because a bootstrap of photos that
all agree draws nothing else: 14 of 14 would be 100 % without any doubt. At 14 photos and a true 95 % it held in 51 % of
trials. A mean of photos that are all equal has no width; shares of claims that all agree get the exact limit of as many
photos as made a claim.

Samples are [n] values, one a photo, or [n, 2] pairs (what agreed, of how many) for shares of claims: claims of one photo
are not independent, photos are. Several seeds of a training are several rows of the same photos: the figure is the mean
over seeds, and photos are drawn for all seeds together, so that the interval is about photos and the seeds stand beside.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import stats

# Few photos need tails far out, and many do not need as many draws.
DRAWS, DRAWS_OF_FEW, FEW = 1000, 4000, 50
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


def exact(hits: float, count: int) -> tuple[float, float]:
    """Limits of the share `hits` / `count` after Clopper and Pearson; hits need not be whole (a mean over seeds)."""
    tail = (1 - LEVEL) / 2
    low = 0.0 if hits <= 0 else float(stats.beta.ppf(tail, hits, count - hits + 1))
    high = 1.0 if hits >= count else float(stats.beta.ppf(1 - tail, hits + 1, count - hits))
    return low, high


def _expanded(count: int) -> float:
    """The share of draws below the lower limit for samples of `count` photos."""
    t = stats.t.ppf((1 - LEVEL) / 2, count - 1)
    return float(stats.norm.cdf(np.sqrt(count / (count - 1)) * t))


def estimate(seeds: Sequence[Sequence], statistic: str = "mean", draws: int | None = None, seed: int = SEED) -> dict:
    """Samples per seed (all of the same photos) -> {"value", "low", "high", "n", "seeds"}; limits of the 95 % interval.

    "n" is the number of photos, for ratios that of claims (of the first seed). A single photo has no interval: None.
    draws: of the bootstrap, 1,000, or 4,000 below 50 photos. Raises IntervalError for no samples, for seeds of different
    lengths, and for shares whose samples are not in [0, 1].
    """
    function = STATISTICS[statistic]
    rows = [np.asarray(s, dtype=np.float64) for s in seeds]
    if not rows or not len(rows[0]) or any(r.shape != rows[0].shape for r in rows):
        raise IntervalError(f"A figure needs the same photos for every seed, not {[r.shape for r in rows]}.")
    values = [float(function(r)) for r in rows]
    value, ratio, count = float(np.mean(values)), statistic == "ratio", len(rows[0])
    n = int(rows[0][:, 1].sum()) if ratio else count
    if ratio and n == 0:
        raise IntervalError("No claim was counted, so there is no share.")
    if statistic == "share" and not all((r >= 0).all() and (r <= 1).all() for r in rows):
        raise IntervalError("A share needs samples in [0, 1].")
    low = high = None
    if count > 1 and statistic == "share":
        low, high = exact(value * count, count)
    elif count > 1 and ratio and value in (0.0, 1.0):
        told = max(int((r[:, 1] > 0).sum()) for r in rows)
        low, high = exact(value * told, told)
    elif count > 1:
        which = np.random.default_rng(seed).integers(count, size=(draws or (DRAWS_OF_FEW if count < FEW else DRAWS), count))
        drawn = np.mean([function(r[which]) for r in rows], axis=0)
        tail = _expanded(count)
        # A draw without any claim says nothing.
        low, high = (float(q) for q in np.nanquantile(drawn, [tail, 1 - tail]))
    return {"value": value, "low": low, "high": high, "n": n, "seeds": values}
