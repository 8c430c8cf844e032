"""The end of a run in the terminal: the verdict, a table of the arms, what is worth knowing.

Everything from the data goes through ``rich.text.Text``, so that square brackets in it are text.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from reports.advice_check import advice_sentences
from reports.economics import payback_sentence
from reports.forgetting import forgetting_sentences
from reports.limits import small_model
from reports.repays import badge
from reports.score_curves import curve_sentence
from reports.scoreboard import ArmRow, Scoreboard, build_scoreboard
from reports.sentences import headline, next_steps
from reports.wording import (
    MISSING,
    clip,
    count,
    difference_range,
    metric_name,
    percent,
    plural,
    request_time,
    score_range,
    shown,
    signed,
)

VERDICT_STYLES = {"worth_it": "bold green", "not_worth_it": "bold", "undecided": "bold yellow"}
_CHEAPEST = "simplest within noise"
_WIDE, _MIDDLE = 82, 62  # columns that the table needs with intervals beside the figures, and with all columns


@dataclass(frozen=True)
class Summary:
    """What a terminal shows of ``results`` (schema 1); how much stands on a line depends on its width."""

    results: Mapping[str, Any]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Give rich the parts, top to bottom."""
        verdict, task = self.results["verdict"], self.results["task"]
        board = build_scoreboard(self.results)
        outcome = verdict["outcome"]
        yield Text()
        yield Text(badge(self.results), style=VERDICT_STYLES.get(outcome, "bold"))
        yield Text(str(headline(self.results)))
        yield Text()
        yield Text(f"{metric_name(task['metric'])} on {plural(task['eval_rows'], 'eval row')}", style="dim")
        yield _table(board, options.max_width)
        if any(_CHEAPEST in row.marks for row in board.rows):
            yield Text(f"* {_CHEAPEST}", style="dim")
        yield Text()
        for step in next_steps(self.results):
            yield Text(f"• {step}")
        if outcome == "worth_it":
            yield Text(f"• {payback_sentence(self.results)}")
        for sentence in forgetting_sentences(self.results):
            yield Text(f"• {sentence}")
        for entry in self.results["curve"] or ():
            yield Text(f"• {curve_sentence(entry)}")
        if self.results.get("advice"):
            yield Text(f"• {' '.join(map(str, advice_sentences(self.results)))}")
        for row in board.not_run:
            if row.status != "skipped":
                yield Text(
                    f"• {clip(row.name, 30)} {row.status}: {shown(row.reason) or 'no cause was recorded'}", style="red"
                )
        if board.cut:
            counts = ", ".join(f"{clip(row.name, 30)} {count(row.cut)}" for row in board.cut)
            yield Text(f"• Answers that ended at the token limit, scored as they stand: {counts}", style="dim")
        for note in [*task["notes"], *small_model(self.results)]:
            yield Text(f"• {shown(note)}", style="dim")
        yield Text()


def summary(results: Mapping[str, Any]) -> Summary:
    """Return what a terminal shows at the end of a run, for ``rich.console.Console.print``."""
    return Summary(results)


def _table(board: Scoreboard, width: int) -> Table:
    """Return the arms, the best first; below ``_WIDE`` intervals stand under their figures."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("arm", overflow="fold", min_width=8)
    table.add_column("score", justify="right", no_wrap=True)
    against = f"against {clip(board.reference, 20)}" if board.reference else "difference"
    table.add_column(Text(against), justify="right", overflow="fold")
    if width >= _MIDDLE:
        table.add_column("tokens", justify="right", no_wrap=True)
        table.add_column("p50", justify="right", no_wrap=True)
    table.add_column("errors", justify="right", no_wrap=True)
    unscored = [row for row in board.rows if row.score is None]
    for row in [*board.scored, *unscored]:
        cells = _cells(row, "\n" if width < _WIDE else " ")
        shown_cells = cells if width >= _MIDDLE else [*cells[:3], cells[-1]]
        table.add_row(*map(Text, shown_cells), style="bold" if "best score" in row.marks else "")
    return table


def _cells(row: ArmRow, gap: str) -> list[str]:
    """Return name, score, difference, tokens, latency and errors; ``gap`` stands before an interval."""
    score = row.status
    if row.score:
        score = f"{percent(row.score.value)}{gap}({score_range(row.score.low, row.score.high)})"
    difference = "reference" if row.reference else MISSING
    if row.difference:
        difference = f"{signed(row.difference.value)}{gap}({difference_range(row.difference.low, row.difference.high)})"
    prompt, answer = row.cost.get("prompt_tokens_mean"), row.cost.get("completion_tokens_mean")
    tokens = MISSING if prompt is None or answer is None else count(prompt + answer)
    name = clip(row.name, 30) + (" *" if _CHEAPEST in row.marks else "")
    return [name, score, difference, tokens, request_time(row.cost), count(row.errors)]
