"""Confidence intervals in closed form, for shares, for differences of paired shares, and for the edges.

Sources: Wilson 1927, "Probable inference, the law of succession, and statistical inference"; Newcombe
1998, "Improved confidence intervals for the difference between binomial proportions based on paired
data" (Statistics in Medicine 17:2635), method 10.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist


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


@dataclass(frozen=True, slots=True)
class PairedCounts:
    """Rows by who was right: both, only the first, only the second, neither."""

    both: int
    first: int
    second: int
    neither: int

    @property
    def n(self) -> int:
        """All rows."""
        return self.both + self.first + self.second + self.neither

    @property
    def difference(self) -> float:
        """The share that the first has right minus the share that the second has right."""
        return (self.first - self.second) / self.n


def tail(confidence: float) -> float:
    """Return the probability beyond each end of a two-sided interval; ``ValueError`` outside 0…1."""
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, got {confidence}")
    return (1 - confidence) / 2


def normal_quantile(confidence: float) -> float:
    """Return z, so that ±z holds ``confidence`` of a standard normal."""
    return -NormalDist().inv_cdf(tail(confidence))


def wilson(right: int, n: int, confidence: float) -> Bounds:
    """Return Wilson's score interval for the share ``right / n``; n ≥ 1."""
    z = normal_quantile(confidence)
    share = right / n
    centre = share + z * z / (2 * n)
    spread = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    return Bounds((centre - spread) / scale, (centre + spread) / scale).within(0, 1).around(share)


def newcombe_paired(counts: PairedCounts, confidence: float) -> Bounds:
    """Return Newcombe's interval (method 10) for the difference of two shares on the same rows; n ≥ 1.

    The distances of each share to its Wilson bounds are squared and added, less the part that the
    correlation of the two explains; a positive correlation is taken a little smaller than it looks.
    """
    n, e, f, g, h = counts.n, counts.both, counts.first, counts.second, counts.neither
    one, two = wilson(e + f, n, confidence), wilson(e + g, n, confidence)
    down_one, up_one = (e + f) / n - one.low, one.high - (e + f) / n
    down_two, up_two = (e + g) / n - two.low, two.high - (e + g) / n
    margins = (e + f) * (g + h) * (e + g) * (f + h)
    product = float(e * h - f * g)
    if product > 0:
        product = max(product - n / 2, 0.0)
    phi = product / math.sqrt(margins) if margins else 0.0
    down = math.sqrt(max(down_one**2 - 2 * phi * down_one * up_two + up_two**2, 0))
    up = math.sqrt(max(up_one**2 - 2 * phi * up_one * down_two + down_two**2, 0))
    return Bounds(counts.difference - down, counts.difference + up).within(-1, 1)


def mcnemar_exact(counts: PairedCounts) -> float:
    """Return the two-sided exact p-value that the two are right equally often (1 without discordant rows)."""
    from scipy.stats import binomtest

    discordant = counts.first + counts.second
    return float(binomtest(counts.first, discordant).pvalue) if discordant else 1.0


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


def student_quantile(n: int, confidence: float) -> float:
    """Return t with n − 1 degrees of freedom, so that ±t holds ``confidence``."""
    from scipy.special import stdtrit

    return float(-stdtrit(n - 1, tail(confidence)))
