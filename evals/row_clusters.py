"""Which eval rows of a run belong together: those that share a ``group`` or, where no row has one, a document."""

from collections.abc import Sequence

from evals.arm_cells import ArmCells
from evals.clusters import Clusters, clusters_of, independent

FEWEST_DOCUMENTS = 10
"""With fewer documents than this they're taken for the whole corpus, not for a sample of one: rows then count alone.

A ``group`` that the user gave is never overruled.
"""


def row_clusters(eval_ids: Sequence[str], arms: Sequence[ArmCells]) -> Clusters:
    """Return the clusters of the eval rows, in their order, by what the arms' predictions say of them."""
    rows = {row.id: row for arm in arms for row in arm.all_rows()}
    known = [rows.get(one) for one in eval_ids]
    groups = [None if row is None else row.group for row in known]
    return shared_clusters(groups, [None if row is None else row.doc_id for row in known])


def shared_clusters(groups: Sequence[str | None], documents: Sequence[str | None]) -> Clusters:
    """Return the clusters of rows by their ``groups`` or, where no row has one, by their ``documents``."""
    if any(group is not None for group in groups):
        return clusters_of(groups)
    by_document = clusters_of(documents)
    return by_document if by_document.count >= FEWEST_DOCUMENTS else independent(len(documents))
