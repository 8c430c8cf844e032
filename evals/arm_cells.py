"""One arm of a run as its cells tell it: rows by seed, whether it's done, and why not."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from os.path import commonprefix
from pathlib import Path
from typing import Literal

from evals.cell import Cell, CellFolder
from evals.protocols import Family
from evals.record import PlannedArm
from evals.scored import ScoredPrediction
from evals.shared_texts import SharedTexts

Status = Literal["done", "failed", "partial"]

_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class ErrorKind:
    """Errors that read alike but for their figures; ``what`` is the first of them."""

    what: str
    count: int


@dataclass(frozen=True)
class ArmCells:
    """An arm with a cell per seed; rows that aren't among the run's ``eval_ids`` are left aside.

    ``shared_prefix`` is the share of a prompt (0…1, in characters) with which all prompts of a cell begin.
    """

    name: str
    family: Family
    cells: tuple[Cell, ...]
    eval_ids: tuple[str, ...]
    max_error_share: float
    shared_prefix: float = 0.0

    @cached_property
    def rows(self) -> tuple[dict[str, ScoredPrediction], ...]:
        """The answered rows by id, one dict per seed."""
        wanted = frozenset(self.eval_ids)
        return tuple({row.id: row for row in cell.predictions if row.id in wanted} for cell in self.cells)

    def all_rows(self) -> Iterator[ScoredPrediction]:
        """Go through the rows of all seeds."""
        for rows in self.rows:
            yield from rows.values()

    @cached_property
    def answered(self) -> int:
        """Rows answered over all seeds, errors among them."""
        return sum(map(len, self.rows))

    @cached_property
    def errors(self) -> int:
        """Rows that ended in an error, over all seeds."""
        return sum(row.error is not None for row in self.all_rows())

    @cached_property
    def error_kinds(self) -> list[ErrorKind]:
        """The kinds of error, the most frequent first."""
        first: dict[str, str] = {}
        counts: Counter[str] = Counter()
        for row in self.all_rows():
            if row.error is not None:
                kind = _DIGITS.sub("N", row.error)
                first.setdefault(kind, row.error)
                counts[kind] += 1
        return [ErrorKind(first[kind], count) for kind, count in counts.most_common()]

    @cached_property
    def status(self) -> Status:
        """``failed`` when a cell failed or too many rows did, ``partial`` when rows are missing, else ``done``."""
        if any(cell.failure is not None for cell in self.cells):
            return "failed"
        if self.answered < self._asked or not all(cell.done for cell in self.cells):
            return "partial"
        if self.errors > self.max_error_share * self._asked or self.errors == self._asked:
            return "failed"
        return "done"

    @property
    def reason(self) -> str | None:
        """Why the arm isn't done, or None when it is."""
        if self.status == "done":
            return None
        failures = [(cell.seed, cell.failure) for cell in self.cells if cell.failure is not None]
        if failures:
            seed, cause = failures[0]
            return f"seed {seed}: {cause}" if len(self.cells) > 1 else cause
        if self.status == "partial":
            return f"{self.answered:,} of {self._asked:,} rows were answered; go on with --resume"
        share = f"{self.errors:,} of {self._asked:,} rows failed (allowed: {self.max_error_share:.0%})"
        return f"{share}; most often: {self.error_kinds[0].what}"

    @property
    def _asked(self) -> int:
        return len(self.eval_ids) * len(self.cells)

    def seed_values(self, value: Callable[[ScoredPrediction], float | None]) -> list[list[float | None]]:
        """Return ``value`` per eval row, one list per seed; None where the row has none."""
        return [
            [value(rows[identity]) if identity in rows else None for identity in self.eval_ids] for rows in self.rows
        ]

    def row_means(self, value: Callable[[ScoredPrediction], float | None]) -> list[float | None]:
        """Return ``value`` per eval row, averaged over the seeds that have it; None where none has."""
        means: list[float | None] = []
        for identity in self.eval_ids:
            values = [value(rows[identity]) for rows in self.rows if identity in rows]
            known = [one for one in values if one is not None]
            means.append(sum(known) / len(known) if known else None)
        return means


def read_arm(
    run: Path, plan: PlannedArm, eval_ids: Sequence[str], max_error_share: float, texts: SharedTexts | None = None
) -> ArmCells:
    """Read an arm's cells from the run folder; ``texts`` is shared by arms of the same eval rows, to save memory."""
    folders = [CellFolder(run, plan.name, plan.family, seed) for seed in plan.seeds]
    return read_cells(plan.name, plan.family, folders, eval_ids, max_error_share, texts)


def read_cells(
    name: str,
    family: Family,
    folders: Sequence[CellFolder],
    eval_ids: Sequence[str],
    max_error_share: float,
    texts: SharedTexts | None = None,
) -> ArmCells:
    """Read an arm's cells; what takes most memory and isn't needed here (prompts, inputs) is let go of."""
    cells, shared = [], []
    kept = texts or SharedTexts()
    for folder in folders:
        prompts = _Prompts(kept)
        cells.append(folder.read(prompts.slim))
        shared.append(prompts.shared_prefix)
    return ArmCells(name, family, tuple(cells), tuple(eval_ids), max_error_share, sum(shared) / len(shared))


class _Prompts:
    """Takes the prompts out of rows, and remembers of them what tells how much all begin with."""

    def __init__(self, texts: SharedTexts) -> None:
        self._texts = texts
        self._first = self._last = ""
        self._count = self._total = 0

    def slim(self, row: ScoredPrediction) -> ScoredPrediction:
        prompt = row.prompt
        if not self._count:
            self._first = self._last = prompt
        self._first, self._last = min(self._first, prompt), max(self._last, prompt)
        self._count += 1
        self._total += len(prompt)
        return self._texts.slim(row)

    @property
    def shared_prefix(self) -> float:
        """The share of a prompt with which all of them begin; 0 with fewer than two."""
        if self._count < 2 or not self._total:
            return 0.0
        return len(commonprefix([self._first, self._last])) * self._count / self._total
