"""How well retrieval found the document that holds the answer: recall@k and the mean reciprocal rank.

Passages of one document count once: ranks are over distinct documents, best first.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RetrievalQuality:
    """``recall[i]`` is the share of rows whose document is among the first i + 1; ``mrr`` is 0…1; ``n`` rows."""

    recall: tuple[float, ...]
    mrr: float
    n: int

    @property
    def k(self) -> int:
        """The largest rank looked at."""
        return len(self.recall)


def rank_of(documents: Iterable[str], wanted: str) -> int | None:
    """Return the rank of ``wanted`` among the distinct documents, from 1, or None when it isn't there."""
    distinct = list(dict.fromkeys(documents))
    return distinct.index(wanted) + 1 if wanted in distinct else None


def retrieval_quality(rows: Sequence[tuple[Sequence[str], str]]) -> RetrievalQuality | None:
    """Return the quality over rows of (retrieved documents, wanted document); None when nothing was retrieved.

    k is the longest list of passages. A row without passages is a miss.
    """
    k = max((len(found) for found, _ in rows), default=0)
    if k == 0:
        return None
    ranks = [rank_of(found, wanted) for found, wanted in rows]
    hits = [rank for rank in ranks if rank is not None]
    recall = tuple(sum(rank <= depth for rank in hits) / len(rows) for depth in range(1, k + 1))
    return RetrievalQuality(recall, sum(1 / rank for rank in hits) / len(rows), len(rows))
