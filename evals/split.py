"""Seeded parts of a set of rows: eval rows split off from train, and a sample of limited size.

Rows of one group, and rows with the same normalised input, stay together in a split, so that no
eval row is a training row in other words. Within label tasks both keep the mix of labels: each label
gets its share, rounded by largest remainder.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from evals.errors import UsageError
from evals.example import Example
from evals.overlap import normalise_text


@dataclass(frozen=True)
class Split:
    """Two parts that make up the whole, each in the order of the whole."""

    train: tuple[Example, ...]
    eval: tuple[Example, ...]


def split_train(examples: Sequence[Example], share: float, seed: int, stratify: bool) -> Split:
    """Keep about ``share`` (0…1) of the rows as eval rows; at least one row stays on each side.

    With ``stratify`` every target gives its share, and one with a single row stays in train. The count is
    exact where no two rows belong together. Raises ``UsageError`` when all rows belong together.
    """
    clusters = _clusters(examples)
    if len(clusters) < 2:
        raise UsageError(
            f"no eval rows can be split off: the {len(examples):,} training rows are one row, one group or one input; "
            "give more rows or an eval file (data.eval)"
        )
    chance = random.Random(seed)
    strata = _strata([examples[cluster[0]].target if stratify else "" for cluster in clusters])
    if len(strata) == len(clusters):
        # Every target stands once: there is no mix to keep.
        strata = [list(range(len(clusters)))]
    sizes = [sum(len(clusters[number]) for number in stratum) for stratum in strata]
    wanted = min(max(1, round(share * len(examples))), len(examples) - 1)
    quotas = _quotas(sizes, [size - 1 for size in sizes], wanted, chance)
    chosen: list[list[int]] = []
    for stratum, quota in zip(strata, quotas, strict=True):
        chosen += _fill([clusters[number] for number in stratum], quota, chance)
    chosen = _both_sides(clusters, chosen)
    kept = {index for cluster in chosen for index in cluster}
    return Split(
        train=tuple(example for index, example in enumerate(examples) if index not in kept),
        eval=tuple(example for index, example in enumerate(examples) if index in kept),
    )


def limit_examples(examples: Sequence[Example], n: int, seed: int, stratify: bool) -> tuple[Example, ...]:
    """Return ``n`` rows drawn without replacement, in their order; all of them when there are no more.

    With ``stratify`` every target keeps its share. Raises ``UsageError`` when ``n`` is less than 1.
    """
    if n < 1:
        raise UsageError(f"the number of rows must be at least 1, not {n}")
    if n >= len(examples):
        return tuple(examples)
    chance = random.Random(seed)
    strata = _strata([example.target if stratify else "" for example in examples])
    sizes = [len(stratum) for stratum in strata]
    quotas = _quotas(sizes, sizes, n, chance)
    kept = {index for stratum, quota in zip(strata, quotas, strict=True) for index in chance.sample(stratum, quota)}
    return tuple(example for index, example in enumerate(examples) if index in kept)


def _clusters(examples: Sequence[Example]) -> list[list[int]]:
    """Return the rows that must stay together, by index, joined through groups and normalised inputs."""
    parent = list(range(len(examples)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    first: dict[tuple[str, str], int] = {}
    for index, example in enumerate(examples):
        keys = [("input", normalise_text(example.input))]
        if example.group is not None:
            keys.append(("group", example.group))
        for key in keys:
            one, other = sorted((root(first.setdefault(key, index)), root(index)))
            parent[other] = one
    clusters: dict[int, list[int]] = {}
    for index in range(len(examples)):
        clusters.setdefault(root(index), []).append(index)
    return list(clusters.values())


def _strata(targets: Sequence[str]) -> list[list[int]]:
    """Return the positions of each target, by first appearance."""
    strata: dict[str, list[int]] = {}
    for position, target in enumerate(targets):
        strata.setdefault(target, []).append(position)
    return list(strata.values())


def _quotas(sizes: Sequence[int], most: Sequence[int], wanted: int, chance: random.Random) -> list[int]:
    """Share ``wanted`` rows out in proportion to ``sizes``, by largest remainder, none above its ``most``."""
    wanted = min(wanted, sum(most))
    exact = [wanted * size / sum(sizes) for size in sizes]
    quotas = [min(int(part), limit) for part, limit in zip(exact, most, strict=True)]
    order = list(range(len(sizes)))
    # Among equal remainders chance decides, not the order of the file.
    chance.shuffle(order)
    order.sort(key=lambda part: quotas[part] - exact[part])
    while sum(quotas) < wanted:
        for part in [part for part in order if quotas[part] < most[part]][: wanted - sum(quotas)]:
            quotas[part] += 1
    return quotas


def _fill(stratum: list[list[int]], quota: int, chance: random.Random) -> list[list[int]]:
    """Return clusters in random order, each taken if that brings the number of rows nearer to ``quota``."""
    order = list(stratum)
    chance.shuffle(order)
    taken: list[list[int]] = []
    rows = 0
    for cluster in order:
        if abs(rows + len(cluster) - quota) < abs(rows - quota):
            taken.append(cluster)
            rows += len(cluster)
    return taken


def _both_sides(clusters: list[list[int]], chosen: list[list[int]]) -> list[list[int]]:
    """Return ``chosen``, or the least change of it that leaves neither side empty."""
    smallest = min(clusters, key=len)
    if not chosen:
        return [smallest]
    if len(chosen) == len(clusters):
        return [cluster for cluster in chosen if cluster is not smallest]
    return chosen
