"""Confidence intervals in closed form, for shares, for differences of paired shares, and for the edges.

Sources: Wilson 1927, "Probable inference, the law of succession, and statistical inference"; Tango 1998, "Equivalence
test and confidence interval for the difference in proportions for the paired-sample design" (Statistics in
Medicine 17:891). Tango's interval is to paired shares what Wilson's is to one share. It was taken over Newcombe's
(1998, method 10), which covers 97 to 99% where few rows differ (our simulation, ``docs/log.md``).
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

_FAR = 1e6
"""Stands for a statistic without bounds, where the variance is none."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """The two ends of an interval."""

    low: float
    high: float

    def within(self, lowest: float, highest: float) -> "Bounds":
        """Return the part of the interval that lies in the possible range."""
        return Bounds(min(max(self.low, lowest), highest), max(min(self.high, highest), lowest))

    def around(self, *points: float) -> "Bounds":
        """Return the smallest interval that holds this one and the points."""
        return Bounds(min(self.low, *points), max(self.high, *points))


def tail(confidence: float) -> float:
    """Return the probability beyond each end of a two-sided interval; ``ValueError`` outside 0…1."""
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, got {confidence}")
    return (1 - confidence) / 2


@lru_cache(maxsize=256)
def normal_quantile(confidence: float) -> float:
    """Return z, so that ±z holds ``confidence`` of a standard normal."""
    return -NormalDist().inv_cdf(tail(confidence))


def wilson(share: float, n: float, confidence: float) -> Bounds:
    """Return Wilson's score interval for a ``share`` of ``n`` rows; n > 0, maybe a broken (effective) number."""
    z = normal_quantile(confidence)
    centre = share + z * z / (2 * n)
    spread = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    return Bounds((centre - spread) / scale, (centre + spread) / scale).within(0, 1).around(share)


def tango(first: float, second: float, n: float, confidence: float) -> Bounds:
    """Return Tango's score interval for the difference of two shares on the same rows; n > 0.

    ``first`` and ``second`` are the rows that only the one and only the other has right. They, and n, may be broken
    numbers: counts at an effective sample size. Where no row differs it is ±z²/(n + z²).
    """
    z = normal_quantile(confidence)
    observed = (first - second) / n
    low, high = _lower(first, second, n, z), -_lower(second, first, n, z)
    return Bounds(low, high).within(-1, 1).around(observed)


def _lower(first: float, second: float, n: float, z: float) -> float:
    """Return the difference below the observed one at which Tango's statistic is ``z``."""
    from scipy.optimize import brentq

    observed = (first - second) / n
    if observed <= -1:
        return -1.0
    return float(brentq(lambda difference: _score(first, second, n, difference) - z, -1.0, observed, xtol=1e-12))


def _score(first: float, second: float, n: float, difference: float) -> float:
    """Return Tango's statistic: how many standard errors the data are above ``difference``, if that were true."""
    variance = n * tango_variance(first / n, second / n, difference)
    gap = first - second - n * difference
    if variance <= 0:
        return math.copysign(_FAR, gap) if gap else 0.0
    return gap / math.sqrt(variance)


def tango_variance(first: float, second: float, difference: float) -> float:
    """Return the variance of one row's difference if its mean were ``difference``.

    ``first`` and ``second`` are the observed shares of rows that only the one and only the other has right; the
    likeliest shares that have that difference take their place.
    """
    linear = -first - second + (2 - first + second) * difference
    constant = -second * difference * (1 - difference)
    share = (math.sqrt(max(linear * linear - 8 * constant, 0.0)) - linear) / 4
    return 2 * share + difference * (1 - difference)


def mcnemar_exact(first: int, second: int) -> float:
    """Return the two-sided exact p-value that two arms are right equally often.

    ``first`` and ``second`` are the rows that only the one and only the other has right; 1 without any.
    """
    from scipy.stats import binomtest

    discordant = first + second
    return float(binomtest(first, discordant).pvalue) if discordant else 1.0


def identical_draws(value: float, n: int, confidence: float, lowest: float, highest: float) -> Bounds:
    """Return bounds for a mean when all n draws gave ``value``, or when n is too small to show a spread.

    A share q of rows that differ stays unseen in n draws with probability (1 − q)^n. At the bound that
    is ``tail(confidence)``, and those rows lie at the far end of the range ``lowest``…``highest``.
    """
    unseen = 1 - tail(confidence) ** (1 / n)
    return Bounds(value - unseen * (value - lowest), value + unseen * (highest - value))


def student(mean: float, deviation: float, n: int, confidence: float) -> Bounds:
    """Return Student's interval for a mean; ``deviation`` is the sample's standard deviation, n ≥ 2."""
    half = student_quantile(n, confidence) * deviation / math.sqrt(n)
    return Bounds(mean - half, mean + half)


@lru_cache(maxsize=1024)
def student_quantile(n: float, confidence: float) -> float:
    """Return t with n − 1 degrees of freedom, so that ±t holds ``confidence``."""
    from scipy.special import stdtrit

    return float(-stdtrit(n - 1, tail(confidence)))
