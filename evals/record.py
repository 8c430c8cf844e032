"""``run.json``: what a run is made of, written before its first cell and checked on resuming."""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evals.errors import RunError
from evals.files import write_json
from evals.protocols import Family

SCHEMA = 1


@dataclass(frozen=True)
class PlannedArm:
    """An arm of a run with the seeds it's run on (one seed, 0, where chance plays no part)."""

    name: str
    family: Family
    seeds: tuple[int, ...]


@dataclass(frozen=True)
class ModelRecord:
    """Which model or embedder answered: the user's name for it and its fingerprint."""

    name: str
    fingerprint: str
    context: int | None = None


@dataclass(frozen=True)
class RunRecord:
    """The run's inputs. ``task`` is the task file as resolved (defaults filled in, flags applied).

    ``eval_ids`` are the ids of the eval rows in the order they are answered; ``skipped`` maps arms
    that don't fit the task to the reason.
    """

    task_file: str
    task_name: str
    task: dict[str, Any]
    labels: tuple[str, ...]
    metric: str
    train_rows: int
    documents: int
    eval_ids: tuple[str, ...]
    hashes: dict[str, str]
    arms: tuple[PlannedArm, ...]
    skipped: dict[str, str]
    model: ModelRecord | None
    embedder: ModelRecord | None
    adapter: str | None
    limit: int | None
    drop_overlap: bool
    notes: tuple[str, ...]
    versions: dict[str, str]
    machine: dict[str, str]
    command: str
    created: str

    def write(self, run: Path) -> None:
        """Write ``run.json`` into the run folder."""
        write_json(run / "run.json", {"schema": SCHEMA} | dataclasses.asdict(self))


def read_record(run: Path) -> RunRecord:
    """Return the record in ``run``. Raises ``RunError`` when there is none that this version can read."""
    path = run / "run.json"
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise RunError(f"{run} is not a run folder: it has no run.json") from error
    except (OSError, ValueError) as error:
        raise RunError(f"{path} can't be read: {error}") from error
    schema = record.pop("schema", None) if isinstance(record, dict) else None
    if schema != SCHEMA:
        raise RunError(f"{path} has schema {schema}; this version of tuneworthy reads {SCHEMA}")
    try:
        for name in ("labels", "eval_ids", "notes"):
            record[name] = tuple(record[name])
        record["arms"] = tuple(PlannedArm(**{**arm, "seeds": tuple(arm["seeds"])}) for arm in record["arms"])
        for name in ("model", "embedder"):
            record[name] = ModelRecord(**record[name]) if record[name] else None
        return RunRecord(**record)
    except (KeyError, TypeError) as error:
        raise RunError(f"{path} is damaged: {error}") from error
