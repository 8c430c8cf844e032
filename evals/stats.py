"""How sure a score or a difference of two arms is: the choice of method by the kind of scores.

0/1 scores get intervals made for counts (Wilson; Newcombe's paired one with the exact McNemar test).
Other scores are bootstrapped over examples (BCa) and tested by flipping signs. Samples that show no
spread, or are too small for either, get bounds that don't pretend to know more than n rows can tell.
Scores are 0…1, one per example (several seeds averaged first); None is an error: left out, and counted.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from evals.intervals import (
    Bounds,
    PairedCounts,
    identical_draws,
    mcnemar_exact,
    newcombe_paired,
    student,
    wilson,
)
from evals.resampling import RESAMPLES, Bootstrap, FloatVector, bootstrap_mean, sign_flip_p_value

SMALL = 10
"""Below this many rows the bootstrap has too little to draw from."""

FEW = 20
"""When fewer rows than this stand out from the most common value, the bootstrap alone is too sure."""


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
    """First minus second on the same examples, with its interval and the p-value of no difference."""

    difference: float | None
    low: float | None
    high: float | None
    p_value: float | None
    n: int
    dropped: int
    method: str
    reason: str | None = None


class ScoreSample:
    """One arm's scores; resamples are drawn once, whatever the number of intervals asked.

    Raises ``ValueError`` for a score outside 0…1.
    """

    def __init__(self, scores: Sequence[float | None], seed: int) -> None:
        self._all = _values(scores)
        self._values = self._all[~np.isnan(self._all)]
        self._dropped = len(self._all) - len(self._values)
        self._seed = seed

    @cached_property
    def _bootstrap(self) -> Bootstrap:
        return bootstrap_mean(self._all, self._seed)

    def estimate(self, confidence: float) -> Estimate:
        """Return the mean with its interval."""
        values, n = self._values, len(self._values)
        if n == 0:
            return Estimate(None, None, None, 0, self._dropped, "none", "no row was scored")
        mean = float(values.mean())
        if _binary(values):
            bounds, method = wilson(int(values.sum()), n, confidence), "Wilson interval"
        elif n < SMALL or np.ptp(values) == 0:
            bounds, method = _guarded(values, confidence, 0, 1)
        else:
            bounds, method = _bootstrapped(values, self._bootstrap, confidence, 0, 1)
        bounds = bounds.within(0, 1).around(mean)
        return Estimate(mean, bounds.low, bounds.high, n, self._dropped, method)


class PairedSample:
    """Two arms' scores on the same examples, in the same order.

    Raises ``ValueError`` for a score outside 0…1 or unequal lengths.
    """

    def __init__(self, first: Sequence[float | None], second: Sequence[float | None], seed: int) -> None:
        if len(first) != len(second):
            raise ValueError(f"paired scores must be equally many, got {len(first)} and {len(second)}")
        one, two = _values(first), _values(second)
        self._all = one - two
        both = ~np.isnan(self._all)
        self._first, self._second, self._differences = one[both], two[both], self._all[both]
        self._dropped = len(one) - len(self._first)
        self._seed = seed

    @cached_property
    def _bootstrap(self) -> Bootstrap:
        return bootstrap_mean(self._all, self._seed)

    @cached_property
    def _sign_flip(self) -> float:
        return sign_flip_p_value(self._differences, self._seed)

    @cached_property
    def _counts(self) -> PairedCounts | None:
        """The rows by who was right, or None when scores aren't all 0 or 1."""
        one, two = self._first, self._second
        if not (_binary(one) and _binary(two)):
            return None
        both, first = int(np.sum(one * two)), int(np.sum(one > two))
        second = int(np.sum(one < two))
        return PairedCounts(both, first, second, len(one) - both - first - second)

    def difference(self, confidence: float) -> Difference:
        """Return the mean difference with its interval and p-value."""
        n, counts = len(self._differences), self._counts
        if n == 0:
            return Difference(None, None, None, None, 0, self._dropped, "none", "no row was scored for both")
        mean = float(self._differences.mean())
        spread = float(np.ptp(self._differences))
        if counts is not None:
            test, p_value = "exact McNemar test", mcnemar_exact(counts)
        else:
            test, p_value = f"sign-flip test, {RESAMPLES:,} draws", self._sign_flip
        if counts is not None and spread > 0:
            bounds, interval = newcombe_paired(counts, confidence), "Newcombe paired interval"
        elif n < SMALL or spread == 0:
            bounds, interval = _guarded(self._differences, confidence, -1, 1)
        else:
            bounds, interval = _bootstrapped(self._differences, self._bootstrap, confidence, -1, 1)
        bounds = bounds.within(-1, 1).around(mean)
        return Difference(mean, bounds.low, bounds.high, p_value, n, self._dropped, f"{interval}, {test}")


def _values(scores: Sequence[float | None]) -> FloatVector:
    """Return the scores as an array; NaN stands for an error."""
    values = np.array([np.nan if score is None else score for score in scores], dtype=np.float64)
    errors = np.array([score is None for score in scores], dtype=bool)
    outside = ~errors & ~((values >= 0) & (values <= 1))
    if outside.any():
        raise ValueError(f"scores must lie between 0 and 1, got {values[outside][0]}")
    return values


def _binary(values: FloatVector) -> bool:
    return bool(np.all((values == 0) | (values == 1)))


def _bootstrapped(
    values: FloatVector, bootstrap: Bootstrap, confidence: float, lowest: float, highest: float
) -> tuple[Bounds, str]:
    """Return BCa bounds; when few rows stand out from the rest, no narrower than with half a row more at each end.

    A resample can't hold what a sample happened to miss. Where nearly all rows have one value, that makes
    the bootstrap too narrow, as Wald's interval is for small counts; Agresti's remedy there, adding
    half a row to each cell (Agresti and Min 2005), is the remedy here.
    """
    bounds, method = bootstrap.interval(confidence), f"BCa bootstrap, {RESAMPLES:,} resamples"
    if len(values) - np.unique(values, return_counts=True)[1].max() >= FEW:
        return bounds, method
    n = len(values) + 1
    mean = float(values.sum() + (lowest + highest) / 2) / n
    spread = float(np.sum((values - mean) ** 2) + ((lowest - mean) ** 2 + (highest - mean) ** 2) / 2)
    t = student(mean, math.sqrt(spread / (n - 1)), n, confidence)
    return bounds.around(t.low, t.high), f"{method}, no narrower than Student's with half a row added at each end"


def _guarded(values: FloatVector, confidence: float, lowest: float, highest: float) -> tuple[Bounds, str]:
    """Return bounds for a sample without spread, or one too small for the bootstrap, and what they are."""
    n, mean = len(values), float(values.mean())
    bounds = identical_draws(mean, n, confidence, lowest, highest)
    if np.ptp(values) == 0:
        return bounds, f"bound from {n:,} identical rows" if n > 1 else "bound from a single row"
    t = student(mean, float(values.std(ddof=1)), n, confidence)
    return bounds.around(t.low, t.high), f"Student interval, no narrower than the bound from {n} identical rows"
