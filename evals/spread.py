"""How far a mean of scores would move on other eval rows and with other training seeds.

Rows: the cluster-robust variance of a mean with Bell and McCaffrey's correction (CR2) and their degrees of
freedom (Bell and McCaffrey 2002, "Bias reduction in standard errors for linear regression with multi-stage
samples", Survey Methodology 28:169; Imbens and Kolesar 2016, arXiv:1601.01049). For independent rows it is the
textbook's s²/n with n − 1 degrees of freedom.

Seeds: arms × rows × seeds is a two-way layout with random rows and random seeds. The variance of the seeds' means
holds the seeds' own variance and what the interaction of rows and seeds adds; the interaction is estimated from
the residuals and taken off. What is left, never below zero, is the part of the training seed.

Both parts go into one interval by Cochran's t for variances that have different degrees of freedom (Cochran and Cox
1957, "Experimental Designs"): the mean of the parts' own Student quantiles, weighted by the parts. With three seeds
this covers 94 to 97% where Satterthwaite's degrees of freedom cover 92% (our simulation, ``docs/log.md``).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evals.clusters import Clusters, FloatArray
from evals.intervals import Bounds, normal_quantile, student_quantile

SEED_ROWS = 2
"""Rows that every seed has to have scored before the seeds' part can be told from the rows'."""

HANDFUL, MOST_STUDENT = 5.0, 0.85
"""How near to Student's the quantile for counts is: this many over the degrees of freedom, at most this share.

Ours, by simulation: 95 to 97% with 2, 3, 5, 10 and 20 large groups (``docs/log.md``).
"""

SMALLEST_P = 1e-9
"""No p-value is given below this: the tails of an approximation aren't known that well."""

_HALVINGS = 40


@dataclass(frozen=True, slots=True)
class SeedPart:
    """What an arm's training seeds add to the variance of its mean score: ``variance``, from ``count`` seeds.

    ``noise`` is what rows and seeds together add by chance to the variance of one seed's mean; it's taken off
    already, and kept for saying how well the part is known.
    """

    variance: float
    noise: float
    count: int


@dataclass(frozen=True, slots=True)
class Spread:
    """Variances of a mean: ``rows`` for the draw of eval rows (with its degrees of freedom), ``seeds`` for training.

    ``seeds`` holds a part for each arm that was trained with several seeds; an arm with a single seed has none:
    what is said then holds for this very model.
    """

    rows: float
    rows_df: float
    seeds: tuple[SeedPart, ...] = ()

    @property
    def total(self) -> float:
        """The variance of the mean, rows and seeds together."""
        return self.rows + self.seed_part

    @property
    def seed_part(self) -> float:
        """The variance that training seeds add."""
        return sum(part.variance for part in self.seeds)

    def half_width(self, confidence: float) -> float:
        """Return the half-width of the symmetric interval."""
        return self._half_width(quantile(self.rows_df, confidence), confidence)

    def normal_variance(self, confidence: float) -> float:
        """Return the variance with which a normal interval is as wide.

        Score intervals for counts bring their own allowance for few rows, so that Student's quantile would make them
        too wide; with a handful of clusters they don't bring enough. So the quantile lies between the two: nearer to
        Student's for few degrees of freedom, to the normal one for many.
        """
        z = normal_quantile(confidence)
        student = quantile(self.rows_df, confidence)
        taken = z + (student - z) * min(MOST_STUDENT, HANDFUL / self.rows_df)
        return (self._half_width(taken, confidence) / z) ** 2

    def widen(self, bounds: Bounds, mean: float, confidence: float) -> Bounds:
        """Return bounds of the rows alone, around ``mean``, as much wider as the seeds' part makes an interval."""
        if not self.seed_part:
            return bounds
        rows = quantile(self.rows_df, confidence) * math.sqrt(self.rows)
        if not rows:
            half = self.half_width(confidence)
            return bounds.around(mean - half, mean + half)
        factor = self.half_width(confidence) / rows
        return Bounds(mean - factor * (mean - bounds.low), mean + factor * (bounds.high - mean))

    def _half_width(self, rows_quantile: float, confidence: float) -> float:
        if not self.total:
            return 0.0
        weighted = rows_quantile * self.rows
        weighted += sum(student_quantile(part.count, confidence) * part.variance for part in self.seeds)
        return weighted / math.sqrt(self.total)

    def p_value(self, mean: float) -> float:
        """Return the two-sided p-value that the mean is 0: 1 less the confidence whose interval just ends there."""
        if mean == 0:
            return 1.0
        low, high = 0.0, 1.0 - SMALLEST_P
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            if middle > 0 and self.half_width(middle) < abs(mean):
                low = middle
            else:
                high = middle
        return 1 - low


def quantile(df: float, confidence: float) -> float:
    """Return Student's t for ``df`` degrees of freedom (which may be broken), so that ±t holds ``confidence``."""
    return student_quantile(df + 1, confidence)


def row_variance(values: FloatArray, clusters: Clusters) -> float:
    """Return the variance of the mean of ``values``, shape (rows,), over the draw of clusters; needs two clusters."""
    moves = influences(values, clusters)
    return float(moves @ moves)


def influences(values: FloatArray, clusters: Clusters) -> FloatArray:
    """Return what each cluster adds to the mean's error, so that the sum of squares is the mean's variance (CR2).

    ``values`` has shape (…, rows), the result (…, clusters); products of two arms' influences add up to their
    covariance. Needs two clusters.
    """
    rows = values.shape[-1]
    residuals = clusters.totals(values - values.mean(axis=-1, keepdims=True))
    scaled: FloatArray = residuals / (rows * np.sqrt(1 - clusters.sizes / rows))
    return scaled


def row_df(clusters: Clusters) -> float:
    """Return Bell and McCaffrey's degrees of freedom for a mean over the clusters: n − 1 for n of equal size."""
    rows = len(clusters.of)
    if clusters.single:
        return float(rows - 1)
    share = clusters.sizes / rows
    left = 1 - share
    # M = diag-plus-rank-one; its squared Frobenius norm without building the matrix.
    diagonal = share**2
    cross = share**2 / left
    off = float(cross.sum() ** 2 - (cross**2).sum())
    return float(share.sum() ** 2 / (diagonal.sum() + off))


def seed_variance(scores: FloatArray, clusters: Clusters) -> tuple[SeedPart, ...]:
    """Return the training seeds' part of the variance of one arm's mean, with the number of seeds; () with one.

    ``scores`` has shape (seeds, rows) and NaN where a row wasn't scored; rows that a seed lacks are left out.
    """
    seeds = len(scores)
    complete = np.asarray(~np.isnan(scores).any(axis=0))
    if seeds < 2 or complete.sum() < SEED_ROWS:
        return ()
    kept, groups = scores[:, complete], clusters.take(complete)
    if groups.count < 2:
        return ()
    means = kept.mean(axis=1)
    interaction = influences(kept - kept.mean(axis=0), groups)
    noise = float(np.sum(interaction**2)) / (seeds - 1)
    return (SeedPart(max(float(means.var(ddof=1)) - noise, 0.0) / seeds, noise, seeds),)


def mean_spread(values: FloatArray, clusters: Clusters, arms: Sequence[FloatArray], all_rows: Clusters) -> Spread:
    """Return the spread of the mean of ``values`` (one per scored row), which the ``arms``' seeds move too.

    ``arms`` are score matrices (seeds, all rows), whose clusters are ``all_rows``.
    """
    seeds = tuple(part for scores in arms for part in seed_variance(scores, all_rows))
    if clusters.count < 2:
        return Spread(0.0, 1.0, seeds)
    return Spread(row_variance(values, clusters), max(row_df(clusters), 1.0), seeds)
