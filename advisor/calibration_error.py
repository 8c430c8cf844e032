"""How far stated probabilities are from how often they come true: the expected calibration error.

Guo et al. 2017 (arXiv:1706.04599) take bins of equal width, most of which 60 cases leave nearly empty; bins of equal
count (Nguyen and O'Connor 2015, arXiv:1508.05154) spread them evenly. Both are told.
"""

from collections.abc import Iterable, Sequence

EQUAL_COUNT, EQUAL_WIDTH = 5, 10
"""Bins of each kind."""


def equal_count(sure: Sequence[tuple[float, bool]]) -> float:
    """Return the error (0 to 1) over ``EQUAL_COUNT`` bins of as many (probability, came true) each."""
    ranked, n = sorted(sure), len(sure)
    parts = (ranked[k * n // EQUAL_COUNT : (k + 1) * n // EQUAL_COUNT] for k in range(EQUAL_COUNT))
    return _error(parts, n)


def equal_width(sure: Sequence[tuple[float, bool]]) -> float:
    """Return the error (0 to 1) over ``EQUAL_WIDTH`` bins between 0 and 1."""
    bins: list[list[tuple[float, bool]]] = [[] for _ in range(EQUAL_WIDTH)]
    for probability, right in sure:
        bins[min(int(probability * EQUAL_WIDTH), EQUAL_WIDTH - 1)].append((probability, right))
    return _error(bins, len(sure))


def _error(parts: Iterable[Sequence[tuple[float, bool]]], n: int) -> float:
    return sum(abs(sum(probability - right for probability, right in part)) for part in parts) / n
