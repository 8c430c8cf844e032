"""One arm against several on the same rows: the differences together, and what decides on them would do next time.

The chance of a verdict on another sample of rows (and other training seeds) is computed from what this one shows:
differences are drawn around those observed, with the covariance that was observed, at the number of rows and seeds
asked about; a verdict is read off each draw as off the real ones. For one pair this is the textbook's power
formula, Φ((gain − minimum)/s.e. − z); for several it counts that all of them must be beaten, or that one is enough.
With several training seeds it counts too that their variance is estimated from few.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from evals.clusters import FloatArray
from evals.intervals import normal_quantile, student_quantile, tango_variance
from evals.spread import SeedPart

DRAWS = 4096
"""Draws of the differences; the same ones whatever is asked, so that answers move smoothly."""

Claim = Literal["worth_it", "not_worth_it"]


@dataclass(frozen=True)
class Joint:
    """``gains`` of one arm over K others, and the covariance (K, K) of these means for the draw of ``rows`` rows.

    ``seeds`` holds for each difference what training seeds add (``evals.spread.Spread.seeds``). ``only`` holds, for
    0/1 scores, the shares of rows that only the one and only the other has right, shape (K, 2): their intervals take
    the variance as it would be at the bound.
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
        z = normal_quantile(confidence)
        variance = np.diagonal(self.covariance) * scale
        variance = variance * self._at_bound(minimum_gain)
        weighted = z * variance
        drawn = self.gains + self._row_moves * math.sqrt(scale)
        if self.seed_count > 1:
            each, noise = self._per_seed(scale)
            drawn = drawn + self._normals[:, -2:-1] * np.sqrt(each / seeds)
            seen = (each + noise) * (self._chi_squared(seeds) / (seeds - 1))[:, None] - noise
            part = np.maximum(seen, 0) / seeds
            variance, weighted = variance + part, weighted + student_quantile(seeds, confidence) * part
        half = weighted / np.sqrt(np.maximum(variance, np.finfo(float).tiny))
        if claim == "worth_it":
            held = np.all(drawn - half > minimum_gain, axis=1)
        else:
            held = np.any(drawn + half <= minimum_gain, axis=1)
        return float(held.mean())

    def _at_bound(self, minimum_gain: float) -> FloatArray:
        """Return how many times the variance is larger if the minimum gain were the truth, shape (K,)."""
        if self.only is None:
            return np.ones(len(self.gains))
        factors = []
        for first, second in self.only.tolist():
            seen = first + second - (first - second) ** 2
            factors.append(tango_variance(first, second, minimum_gain) / seen if seen > 0 else 1.0)
        return np.array(factors)

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
        """Standard normal draws, shape (DRAWS, K + 2): a Latin hypercube, which leaves less to chance.

        The last columns are for the seeds: how they move all differences, and how their variance comes out.
        """
        from scipy.special import ndtri

        random = np.random.default_rng(0)
        strata = np.stack([random.permutation(DRAWS) for _ in range(len(self.gains) + 2)], axis=1)
        normals: FloatArray = ndtri((strata + 0.5) / DRAWS)
        return normals

    @cached_property
    def _row_moves(self) -> FloatArray:
        """What the draw of the observed number of rows adds to the differences, shape (DRAWS, K)."""
        values, vectors = np.linalg.eigh(self.covariance)
        root: FloatArray = vectors * np.sqrt(np.maximum(values, 0))
        moves: FloatArray = self._normals[:, :-2] @ root.T
        return moves
