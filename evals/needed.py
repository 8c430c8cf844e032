"""What would decide an undecided comparison: more eval rows, or more training seeds.

"Would decide" means: in four of five tries, if the differences and the rows' disagreement stay as observed. A
difference that lies at the minimum gain itself is decided by nothing.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from evals.joint import Claim, Joint

POWER = 0.8
MOST_ROWS = 10_000_000
MOST_SEEDS = 30

STEP = 1.25
"""Counts tried are so many times apart, before the least between two of them is sought."""


@dataclass(frozen=True, slots=True)
class Needed:
    """What decides for ``claim`` with probability ``power``; a count that is None would not do it alone.

    ``rows`` are eval rows in all, with the seeds there are; ``seeds`` are training seeds in all, with the rows there
    are.
    """

    claim: Claim
    rows: int | None
    seeds: int | None
    power: float = POWER


def needed(joint: Joint, minimum_gain: float, confidences: Mapping[Claim, float]) -> Needed:
    """Return what would decide; ``confidences`` are those of the intervals that each claim is read off."""
    claim: Claim = "worth_it" if joint.gains.min() > minimum_gain else "not_worth_it"

    def power(rows: int, seeds: int) -> float:
        return joint.power(claim, minimum_gain, confidences[claim], rows=rows, seeds=seeds)

    several = joint.seed_count > 1
    return Needed(
        claim,
        _least(lambda rows: power(rows, joint.seed_count), joint.rows, MOST_ROWS),
        _least(lambda seeds: power(joint.rows, seeds), joint.seed_count, MOST_SEEDS) if several else None,
    )


def _least(power: Callable[[int], float], low: int, high: int) -> int | None:
    """Return the least count above ``low`` that has the power, up to half a percent; None where none to ``high`` has.

    Power mostly grows with the count, but needn't: with two seeds more rows can weaken a claim, since the seeds' share
    of the interval then weighs more. So counts are tried from below, ``STEP`` apart; a rise and fall between two of
    them isn't seen. The count at hand has failed to decide once, which doesn't mean it lacks the power.
    """
    reached = min(low, high - 1)
    for count in _steps(reached, high):
        if power(count) >= POWER:
            return _between(power, reached, count)
        reached = count
    return None


def _steps(low: int, high: int) -> Iterator[int]:
    """Yield counts above ``low``, each ``STEP`` times the one before, and ``high`` at last."""
    while low < high:
        low = min(max(low + 1, math.ceil(low * STEP)), high)
        yield low


def _between(power: Callable[[int], float], low: int, high: int) -> int:
    """Return a count from which on there's power, above ``low``, which hasn't it, up to ``high``, which has."""
    while high - low > max(1, low // 200):
        middle = (low + high) // 2
        if power(middle) >= POWER:
            high = middle
        else:
            low = middle
    return high
