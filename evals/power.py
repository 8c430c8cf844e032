"""How many eval rows a paired comparison needs: the sample size of McNemar's test.

Two arms answer the same rows; only rows where one is right and the other wrong tell them apart. With ``gain`` the
difference in accuracy and ``discordant`` the share of such rows, about
[1.96·√discordant + 0.842·√(discordant − gain²)]² / gain² rows show the gain in four of five tries, at a two-sided
5% level (Connor 1987, Biometrics 43, 207-211).
"""

import math

from evals.errors import UsageError
from evals.intervals import normal_quantile

POWER_Z = 0.841621
"""Normal quantile of 80% power."""

CONFIDENCE = 0.95
"""Of the two-sided interval that has to leave 0 out."""

DISCORDANT = 0.2
"""Share of rows that exactly one of two arms gets right, where it isn't known. Our judgement."""

EXACT = 1.1
"""What the exact test needs in place of the normal approximation: about 10% more (our simulation)."""

LEAST_GAIN = 0.0001
"""A hundredth of a point; below it the rows needed pass any count."""

FEWEST_ROWS = 6
"""With five rows or fewer not even five wins out of five are below the 5% level (2 · 0.5⁵ = 6%)."""

MOST_NOISE = 0.45
"""Noise counts as this at most: at a half, answers are coin tosses and no number of rows would do."""


def paired_rows(gain: float, discordant: float = DISCORDANT, confidence: float = CONFIDENCE) -> float:
    """Return the rows that show ``gain`` (0.0001 to 1), not rounded, by the normal approximation.

    ``discordant`` (above 0, to 1) can't be less than the gain and is raised to it; ``confidence`` is that of a
    two-sided interval. Raises ``UsageError``.
    """
    if not LEAST_GAIN <= gain <= 1:
        raise UsageError(f"the minimum gain must be from {LEAST_GAIN} to 1, as in 0.03 for 3 points; it is {gain}")
    if not 0 < discordant <= 1:
        raise UsageError(f"the share of rows on which two arms differ must be above 0, at most 1; it is {discordant}")
    share = max(discordant, gain)
    return float((normal_quantile(confidence) * math.sqrt(share) + POWER_Z * math.sqrt(share - gain**2)) ** 2 / gain**2)


def noise_factor(noise: float) -> float:
    """Return how many times more rows are needed when a share ``noise`` of the answers is wrong: 1/(1 − 2·noise)².

    Holds for wrong answers that hit at random in a choice of two; taken as a rule of thumb for everything else.
    Raises ``UsageError`` for a share that is none.
    """
    if not 0 <= noise <= 1:
        raise UsageError(f"the share of wrong answers must be from 0 to 1; it is {noise}")
    return float((1 - 2 * min(noise, MOST_NOISE)) ** -2)


def eval_rows_needed(
    gain: float, discordant: float = DISCORDANT, noise: float = 0.0, confidence: float = CONFIDENCE
) -> int:
    """Return the eval rows that show ``gain`` by the exact test in four of five tries. Raises ``UsageError``."""
    return max(FEWEST_ROWS, _whole(paired_rows(gain, discordant, confidence) * EXACT * noise_factor(noise)))


def gain_that_shows(
    rows: int, discordant: float = DISCORDANT, noise: float = 0.0, confidence: float = CONFIDENCE
) -> float | None:
    """Return the smallest gain that ``rows`` eval rows show, up to a tenth of a point; None when there is none."""
    if rows < eval_rows_needed(1.0, discordant, noise, confidence):
        return None
    low, high = 0, 1000
    while high - low > 1:
        middle = (low + high) // 2
        if eval_rows_needed(middle / 1000, discordant, noise, confidence) <= rows:
            high = middle
        else:
            low = middle
    return high / 1000


def in_points(gain: float) -> str:
    """Return a gain of 0.03 as "3 points"."""
    return f"{100 * gain:.3g} point{'' if 100 * gain == 1 else 's'}"


def _whole(rows: float) -> int:
    """Round up, but for what the binary fractions add."""
    return math.ceil(round(rows, 6))
