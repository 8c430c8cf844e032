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
    """One arm's loss curve with its data, one table per seed."""

    name: str
    seeds: int
    chart: Chart | None
    tables: tuple[LossTable, ...]


@dataclass(frozen=True)
class TrainingView:
    """The training section.

    ``arms`` have the curves; ``fits`` are all fit reports of arms that trained, with their arm's name,
    one column each in the table, and ``facts`` the names of what they report beyond the common figures;
    ``others`` is what the arms that don't train say about how they were set up.
    """

    arms: tuple[Training, ...]
    fits: tuple[tuple[str, Mapping[str, Any]], ...]
    facts: tuple[str, ...]
    others: tuple[tuple[str, Mapping[str, Any]], ...]

    @property
    def seeded(self) -> bool:
        """Whether some arm was trained on several seeds."""
        return any(arm.seeds > 1 for arm in self.arms)


def build_training(arms: Sequence[Mapping[str, Any]]) -> TrainingView:
    """Return the view of every arm's fit reports."""
    trained = [arm for arm in arms if arm["trained"] and arm["fit"]]
    fits = tuple((arm["name"], fit) for arm in trained for fit in arm["fit"])
    others = tuple((arm["name"], arm["fit"][0]["facts"]) for arm in arms if not arm["trained"] and arm["fit"])
    return TrainingView(
        arms=tuple(_training(arm, f"loss-{number}") for number, arm in enumerate(trained)),
        fits=fits,
        facts=tuple(dict.fromkeys(fact for _, fit in fits for fact in fit["facts"])),
        others=tuple((name, facts) for name, facts in others if facts),
    )


def _training(arm: Mapping[str, Any], prefix: str) -> Training:
    tables = []
    for fit in arm["fit"]:
        kept = [p for p in fit["losses"] if p["validation"] is not None] or list(fit["losses"])
        tables.append(LossTable(fit["seed"], tuple(thin(kept, TABLE_POINTS)), len(fit["losses"])))
    chart = loss_chart(arm["fit"], prefix, arm["name"])
    return Training(arm["name"], len(arm["fit"]), chart, tuple(tables))
