"""The commands ``advise`` and ``questions`` as typer sees them; ``cli.py`` prints what they return."""

import io
import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer
from typer.core import TyperCommand

from advisor.cache_options import NO_CACHE_HELP

if TYPE_CHECKING:
    from typer import Context

DEFAULT_FILE = "advice-answers.yaml"
"""Where a dialogue saves its answers unless told otherwise."""


class AdviseCommand(TyperCommand):
    """Lets ``--resume`` stand alone: it then means the default file."""

    def parse_args(self, ctx: "Context", args: list[str]) -> list[str]:  # type: ignore[override]
        """Fill in the default file, then parse."""
        filled = []
        for argument, following in zip(args, [*args[1:], "-"], strict=False):
            filled.append(argument)
            if argument == "--resume" and following.startswith("-"):
                filled.append(DEFAULT_FILE)
        return super().parse_args(ctx, filled)


def advise(
    answers: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Take the answers from FILE; ask nothing.")
    ] = None,
    pairs: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="One answer; ask nothing. Can be repeated.")
    ] = None,
    save: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help=f"Save the answers in FILE. A dialogue always does: {DEFAULT_FILE}."),
    ] = None,
    resume: Annotated[
        Path | None, typer.Option(metavar="[FILE]", help=f"Go on with the dialogue saved in FILE ({DEFAULT_FILE}).")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(metavar="ROWS", help="Rows to learn from: count them, and fill in those answers.")
    ] = None,
    eval_data: Annotated[Path | None, typer.Option("--eval", metavar="ROWS", help="Eval rows, kept apart.")] = None,
    documents: Annotated[
        Path | None, typer.Option(metavar="DOCS", help="A documents file, or a folder of texts; needs --data.")
    ] = None,
    probe: Annotated[
        bool, typer.Option("--probe", help="Ask --model up to 50 of the rows, with and without the right passage.")
    ] = False,
    model: Annotated[str, typer.Option(help="Model of --probe: hub name, local folder, or builtin.")] = "builtin",
    target: Annotated[float, typer.Option(min=0.01, max=1.0, help="Score that --probe measures the gap to.")] = 0.9,
    input_column: Annotated[str | None, typer.Option(help="Column of --data that a model is given.")] = None,
    target_column: Annotated[str | None, typer.Option(help="Column of --data that holds the answer.")] = None,
    prices: Annotated[Path | None, typer.Option(metavar="FILE", help="Your prices in place of the example's.")] = None,
    gain: Annotated[
        float, typer.Option(min=0.001, max=0.5, help="The smallest gain that matters: 0.03 is 3 points.")
    ] = 0.03,
    budget: Annotated[str | None, typer.Option(help="What may be spent, in your own words.")] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write advice.json, advice.html and a task.yaml to this folder.")
    ] = None,
    no_cache: Annotated[bool, typer.Option("--no-cache", help=NO_CACHE_HELP)] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print advice.json instead of the screen.")] = False,
) -> object:
    """Ask some questions, and say which approach to try first.

    Prompting, retrieval, training, both, or none of them.
    """
    from advisor.advice_parts import Sources
    from advisor.advise_command import AdviseRequest, make_advice

    asked = model if probe else None
    given = (data, eval_data, documents, asked, prices, gain, budget, target, input_column, target_column)
    sources = Sources(*given, cache=not no_cache)
    made = make_advice(AdviseRequest(answers, tuple(pairs or ()), save, resume, out, sources), _terminal())
    if made is None:
        return None
    if as_json:
        return json.dumps(made.advice, ensure_ascii=False, indent=1)
    from advisor.advice_screen import screen

    told = made.advice["answers"].values()
    measured = [f"Measured: {answer['note']}" for answer in told if answer["origin"] == "measured"]
    unanswered = sum(answer["origin"] == "unknown" for answer in told)
    lines = [*measured, *([f"Questions without an answer: {unanswered} of {len(told)}."] if unanswered else [])]
    files = "\n".join([*lines, *(f"{what}: {path}" for what, path in made.files.items())])
    if (saved := made.files.get("Answers")) is not None:
        files += f"\nTo change an answer: tuneworthy advise --resume {shlex.quote(str(saved))}"
    if out is not None and any(what.startswith("Task") for what in made.files):
        where, advice = shlex.quote(str(out)), shlex.quote(str(out / "advice.json"))
        files += f"\nTo measure it: mend task.yaml, then: tuneworthy check {where}"
        files += f"\nand: tuneworthy run {where} --advice {advice}"
    if out is None:
        files += "\nWith --out DIR: all of this as a page (advice.html), as data (advice.json), and a task.yaml to run."
    if sys.stdout is not None and sys.stdout.isatty():  # what stood first has scrolled away
        files += f"\n\nIn short: {made.advice['recommendation']['sentence']}"
    return screen(made.advice), f"\n{files.strip()}"


def _terminal() -> TextIO:
    """Return where to ask: standard error, so that a pipe gets the advice alone, or what the user sees instead."""
    if sys.stderr is None:
        return io.StringIO()
    typed = sys.stdin is not None and sys.stdin.isatty()
    seen = typed and not sys.stderr.isatty() and sys.stdout is not None and sys.stdout.isatty()
    return sys.stdout if seen else sys.stderr


def list_questions() -> str:
    """List the questions of `advise` with their keys and options."""
    from advisor.answers import listing

    return listing()
