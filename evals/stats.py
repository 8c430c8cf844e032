"""How sure a score or a difference of two arms is: the choice of method by the kind of scores.

0/1 scores get score intervals made for counts (Wilson; Tango's paired one) and the exact McNemar test. Other
scores are bootstrapped over examples (BCa) and tested by flipping signs. Rows that share a cluster are drawn, and
flipped, together; for counts they shrink the sample to the size that independent rows would need for the same
variance. Several training seeds widen every interval by what the seed adds (``evals.spread``). Samples that show
no spread, or are too small, get bounds that don't pretend to know more than n rows can tell.

Scores are 0…1: one per example, or one list of those per training seed; None is an error: left out, and counted.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from evals.clusters import Clusters, FloatArray
from evals.count_interval import paired_bounds, share_bounds
from evals.intervals import mcnemar_exact
from evals.resampling import RESAMPLES, sign_flip_p_value
from evals.sample import Sample, Scores, all_binary, matrix, seed_means
from evals.spread import Spread


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
        self._sample = Sample(seed_means(self._scores), (self._scores,), seed, clusters)

    def estimate(self, confidence: float) -> Estimate:
        """Return the mean with its interval."""
        sample, n = self._sample, len(self._sample.values)
        if n == 0:
            return Estimate(None, None, None, 0, sample.dropped, "none", "no row was scored")
        mean = float(sample.values.mean())
        if all_binary(self._scores) and n > 1:
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
        self._sample = Sample(self._means[0] - self._means[1], (self._one, self._two), seed, clusters)

    @property
    def values(self) -> FloatArray:
        """The difference of each row, averaged over seeds, shape (rows,); NaN where either has no score."""
        return self._sample.all

    @property
    def spread(self) -> Spread:
        """How far the mean difference would move on other rows and with other seeds."""
        return self._sample.spread

    @cached_property
    def only(self) -> tuple[float, float]:
        """The shares of rows that only the first and only the second has right."""
        one, two = (means[self._sample.kept] for means in self._means)
        return float(np.mean(one * (1 - two))), float(np.mean(two * (1 - one)))

    def test(self) -> Test:
        """Return the p-value that there is no difference."""
        sample = self._sample
        if not len(sample.values):
            return Test(None, "none")
        if sample.spread.seeds:
            moved = np.count_nonzero(sample.clusters.totals(sample.values))
            least = min(1.0, 2 * 0.5 ** float(moved))  # no sign test of so many rows could go below it
            p_value = max(sample.spread.p_value(float(sample.values.mean())), least)
            return Test(p_value, "t test with the seeds' part")
        if self.binary and sample.clusters.single:
            first, second = (round(share * len(sample.values)) for share in self.only)
            return Test(mcnemar_exact(first, second), "exact McNemar test")
        p_value = sign_flip_p_value(sample.clusters.totals(sample.values), sample.seed)
        which = "" if sample.clusters.single else " by cluster"
        return Test(p_value, f"sign-flip test{which}, {RESAMPLES:,} draws")

    @cached_property
    def binary(self) -> bool:
        """Whether all scores are 0 or 1."""
        return all_binary(self._one) and all_binary(self._two)

    def difference(self, confidence: float) -> Difference:
        """Return the mean difference with its interval."""
        sample, n = self._sample, len(self._sample.values)
        if n == 0:
            return Difference(None, None, None, 0, sample.dropped, "none", "no row was scored for both")
        mean = float(sample.values.mean())
        if self.binary and float(np.ptp(sample.values)) > 0:
            bounds = paired_bounds(*self.only, n, sample.clusters.count, sample.spread, confidence)
            interval = "Tango's paired interval" + sample.aside
        else:
            bounds, interval = sample.interval(confidence, -1, 1)
        bounds = bounds.within(-1, 1).around(mean)
        return Difference(mean, bounds.low, bounds.high, n, sample.dropped, interval)
