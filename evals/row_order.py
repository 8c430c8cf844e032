"""In which order a cell's rows are asked, where a cell that was stopped goes on, and the order in which they end."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from evals.cell import Cell
from evals.errors import RunError
from evals.example import Example
from evals.protocols import Arm
from evals.scored import ScoredPrediction

BATCH_ROWS = 64
"""Rows that are answered and written down together: what a kill may cost."""


@runtime_checkable
class Orders(Protocol):
    """An arm that has a wish in which order it's asked: rows with much in common side by side."""

    def order(self, examples: Sequence[Example]) -> list[int]:
        """Return the places of ``examples`` in that order, the same for the same rows; called once it's fitted."""
        ...


def kept_rows(cell: Cell, total: int) -> list[ScoredPrediction]:
    """Return the rows of complete batches of the ``total``; none when the cell failed before."""
    if cell.failure is not None:
        return []
    answered = len(cell.predictions)
    return list(cell.predictions[: answered if answered == total else answered // BATCH_ROWS * BATCH_ROWS])


def rows_left(cell: Cell, kept: Sequence[ScoredPrediction], arm: Arm, examples: Sequence[Example]) -> list[Example]:
    """Return what is still to be asked after ``kept``, in the order that ``arm`` wishes.

    Raises ``RunError`` where ``kept`` isn't how the eval set begins. For an arm with a wish it's enough that they are
    rows of it: an older version asked in the eval set's order, and other versions of libraries may find another order.
    """
    known = [row.id for row in kept]
    ids = [example.id for example in examples]
    if known != ids[: len(known)] and not (isinstance(arm, Orders) and _are_among(known, ids)):
        raise RunError(f"{cell.folder} answers other eval rows than this run's; start a new run")
    if len(known) == len(ids):
        return []
    asked = [examples[place] for place in arm.order(examples)] if isinstance(arm, Orders) else examples
    answered = set(known)
    return [example for example in asked if example.id not in answered]


def in_order(rows: Sequence[ScoredPrediction], examples: Sequence[Example]) -> list[ScoredPrediction]:
    """Return ``rows`` as the eval set has them."""
    by_id = {row.id: row for row in rows}
    return [by_id[example.id] for example in examples]


def _are_among(known: Sequence[str], ids: Sequence[str]) -> bool:
    return len(set(known)) == len(known) and set(known) <= set(ids)
