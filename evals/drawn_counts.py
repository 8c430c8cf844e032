"""Paired 0/1 scores drawn anew: who alone was right how often, and what the score interval makes of it.

With few rows, or few on which two arms differ, a difference is far from normal: it comes in steps of one row, and an
interval is the narrower the fewer rows happened to differ. So the two counts themselves are drawn, each from its
binomial distribution, bound to one another as in a trinomial one and over the arms as their differences are (a
Gaussian copula: Song 2000, Scandinavian Journal of Statistics 27:305), and each draw is judged by the interval that
judges a run. With clusters the counts are those of the effective number of rows (``evals.count_interval``).
"""

import math
from dataclasses import dataclass

import numpy as np

from evals.clusters import FloatArray

MANY = 400.0
"""From this variance of a count on it is drawn from a normal distribution: its steps are below a twentieth of that."""

FAR = 8.0
"""A count's table ends this many standard deviations above its mean."""


@dataclass(frozen=True)
class DrawnShares:
    """Shares of ``size`` (effective) rows that only the one and only the other has right, each of shape (draws,)."""

    first: FloatArray
    second: FloatArray
    size: float

    @property
    def row_variance(self) -> FloatArray:
        """The variance of one row's difference, as these draws show it."""
        variance: FloatArray = np.maximum(self.first + self.second - (self.first - self.second) ** 2, 0)
        return variance

    def moved(self, by: FloatArray) -> "DrawnShares":
        """Return the shares when a training seed moves the difference: each in proportion, none below 0."""
        total = np.maximum(self.first + self.second, np.finfo(float).tiny)
        first = np.maximum(self.first + by * self.first / total, 0)
        return DrawnShares(first, np.maximum(self.second - by * self.second / total, 0), self.size)

    def statistic(self, difference: float, size: FloatArray | float) -> FloatArray:
        """Return Tango's statistic against ``difference`` at an effective ``size``; 0 where nothing varies."""
        gap = self.first - self.second - difference
        variance = _tango_variance(self.first, self.second, difference)
        possible = variance > 0
        return np.where(possible, gap * np.sqrt(size / np.where(possible, variance, 1.0)), 0.0)


def draw_shares(first: float, second: float, size: float, one: FloatArray, two: FloatArray) -> DrawnShares:
    """Return shares drawn around ``first`` and ``second`` on ``size`` rows, which may be a broken number.

    ``one`` and ``two`` are independent standard normals, shape (draws,); both move the difference up.
    """
    bound = -math.sqrt(first * second / ((1 - first) * (1 - second))) if first < 1 and second < 1 else 0.0
    turned = bound * one - math.sqrt(1 - bound**2) * two
    return DrawnShares(_count(first, size, one) / size, _count(second, size, turned) / size, size)


def _count(share: float, size: float, normals: FloatArray) -> FloatArray:
    """Return the counts that lie where ``normals`` do in their distribution."""
    from scipy.special import betainc, ndtr

    mean, variance = size * share, size * share * (1 - share)
    if variance <= 0:
        return np.full_like(normals, mean)
    if variance > MANY:
        return np.clip(mean + math.sqrt(variance) * normals, 0, size)
    counts = np.arange(min(math.ceil(size), math.ceil(mean + FAR * math.sqrt(variance)) + math.ceil(FAR)))
    up_to = betainc(size - counts, counts + 1.0, 1 - share)
    drawn: FloatArray = np.minimum(np.searchsorted(up_to, ndtr(normals)), size).astype(np.float64)
    return drawn


def _tango_variance(first: FloatArray, second: FloatArray, difference: float) -> FloatArray:
    """Return ``evals.intervals.tango_variance`` of many shares at once."""
    linear = -first - second + (2 - first + second) * difference
    constant = -second * difference * (1 - difference)
    share = (np.sqrt(np.maximum(linear * linear - 8 * constant, 0)) - linear) / 4
    variance: FloatArray = 2 * share + difference * (1 - difference)
    return variance
