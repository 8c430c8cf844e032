"""Writes the README's table from ``benchmarks/results/*.json``, between its two markers.

::

    python -m benchmarks.table [--readme README.md]
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.figures import RESULTS

BEGIN, END = "<!-- benchmarks: made by `python -m benchmarks.table` -->", "<!-- /benchmarks -->"
HEAD = ["work", "ours", "peer", "ratio", "goal", "differing rows", "share of matmul peak"]
ORDER = ("scoring-", "training-", "retrieval", "large-report", "whole-")


def table(results: Sequence[dict[str, Any]]) -> str:
    """Return the Markdown table of ``results``, a row for each piece of work."""
    lines = ["| " + " | ".join(HEAD) + " |", "|---|" + "---:|" * (len(HEAD) - 1)]
    lines += ["| " + " | ".join(_cells(result)) + " |" for result in results]
    return "\n".join(lines)


def read_results(folder: Path) -> list[dict[str, Any]]:
    """Return the results in ``folder`` that have a figure of their own, in the table's order."""
    paths = sorted(folder.glob("*.json"), key=lambda path: (_place(path.name), path.name))
    results = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
    return [result for result in results if result.get("ours") is not None]


def put_in(readme: str, made: str) -> str:
    """Return ``readme`` with ``made`` between the markers. Raises ``SystemExit`` when it has none."""
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise SystemExit(f"the README has no {BEGIN} … {END} to put the table between")
    return f"{before}{begin}\n{made}\n{end}{after}"


def _cells(result: dict[str, Any]) -> list[str]:
    unit = result.get("unit", "")
    smaller = unit.startswith("seconds")
    goal, ratio = result.get("goal"), result.get("ratio")
    differing = result.get("differing_rows")
    compared = result.get("compared_rows")
    share = result.get("share_of_peak")
    against = goal if isinstance(goal, int | float) else None
    if against is None:
        aim = goal or ""
    elif ratio is None:
        aim = f"≤ {against:g} s" if smaller else f"≥ {against:g}"
    else:
        aim = f"≥ {against:g}×"
    return [
        result["work"],
        _amount(result["ours"], unit),
        _amount(result["peer"], unit) if result.get("peer") is not None else "",
        f"{ratio:.3g}×" if ratio is not None else "",
        aim,
        f"{differing} of {compared}" if differing is not None else "",
        f"{share:.0%}" if share is not None else "",
    ]


def _amount(value: float, unit: str) -> str:
    if unit.startswith("seconds"):
        return f"{1e3 * value:.3g} ms" if value < 1 else f"{value:.3g} s"
    return f"{value:,.0f} {unit.partition(',')[0].partition(' ')[0]}"


def _place(name: str) -> int:
    return next((place for place, start in enumerate(ORDER) if name.startswith(start)), len(ORDER))


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table, or write it into the README."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--readme", type=Path, help="a file with the two markers; default: print")
    parser.add_argument("--results", type=Path, default=RESULTS)
    asked = parser.parse_args(arguments)
    made = table(read_results(asked.results))
    if asked.readme is None:
        print(made)
        return
    asked.readme.write_text(put_in(asked.readme.read_text(encoding="utf-8"), made), encoding="utf-8")


if __name__ == "__main__":
    main()
