"""What training took and how its loss went, arm by arm, as the report shows it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reports.charts import Chart, loss_chart, thin

TABLE_POINTS = 30


@dataclass(frozen=True)
class LossTable:
    """Points of one seed's loss curve, thinned to ``TABLE_POINTS``; ``total`` counts them all."""

    seed: int
    points: tuple[Mapping[str, Any], ...]
    total: int


@dataclass(frozen=True)
class Training:
    """One arm's fit reports (one per seed) with the names of their facts, the curve and its data."""

    name: str
    fits: tuple[Mapping[str, Any], ...]
    facts: tuple[str, ...]
    chart: Chart | None
    tables: tuple[LossTable, ...]


@dataclass(frozen=True)
class TrainingView:
    """The training section: arms that trained, and what the other arms say about how they were set up."""

    arms: tuple[Training, ...]
    others: tuple[tuple[str, Mapping[str, Any]], ...]


def build_training(arms: Sequence[Mapping[str, Any]]) -> TrainingView:
    """Return the view of every arm's fit reports."""
    trained = [arm for arm in arms if arm["trained"] and arm["fit"]]
    views = [_training(arm, f"loss-{number}") for number, arm in enumerate(trained)]
    others = tuple((arm["name"], arm["fit"][0]["facts"]) for arm in arms if not arm["trained"] and arm["fit"])
    return TrainingView(tuple(views), tuple((name, facts) for name, facts in others if facts))


def _training(arm: Mapping[str, Any], prefix: str) -> Training:
    fits = tuple(arm["fit"])
    tables = []
    for fit in fits:
        kept = [p for p in fit["losses"] if p["validation"] is not None] or list(fit["losses"])
        tables.append(LossTable(fit["seed"], tuple(thin(kept, TABLE_POINTS)), len(fit["losses"])))
    facts = tuple(dict.fromkeys(fact for fit in fits for fact in fit["facts"]))
    return Training(arm["name"], fits, facts, loss_chart(fits, prefix, arm["name"]), tuple(tables))
