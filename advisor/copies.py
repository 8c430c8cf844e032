"""Rows that bring nothing new: copies of another row, to the letter, in all but spelling, or nearly."""

from collections.abc import Sequence
from dataclasses import dataclass

from advisor.row_key import RowKey
from evals.example import Example
from evals.near_copies import near_copies


@dataclass(frozen=True)
class Copies:
    """How many rows repeat another one's question with the same answer; no row counts twice.

    ``exact``: letter for letter. ``alike``: but for case, punctuation and spacing. ``near``: nearly all words are
    shared (``evals.near_copies.NEAR``). ``kept`` holds one row of each, in order.
    """

    exact: int
    alike: int
    near: int
    kept: tuple[Example, ...]

    @property
    def total(self) -> int:
        """All copies."""
        return self.exact + self.alike + self.near


def find_copies(examples: Sequence[Example], keys: Sequence[RowKey]) -> Copies:
    """Return the copies among ``examples``, whose keys are ``keys``. A row with another answer is never a copy."""
    texts: set[tuple[str, frozenset[str]]] = set()
    seen: set[RowKey] = set()
    exact, left = 0, []
    for at, (row, key) in enumerate(zip(examples, keys, strict=True)):
        text = (row.input.strip(), frozenset(row.targets))
        exact += text in texts
        texts.add(text)
        if key not in seen:
            seen.add(key)
            left.append(at)
    near = near_copies([examples[at].input for at in left], [keys[at].answers for at in left])
    kept = tuple(examples[at] for place, at in enumerate(left) if place not in near)
    return Copies(exact, len(examples) - len(left) - exact, len(near), kept)
