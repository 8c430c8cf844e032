"""What else was measured beside the score: other metrics, both extractions, retrieval, labels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reports.wording import METRICS


@dataclass(frozen=True)
class Measure:
    """One arm's other figures, all shares (0…1); None where it wasn't measured."""

    name: str
    strict: float | None
    lenient: float | None
    by_mean: float | None
    choice_rule: str | None
    metrics: tuple[float | None, ...]
    seeds: tuple[Mapping[str, Any], ...]
    wrong: int | None
    from_train: int | None


@dataclass(frozen=True)
class Measures:
    """The table of all metrics; ``chosen`` says whether an arm chose labels by likelihood."""

    metrics: tuple[str, ...]
    rows: tuple[Measure, ...]

    @property
    def chosen(self) -> bool:
        """Whether any arm chose by likelihood."""
        return any(row.choice_rule == "sum" for row in self.rows)

    @property
    def written(self) -> str:
        """The arms that wrote a label, by name."""
        return ", ".join(row.name for row in self.rows if row.choice_rule == "written")

    @property
    def repeats(self) -> bool:
        """Whether it's known of any arm how many wrong answers are answers of training rows."""
        return any(row.from_train is not None for row in self.rows)

    @property
    def seeded(self) -> tuple[Measure, ...]:
        """The arms that were run on several seeds."""
        return tuple(row for row in self.rows if len(row.seeds) > 1)


def build_measures(arms: Sequence[Mapping[str, Any]]) -> Measures:
    """Return the table of metrics over the arms that have a score."""
    scored = [arm for arm in arms if arm["score"]]
    found = {metric for arm in scored for metric in arm["metrics"]}
    names = tuple(name for name in METRICS if name in found) + tuple(sorted(found - set(METRICS)))
    rows = [
        Measure(
            name=arm["name"],
            strict=arm["score_strict"],
            lenient=arm["score_lenient"],
            by_mean=arm["by_mean"],
            choice_rule=arm["choice_rule"],
            metrics=tuple(arm["metrics"].get(name) for name in names),
            seeds=tuple(arm["per_seed"]),
            wrong=arm.get("wrong"),
            from_train=arm.get("wrong_from_train"),
        )
        for arm in scored
    ]
    return Measures(names, tuple(rows))


@dataclass(frozen=True)
class Retrieval:
    """Recall at 1…k by arm, with the mean reciprocal rank."""

    ks: tuple[int, ...]
    rows: tuple[tuple[str, Mapping[str, Any], tuple[float | None, ...]], ...]


def build_retrieval(arms: Sequence[Mapping[str, Any]]) -> Retrieval | None:
    """Return the table of retrieval, or None when no arm retrieved with known documents."""
    measured = [(arm["name"], arm["retrieval"]) for arm in arms if arm["retrieval"]]
    if not measured:
        return None
    ks = tuple(sorted({int(k) for _, retrieval in measured for k in retrieval["recall"]}))
    rows = ((name, found, tuple(found["recall"].get(str(k)) for k in ks)) for name, found in measured)
    return Retrieval(ks, tuple(rows))


@dataclass(frozen=True)
class LabelRow:
    """One label: eval rows that have it, and by arm the share of them that were answered right."""

    label: str
    n: int
    shares: tuple[float | None, ...]


@dataclass(frozen=True)
class Labels:
    """The table of labels, the most frequent first."""

    arms: tuple[str, ...]
    rows: tuple[LabelRow, ...]


def build_labels(
    per_label: Mapping[str, Mapping[str, Mapping[str, int]]] | None, arms: Sequence[Mapping[str, Any]]
) -> Labels | None:
    """Return the table of labels, or None when the task has none. Counts are over all seeds of an arm."""
    if not per_label:
        return None
    seeds = {arm["name"]: max(1, len(arm["per_seed"])) for arm in arms}
    labels = list(dict.fromkeys(label for counts in per_label.values() for label in counts))
    rows = []
    for label in labels:
        counts = {arm: by_label[label] for arm, by_label in per_label.items() if label in by_label}
        answered = {arm: count for arm, count in counts.items() if count["n"]}
        shares = tuple(answered[arm]["correct"] / answered[arm]["n"] if arm in answered else None for arm in per_label)
        rows.append(LabelRow(label, max(round(count["n"] / seeds[arm]) for arm, count in counts.items()), shares))
    return Labels(tuple(per_label), tuple(sorted(rows, key=lambda row: -row.n)))
