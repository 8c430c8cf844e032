"""Many runs at a glance: a table in the terminal and ``runs.html``, a page that links the runs' reports.

The page is made as the demo's is, and shares its template: everything inlined, nothing fetched, no script.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from evals.errors import RunError
from evals.files import write_text
from evals.run_list import ListedRun
from reports.demo_index import render_outcomes
from reports.demo_outcome import DemoOutcome
from reports.repays import badge
from reports.terminal import VERDICT_STYLES
from reports.wording import (
    MISSING,
    clip,
    count,
    difference_range,
    percent,
    plural,
    score_range,
    shown,
    signed,
)

FILE = "runs.html"


def listed(run: ListedRun) -> dict[str, Any]:
    """Return a run as plain data: the verdict, the best arm and the arm to take; None where there are no results."""
    told: dict[str, Any] = {"run": run.name, "task": run.task or None, "created": run.created or None}
    if run.results is None:
        return told | {"outcome": None, "problem": run.why}
    verdict, outcome = run.results["verdict"], DemoOutcome(run.name, run.results)
    return told | {
        "outcome": verdict["outcome"],
        "eval_rows": run.results["task"]["eval_rows"],
        "metric": run.results["task"]["metric"],
        "best_arm": verdict["best_arm"],
        "best_score": None if outcome.best is None or outcome.best.score is None else outcome.best.score.value,
        "take": None if outcome.winner is None else outcome.winner.arm,
        "gain": verdict["gain"],
        "unfinished": outcome.unfinished,
    }


@dataclass(frozen=True)
class RunTable:
    """What a terminal shows of runs: a line each, the newest first."""

    runs: Sequence[ListedRun]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Give rich the table, then what is wrong with runs that have no results."""
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
        for title in ("run", "verdict", "best arm"):
            table.add_column(title, overflow="fold")
        for title in ("score", "gain", "rows"):
            table.add_column(title, justify="right", overflow="fold")
        for run in self.runs:
            if run.results is not None:
                table.add_row(*_cells(run))
        yield Text(plural(len(self.runs), "run"), style="dim")
        yield table
        for run in self.runs:
            if run.results is None:
                yield Text(f"• no results: {shown(run.why)}", style="red")
        yield Text()


def _cells(run: ListedRun) -> list[Text]:
    told: Mapping[str, Any] = run.results or {}
    outcome, verdict = DemoOutcome(run.name, told), told["verdict"]
    best, gain = outcome.best, verdict["gain"]
    score = gained = MISSING
    if best is not None and best.score is not None:
        score = f"{percent(best.score.value)}\n({score_range(best.score.low, best.score.high)})"
    if gain is not None:
        gained = f"{signed(gain['difference'])}\n({difference_range(gain['low'], gain['high'])})"
    said = badge(told) + ("\nnot complete" if outcome.unfinished else "")
    name = f"{clip(run.name, 60)}\n{clip(run.task, 40)}, {run.created[:10]}"
    figures = [MISSING if best is None else clip(best.name, 30), score, gained, count(told["task"]["eval_rows"])]
    return [Text(name), Text(said, style=VERDICT_STYLES.get(verdict["outcome"], "")), *map(Text, figures)]


def write_run_index(folder: Path, runs: Sequence[ListedRun]) -> Path:
    """Write ``runs.html`` into ``folder`` and return its path. Raises ``RunError``."""
    path = folder / FILE
    outcomes = [
        DemoOutcome(run.name, run.results, clip(run.why, 400), page=(folder / run.name / "report.html").exists())
        for run in runs
    ]
    try:
        write_text(path, render_outcomes(outcomes, f"{plural(len(runs), 'run')}", each=False))
    except OSError as error:
        raise RunError(f"can't write {path}: {error.strerror or error}") from error
    return path
