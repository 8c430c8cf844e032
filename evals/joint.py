"""One arm against several on the same rows: the differences together, and what decides on them would do next time.

The chance of a verdict on another sample of rows (and other training seeds) is computed from what this one shows:
differences are drawn around those observed, with the covariance that was observed, at the number of rows and seeds
asked about; a verdict is read off each draw as off the real ones. For 0/1 scores counts are drawn
(``evals.drawn_counts``), for others normal differences. For one pair of many rows this is the textbook's power
formula, Φ((gain − minimum)/s.e. − z); for several it counts that all of them must be beaten, or that one is enough.
With several training seeds it counts too that their variance is estimated from few.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from evals.clusters import FloatArray
from evals.drawn_counts import DrawnShares, draw_shares
from evals.intervals import normal_quantile, student_quantile
from evals.spread import SeedPart

DRAWS = 4096
"""Draws of the differences; the same ones whatever is asked, so that answers move smoothly."""

Claim = Literal["worth_it", "not_worth_it"]


@dataclass(frozen=True)
class Joint:
    """``gains`` of one arm over K others, and the covariance (K, K) of these means for the draw of ``rows`` rows.

    ``seeds`` holds for each difference what training seeds add (``evals.spread.Spread.seeds``). ``only`` holds, for
    0/1 scores, the shares of rows that only the one and only the other has right, shape (K, 2).
    """

    gains: FloatArray
    covariance: FloatArray
    seeds: tuple[tuple[SeedPart, ...], ...]
    rows: int
    only: FloatArray | None = None

    @property
    def seed_count(self) -> int:
        """The training seeds behind the differences; 1 when no difference has more."""
        return max((part.count for parts in self.seeds for part in parts), default=1)

    def power(self, claim: Claim, minimum_gain: float, confidence: float, *, rows: float, seeds: int) -> float:
        """Return the chance (0…1) of ``claim`` with that many rows and seeds, if the truth is what was observed.

        ``confidence`` is that of the two-sided intervals which the claim is read off.
        """
        scale = self.rows / rows
        seed = self._drawn_seeds(scale, seeds, confidence) if self.seed_count > 1 else None
        z = normal_quantile(confidence)
        if self.only is None:
            statistics = self._of_differences(scale, seed, z, minimum_gain)
        else:
            statistics = self._of_counts(self.only, scale, seed, z, minimum_gain)
        held = np.all(statistics > z, axis=1) if claim == "worth_it" else np.any(statistics <= -z, axis=1)
        return float(held.mean())

    def _of_differences(self, scale: float, seed: "_DrawnSeeds | None", z: float, minimum_gain: float) -> FloatArray:
        """Return how many standard errors normal draws are above the minimum gain, shape (DRAWS, K)."""
        drawn = self.gains + self._row_moves * math.sqrt(scale)
        variance = np.diagonal(self.covariance) * scale
        if seed is not None:
            drawn, variance = drawn + seed.moves, seed.with_rows(variance, z)
        statistics: FloatArray = (drawn - minimum_gain) / np.sqrt(np.maximum(variance, np.finfo(float).tiny))
        return statistics

    def _of_counts(
        self, only: FloatArray, scale: float, seed: "_DrawnSeeds | None", z: float, minimum_gain: float
    ) -> FloatArray:
        """Return the score statistics of drawn counts against the minimum gain, shape (DRAWS, K)."""
        columns = []
        for place, gain in enumerate(self.gains.tolist()):
            differ = max(float(only[place].sum()), abs(gain))
            first, second = (differ + gain) / 2, (differ - gain) / 2
            one, two = self._bound_normals[:, :, place]
            shares = draw_shares(first, second, self._effective(place, differ - gain**2) / scale, one, two)
            size: FloatArray | float = shares.size
            if seed is not None:
                shares = shares.moved(seed.moves[:, place])
                size = seed.of(place).effective(shares, z)
            columns.append(shares.statistic(minimum_gain, size))
        return np.stack(columns, axis=1)

    def _effective(self, place: int, variance: float) -> float:
        """Return the independent rows of this ``variance`` that have the one observed, as in ``count_interval``."""
        found = float(self.covariance[place, place])
        return variance * self.rows / (self.rows - 1) / found if variance > 0 and found > 0 else float(self.rows)

    def _drawn_seeds(self, scale: float, seeds: int, confidence: float) -> "_DrawnSeeds":
        """Return what training seeds add, and what is seen of it."""
        each, noise = self._per_seed(scale)
        seen = (each + noise) * (self._chi_squared(seeds) / (seeds - 1))[:, None] - noise
        moves = self._normals[:, -2:-1] * np.sqrt(each / seeds)
        return _DrawnSeeds(moves, np.maximum(seen, 0) / seeds, student_quantile(seeds, confidence))

    def _per_seed(self, scale: float) -> tuple[FloatArray, FloatArray]:
        """Return the variance of one seed, and what rows add by chance to an estimate of it, each of shape (K,)."""
        each = np.array([sum(part.variance * part.count for part in parts) for parts in self.seeds])
        return each, np.array([sum(part.noise for part in parts) for parts in self.seeds]) * scale

    def _chi_squared(self, seeds: int) -> FloatArray:
        """Return χ² draws with ``seeds`` − 1 degrees of freedom, shape (DRAWS,): how seeds' variances come out."""
        from scipy.special import chdtri, ndtr

        drawn: FloatArray = chdtri(seeds - 1, ndtr(-self._normals[:, -1]))
        return drawn

    @cached_property
    def _normals(self) -> FloatArray:
        """Standard normal draws, shape (DRAWS, 2·K + 2): a Latin hypercube, which leaves less to chance.

        The last columns are for the seeds: how they move all differences, and how their variance comes out.
        """
        from scipy.special import ndtri

        random = np.random.default_rng(0)
        strata = np.stack([random.permutation(DRAWS) for _ in range(2 * len(self.gains) + 2)], axis=1)
        normals: FloatArray = ndtri((strata + 0.5) / DRAWS)
        return normals

    @cached_property
    def _row_moves(self) -> FloatArray:
        """What the draw of the observed number of rows adds to the differences, shape (DRAWS, K)."""
        moves: FloatArray = self._normals[:, : len(self.gains)] @ _root(self.covariance).T
        return moves

    @cached_property
    def _bound_normals(self) -> FloatArray:
        """Two sets of standard normals that hang together over the arms as the differences do, (2, DRAWS, K)."""
        deviations = np.sqrt(np.maximum(np.diagonal(self.covariance), np.finfo(float).tiny))
        root = _root(self.covariance / np.outer(deviations, deviations))
        count = len(self.gains)
        return np.stack([self._normals[:, :count] @ root.T, self._normals[:, count : 2 * count] @ root.T])


@dataclass(frozen=True)
class _DrawnSeeds:
    """Drawn training seeds: how they move the differences, the variance seen of them, and its Student quantile."""

    moves: FloatArray
    variance: FloatArray
    quantile: float

    def of(self, place: int) -> "_DrawnSeeds":
        """Return the same of one difference."""
        return _DrawnSeeds(self.moves[:, place], self.variance[:, place], self.quantile)

    def with_rows(self, rows: FloatArray, z: float) -> FloatArray:
        """Return the variance with which a normal interval is as wide as Cochran's (``evals.spread``)."""
        total = np.maximum(rows + self.variance, np.finfo(float).tiny)
        wide: FloatArray = ((z * rows + self.quantile * self.variance) / z) ** 2 / total
        return wide

    def effective(self, shares: DrawnShares, z: float) -> FloatArray:
        """Return the rows at which the score interval is taken."""
        found = self.with_rows(shares.row_variance / shares.size, z)
        size: FloatArray = np.where(found > 0, shares.row_variance / np.where(found > 0, found, 1.0), shares.size)
        return size


def _root(matrix: FloatArray) -> FloatArray:
    """Return a square root of a covariance matrix that may be singular."""
    values, vectors = np.linalg.eigh(matrix)
    root: FloatArray = vectors * np.sqrt(np.maximum(values, 0))
    return root
