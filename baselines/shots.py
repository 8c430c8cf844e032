"""Shots: which training rows stand in a prompt as worked examples, and how many of them fit.

Shots come from the training rows alone. A row is never its own shot: what counts as the same row is
the normalised input, as in the check for rows that stand in both train and eval.
"""

import math
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest

from evals.example import Example, Prompt, Shot
from evals.overlap import normalise_text

TRIED_PER_SHOT = 4
"""Rows looked at for each shot wanted, where some are too long for the context."""

PROBE_SHARE = 0.99
"""Shots leave room for an input as long as this share of the training inputs."""


@dataclass(frozen=True)
class ShotSet:
    """The rows that every prompt of an arm shows, in the order of selection; ``ranks`` say where each stands."""

    rows: tuple[Example, ...]
    ranks: tuple[int, ...]

    def shots(self, asked: str, count: int | None = None) -> tuple[Shot, ...]:
        """Return the first ``count`` (default: all) rows but ``asked`` itself, in the order of the prompt.

        Rows leave from the end of the selection, so that what is left is still balanced.
        """
        same = normalise_text(asked)
        kept = [
            (rank, row) for rank, row in zip(self.ranks, self.rows, strict=True) if normalise_text(row.input) != same
        ]
        return tuple(as_shot(row) for _, row in sorted(kept[:count], key=lambda pair: pair[0]))


def as_shot(row: Example) -> Shot:
    """Return ``row`` as a worked example with its preferred answer."""
    return Shot(row.input, row.target)


def shot_pool(train: Sequence[Example]) -> list[Example]:
    """Return the rows that may be shots: the first of those with the same normalised input."""
    first: dict[str, Example] = {}
    for row in train:
        first.setdefault(normalise_text(row.input), row)
    return list(first.values())


def balanced_order(pool: Sequence[Example], labels: Sequence[str], seed: int) -> list[Example]:
    """Return ``pool`` in the order in which shots are chosen from it.

    With ``labels``: one row of each label in turn, labels and rows shuffled by ``seed``; without: shuffled.
    """
    chance = random.Random(seed)
    groups: dict[str, list[Example]] = {label: [] for label in labels}
    for row in pool:
        groups.setdefault(row.target if labels else "", []).append(row)
    columns = list(groups.values())
    chance.shuffle(columns)
    for column in columns:
        chance.shuffle(column)
    return [row for row in chain.from_iterable(zip_longest(*columns)) if row is not None]


def choose_shots(candidates: Sequence[Example], k: int, seed: int, fits: Callable[[tuple[Shot, ...]], bool]) -> ShotSet:
    """Take at most ``k`` of ``candidates`` in their order, each only if the shots with it still pass ``fits``.

    The order in the prompt is shuffled by ``seed``: labels that take turns would teach the turn.
    """
    rows: list[Example] = []
    for row in candidates[: k * TRIED_PER_SHOT]:
        if len(rows) < k and fits(tuple(as_shot(chosen) for chosen in (*rows, row))):
            rows.append(row)
    ranks = list(range(len(rows)))
    random.Random(seed).shuffle(ranks)
    return ShotSet(tuple(rows), tuple(ranks))


def probe_input(train: Sequence[Example]) -> str:
    """Return a long training input: longer, in characters, than nearly all others."""
    inputs = sorted((row.input for row in train), key=lambda text: (len(text), text))
    return inputs[math.ceil(PROBE_SHARE * len(inputs)) - 1]


def first_fitting(prompts: Iterable[Prompt], fits: Callable[[Prompt], bool]) -> Prompt:
    """Return the first of ``prompts`` (richest first, at least one) that passes ``fits``, else the last."""
    found: Prompt | None = None
    for found in prompts:
        if fits(found):
            break
    if found is None:
        raise ValueError("no prompt to choose from")
    return found
