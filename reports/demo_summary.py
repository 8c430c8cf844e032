"""The end of a demo in the terminal: the verdicts side by side, one column per task, or one block per task.

Everything from the data goes through ``rich.text.Text``, so that square brackets in it are text.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from reports.demo_outcome import DemoOutcome, FamilyBest, demo_headline
from reports.repays import badge
from reports.scoreboard import ArmRow
from reports.terminal import VERDICT_STYLES
from reports.winner import Winner
from reports.wording import (
    FAMILIES,
    MISSING,
    clip,
    difference_range,
    metric_name,
    percent,
    plural,
    score_range,
    seconds,
    signed,
)

_LONGEST = 30  # characters of a name
_NARROWEST, _TITLE = 20, 14  # columns that a task needs, and the titles of the rows
_GAP = 2

Lines = Sequence[tuple[str, str]]
"""What a cell holds: pieces with their styles, which stand on one line where there is room."""


@dataclass(frozen=True)
class DemoSummary:
    """What a terminal shows of a demo; side by side where the width allows it."""

    outcomes: Sequence[DemoOutcome]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Give rich the parts, top to bottom."""
        yield Text()
        yield Text(str(demo_headline(self.outcomes)), style="bold")
        yield Text()
        finished = [outcome for outcome in self.outcomes if outcome.results is not None]
        if finished and options.max_width >= _TITLE + len(finished) * (_NARROWEST + _GAP):
            yield _side_by_side(finished, options.max_width)
            yield Text()
            return
        for outcome in finished:
            yield Text(clip(outcome.name, _LONGEST), style="bold")
            yield _block(outcome)
            yield Text()


def _side_by_side(outcomes: Sequence[DemoOutcome], width: int) -> RenderableType:
    """Return a table with a column per task; the pieces of a cell stand on one line if all of them can."""
    columns = [_cells(outcome) for outcome in outcomes]
    titles = list(dict.fromkeys(title for column in columns for title in column))
    widest = [max(sum(cell_len(piece) + 1 for piece, _ in cell) - 1 for cell in column.values()) for column in columns]
    one_line = max(map(len, titles)) + sum(_GAP + cells for cells in widest) <= width
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0))
    table.add_column("", width=None if one_line else _TITLE)
    for outcome in outcomes:
        table.add_column(Text(clip(outcome.name, _LONGEST)), min_width=_NARROWEST, overflow="fold")
    for title in titles:
        cells = [_text(column.get(title, ()), " " if one_line else "\n") for column in columns]
        table.add_row(Text(title, style="dim"), *cells)
    return table


def _block(outcome: DemoOutcome) -> RenderableType:
    """Return one task's lines of title and value."""
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), show_header=False)
    table.add_column(max_width=_TITLE)
    table.add_column(overflow="fold")
    for title, cell in _cells(outcome).items():
        table.add_row(Text(title, style="dim"), _text(cell, " "))
    return table


def _text(cell: Lines, gap: str) -> Text:
    return Text(gap).join(Text(piece, style=style) for piece, style in cell)


def _cells(outcome: DemoOutcome) -> dict[str, Lines]:
    """Return a task's cells by the title of their row."""
    results = outcome.known
    verdict, task = results["verdict"], results["task"]
    rows: dict[str, Lines] = {
        "verdict": [_verdict(results)],
        "winner": _winner(outcome.winner),
        "best score": _scored(outcome.best, "none finished", ""),
    }
    for title, best in zip(FAMILIES.values(), outcome.families, strict=True):
        rows[title.lower()] = _family(best)
    rows["gain from training"] = _gain(verdict)
    rows["measured on"] = [(plural(task["eval_rows"], "eval row") + ",", ""), (metric_name(task["metric"]), "")]
    rows["fitting and answering took"] = [(seconds(outcome.seconds), "")]
    if outcome.unfinished:
        rows["not complete"] = [(", ".join(clip(name, _LONGEST) for name in outcome.unfinished), "red")]
    return rows


def _verdict(results: Mapping[str, Any]) -> tuple[str, str]:
    outcome = results["verdict"]["outcome"]
    return badge(results), VERDICT_STYLES.get(outcome, "bold")


def _winner(found: Winner | None) -> Lines:
    return [(clip(found.arm, _LONGEST), "bold"), (f"({found.title.lower()})", "")] if found else [("none", "")]


def _family(best: FamilyBest) -> Lines:
    return _scored(best.row, best.why, "bold" if best.wins else "")


def _scored(row: ArmRow | None, why: str, style: str) -> Lines:
    if row is None or row.score is None:
        return [(MISSING, "dim"), (why, "dim")]
    score = f"{percent(row.score.value)} ({score_range(row.score.low, row.score.high)})"
    return [(clip(row.name, _LONGEST), style), (score, style)]


def _gain(verdict: Mapping[str, Any]) -> Lines:
    gain = verdict["gain"]
    if gain is None:
        return [(MISSING, "dim"), ("not measured", "dim")]
    span = f"({difference_range(gain['low'], gain['high'])})"
    return [(f"{signed(gain['difference'])} points", ""), (span, "")]
