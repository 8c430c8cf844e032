"""``tuneworthy compare``, and what ``--require`` says of itself; what it returns is printed by ``advisor.cli``."""

import json
from pathlib import Path
from typing import Annotated

import typer

REQUIRE_HELP = "Exit with 3 unless met: worth_it, not_worth_it, or 'ARM>=0.8' by its interval. May be repeated."

PRICES_HELP = "Your prices (YAML) in place of the example's; the report says what they rest on."


def compare(
    first: Annotated[Path, typer.Argument(metavar="RUN_A", help="A run folder.")],
    second: Annotated[Path, typer.Argument(metavar="RUN_B", help="Another run of the same eval rows.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> object:
    """Set two runs of the same eval rows against each other, arm by arm and best against best."""
    from evals.compare import compare_runs
    from reports.run_comparison import RunComparison

    compared = compare_runs(first, second)
    return json.dumps(compared, ensure_ascii=False, indent=1) if as_json else RunComparison(compared)
