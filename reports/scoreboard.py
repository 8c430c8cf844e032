"""The arms as the report ranks them: by family, with scores, differences to the best untrained arm, and marks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reports.charts import Interval
from reports.wording import FAMILIES


@dataclass(frozen=True)
class Estimate:
    """A figure with its interval; shares (0…1)."""

    value: float
    low: float
    high: float
    n: int
    method: str = ""
    p_value: float | None = None


@dataclass(frozen=True)
class ArmRow:
    """One arm: its place in the ranking and all that its lines in the tables need.

    ``difference`` is the arm minus the best untrained arm, None for that arm itself (``reference``)
    and where it wasn't measured. ``marks`` are the words that stand beside the name.
    """

    name: str
    trained: bool
    status: str
    reason: str
    score: Estimate | None
    difference: Estimate | None
    reference: bool
    marks: tuple[str, ...]
    errors: int
    cut: int
    error_kinds: tuple[Mapping[str, Any], ...]
    cost: Mapping[str, Any]
    arm: Mapping[str, Any]


@dataclass(frozen=True)
class FamilyGroup:
    """The arms of one family, best first."""

    title: str
    rows: tuple[ArmRow, ...]


@dataclass(frozen=True)
class Scoreboard:
    """Every arm that ran, by family; ``reference`` is the best arm without training."""

    groups: tuple[FamilyGroup, ...]
    not_run: tuple[ArmRow, ...]
    reference: str | None

    @property
    def rows(self) -> tuple[ArmRow, ...]:
        """All arms that ran, in the order of the table."""
        return tuple(row for group in self.groups for row in group.rows)

    @property
    def scored(self) -> tuple[ArmRow, ...]:
        """The arms that are done and have a score, best first; a partial arm's score is of other rows."""
        rows = [row for row in self.rows if row.score and row.status == "done"]
        return tuple(sorted(rows, key=lambda row: -row.score.value if row.score else 0.0))

    @property
    def cut(self) -> tuple[ArmRow, ...]:
        """The arms with answers that ended at the token limit."""
        return tuple(row for row in self.rows if row.cut)

    def score_intervals(self) -> list[Interval]:
        """Return the scores as a chart draws them."""
        return [_interval(row, row.score) for row in self.scored if row.score]

    def difference_intervals(self) -> list[Interval]:
        """Return the differences as a chart draws them, largest first."""
        rows = [_interval(row, row.difference) for row in self.scored if row.difference]
        return sorted(rows, key=lambda row: -row.value)


def _interval(row: ArmRow, estimate: Estimate) -> Interval:
    return Interval(row.name, estimate.value, estimate.low, estimate.high, row.trained)


def build_scoreboard(results: Mapping[str, Any]) -> Scoreboard:
    """Return the scoreboard of ``results`` (schema 1)."""
    verdict = results["verdict"]
    rows = {arm["name"]: _row(arm, results) for arm in results["arms"]}
    ran = [arm for arm in results["arms"] if arm["status"] != "skipped"]
    groups = []
    for family, title in FAMILIES.items():
        members = [rows[arm["name"]] for arm in ran if arm["family"] == family]
        if members:
            ranked = sorted(members, key=lambda row: (row.score is None, -row.score.value if row.score else 0.0))
            groups.append(FamilyGroup(title, tuple(ranked)))
    not_run = tuple(rows[arm["name"]] for arm in results["arms"] if arm["status"] != "done")
    return Scoreboard(tuple(groups), not_run, verdict["best_untrained"])


def _row(arm: Mapping[str, Any], results: Mapping[str, Any]) -> ArmRow:
    verdict, score = results["verdict"], arm["score"]
    known = score is not None and score["mean"] is not None
    return ArmRow(
        name=arm["name"],
        trained=arm["trained"],
        status=arm["status"],
        reason=arm["reason"] or "",
        score=Estimate(score["mean"], score["low"], score["high"], score["n"]) if known else None,
        difference=difference(results["comparisons"], arm["name"], verdict["best_untrained"]),
        reference=arm["name"] == verdict["best_untrained"],
        marks=_marks(arm["name"], verdict, best=known and arm["status"] == "done" and score["mean"] == _best(results)),
        errors=arm["errors"],
        cut=arm.get("cut", 0),
        error_kinds=tuple(arm["error_kinds"]),
        cost=arm["cost"] or {},
        arm=arm,
    )


def _best(results: Mapping[str, Any]) -> float | None:
    """Return the score of the best arm; arms with the very same are as good."""
    scores = (arm["score"] for arm in results["arms"] if arm["name"] == results["verdict"]["best_arm"])
    return next((score["mean"] for score in scores if score), None)


def _marks(name: str, verdict: Mapping[str, Any], *, best: bool) -> tuple[str, ...]:
    within = name in verdict["within_noise"]
    marks = {
        "best score": best,
        "within noise": within and not best and name != verdict["cheapest_within_noise"],
        "simplest within noise": name == verdict["cheapest_within_noise"] and len(verdict["within_noise"]) > 1,
    }
    return tuple(mark for mark, holds in marks.items() if holds)


def difference(comparisons: Sequence[Mapping[str, Any]], arm: str, other: str | None) -> Estimate | None:
    """Return ``arm`` minus ``other`` from whichever way round the pair was compared, or None."""
    for pair in comparisons:
        if pair["difference"] is None or {pair["a"], pair["b"]} != {arm, other}:
            continue
        value, low, high = pair["difference"], pair["low"], pair["high"]
        if pair["a"] != arm:
            value, low, high = -value, -high, -low
        return Estimate(value, low, high, pair["n"], pair["method"], pair["p_value"])
    return None
