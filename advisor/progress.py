"""The progress display: one bar per arm with rate and time left; nothing where no terminal is."""

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
