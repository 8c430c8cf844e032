"""Metrics over labels that aren't means of rows: the confusion matrix and macro-F1.

Macro-F1 is the plain mean of F1 over the labels that occur among the targets or the predictions, which
is scikit-learn's convention. A prediction that names no label is a miss of the true label and no false
alarm for any other. Where a row accepts several labels, a prediction among them is taken as the truth.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evals.clusters import Clusters
from evals.resampling import CountMatrix, resample

IntMatrix = NDArray[np.int64]
FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Coded:
    """True and predicted labels of the same rows as numbers below ``labels``; no label is ``labels``."""

    labels: int
    true: IntMatrix
    predicted: IntMatrix

    def take(self, rows: NDArray[np.intp]) -> "Coded":
        """Return some of the rows."""
        return Coded(self.labels, self.true[rows], self.predicted[rows])


def truth(targets: Sequence[str], predicted: str | None) -> str:
    """Return the label that counts as the true one: the predicted one if it's accepted, else the preferred."""
    return predicted if predicted is not None and predicted in targets else targets[0]


def code(labels: Sequence[str], targets: Sequence[Sequence[str]], predicted: Sequence[str | None]) -> Coded:
    """Return rows as numbers; a predicted text that is no label counts as none.

    Raises ``KeyError`` when a target is none of ``labels``.
    """
    number = {label: place for place, label in enumerate(labels)}
    true = [number[truth(accepted, guess)] for accepted, guess in zip(targets, predicted, strict=True)]
    guesses = [len(labels) if guess is None else number.get(guess, len(labels)) for guess in predicted]
    return Coded(len(labels), np.asarray(true, dtype=np.int64), np.asarray(guesses, dtype=np.int64))


def confusion(coded: Coded) -> IntMatrix:
    """Return counts of shape (labels, labels + 1): true label by predicted label, the last column for none."""
    cells = coded.true * (coded.labels + 1) + coded.predicted
    counts = np.bincount(cells, minlength=coded.labels * (coded.labels + 1))
    return counts.astype(np.int64).reshape(coded.labels, coded.labels + 1)


def macro_f1(coded: Coded) -> float | None:
    """Return macro-F1 (0…1), or None when there are no rows."""
    if not len(coded.true):
        return None
    counts = confusion(coded)
    hits = np.diagonal(counts).astype(np.float64)
    return float(_mean_f1(hits, counts.sum(axis=1) + counts[:, :-1].sum(axis=0)))


def macro_f1_draws(coded: Coded, scored: NDArray[np.bool_], seed: int, clusters: Clusters) -> FloatArray:
    """Return macro-F1 of every bootstrap resample of the rows' clusters, in the order of ``evals.resampling``.

    Only rows that are ``scored`` count; a resample without any gives 0.
    """
    from scipy.sparse import csr_matrix

    labels = coded.labels
    known = np.flatnonzero(scored)
    right = np.flatnonzero(scored & (coded.true == coded.predicted))
    named = np.flatnonzero(scored & (coded.predicted < labels))
    # Column l holds the rows that are right about l, column labels + l those that add to its denominator.
    rows = np.concatenate([right, known, named])
    columns = np.concatenate([coded.true[right], labels + coded.true[known], labels + coded.predicted[named]])
    drawn = clusters.of[rows]  # repeated places add up
    ones = csr_matrix((np.ones(len(rows), np.float32), (columns, drawn)), shape=(2 * labels, clusters.count))

    def statistic(counts: CountMatrix) -> FloatArray:
        sums = (ones @ counts.T.astype(np.float32)).T.astype(np.float64)  # counts: exact in 32 bits
        return _mean_f1(sums[:, :labels], sums[:, labels:])

    return resample(clusters.count, seed, statistic)


def _mean_f1(hits: FloatArray, total: FloatArray) -> FloatArray:
    """Return the mean of 2·hits / total over the labels (last axis) whose total isn't 0."""
    scores = np.divide(2 * hits, total, out=np.zeros_like(hits), where=total > 0)
    mean: FloatArray = scores.sum(axis=-1) / np.maximum(np.count_nonzero(total > 0, axis=-1), 1)
    return mean
