"""Intervals for 0/1 scores whose rows share clusters, or which were scored with several training seeds.

Score intervals (Wilson, Tango) take counts of independent rows. Rows that hang together, and seeds that add a
variance of their own, leave fewer: the effective sample size is the number of independent rows on which a single
training would have the variance that was estimated (Kish 1965; Korn and Graubard 1998, Survey Methodology 24:193).
The shares stay as observed, the counts are taken at that size.
"""

from evals.intervals import Bounds, tango, wilson
from evals.spread import Spread


def share_bounds(share: float, rows: int, clusters: int, spread: Spread, confidence: float) -> Bounds:
    """Return Wilson's interval for a ``share`` of ``rows`` in ``clusters``, at the effective size."""
    size = _effective(share * (1 - share), rows, clusters, spread, confidence)
    return wilson(share, size, confidence)


def paired_bounds(first: float, second: float, rows: int, clusters: int, spread: Spread, confidence: float) -> Bounds:
    """Return Tango's interval for the difference ``first`` − ``second``, at the effective size.

    Both are shares of ``rows``: those that only the one and only the other has right, averaged over seeds.
    """
    variance = first + second - (first - second) ** 2
    size = _effective(variance, rows, clusters, spread, confidence)
    return tango(first * size, second * size, size, confidence)


def _effective(variance: float, rows: int, clusters: int, spread: Spread, confidence: float) -> float:
    """Return the independent rows of this ``variance`` (of one row, one seed) that would have the spread's variance."""
    if clusters == rows and not spread.seeds:
        return float(rows)
    found = spread.normal_variance(confidence)
    if variance <= 0 or found <= 0:
        return float(clusters)
    seeds = max((part.count for part in spread.seeds), default=1)
    return min(variance / found, float(rows * seeds))
