"""How sure a score or a difference of two arms is: the choice of method by the kind of scores.

0/1 scores get score intervals made for counts (Wilson; Tango's paired one) and the exact McNemar test. Other
scores are bootstrapped over examples (BCa) and tested by flipping signs. Rows that share a cluster are drawn, and
flipped, together; for counts they shrink the sample to the size that independent rows would need for the same
variance. Several training seeds widen every interval by what the seed adds (``evals.spread``). Samples that show
no spread, or are too small, get bounds that don't pretend to know more than n rows can tell.

Scores are 0…1: one per example, or one list of those per training seed; None is an error: left out, and counted.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from evals.clusters import Clusters, FloatArray, independent
from evals.count_interval import paired_bounds, share_bounds
from evals.intervals import Bounds, identical_draws, mcnemar_exact, student
from evals.resampling import RESAMPLES, Bootstrap, FloatVector, bootstrap_mean, sign_flip_p_value
from evals.spread import Spread, mean_spread

SMALL = 10
"""Below this many rows (or clusters) the bootstrap has too little to draw from."""

FEW = 20
"""When fewer rows (or clusters) than this stand out from the most common value, the bootstrap alone is too sure."""

Scores = Sequence[float | None] | Sequence[Sequence[float | None]] | FloatArray
"""One score per example, or one list of those per training seed; as an array NaN stands for None."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A score with its interval; all None, with the ``reason``, when there's nothing to compute it from."""

    mean: float | None
    low: float | None
    high: float | None
    n: int
    dropped: int
    method: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """First minus second on the same examples, with its interval."""

    difference: float | None
    low: float | None
    high: float | None
    n: int
    dropped: int
    method: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Test:
    """The two-sided p-value that two arms score the same, None without rows; ``method`` says by which test."""

    p_value: float | None
    method: str


class ScoreSample:
    """One arm's scores; resamples are drawn once, whatever the number of intervals asked.

    Raises ``ValueError`` for a score outside 0…1.
    """

    def __init__(self, scores: Scores, seed: int, clusters: Clusters | None = None) -> None:
        self._scores = matrix(scores)
        self._sample = _Sample(seed_means(self._scores), (self._scores,), seed, clusters)

    def estimate(self, confidence: float) -> Estimate:
        """Return the mean with its interval."""
        sample, n = self._sample, len(self._sample.values)
        if n == 0:
            return Estimate(None, None, None, 0, sample.dropped, "none", "no row was scored")
        mean = float(sample.values.mean())
        if _binary(self._scores) and n > 1:
            bounds = share_bounds(mean, n, sample.clusters.count, sample.spread, confidence)
            method = "Wilson interval" + sample.aside
        else:
            bounds, method = sample.interval(confidence, 0, 1)
        bounds = bounds.within(0, 1).around(mean)
        return Estimate(mean, bounds.low, bounds.high, n, sample.dropped, method)


class PairedSample:
    """Two arms' scores on the same examples, in the same order.

    Raises ``ValueError`` for a score outside 0…1 or unequal lengths.
    """

    def __init__(self, first: Scores, second: Scores, seed: int, clusters: Clusters | None = None) -> None:
        self._one, self._two = matrix(first), matrix(second)
        if self._one.shape[1] != self._two.shape[1]:
            raise ValueError(f"paired scores must be equally many, got {self._one.shape[1]} and {self._two.shape[1]}")
        self._means = seed_means(self._one), seed_means(self._two)
        self._sample = _Sample(self._means[0] - self._means[1], (self._one, self._two), seed, clusters)

    @property
    def values(self) -> FloatArray:
        """The difference of each row, averaged over seeds, shape (rows,); NaN where either has no score."""
        return self._sample.all

    @property
    def spread(self) -> Spread:
        """How far the mean difference would move on other rows and with other seeds."""
        return self._sample.spread

    @cached_property
    def discordant(self) -> float:
        """The share of rows that exactly one of the two gets right, on average over seeds (for 0/1 scores)."""
        first, second = self._only
        return float(first + second)

    @cached_property
    def _only(self) -> tuple[float, float]:
        """The shares of rows that only the first and only the second has right."""
        one, two = (means[self._sample.kept] for means in self._means)
        return float(np.mean(one * (1 - two))), float(np.mean(two * (1 - one)))

    def test(self) -> Test:
        """Return the p-value that there is no difference."""
        sample = self._sample
        if not len(sample.values):
            return Test(None, "none")
        if sample.spread.seeds:
            return Test(sample.spread.p_value(float(sample.values.mean())), "t test with the seeds' part")
        if self._binary and sample.clusters.single:
            first, second = (round(share * len(sample.values)) for share in self._only)
            return Test(mcnemar_exact(first, second), "exact McNemar test")
        p_value = sign_flip_p_value(sample.clusters.totals(sample.values), sample.seed)
        which = "" if sample.clusters.single else " by cluster"
        return Test(p_value, f"sign-flip test{which}, {RESAMPLES:,} draws")

    @cached_property
    def _binary(self) -> bool:
        return _binary(self._one) and _binary(self._two)

    def difference(self, confidence: float) -> Difference:
        """Return the mean difference with its interval."""
        sample, n = self._sample, len(self._sample.values)
        if n == 0:
            return Difference(None, None, None, 0, sample.dropped, "none", "no row was scored for both")
        mean = float(sample.values.mean())
        if self._binary and float(np.ptp(sample.values)) > 0:
            bounds = paired_bounds(*self._only, n, sample.clusters.count, sample.spread, confidence)
            interval = "Tango's paired interval" + sample.aside
        else:
            bounds, interval = sample.interval(confidence, -1, 1)
        bounds = bounds.within(-1, 1).around(mean)
        return Difference(mean, bounds.low, bounds.high, n, sample.dropped, interval)


class _Sample:
    """Values of eval rows (averaged over seeds; NaN for none), with clusters and the seeds of the arms behind them."""

    def __init__(self, values: FloatArray, arms: tuple[FloatArray, ...], seed: int, clusters: Clusters | None) -> None:
        self.all, self._arms, self.seed = values, arms, seed
        self._all_clusters = independent(len(values)) if clusters is None else clusters
        self.kept = ~np.isnan(values)
        self.values = values[self.kept]
        self.dropped = len(values) - len(self.values)
        whole = bool(self.kept.all())
        self.clusters = self._all_clusters if whole else self._all_clusters.take(self.kept)

    @cached_property
    def spread(self) -> Spread:
        return mean_spread(self.values, self.clusters, self._arms, self._all_clusters)

    @property
    def aside(self) -> str:
        """What the method has to add on clusters and seeds."""
        parts = [] if self.clusters.single else [f"{self.clusters.count:,} clusters"]
        parts += [f"{count} training seeds" for count in sorted({part.count for part in self.spread.seeds})]
        return f" for {' and '.join(parts)}" if parts else ""

    @cached_property
    def _bootstrap(self) -> Bootstrap:
        return bootstrap_mean(self.all, self.seed, self._all_clusters)

    def interval(self, confidence: float, lowest: float, highest: float) -> tuple[Bounds, str]:
        """Return bounds for scores that are no counts, within ``lowest``…``highest``, and what they are."""
        if self.clusters.count < SMALL or np.ptp(self.values) == 0:
            bounds, method = self._guarded(confidence, lowest, highest)
        else:
            bounds, method = self._bootstrapped(confidence, lowest, highest)
        return self.spread.widen(bounds, float(self.values.mean()), confidence), method + self.aside

    def _bootstrapped(self, confidence: float, lowest: float, highest: float) -> tuple[Bounds, str]:
        """Return BCa bounds; when few rows stand out, no narrower than with half a row more at each end.

        A resample can't hold what a sample happened to miss. Where nearly all rows have one value, that makes
        the bootstrap too narrow, as Wald's interval is for small counts; Agresti's remedy there, adding
        half a row to each cell (Agresti and Min 2005), is the remedy here (half a cluster where rows share one).
        """
        bounds, method = self._bootstrap.interval(confidence), f"BCa bootstrap, {RESAMPLES:,} resamples"
        values, counts = np.unique(self.values, return_counts=True)
        apart = self.clusters.totals((self.values != values[counts.argmax()]).astype(np.float64))
        if np.count_nonzero(apart) >= FEW:
            return bounds, method
        count, rows = self.clusters.count + 1, len(self.values)
        size = rows / self.clusters.count
        mean = float(self.values.sum() + size * (lowest + highest) / 2) / (rows + size)
        squares = float(np.sum(self.clusters.totals(self.values - mean) ** 2))
        squares += size**2 * ((lowest - mean) ** 2 + (highest - mean) ** 2) / 2
        t = student(mean, math.sqrt(squares / (count - 1)) / size, count, confidence)
        what = "half a row" if self.clusters.single else "half a cluster"
        return bounds.around(t.low, t.high), f"{method}, no narrower than Student's with {what} added at each end"

    def _guarded(self, confidence: float, lowest: float, highest: float) -> tuple[Bounds, str]:
        """Return bounds for a sample without spread, or one too small for the bootstrap, and what they are."""
        count, mean = self.clusters.count, float(self.values.mean())
        bounds = identical_draws(mean, count, confidence, lowest, highest)
        what = "rows" if self.clusters.single else "clusters"
        if np.ptp(self.values) == 0:
            return bounds, f"bound from {count:,} identical {what}" if count > 1 else f"bound from a single {what[:-1]}"
        if count < 2:
            return Bounds(lowest, highest), "nothing: a single cluster shows no spread"
        half = Spread(self.spread.rows, self.spread.rows_df).half_width(confidence)
        return bounds.around(mean - half, mean + half), (
            f"Student interval, no narrower than the bound from {count} identical {what}"
        )


def matrix(scores: Scores) -> FloatArray:
    """Return scores as an array of shape (seeds, rows); NaN stands for an error.

    Raises ``ValueError`` for a score outside 0…1.
    """
    if isinstance(scores, np.ndarray):
        return _checked(np.atleast_2d(scores), np.isnan(np.atleast_2d(scores)))
    several = len(scores) > 0 and isinstance(scores[0], Sequence)
    rows: Sequence[Sequence[float | None]] = scores if several else [scores]  # type: ignore[list-item, assignment]
    values = np.array([[np.nan if score is None else score for score in row] for row in rows], dtype=np.float64)
    errors = np.array([[score is None for score in row] for row in rows], dtype=bool)
    return _checked(values, errors)


def _checked(values: FloatArray, errors: NDArray[np.bool_]) -> FloatArray:
    outside = ~errors & ~((values >= 0) & (values <= 1))
    if outside.any():
        raise ValueError(f"scores must lie between 0 and 1, got {values[outside][0]}")
    return values


def seed_means(scores: FloatArray) -> FloatVector:
    """Return each row's mean over the seeds that scored it, shape (rows,); NaN where none did."""
    known = ~np.isnan(scores)
    counts = known.sum(axis=0)
    sums: FloatVector = np.where(known, scores, 0.0).sum(axis=0)
    means: FloatVector = np.divide(sums, counts, out=np.full(scores.shape[1], np.nan), where=counts > 0)
    return means


def _binary(values: FloatArray) -> bool:
    return bool(np.all((values == 0) | (values == 1) | np.isnan(values)))
