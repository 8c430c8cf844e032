"""Which prompts begin alike, and how far: a tree over token rows, as a radix cache of prompts has it.

Prompts with retrieved passages or with shots chosen for each row share more with a few others than with all.
The idea of reading such stretches once is that of RadixAttention (SGLang, arXiv 2312.07104); here the rows are known
beforehand, so nothing is kept that no row needs any more.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from baselines.batches import agreement

WORTH_A_PASS = 48
"""A stretch shorter than so many tokens isn't read in a pass of its own for a few rows."""


@dataclass(frozen=True)
class Group:
    """Rows, by their indices, that agree in their first ``length`` tokens.

    ``alone`` share no more than that with others, the longest first; ``groups`` do, each among themselves. A row of a
    group is longer than ``length``.
    """

    length: int
    alone: tuple[int, ...]
    groups: tuple["Group", ...]

    @property
    def rows(self) -> list[int]:
        """All rows of the group, those of inner groups first."""
        return [*(row for group in self.groups for row in group.rows), *self.alone]


def group_rows(rows: Sequence[list[int]]) -> Group:
    """Return the tree of ``rows``: inner groups share at least ``WORTH_A_PASS`` tokens more than the one around them.

    The same rows in the same order always make the same tree.
    """
    return _group(rows, sorted(range(len(rows)), key=lambda row: (rows[row], row)), 0)


def all_alone(rows: Sequence[list[int]]) -> Group:
    """Return a group of ``rows`` that knows of nothing shared."""
    return Group(0, tuple(sorted(range(len(rows)), key=lambda row: (-len(rows[row]), row))), ())


def _group(rows: Sequence[list[int]], order: Sequence[int], length: int) -> Group:
    """Return the group of ``order``, whose rows agree in ``length`` tokens and stand in the order of their tokens."""
    alone: list[int] = []
    groups: list[Group] = []
    first = 0
    while first < len(order):
        last, shared = first + 1, len(rows[order[first]]) - 1
        while last < len(order):
            before, row = rows[order[last - 1]], rows[order[last]]
            common = min(shared, agreement(before, row), len(row) - 1)
            if common < length + WORTH_A_PASS:
                break
            last, shared = last + 1, common
        if last - first == 1:
            alone.append(order[first])
        else:
            groups.append(_group(rows, order[first:last], shared))
        first = last
    alone.sort(key=lambda row: (-len(rows[row]), row))
    return Group(length, tuple(alone), tuple(groups))
