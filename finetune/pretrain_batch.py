"""What the training loop reads: rows of tokens with targets and weights, packed into batches."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Row:
    """One training sequence: what is read, what should come next at each place, and how much that counts.

    All three have the same length; ``targets[i]`` is the token that should follow ``ids[: i + 1]``.
    """

    ids: Sequence[int]
    targets: Sequence[int]
    weights: Sequence[float]


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of equal length, padded on the right with weight 0; each array is of shape (rows, length).

    ``tokens`` counts what is read, padding left out.
    """

    ids: NDArray[np.int64]
    targets: NDArray[np.int64]
    weights: NDArray[np.float32]
    tokens: int


def answer_row(prompt_ids: Sequence[int], answer_ids: Sequence[int], end_id: int, prompt_weight: float = 0.3) -> Row:
    """Return the row of one prompt with its answer; the answer and the end token weigh 1."""
    ids = [*prompt_ids, *answer_ids]
    targets = [*ids[1:], end_id]
    weights = [prompt_weight] * (len(prompt_ids) - 1) + [1.0] * (len(answer_ids) + 1)
    return Row(ids, targets, weights[-len(ids) :])


def pack_rows(rows: Sequence[Row], pad_id: int, length: int | None = None) -> Batch:
    """Return one batch of ``rows``, cut or padded on the right to ``length`` (default: the longest row)."""
    width = length or max(len(row.ids) for row in rows)
    ids = np.full((len(rows), width), pad_id, dtype=np.int64)
    targets = np.full((len(rows), width), pad_id, dtype=np.int64)
    weights = np.zeros((len(rows), width), dtype=np.float32)
    for index, row in enumerate(rows):
        size = min(width, len(row.ids))
        ids[index, :size] = row.ids[:size]
        targets[index, :size] = row.targets[:size]
        weights[index, :size] = row.weights[:size]
    tokens = sum(min(width, len(row.ids)) for row in rows)
    return Batch(ids, targets, weights, tokens)
