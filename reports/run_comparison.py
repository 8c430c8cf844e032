"""Two runs side by side in the terminal (``tuneworthy compare``)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from reports.wording import MISSING, clip, difference_range, metric_name, p_value, percent, plural, shown, signed


@dataclass(frozen=True)
class RunComparison:
    """What a terminal shows of ``evals.compare.compare_runs``."""

    compared: Mapping[str, Any]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Give rich the parts, top to bottom."""
        told = self.compared
        yield Text(f"a: {shown(told['a'])}\nb: {shown(told['b'])}", style="dim")
        yield Text(f"{metric_name(told['metric'])} on {plural(told['eval_rows'], 'eval row')}", style="dim")
        yield Text()
        yield _table(told)
        yield Text()
        for line in _lines(told):
            yield Text(f"• {line}")


def _table(told: Mapping[str, Any]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("arm", overflow="fold", min_width=8)
    for title in ("a", "b", "b − a (interval)", "p, corrected"):
        table.add_column(Text(title), justify="right", no_wrap=True)
    for entry in [*told["arms"], told["best"]]:
        best = entry is told["best"]
        same = entry["a"] == entry["b"]
        name = clip(entry["a"], 30) if same else f"{clip(entry['a'], 20)} → {clip(entry['b'], 20)}"
        figures = [percent(entry["score_a"]), percent(entry["score_b"]), _gap(entry), p_value(entry["p_holm"])]
        table.add_row(Text(f"best: {name}" if best else name), *map(Text, figures), style="bold" if best else "")
    return table


def _gap(entry: Mapping[str, Any]) -> str:
    if entry["difference"] is None:
        return MISSING
    return f"{signed(entry['difference'])} ({difference_range(entry['low'], entry['high'])})"


def _lines(told: Mapping[str, Any]) -> list[str]:
    """Return what else is worth knowing, a sentence each."""
    best = told["best"]
    if best["difference"] is None:
        lines = ["The best arms have no scored row in common."]
    elif best["p_holm"] is not None and best["p_holm"] > 1 - told["confidence"]:
        lines = ["These rows can't tell the best arms of the two runs apart."]
    elif best["low"] > 0:
        lines = ["The second run's best arm is better than the first's."]
    elif best["high"] < 0:
        lines = ["The second run's best arm is worse than the first's."]
    else:
        lines = ["These rows can't tell the best arms of the two runs apart."]
    lines.append(
        f"Changed between the runs: {', '.join(map(shown, told['changed']))}."
        if told["changed"]
        else "No setting differs."
    )
    if told["same_model"]:
        same = ", ".join(f"{shown(a)} and {shown(b)}" for a, b in told["same_model"])
        lines.append(f"The same arm on the same model, by another name: {same}.")
    for key, run in (("unfinished_a", "first"), ("unfinished_b", "second")):
        if told[key]:
            lines.append(f"Not finished in the {run} run, and left out: {', '.join(map(shown, told[key]))}.")
    for key, run in (("only_a", "first"), ("only_b", "second")):
        if told[key]:
            lines.append(f"Only in the {run} run: {', '.join(map(shown, told[key]))}.")
    return lines
