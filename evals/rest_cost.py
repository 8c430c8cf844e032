"""What the rest of a run would cost where endpoints answer, by the rows they have answered so far."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from evals.arm_name import arm_alias
from evals.cell import CellFolder
from evals.figure import average
from evals.latency import ROWS
from evals.model_ref import Endpoint
from evals.prices import Prices
from evals.record import RunRecord, read_record
from evals.scored import ScoredPrediction
from evals.spending import Meter, Taken
from evals.task_file import TaskFile


@dataclass(frozen=True)
class RestCost:
    """Rows that endpoints have answered and those that are left; ``cost`` of the rest, None where no row tells."""

    answered: int
    left: int
    cost: float | None


@dataclass(frozen=True)
class _Part:
    """One cell: the arm and its model's name, its rows' mean cost, and how many rows and timed requests are left."""

    arm: str
    alias: str | None
    each: float | None
    answered: int
    left: int
    timed: int


def rest_cost(run: Path, prices: Prices) -> RestCost:
    """Return what is left of the run in ``run``.

    A cell without rows is taken to cost what its arm's other cells do, else what the model's other arms do. Single
    requests that are timed count too, at the most there may be. Raises ``RunError`` when the run can't be read.
    """
    parts = list(_parts(run, read_record(run), Meter(prices)))
    cost: float | None = 0.0
    for part in parts:
        if part.left + part.timed:
            each = _each(part, parts)
            cost = None if each is None or cost is None else cost + each * (part.left + part.timed)
    return RestCost(sum(part.answered for part in parts), sum(part.left for part in parts), cost)


def _each(part: _Part, parts: list[_Part]) -> float | None:
    """Return what a row of ``part`` costs: by its own rows, its arm's, or its model's."""
    if part.each is not None:
        return part.each
    own = [other.each for other in parts if other.arm == part.arm and other.each is not None]
    like = [other.each for other in parts if other.alias == part.alias and other.each is not None]
    return average(own or like)


def _parts(run: Path, record: RunRecord, meter: Meter) -> Iterator[_Part]:
    settings, rows = record.settings(run / "run.json"), len(record.eval_ids)
    for arm in record.arms:
        if arm.family != "classic" and _asks_endpoint(settings, arm.name):
            for seed in arm.seeds:
                yield _part(CellFolder(run, arm.name, arm.family, seed), arm.name, rows, meter, timed=True)
    for point in record.curve:
        if _asks_endpoint(settings, point.arm):
            for seed in point.seeds:
                yield _part(point.cell(run, seed), point.arm, rows, meter, timed=False)


def _part(folder: CellFolder, arm: str, rows: int, meter: Meter, *, timed: bool) -> _Part:
    cell, alias = folder.read(), arm_alias(arm)
    answered = len(cell.predictions)
    each = average(_cost(row, alias, meter) for row in cell.predictions)
    single = 2 * min(ROWS, rows) if timed and not cell.done else 0  # cold and warm
    return _Part(arm, alias, each, answered, rows - answered, single)


def _cost(row: ScoredPrediction, alias: str | None, meter: Meter) -> float:
    return meter.price(alias, Taken(row.prompt_tokens, row.completion_tokens, row.cached_tokens or 0))


def _asks_endpoint(settings: TaskFile, arm: str) -> bool:
    alias = arm_alias(arm)
    model = settings.model if alias is None else settings.models.get(alias)
    return isinstance(model, Endpoint)
