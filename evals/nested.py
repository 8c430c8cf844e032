"""Parts of the training rows, each within the next larger: what a learning curve is drawn on."""

import random
from collections import defaultdict
from collections.abc import Sequence

from evals.example import Example

SHARES = (0.125, 0.25, 0.5, 1.0)
"""The parts that are trained on; each doubles the one before."""

FEWEST = 8
"""Smaller parts are left out: nothing is learnt from them."""


def nested_sizes(rows: int) -> list[int]:
    """Return the sizes below ``rows`` that a curve is drawn on, the smallest first."""
    sizes = {round(share * rows) for share in SHARES if share < 1}
    return sorted(size for size in sizes if size >= FEWEST)


def nested_part(train: Sequence[Example], size: int, seed: int, *, by_label: bool) -> tuple[Example, ...]:
    """Return ``size`` of the rows, in their own order; a smaller size of the same seed gives a part of it.

    With ``by_label`` every part has the mix of labels of the whole, as far as its size allows.
    """
    order = random.Random(seed)
    groups: dict[str, list[int]] = defaultdict(list)
    for place, row in enumerate(train):
        groups[row.target if by_label else ""].append(place)
    ranked: list[tuple[float, float, int]] = []
    for places in groups.values():
        order.shuffle(places)
        ranked += [((rank + 0.5) / len(places), order.random(), place) for rank, place in enumerate(places)]
    chosen = sorted(place for _, _, place in sorted(ranked)[:size])
    return tuple(train[place] for place in chosen)
