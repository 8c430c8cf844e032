"""``run.json``: what a run is made of, written before its first cell and checked on resuming."""

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, NonNegativeInt, StringConstraints, ValidationError

from evals.advice_outcome import GivenAdvice
from evals.curve_point import CurvePoint
from evals.data_condition import DataCondition
from evals.errors import MissingRunError, RunError
from evals.files import write_json
from evals.leakage import Leak
from evals.protocols import Family
from evals.stored import ADDED_LATER, first_problem, from_record, strange_schema
from evals.task_file import METRICS, Metric, TaskFile

SCHEMA = 1

DAMAGED = "start a new run, or put back the file as it was"

ArmName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*(@[A-Za-z0-9][A-Za-z0-9_-]*)?$")]
"""A name that is also part of a folder's name: no separators, no ``..``; behind an ``@``, which model is meant."""


@dataclass(frozen=True)
class PlannedArm:
    """An arm of a run with the seeds it's run on (one seed, 0, where chance plays no part)."""

    name: ArmName
    family: Family
    seeds: Annotated[tuple[NonNegativeInt, ...], Field(min_length=1)]


@dataclass(frozen=True)
class SkippedArm:
    """An arm that doesn't fit the task, and why."""

    name: ArmName
    family: Family
    reason: str


@dataclass(frozen=True)
class ModelRecord:
    """Which model or embedder answered: the user's name for it, its fingerprint, and what that doesn't cover."""

    name: str
    fingerprint: str
    context: int | None = None
    note: str | None = field(default=None, metadata=ADDED_LATER)


@dataclass(frozen=True)
class RunRecord:
    """The run's inputs. ``task`` is the task file as resolved (defaults filled in, flags applied).

    ``eval_ids`` are the ids of the eval rows in the order they are answered; ``skipped`` are
    the arms that don't fit the task; ``advice`` is what was recommended before the run, if anything;
    ``leaks`` are what the eval rows share with train and documents (None in older runs); ``curve`` are
    the points that are run besides the arms; ``data`` is the condition of the rows (None in older runs).
    the points that are run besides the arms; ``models`` are those of arms such as ``few_shot@big``, by their names.
    """

    task_file: str
    task_name: str
    task: dict[str, Any]
    labels: tuple[str, ...]
    metric: Metric
    train_rows: NonNegativeInt
    documents: NonNegativeInt
    eval_ids: Annotated[tuple[str, ...], Field(min_length=1)]
    hashes: dict[str, str]
    arms: tuple[PlannedArm, ...]
    skipped: tuple[SkippedArm, ...]
    model: ModelRecord | None
    embedder: ModelRecord | None
    adapter: ModelRecord | None
    limit: NonNegativeInt | None
    drop_overlap: bool
    notes: tuple[str, ...]
    versions: dict[str, str]
    machine: dict[str, str]
    command: str
    created: str
    advice: GivenAdvice | None = field(default=None, metadata=ADDED_LATER)
    leaks: tuple[Leak, ...] | None = field(default=None, metadata=ADDED_LATER)
    curve: tuple[CurvePoint, ...] = field(default=(), metadata=ADDED_LATER)
    data: DataCondition | None = field(default=None, metadata=ADDED_LATER)
    models: dict[str, ModelRecord] = field(default_factory=dict, metadata=ADDED_LATER)

    def settings(self, path: Path = Path("run.json")) -> TaskFile:
        """Return ``task`` as settings.

        Raises ``RunError``, which names ``path``, when it's no task file or ``metric`` doesn't fit it.
        """
        try:
            settings = TaskFile.model_validate(self.task)
        except ValidationError as error:
            raise _damaged(path, first_problem(error, "task")) from None
        if self.metric not in METRICS[settings.answer]:
            raise _damaged(path, f"the metric {self.metric} doesn't fit task.answer: {settings.answer}")
        return settings

    def write(self, run: Path) -> None:
        """Write ``run.json`` into the run folder."""
        write_json(run / "run.json", {"schema": SCHEMA} | dataclasses.asdict(self))


def read_record(run: Path) -> RunRecord:
    """Return the record in ``run``. Raises ``RunError`` when there is none that this version can read."""
    path = run / "run.json"
    try:
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError) as error:
        why = "it has no run.json" if run.is_dir() else "there is no such folder"
        raise MissingRunError(f"{run} is not a run folder: {why}") from error
    except (ValueError, RecursionError) as error:
        raise _damaged(path, f"it's not JSON ({error})") from error
    except OSError as error:
        raise RunError(f"{path} can't be read: {error.strerror or error}") from error
    schema = record.pop("schema", None) if isinstance(record, dict) else None
    if schema != SCHEMA:
        raise strange_schema(path, schema, SCHEMA, DAMAGED)
    try:
        found = from_record(RunRecord, record)
    except ValueError as error:
        raise _damaged(path, str(error)) from None
    found.settings(path)
    return found


def _damaged(path: Path, what: str) -> RunError:
    return RunError(f"{path} is damaged: {what}; {DAMAGED}")
