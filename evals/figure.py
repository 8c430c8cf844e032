"""Figures as ``results.json`` holds them."""

from collections.abc import Iterable


def figure(value: float | None) -> float | None:
    """Return ``value`` with six decimals: more than any reader needs, and equal on every machine."""
    return None if value is None else round(value, 6) + 0.0  # + 0.0 turns -0.0 into 0.0


def average(values: Iterable[float]) -> float | None:
    """Return the mean, or None of nothing."""
    known = list(values)
    return sum(known) / len(known) if known else None
