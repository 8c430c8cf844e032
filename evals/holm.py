"""Holm's correction of p-values for many comparisons (Holm 1979, Scandinavian Journal of Statistics 6:65).

The chance that any difference which doesn't exist is called one stays below the level, whatever the others are.
"""

from collections.abc import Sequence


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Return the corrected p-values in the same order; None (a pair without rows) stays None and doesn't count."""
    known = sorted((value, place) for place, value in enumerate(p_values) if value is not None)
    corrected: list[float | None] = [None] * len(p_values)
    largest = 0.0
    for rank, (value, place) in enumerate(known):
        largest = max(largest, min(value * (len(known) - rank), 1.0))
        corrected[place] = largest
    return corrected
