"""Whether two numbers are equal: within a tolerance, or to the last digit."""

import math
from decimal import Decimal

from evals.extraction import extract


def numeric(answer: str, target: str, tolerance: float) -> float:
    """Return 1.0 when both are numbers that differ by no more than ``tolerance``, else 0.0.

    ``tolerance`` is relative to the larger of the two, and absolute near zero.
    """
    ours, theirs = _read(answer), _read(target)
    if ours is None or theirs is None:
        return 0.0
    return float(math.isclose(float(ours), float(theirs), rel_tol=tolerance, abs_tol=tolerance))


def same_number(answer: str, target: str) -> float:
    """Return 1.0 when both are the very same number (``1.50`` is ``1.5``), else 0.0.

    This is what exact match means for numbers: SQuAD's normalisation would drop signs and points.
    """
    ours, theirs = _read(answer), _read(target)
    return float(ours is not None and theirs is not None and Decimal(ours) == Decimal(theirs))


def _read(text: str) -> str | None:
    return extract(text, "number", strict=False)
