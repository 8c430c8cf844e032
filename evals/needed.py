"""What would decide an undecided comparison: more eval rows, or more training seeds.

"Would decide" means: in four of five tries, if the differences and the rows' disagreement stay as observed. A
difference that lies at the minimum gain itself is decided by nothing.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from evals.joint import Claim, Joint

POWER = 0.8
MOST_ROWS = 10_000_000
MOST_SEEDS = 30


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
    """Return the least count above ``low`` that has the power, up to half a percent; None if ``high`` hasn't.

    Power grows with the count. The count at hand has failed to decide once, which doesn't mean it lacks the power.
    """
    if power(high) < POWER:
        return None
    low = min(low, high - 1)
    while high - low > max(1, low // 200):
        middle = (low + high) // 2 if high < 4 * low else math.isqrt(max(low, 1) * high)
        middle = min(max(middle, low + 1), high - 1)
        if power(middle) >= POWER:
            high = middle
        else:
            low = middle
    return high
