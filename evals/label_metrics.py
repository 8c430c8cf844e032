"""Metrics over labels that aren't means of rows: the confusion matrix and macro-F1.

Macro-F1 is the plain mean of F1 over the labels that occur among the targets or the predictions, which
is scikit-learn's convention. A prediction that names no label is a miss of the true label and no false
alarm for any other. Where a row accepts several labels, a prediction among them is taken as the truth.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evals.clusters import Clusters
from evals.resampling import CountMatrix, resample

IntMatrix = NDArray[np.int64]
FloatArray = NDArray[np.float64]

PRIOR = 0.5
"""Right and wrong rows that a smoothed count has more for each label that occurs (Jeffreys' prior of a share)."""


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
    ones, labels = _adding_up(coded, scored, clusters), coded.labels

    def statistic(counts: CountMatrix) -> FloatArray:
        sums = _sums(ones, counts)
        return _mean_f1(sums[:, :labels], sums[:, labels:])

    return resample(clusters.count, seed, statistic)


def smoothed_macro_f1(coded: Coded) -> float:
    """Return macro-F1 with ``PRIOR`` rows more of each kind for each label that occurs; needs a row."""
    counts = confusion(coded).astype(np.float64)
    total = counts.sum(axis=1) + counts[:, :-1].sum(axis=0)
    seen = total > 0
    more = np.where(seen, PRIOR, 0.0)[None, :]
    return float(_smoothed(np.diagonal(counts)[None, :], total[None, :], more, more, seen)[0])


def smoothed_draws(coded: Coded, scored: NDArray[np.bool_], seed: int, clusters: Clusters, likeness: int) -> FloatArray:
    """Return what ``macro_f1_draws`` does, each draw with rows of its own added for each label that occurs.

    A resample can't hold a miss of a label that every one of its few rows missed out on: their weights are those of
    a Dirichlet posterior with ``PRIOR`` rows of each kind beforehand. ``likeness`` (``likeness_of``) is their seed.
    """
    ones, labels = _adding_up(coded, scored, clusters), coded.labels
    seen = np.asarray(ones.sum(axis=1)).ravel()[labels:] > 0
    random = np.random.default_rng([seed, likeness])

    def statistic(counts: CountMatrix) -> FloatArray:
        sums = _sums(ones, counts)
        right, wrong = np.zeros((2, len(counts), labels))
        right[:, seen], wrong[:, seen] = random.standard_gamma(PRIOR, (2, len(counts), int(seen.sum())))
        return _smoothed(sums[:, :labels], sums[:, labels:], right, wrong, seen)

    return resample(clusters.count, seed, statistic)


def likeness_of(coded: Sequence[Coded]) -> int:
    """Return a number that is the same for arms that answered alike, and else another."""
    return zlib.crc32(b"".join(one.predicted.tobytes() for one in coded))


def _adding_up(coded: Coded, scored: NDArray[np.bool_], clusters: Clusters) -> Any:  # noqa: ANN401
    """Return the sparse matrix (2 · labels, clusters) that makes hits and F1's denominators of how often each is drawn.

    Only rows that are ``scored`` count.
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
    return csr_matrix((np.ones(len(rows), np.float32), (columns, drawn)), shape=(2 * labels, clusters.count))


def _sums(ones: Any, counts: CountMatrix) -> FloatArray:  # noqa: ANN401
    sums: FloatArray = (ones @ counts.T.astype(np.float32)).T.astype(np.float64)  # counts: exact in 32 bits
    return sums


def _smoothed(
    hits: FloatArray, total: FloatArray, right: FloatArray, wrong: FloatArray, seen: NDArray[np.bool_]
) -> FloatArray:
    """Return macro-F1 with ``right`` and ``wrong`` rows more of each label; a wrong one names the others evenly."""
    others = max(int(seen.sum()) - 1, 1)
    named = np.where(seen, (wrong.sum(axis=-1, keepdims=True) - wrong) / others, 0.0)
    return _mean_f1(hits + right, total + 2 * right + wrong + named)


def _mean_f1(hits: FloatArray, total: FloatArray) -> FloatArray:
    """Return the mean of 2·hits / total over the labels (last axis) whose total isn't 0."""
    scores = np.divide(2 * hits, total, out=np.zeros_like(hits), where=total > 0)
    mean: FloatArray = scores.sum(axis=-1) / np.maximum(np.count_nonzero(total > 0, axis=-1), 1)
    return mean
