"""The bootstrap over examples (or clusters of them) and the sign-flip test, seeded, in bounded memory.

Sources: Efron 1987, "Better bootstrap confidence intervals" (BCa); Hesterberg 2015, "What teachers should
know about the bootstrap" (arXiv:1411.5279), for the small-sample expansion; Phipson and Smyth 2010,
"Permutation p-values should never be zero" (arXiv:1603.05766), for the +1 in p-values.

A resample is kept as how often it drew each row, so that a statistic of many resamples is one matrix
product. Resamples depend on the seed and the number of eval rows alone: all arms meet the same ones, and
the difference of two arms' draws is the draw of their difference. Rows without a score (errors) are drawn
like the others and add nothing, which spares every pair of arms resamples of its own.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from evals.clusters import Clusters
from evals.intervals import Bounds, student_quantile

RESAMPLES = 5000
"""Bootstrap resamples and sign flips; a multiple of 8."""

_CHUNK = 4_000_000
"""Draws held at once: 4 MB while they're kept, 32 MB while they're multiplied."""

_NORMAL = NormalDist()

FloatVector = NDArray[np.float64]
CountMatrix = NDArray[np.uint8]


@dataclass(frozen=True)
class Bootstrap:
    """A statistic of a sample of ``n`` scored rows (or clusters), and of its resamples (sorted)."""

    point: float
    n: int
    draws: FloatVector
    acceleration: float = 0.0

    def interval(self, confidence: float) -> Bounds:
        """Return the bias-corrected and accelerated interval, widened for small n as Student's t is.

        Without an acceleration it's the bias-corrected one.
        """
        below = np.searchsorted(self.draws, self.point, "left") + np.searchsorted(self.draws, self.point, "right")
        share = min(max(float(below) / (2 * len(self.draws)), 1 / len(self.draws)), 1 - 1 / len(self.draws))
        bias = _NORMAL.inv_cdf(share)
        width = student_quantile(self.n, confidence) * math.sqrt(self.n / (self.n - 1))
        ends = [self._level(bias, bias + side * width) for side in (-1, 1)]
        low, high = np.quantile(self.draws, ends)
        return Bounds(float(low), float(high)).around(self.point)

    def _level(self, bias: float, shifted: float) -> float:
        stretch = max(1 - self.acceleration * shifted, 0.1)  # keeps a wild skew from turning the ends around
        return _NORMAL.cdf(bias + shifted / stretch)

    def p_value(self) -> float:
        """Return the two-sided p-value that the statistic is 0: draws centred there, as far out as the point."""
        beyond = np.count_nonzero(np.abs(self.draws - self.point) >= abs(self.point) - 1e-12)
        return float(1 + beyond) / (len(self.draws) + 1)


def bootstrap_mean(values: FloatVector, seed: int, clusters: Clusters) -> Bootstrap:
    """Return the bootstrap of the mean of ``values``, drawn by cluster.

    NaN is a row without a score; two scored rows at least.
    """
    scored = ~np.isnan(values)
    mean = float(values[scored].mean())
    centred = clusters.totals(np.where(scored, values - mean, 0.0))
    rows = clusters.totals(scored.astype(np.float64))
    parts = np.column_stack([centred, rows])

    def statistic(counts: CountMatrix) -> FloatVector:
        sums = counts.astype(np.float64) @ parts
        means: FloatVector = mean + sums[:, 0] / np.maximum(sums[:, 1], 1)
        return means

    spread = float(np.sum(centred**2))
    skew = float(np.sum(centred**3)) / (6 * spread**1.5) if spread > 0 else 0.0
    return Bootstrap(mean, int(np.count_nonzero(rows)), np.sort(resample(clusters.count, seed, statistic)), skew)


def resample(n: int, seed: int, statistic: Callable[[CountMatrix], FloatVector]) -> FloatVector:
    """Return ``statistic`` of every resample of n rows (or clusters).

    ``statistic`` gets how often each was drawn, shape (some resamples, n), and returns one value
    per resample.
    """
    return np.concatenate([statistic(counts) for counts in _all_counts(n, seed)])


def sign_flip_p_value(differences: FloatVector, seed: int) -> float:
    """Return the two-sided p-value that differences lie symmetrically around 0, by flipping signs at random."""
    moved = differences[differences != 0]
    if not len(moved):
        return 1.0
    observed = abs(float(moved.sum()))
    random = np.random.default_rng([seed, len(moved), 1])
    rows = max(8, _CHUNK // len(moved) // 8 * 8)
    beyond = 0
    for start in range(0, RESAMPLES, rows):
        size = min(rows, RESAMPLES - start)
        bits = np.unpackbits(np.frombuffer(random.bytes(size * len(moved) // 8), np.uint8)).reshape(size, len(moved))
        sums = 2 * (bits.astype(np.float64) @ moved) - moved.sum()
        beyond += int(np.count_nonzero(np.abs(sums) >= observed * (1 - 1e-9)))
    return (1 + beyond) / (RESAMPLES + 1)


def _all_counts(n: int, seed: int) -> Iterator[CountMatrix]:
    rows = max(1, _CHUNK // n)
    for chunk, start in enumerate(range(0, RESAMPLES, rows)):
        yield _counts(n, seed, chunk, min(rows, RESAMPLES - start))


@lru_cache(maxsize=16)
def _counts(n: int, seed: int, chunk: int, rows: int) -> CountMatrix:
    """Return how often each of n rows was drawn in each of some resamples, shape (rows, n).

    Counts fit a byte: with n ≤ 255 they can't exceed it, and beyond that more than 255 draws of one row
    have a chance below 1e-500.
    """
    random = np.random.default_rng([seed, n, 0, chunk])
    counts = np.empty((rows, n), dtype=np.uint8)
    for row in counts:  # row by row, so that what is counted stays in the processor's cache
        row[:] = np.bincount(random.integers(0, n, size=n, dtype=np.uint32), minlength=n)
    counts.setflags(write=False)
    return counts
