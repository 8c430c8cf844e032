"""``tuneworthy demo``: the example tasks one after the other, each an ordinary run, and a page that joins them.

The index page is written before the first task and after each, so that it's true of a demo that was stopped.
"""

import shutil
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from advisor.demo_record import FILE, DemoRecord, DemoTask, read_demo
from advisor.run_command import PreparedRun, RunRequest, anchored, execute_run, prepare_run, reopen_run
from evals.errors import RunError, TuneworthyError, UsageError
from evals.record import RunRecord
from evals.results import read_results
from evals.runner import locked
from evals.watch import Watcher
from reports.demo_index import write_index
from reports.demo_outcome import DemoOutcome

QUICK_SEEDS, FULL_SEEDS = 1, 3


@dataclass(frozen=True)
class Demo:
    """A demo whose folder exists; ``fresh`` until something has been run in it."""

    folder: Path
    record: DemoRecord
    fresh: bool


class DemoWatcher(Protocol):
    """Hears how far a demo has come."""

    def kept(self, task: str, position: int, tasks: int) -> None:
        """``task``, number ``position`` (from 1) of ``tasks``, is complete already."""
        ...

    def running(self, task: str, position: int, tasks: int, record: RunRecord) -> AbstractContextManager[Watcher]:
        """``task`` begins or goes on; what the context gives hears of its cells."""
        ...


def start_demo(
    tasks: Mapping[str, Path], *, full: bool, out: Path | None, model: str | None = None, embedder: str | None = None
) -> Demo:
    """Make the folder of a demo of ``tasks`` (name → folder of the task). Raises ``UsageError`` unless it's free."""
    created = datetime.now(UTC).astimezone()
    folder = out or Path("runs") / f"demo-{created:%Y%m%d-%H%M%S}"
    if (folder / FILE).exists():
        raise UsageError(f"{folder} holds a demo already; go on with it by --resume {folder}, or give another --out")
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise UsageError(f"--out {folder} is there already and not an empty folder; give one that doesn't exist yet")
    sources: dict[str, Any] = anchored({"model": model, "embedder": embedder}, Path())
    parts = tuple(DemoTask(name, str(source.resolve())) for name, source in tasks.items())
    record = DemoRecord(parts, full, **sources, created=created.isoformat(timespec="seconds"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        record.write(folder)
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise RunError(f"can't make the demo's folder {folder}: {error.strerror or error}") from error
    return Demo(folder, record, fresh=True)


def resume_demo(folder: Path) -> Demo:
    """Return the demo in ``folder``, ready to go on. Raises ``RunError`` when there is none."""
    return Demo(folder, read_demo(folder), fresh=False)


def run_demo(demo: Demo, watcher: DemoWatcher) -> list[DemoOutcome]:
    """Run what is missing of each task, and write ``index.html`` after each; return how the tasks came out.

    An arm that fails doesn't stop the others. Raises ``TuneworthyError`` when the user stops it or it can't
    go on; a demo whose first run couldn't even begin leaves nothing behind.
    """
    again = f"tuneworthy demo --resume {demo.folder}"
    outcomes = {task.name: DemoOutcome(task.name, _known(demo.folder / task.name)) for task in demo.record.tasks}
    try:
        with locked(demo.folder):
            for position, task in enumerate(demo.record.tasks, start=1):
                place = (task.name, position, len(outcomes))
                if outcomes[task.name].complete and (demo.folder / task.name / "report.html").is_file():
                    watcher.kept(*place)
                else:
                    prepared = _prepare(demo, task)
                    write_index(demo.folder, list(outcomes.values()))
                    with watcher.running(*place, prepared.record) as cells:
                        outcomes[task.name] = DemoOutcome(task.name, _execute(prepared, cells, again))
                write_index(demo.folder, list(outcomes.values()))
    except KeyboardInterrupt:
        if not demo.folder.exists():
            raise TuneworthyError("stopped before the first arm; no demo was begun") from None
        kept = "stopped; answers are kept, and what was trained up to the last checkpoint"
        raise TuneworthyError(f"{kept}. Go on with: {again}") from None
    except OSError as error:
        raise RunError(
            f"{error.filename or demo.folder}: {error.strerror or error}; mend that, then: {again}"
        ) from error
    return list(outcomes.values())


def incomplete(demo: Demo, outcomes: Sequence[DemoOutcome]) -> TuneworthyError | None:
    """Return the error that says where to look when arms couldn't be completed; None when all were."""
    failed = [
        f"{', '.join(outcome.unfinished)} of {outcome.name} (see {demo.folder / outcome.name / 'report.html'})"
        for outcome in outcomes
        if outcome.unfinished
    ]
    if not failed:
        return None
    return TuneworthyError(
        f"could not be completed: {'; '.join(failed)}. Mend that, then: tuneworthy demo --resume {demo.folder}"
    )


def _prepare(demo: Demo, task: DemoTask) -> PreparedRun:
    """Return the run of ``task``, begun or as it was left."""
    run = demo.folder / task.name
    if (run / "run.json").exists():
        return reopen_run(run)
    record = demo.record
    seeds = FULL_SEEDS if record.full else QUICK_SEEDS
    sources = {key: ref for key in ("model", "embedder") if (ref := getattr(record, key)) is not None}
    request = RunRequest(Path(task.source), {"seeds": seeds, **sources}, ["all"] if record.full else None, out=run)
    options = [f"--{key}={ref}" for key, ref in sources.items()] + (["--arms=all"] if record.full else [])
    try:
        return prepare_run(request, ["run", _from_here(task.source), f"--seeds={seeds}", *options])
    except BaseException:
        if demo.fresh and task == record.tasks[0]:
            shutil.rmtree(demo.folder, ignore_errors=True)
        raise


def _execute(prepared: PreparedRun, watcher: Watcher, again: str) -> dict[str, Any]:
    try:
        return execute_run(prepared, watcher)
    except RunError as error:
        raise RunError(f"{error} (the whole demo goes on with: {again})") from error


def _known(run: Path) -> dict[str, Any] | None:
    """Return the results of a run that came to its end, with or without failed arms."""
    try:
        return read_results(run)
    except RunError:
        return None  # none yet, or damaged: they are made again


def _from_here(folder: str) -> str:
    """Return ``folder`` as a person in the working directory would write it."""
    path = Path(folder)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else folder
