"""Which eval rows belong together: rows that share a ``group`` (or else a document) aren't independent.

A paragraph with ten questions is nearer to one piece of evidence than to ten. Everything that says how sure a
score is counts clusters where there are any: the variance of a mean, the bootstrap, the sign flips. A row that
shares its cluster with no other is a cluster of its own, so that independent rows are the special case of one
row each and need no second formula.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntVector = NDArray[np.int64]


@dataclass(frozen=True)
class Clusters:
    """``of`` numbers the cluster of each row, shape (rows,), from 0 without gaps."""

    of: IntVector

    @cached_property
    def sizes(self) -> FloatArray:
        """Rows of each cluster, shape (clusters,)."""
        sizes: FloatArray = np.bincount(self.of).astype(np.float64)
        return sizes

    @cached_property
    def _order(self) -> IntVector:
        """The row of each cluster, where each has one."""
        return np.argsort(self.of)

    @property
    def count(self) -> int:
        """How many clusters there are."""
        return len(self.sizes)

    @property
    def single(self) -> bool:
        """Whether every row is a cluster of its own: the rows are independent."""
        return self.count == len(self.of)

    def take(self, kept: NDArray[np.bool_]) -> "Clusters":
        """Return the clusters of the rows that are ``kept``, numbered anew."""
        return Clusters(np.unique(self.of[kept], return_inverse=True)[1].astype(np.int64))

    def totals(self, values: FloatArray) -> FloatArray:
        """Return the sums of ``values``, shape (…, rows), over each cluster: shape (…, clusters)."""
        if self.single:
            return values[..., self._order]
        flat = values.reshape(-1, len(self.of))
        sums: FloatArray = np.stack([np.bincount(self.of, weights=row, minlength=self.count) for row in flat])
        return sums.reshape(*values.shape[:-1], self.count)


def independent(rows: int) -> Clusters:
    """Return the clusters of ``rows`` rows that have nothing to do with one another."""
    return Clusters(np.arange(rows, dtype=np.int64))


def clusters_of(keys: Sequence[str | None]) -> Clusters:
    """Return the clusters of rows by what they share; a row whose key is None stands alone."""
    numbers: dict[object, int] = {}
    return Clusters(
        np.array([numbers.setdefault(row if key is None else key, len(numbers)) for row, key in enumerate(keys)])
    )
