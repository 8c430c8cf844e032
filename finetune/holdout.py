"""The rows of the training set that choose the checkpoint: drawn by a seed, never learnt from, never eval rows."""

from collections.abc import Sequence
from dataclasses import dataclass

from evals.errors import UsageError
from evals.example import Example
from evals.split import split_train
from evals.task import Task
from finetune.encode import EncodedRow, EncodedRows

SMALLEST_TRAIN = 10
"""Fewer training rows than this are all learnt from; the last weights are kept then."""

MOST_ROWS = 200

BUDGET_SHARE = 0.1
"""Under a token budget, one look at the validation rows reads at most about this share of it."""


@dataclass(frozen=True, slots=True)
class Holdout:
    """Encoded rows to learn from, and those that choose the checkpoint."""

    train: tuple[EncodedRow, ...]
    validation: tuple[EncodedRow, ...]


def hold_out(task: Task, examples: Sequence[Example], encoded: EncodedRows, seed: int, budget: int | None) -> Holdout:
    """Split the encoded rows of ``examples``: ``tune.validation_share`` of them, 1 to 200, choose the checkpoint.

    Rows of one group or one input stay on one side as far as the limit of 200 allows, and a label task keeps its
    mix of labels. There are no validation rows when fewer than 10 rows train or all belong together.
    """
    rows = {row.id: row for row in encoded.rows}
    kept = [example for example in examples if example.id in rows]
    share = min(task.settings.tune.validation_share, MOST_ROWS / max(1, len(kept)))
    if budget is not None:
        share = min(share, BUDGET_SHARE * budget / max(1, encoded.tokens))
    if len(kept) < SMALLEST_TRAIN:
        return Holdout(encoded.rows, ())
    try:
        split = split_train(kept, share, seed, stratify=task.answer == "label")
    except UsageError:
        return Holdout(encoded.rows, ())
    chosen = {example.id for example in split.eval[:MOST_ROWS]}
    return Holdout(
        train=tuple(row for row in encoded.rows if row.id not in chosen),
        validation=tuple(row for row in encoded.rows if row.id in chosen),
    )
