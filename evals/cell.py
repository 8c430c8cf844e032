"""A cell's folder: one arm on one seed, written row by row, so that a killed run loses little.

::

    cells/<arm>-<seed>/predictions.jsonl   one ScoredPrediction a line, appended a batch at a time
                      fit.json             FitReport, written when fitting is done
                      cost.json            written last: its presence says that the cell is complete
                      failure.json         why the cell failed; removed when it's complete after all
                      adapter/ or model/   what a trained arm leaves
"""

import dataclasses
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from evals.errors import RunError
from evals.files import write_json, write_text
from evals.latency import Latency
from evals.protocols import Family, FitReport
from evals.scored import ScoredPrediction
from evals.stored import ADDED_LATER, from_record, strange_schema

SCHEMA = 1

Stored = TypeVar("Stored")


@dataclass(frozen=True, slots=True)
class CellCost:
    """What a cell took in all; ``peak_memory_mb`` is the process's peak while the cell ran.

    ``artefact_mb`` is the size of what a trained arm left (adapter or model), in MB of 10⁶ bytes;
    ``latency_problem`` is why single requests couldn't be timed. ``cached_rows`` were answered from the cache;
    ``answer_seconds`` is what the others took.
    """

    fit_seconds: float
    answer_seconds: float
    train_tokens: int
    prompt_tokens: int
    completion_tokens: int
    peak_memory_mb: float | None
    artefact_mb: float | None = field(default=None, metadata=ADDED_LATER)
    latency: Latency | None = field(default=None, metadata=ADDED_LATER)
    latency_problem: str | None = field(default=None, metadata=ADDED_LATER)
    cached_rows: int = field(default=0, metadata=ADDED_LATER)


@dataclass(frozen=True, slots=True)
class CellFailure:
    """Why a cell failed; ``trace`` is for whoever has to mend an unforeseen error."""

    cause: str
    trace: str | None


@dataclass(frozen=True)
class Cell:
    """A cell as read back: its rows, what fitting and answering took, or why it failed."""

    arm: str
    family: Family
    seed: int
    folder: Path
    predictions: tuple[ScoredPrediction, ...]
    fit: FitReport | None
    cost: CellCost | None
    failure: str | None

    @property
    def done(self) -> bool:
        """Whether every row was answered."""
        return self.cost is not None


class CellFolder:
    """Reads and writes one cell; ``variant`` tells the points of a curve from the arm's own cell."""

    def __init__(self, root: Path, arm: str, family: Family, seed: int, variant: str = "") -> None:
        self.arm, self.family, self.seed = arm, family, seed
        self.folder = root / "cells" / (f"{arm}-{seed}-{variant}" if variant else f"{arm}-{seed}")
        self.predictions = self.folder / "predictions.jsonl"

    def read(self, slim: Callable[[ScoredPrediction], ScoredPrediction] | None = None) -> Cell:
        """Return what the folder holds, rows as ``slim`` gives them back; a folder that isn't there is an empty cell.

        Raises ``RunError``, which names the file and what to do, for a file that can't be read.
        """
        failure = _read_stored(CellFailure, self.folder / "failure.json")
        return Cell(
            arm=self.arm,
            family=self.family,
            seed=self.seed,
            folder=self.folder,
            predictions=tuple(self._rows() if slim is None else map(slim, self._rows())),
            fit=_read_stored(FitReport, self.folder / "fit.json"),
            cost=_read_stored(CellCost, self.folder / "cost.json"),
            failure=failure.cause if failure is not None else None,
        )

    def _rows(self) -> Iterator[ScoredPrediction]:
        """Go through the complete rows, one in memory at a time; a last line that a kill cut off is left out."""
        try:
            file = self.predictions.open(encoding="utf-8", errors="replace", newline="\n")
        except FileNotFoundError:
            return
        with file:
            for number, line in enumerate(file, start=1):
                if not line.endswith("\n"):
                    return
                try:
                    yield ScoredPrediction.from_line(line[:-1])
                except RunError as error:
                    raise RunError(f"{self.predictions}:{number}: {error}; delete the file to answer again") from error

    @property
    def complete(self) -> bool:
        """Whether every row was answered, without reading any."""
        return (self.folder / "cost.json").exists()

    def keep(self, rows: Sequence[ScoredPrediction]) -> None:
        """Start the predictions file with just these rows."""
        self.folder.mkdir(parents=True, exist_ok=True)
        write_text(self.predictions, "".join(row.to_line() + "\n" for row in rows))

    def append(self, rows: Sequence[ScoredPrediction]) -> None:
        """Add rows; they are on their way to disk when this returns."""
        with self.predictions.open("a", encoding="utf-8") as file:
            for row in rows:
                file.write(row.to_line() + "\n")
                file.flush()

    def artefact_mb(self) -> float | None:
        """Return the size of what the arm left in folders of its own, in MB of 10⁶ bytes; None when it left none."""
        files = [
            path for folder in ("adapter", "model") for path in (self.folder / folder).rglob("*") if path.is_file()
        ]
        return sum(path.stat().st_size for path in files) / 1e6 if files else None

    def write_fit(self, fit: FitReport) -> None:
        """Write ``fit.json``."""
        write_json(self.folder / "fit.json", {"schema": SCHEMA} | dataclasses.asdict(fit))

    def finish(self, cost: CellCost) -> None:
        """Mark the cell complete."""
        (self.folder / "failure.json").unlink(missing_ok=True)
        write_json(self.folder / "cost.json", {"schema": SCHEMA} | dataclasses.asdict(cost))

    def fail(self, cause: str, trace: str | None = None) -> None:
        """Record why the cell can't be completed; ``trace`` is for whoever has to mend an unforeseen error."""
        self.folder.mkdir(parents=True, exist_ok=True)
        failure = CellFailure(cause, trace)
        write_json(self.folder / "failure.json", {"schema": SCHEMA} | dataclasses.asdict(failure))


def fit_from_json(record: dict[str, Any]) -> FitReport:
    """Return the ``FitReport`` that ``dataclasses.asdict`` made ``record`` from (without ``schema``).

    Raises ``ValueError`` when it isn't one.
    """
    return from_record(FitReport, record)


def _read_stored(kind: type[Stored], path: Path) -> Stored | None:
    """Return what ``path`` holds, or None when there is no file."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RunError(f"{path} can't be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise RunError(f"{path} can't be read ({error}); delete it to redo this step") from error
    schema = record.pop("schema", None) if isinstance(record, dict) else None
    if schema != SCHEMA:
        raise strange_schema(path, schema, SCHEMA, "delete it to redo this step")
    try:
        return from_record(kind, record)
    except ValueError as error:
        raise RunError(f"{path} is damaged: {error}; delete it to redo this step") from None
