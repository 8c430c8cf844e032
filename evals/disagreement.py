"""How far apart two arms answered the same rows: what decides how many rows it takes to tell them apart."""

from dataclasses import dataclass

import numpy as np

from evals.arm_cells import ArmCells
from evals.sample import matrix, seed_means


@dataclass(frozen=True)
class Disagreement:
    """Two arms of a run on the ``rows`` that both have a score for.

    ``share`` is the mean of the squared differences of their scores (0…1), means over seeds; where every score is
    0 or 1 (``whole``) that is the share of rows that exactly one of them gets right.
    """

    first: str
    second: str
    share: float
    rows: int
    whole: bool


def disagreement(first: ArmCells, second: ArmCells) -> Disagreement | None:
    """Return how far apart the two are, None where no row has a score of both."""
    one, two = (seed_means(matrix(arm.seed_values(lambda row: row.score))) for arm in (first, second))
    kept = ~np.isnan(one - two)
    squares = (one - two)[kept] ** 2
    if not len(squares):
        return None
    whole = bool(np.isin(one[kept], (0, 1)).all() and np.isin(two[kept], (0, 1)).all())
    return Disagreement(first.name, second.name, float(squares.mean()), int(kept.sum()), whole)
