"""What training took and how it went, arm by arm, as the report shows it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reports.canvas import Chart
from reports.curves import by_magnitude, loss_chart, score_chart, thin, with_value
from reports.learning import Judgement, end, judgement, pace, repeats

TABLE_POINTS = 30


@dataclass(frozen=True)
class LossTable:
    """Points of one seed's curve, thinned to ``TABLE_POINTS``; ``total`` counts them all."""

    seed: int
    points: tuple[Mapping[str, Any], ...]
    total: int
    scored: bool


@dataclass(frozen=True)
class Account:
    """One seed's training in words; a part is None where the results don't tell it."""

    seed: int
    judgement: Judgement | None
    pace: str | None
    end: str | None

    @property
    def course(self) -> str:
        """Pace and end in one text, mostly the same for all seeds; empty where neither is known."""
        return " ".join(filter(None, [self.pace, self.end]))


@dataclass(frozen=True)
class Training:
    """One arm's curves with their data, one table and one account per seed; ``repeats`` is a warning, if any.

    ``magnitudes`` says that the picture of the losses has a scale of tenfolds.
    """

    name: str
    seeds: int
    losses: Chart | None
    magnitudes: bool
    scores: Chart | None
    tables: tuple[LossTable, ...]
    accounts: tuple[Account, ...]
    repeats: str | None


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


def build_training(arms: Sequence[Mapping[str, Any]], metric: str) -> TrainingView:
    """Return the view of every arm's fit reports; ``metric`` is the metric's name in words."""
    trained = [arm for arm in arms if arm["trained"] and arm["fit"]]
    fits = tuple((arm["name"], fit) for arm in trained for fit in arm["fit"])
    others = tuple((arm["name"], arm["fit"][0]["facts"]) for arm in arms if not arm["trained"] and arm["fit"])
    return TrainingView(
        arms=tuple(_training(arm, number, metric) for number, arm in enumerate(trained)),
        fits=fits,
        facts=tuple(dict.fromkeys(fact for _, fit in fits for fact in fit["facts"])),
        others=tuple((name, facts) for name, facts in others if facts),
    )


def _training(arm: Mapping[str, Any], number: int, metric: str) -> Training:
    fits = arm["fit"]
    return Training(
        name=arm["name"],
        seeds=len(fits),
        losses=loss_chart(fits, f"loss-{number}", arm["name"]),
        magnitudes=by_magnitude(fits),
        scores=score_chart(fits, f"score-{number}", arm["name"], metric),
        tables=tuple(_table(fit) for fit in fits),
        accounts=tuple(Account(fit["seed"], judgement(fit), pace(fit), end(fit)) for fit in fits),
        repeats=repeats(arm),
    )


def _table(fit: Mapping[str, Any]) -> LossTable:
    kept = with_value(fit["losses"], "validation") or list(fit["losses"])
    points = tuple({"score": None} | dict(point) for point in thin(kept, TABLE_POINTS))
    return LossTable(fit["seed"], points, len(fit["losses"]), any(point["score"] is not None for point in points))
