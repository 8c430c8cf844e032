"""One value per eval row, with what is known of the draw of rows and of training seeds: intervals for means.

This is for scores that are no counts: the BCa bootstrap over examples, or over clusters of them, and bounds for
samples that show too little for it.
"""

import math
from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from evals.clusters import Clusters, FloatArray, independent
from evals.intervals import Bounds, identical_draws, student
from evals.resampling import RESAMPLES, Bootstrap, FloatVector, bootstrap_mean
from evals.spread import Spread, mean_spread

SMALL = 10
"""Below this many rows (or clusters) the bootstrap has too little to draw from."""

FEW = 20
"""When fewer rows (or clusters) than this stand out from the most common value, the bootstrap alone is too sure."""

Scores = Sequence[float | None] | Sequence[Sequence[float | None]] | FloatArray
"""One score per example, or one list of those per training seed; as an array NaN stands for None."""


class Sample:
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
        """How far the mean would move on other rows and with other seeds."""
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
        half a row to each cell (Agresti and Min 2005), is the remedy here.
        """
        bounds, method = self._bootstrap.interval(confidence), f"BCa bootstrap, {RESAMPLES:,} resamples"
        values, counts = np.unique(self.values, return_counts=True)
        apart = self.clusters.totals((self.values != values[counts.argmax()]).astype(np.float64))
        if np.count_nonzero(apart) >= FEW:
            return bounds, method
        count, rows = self.clusters.count + 1, len(self.values) + 1
        mean = float(self.values.sum() + (lowest + highest) / 2) / rows
        squares = float(np.sum(self.clusters.totals(self.values - mean) ** 2))
        squares += ((lowest - mean) ** 2 + (highest - mean) ** 2) / 2
        t = student(mean, math.sqrt(squares / (count - 1)) * count / rows, count, confidence)
        return bounds.around(t.low, t.high), f"{method}, no narrower than Student's with half a row added at each end"

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


def all_binary(values: FloatArray) -> bool:
    """Return whether all scores (NaN aside) are 0 or 1."""
    return bool(np.all((values == 0) | (values == 1) | np.isnan(values)))
