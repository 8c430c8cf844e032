"""The runner: every planned arm and seed over the same eval rows, one resumable cell each.

It knows an arm by the ``Arm`` protocol alone. Rows are answered in batches of fixed boundaries, and a
batch that a kill cut short is answered again as a whole, so that a resumed run asks exactly what an
uninterrupted one would have asked.
"""

import dataclasses
import fcntl
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from evals.arm_name import arm_kind
from evals.bench import Bench as Bench
from evals.cell import Cell, CellCost, CellFolder
from evals.curve_point import CurvePoint
from evals.errors import ArmError, RunError, SpendingError, TuneworthyError
from evals.example import Example
from evals.forgetting import FILE as GENERAL_FILE
from evals.forgetting import TunesBase, ask_general, write_failure
from evals.full_disk import full_disk
from evals.latency import ROWS, Timing, time_requests
from evals.memory import PeakMemory, says_out_of_memory
from evals.protocols import Arm, ArmContext, FitReport, Prediction
from evals.record import PlannedArm
from evals.row_order import BATCH_ROWS, in_order, kept_rows, rows_left
from evals.scored import ScoredPrediction
from evals.scoring import score
from evals.task import Task
from evals.watch import Watcher


@contextmanager
def locked(run: Path) -> Iterator[None]:
    """Hold the run folder for this process; the lock goes with the process, however it ends.

    Raises ``RunError`` when another process holds it, or when the folder can't be written to.
    """
    try:
        opened = (run / ".lock").open("w")
    except OSError as error:
        raise RunError(f"can't write to {run}: {error.strerror or error}; mend that, then resume it") from error
    with opened as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise RunError(f"another tuneworthy is working in {run}; wait until it has ended") from error
        yield


@dataclass(frozen=True)
class _Work:
    """One cell to complete: its folder, its name in the terminal, and the task as it has it."""

    folder: CellFolder
    name: str
    task: Callable[[], Task]
    timed: bool = True


def run_cells(bench: Bench, plan: Sequence[PlannedArm], watcher: Watcher, curve: Sequence[CurvePoint] = ()) -> None:
    """Complete every cell of ``plan``, then those of ``curve``.

    Complete cells are left as they are, but for what was deleted of them since. A cell that fails is recorded with
    its cause and the next one goes on. Raises ``RunError`` when the disk is full or can't be written to, and
    ``SpendingError`` at the limit on costs: what is written so far can be resumed.
    """
    cells = [*_own(bench, plan), *_points(bench, curve)]
    for position, work in enumerate(cells, start=1):
        folder, name = work.folder, work.name
        cell = folder.read()
        if cell.done and cell.fit is not None and len(cell.predictions) == len(bench.task.eval):
            continue
        watcher.cell_started(name, position, len(cells))
        try:
            own = replace(bench, task=work.task()).of_arm(folder.arm)
            rows = _run_cell(own, folder, cell, name, watcher, timed=work.timed)
        except SpendingError:  # no fault of the cell's: the run stops, and goes on from here
            raise
        except TuneworthyError as error:
            folder.fail(str(error))
            watcher.cell_failed(name, str(error))
        except Exception as error:
            if (why := full_disk(error)) is not None:
                raise RunError(
                    f"can't write to {bench.run}: {why}; mend that, then: tuneworthy run --resume {bench.run}"
                ) from error
            cause = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            folder.fail(cause, "".join(traceback.format_exception(error)))
            watcher.cell_failed(name, cause)
        else:
            watcher.cell_finished(name, _outcome(rows))


def _own(bench: Bench, plan: Sequence[PlannedArm]) -> Iterator[_Work]:
    for arm in plan:
        for seed in arm.seeds:
            name = f"{arm.name}-{seed}" if len(arm.seeds) > 1 else arm.name
            yield _Work(CellFolder(bench.run, arm.name, arm.family, seed), name, lambda: bench.task)


def _points(bench: Bench, curve: Sequence[CurvePoint]) -> Iterator[_Work]:
    for point in curve:
        for seed in point.seeds:
            name = f"{point.arm}-{seed}" if len(point.seeds) > 1 else point.arm
            task = partial(point.task, bench.task, seed)
            yield _Work(point.cell(bench.run, seed), f"{name} {point.value} {point.axis}", task, timed=False)


def _run_cell(
    bench: Bench, folder: CellFolder, cell: Cell, name: str, watcher: Watcher, *, timed: bool
) -> list[ScoredPrediction]:
    """Fit the arm, answer what is missing, and mark the cell complete; with ``timed`` single requests are timed too.

    Raises ``ArmError`` on too many errors.
    """
    examples = bench.task.eval
    context = ArmContext(
        task=bench.task,
        seed=cell.seed,
        folder=folder.folder,
        cache=bench.run / "cache",
        model=bench.model,
        embedder=bench.embedder,
        progress=lambda phase, done, total: watcher.progressed(name, phase, done, total),
        adapter=bench.adapter,
    )
    arm = bench.arms[arm_kind(cell.arm)](context)
    rows = kept_rows(cell, len(examples))
    folder.keep(rows)
    with PeakMemory() as peak:
        fit = _with_peak(arm.fit(bench.task.train, bench.task.documents), peak.megabytes, cell.fit)
        folder.write_fit(fit)
        watcher.progressed(name, "answering", len(rows), len(examples))
        left = rows_left(cell, rows, arm, examples)
        for start in range(0, len(left), BATCH_ROWS):
            batch = left[start : start + BATCH_ROWS]
            answered = _answer(arm, batch, bench.task)
            folder.append(answered)
            rows += answered
            _check_errors(rows, len(examples), bench.task.settings.generate.max_error_share)
            watcher.progressed(name, "answering", len(rows), len(examples))
        if (settled := in_order(rows, examples)) != rows:
            folder.keep(settled)
        timing = Timing()
        if timed:
            singles = min(ROWS, len(examples))
            watcher.progressed(name, "single requests", 0, singles)
            timing = time_requests(arm, examples, cell.seed)
            watcher.progressed(name, "single requests", singles, singles)
        if timed and bench.general is not None and isinstance(arm, TunesBase):
            general = len(bench.general.questions)
            watcher.progressed(name, "general questions", 0, general)
            _check_forgetting(bench, arm, folder.folder)
            watcher.progressed(name, "general questions", general, general)
    cost = _cost(fit, rows, peak.megabytes)
    folder.finish(
        replace(cost, artefact_mb=folder.artefact_mb(), latency=timing.latency, latency_problem=timing.problem)
    )
    return settled


def _answer(arm: Arm, batch: Sequence[Example], task: Task) -> list[ScoredPrediction]:
    predictions = _ask(arm, batch)
    if [prediction.id for prediction in predictions] != [example.id for example in batch]:
        raise ArmError(f"{arm.name} answered other rows than it was asked")
    return [score(task, example, prediction) for example, prediction in zip(batch, predictions, strict=True)]


def _ask(arm: Arm, batch: Sequence[Example]) -> list[Prediction]:
    """Return what ``arm`` answers; a batch that memory doesn't hold is asked in halves, down to single rows."""
    try:
        return arm.answer(batch)
    except (RuntimeError, MemoryError) as error:
        if not says_out_of_memory(error):
            raise
    # Outside the handler: the error's traceback would keep what the failed batch holds.
    if len(batch) == 1:
        return [Prediction(batch[0].id, "", error="out of memory with this row alone")]
    middle = len(batch) // 2
    return [*_ask(arm, batch[:middle]), *_ask(arm, batch[middle:])]


def _check_errors(rows: Sequence[ScoredPrediction], total: int, allowed: float) -> None:
    errors = Counter(row.error for row in rows if row.error is not None)
    count = errors.total()
    if count > allowed * total:
        kind, _ = errors.most_common(1)[0]
        raise ArmError(f"{count} of {len(rows)} rows failed (allowed: {allowed:.0%} of {total}); for example: {kind}")


def _with_peak(fit: FitReport, peak: float, before: FitReport | None) -> FitReport:
    """Return ``fit`` with the process's peak so far, and no less than an interrupted run had: it may have trained."""
    known = (fit.peak_memory_mb, before.peak_memory_mb if before is not None else None)
    return dataclasses.replace(fit, peak_memory_mb=max(peak, *(one or 0.0 for one in known)))


def _cost(fit: FitReport, rows: Sequence[ScoredPrediction], peak: float) -> CellCost:
    return CellCost(
        fit_seconds=fit.seconds,
        answer_seconds=sum(row.ms for row in rows if not row.cached) / 1000,
        train_tokens=fit.train_tokens,
        prompt_tokens=sum(row.prompt_tokens for row in rows),
        completion_tokens=sum(row.completion_tokens for row in rows),
        peak_memory_mb=max(peak, fit.peak_memory_mb or 0.0),
        cached_rows=sum(row.cached for row in rows),
    )


def _check_forgetting(bench: Bench, arm: Arm, folder: Path) -> None:
    """Ask the base (once a run) and the tuned model of ``arm`` the general set, where there is one.

    When that fails, the cell's own answers stay what they are, and the report says why nothing was compared.
    """
    if bench.general is None or not isinstance(arm, TunesBase):
        return
    try:
        if (tuned := arm.tuned_model()) is not None:
            ask_general(bench.model(), bench.general, bench.run / bench.general_file)
            ask_general(tuned, bench.general, folder / GENERAL_FILE)
    except Exception as error:
        if full_disk(error) is not None:
            raise
        write_failure(bench.general, f"{type(error).__name__}: {error}", folder / GENERAL_FILE)


def _outcome(rows: Sequence[ScoredPrediction]) -> str:
    scores = [row.score for row in rows if row.score is not None]
    errors = len(rows) - len(scores)
    text = f"{sum(scores) / len(scores):.1%}" if scores else "no scores"
    return f"{text}, {errors} errors" if errors else text
