"""``tuneworthy compare``, and options of ``run`` that need words of their own."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from evals.curve_point import Axis

REQUIRE_HELP = "Exit with 3 unless met: worth_it, not_worth_it, or 'ARM>=0.8' by its interval. May be repeated."

PRICES_HELP = "Your prices (YAML) in place of the example's; the report says what they rest on."


def compare(
    first: Annotated[Path, typer.Argument(metavar="RUN_A", help="A run folder.")],
    second: Annotated[Path, typer.Argument(metavar="RUN_B", help="Another run of the same eval rows.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> object:
    """Set two runs of the same eval rows against each other.

    Arm by arm, and best against best.
    """
    from evals.compare import compare_runs
    from reports.run_comparison import RunComparison

    compared = compare_runs(first, second)
    return json.dumps(compared, ensure_ascii=False, indent=1) if as_json else RunComparison(compared)


def curve_axes_of(text: str | None, *, wanted: bool) -> "tuple[Axis, ...]":
    """Return the curves to draw: all with ``--curve``, or those that ``--curve-axes`` names. Raises ``UsageError``."""
    from evals.curve_point import AXES, axes_named
    from evals.errors import UsageError

    if text is None:
        return AXES if wanted else ()
    try:
        return axes_named(text)
    except ValueError as error:
        raise UsageError(f"--curve-axes {text}: {error} is no curve; give labels, shots or passages") from None
