"""One line of the data readiness: what is there, what it takes, and how to get there."""

from collections.abc import Mapping
from dataclasses import dataclass

from advisor.scorecard import Source, scorecard
from evals.errors import UsageError

UNKNOWN = "not known"


@dataclass(frozen=True, slots=True)
class ReadinessItem:
    """``ok`` is None where it can't be told yet; without a ``source``, the threshold is our judgement."""

    topic: str
    have: str
    need: str
    how: str
    ok: bool | None
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class Amount:
    """A number of rows that is known to lie from ``low`` to ``high`` (None: no upper end), with its words."""

    low: int
    high: int | None
    words: str

    def reaches(self, need: int) -> bool | None:
        """Whether it is at least ``need``; None when the range leaves that open."""
        if self.low >= need:
            return True
        return False if self.high is not None and self.high < need else None


def source(key: str) -> Source:
    """Return one of the scorecard's sources."""
    return scorecard().sources[key]


def count_of(figures: Mapping[str, float], key: str) -> int | None:
    """Return a counted figure; None when it wasn't counted. Raises ``UsageError`` for one that is no count."""
    value = figures.get(key)
    if value is None:
        return None
    if not 0 <= value < float("inf"):
        raise UsageError(f"{key} should be a number of rows; it is {value}")
    return int(value)


def share_of(figures: Mapping[str, float], key: str) -> float | None:
    """Return a counted share from 0 to 1; None when it wasn't counted. Raises ``UsageError`` for one that is none."""
    value = figures.get(key)
    if value is not None and not 0 <= value <= 1:
        raise UsageError(f"{key} should be a share from 0 to 1; it is {value}")
    return value


def exactly(count: int, noun: str = "row") -> Amount:
    """Return an amount that was counted."""
    return Amount(count, count, f"{count:,} {noun}{'' if count == 1 else 's'}")
