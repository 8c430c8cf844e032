"""The progress display: what is worth knowing of a run, then one bar per arm with rate and time left.

Where no terminal is, there are lines in place of bars.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from advisor.progress_lines import LineWatcher
from evals.record import RunRecord
from evals.watch import Watcher


class _Rate(ProgressColumn):
    """Steps or rows a second."""

    def render(self, task: Task) -> Text:
        """Return the rate, or nothing before there is one."""
        return Text(f"{task.speed:.1f}/s" if task.speed else "", style="dim")


class BarWatcher:
    """Draws a bar per cell on a terminal; use as a context manager."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            SpinnerColumn(finished_text=" "),
            TextColumn("{task.fields[cell]}", style="bold"),
            TextColumn("{task.description}", style="dim"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            _Rate(),
            TimeElapsedColumn(),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.fields[outcome]}"),
            console=console,
        )
        self._bars: dict[str, TaskID] = {}
        self._phase: dict[str, str] = {}

    def __enter__(self) -> "BarWatcher":
        """Start drawing."""
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop drawing; the finished bars stay on the screen."""
        self._progress.stop()

    def cell_started(self, cell: str, position: int, cells: int) -> None:
        """Add a bar."""
        self._bars[cell] = self._progress.add_task(f"{position}/{cells}", total=None, cell=Text(cell).plain, outcome="")

    def progressed(self, cell: str, phase: str, done: int, total: int) -> None:
        """Move the bar; a new phase starts it afresh, so that its rate and time left are its own."""
        bar = self._bars[cell]
        if self._phase.get(cell) != phase:
            self._phase[cell] = phase
            self._progress.reset(bar, description=phase, total=total)
        self._progress.update(bar, completed=done, total=total)

    def cell_finished(self, cell: str, outcome: str) -> None:
        """Show the outcome behind the bar."""
        self._progress.update(self._bars[cell], outcome=outcome, description="done")
        self._progress.stop_task(self._bars[cell])

    def cell_failed(self, cell: str, cause: str) -> None:
        """Say why, above the bars."""
        self._progress.update(self._bars[cell], outcome="failed", description="failed")
        self._progress.stop_task(self._bars[cell])
        self._progress.console.print(Text(f"{cell} failed: {cause}", style="red"))


@contextmanager
def watching(console: Console, record: RunRecord) -> Iterator[Watcher]:
    """Tell the run's notes and which arms are left out, then give what draws its cells."""
    left_out = [f"{arm.name} is left out: {arm.reason}" for arm in record.skipped]
    for note in [*record.notes, *left_out]:
        console.print(f"note: {note}", markup=False, highlight=False, soft_wrap=True)
    if console.is_terminal:
        with BarWatcher(console) as watcher:
            yield watcher
    else:
        yield LineWatcher(console)


class DemoProgress:
    """Says which task of the demo is running, above the bars of its cells."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def kept(self, task: str, position: int, tasks: int) -> None:
        """Say that there is nothing to do."""
        self._say(task, f"task {position} of {tasks}, complete already")

    def running(self, task: str, position: int, tasks: int, record: RunRecord) -> AbstractContextManager[Watcher]:
        """Say which task begins, and give what draws its cells."""
        self._say(task, f"task {position} of {tasks}, {len(record.eval_ids):,} eval rows")
        return watching(self._console, record)

    def _say(self, task: str, what: str) -> None:
        self._console.print(Text.assemble((task, "bold"), ": ", what), soft_wrap=True)
