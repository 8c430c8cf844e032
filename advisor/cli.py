"""The command line: the only module that prints and exits; commands that stand elsewhere return what it prints.

Exit codes: 0 done, 1 error, 2 usage, 3 a gate that the user asked for was not met.
Nothing heavy is imported before a command needs it: ``tuneworthy --help`` answers at once.
"""

import io
import json
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.exceptions import Abort, TyperException

from advisor.advise_options import AdviseCommand, advise, list_questions
from advisor.cache_options import NO_CACHE_HELP
from advisor.cache_options import app as cache_app
from advisor.check_options import GATE_HELP, check, gate_settings
from advisor.compare_options import PRICES_HELP, REQUIRE_HELP, compare, curve_axes_of
from advisor.demo_options import demo
from advisor.refusal import refusal
from advisor.report_options import index, report
from advisor.stopping import begin, end_told, stop
from advisor.task_options import init, schema
from advisor.unforeseen import TRACE, unforeseen
from evals.errors import TuneworthyError, UsageError

if TYPE_CHECKING:
    from advisor.run_command import PreparedRun


app = typer.Typer(
    name="tuneworthy",
    help="Is this task worth training a model for? Measure every approach on your own data and see.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command(cls=AdviseCommand)(advise)
app.command("questions")(list_questions)


@app.command()
def run(
    task: Annotated[Path | None, typer.Argument(help="A task.yaml, or the folder that holds one.")] = None,
    model: Annotated[str | None, typer.Option(help="Hub name, local folder, or builtin.")] = None,
    endpoint: Annotated[str | None, typer.Option(help="OpenAI-compatible server that has --model.")] = None,
    embedder: Annotated[str | None, typer.Option(help="sentence-transformers name or folder, or builtin.")] = None,
    arms: Annotated[str | None, typer.Option(help="Comma-separated arms, or all. See `tuneworthy arms`.")] = None,
    seeds: Annotated[int | None, typer.Option(min=1, max=100, help="Seeds for arms that depend on chance.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Use at most this many eval rows.")] = None,
    out: Annotated[Path | None, typer.Option(help="Run folder; default runs/TASK-TIME.")] = None,
    resume: Annotated[Path | None, typer.Option(help="Go on with the run in this folder.")] = None,
    adapter: Annotated[Path | None, typer.Option(help="Also run this trained PEFT adapter.")] = None,
    drop_overlap: Annotated[bool, typer.Option(help="Drop train rows that stand in the eval rows too.")] = False,
    gate: Annotated[list[str] | None, typer.Option(help=GATE_HELP)] = None,
    prices: Annotated[Path | None, typer.Option(help=PRICES_HELP)] = None,
    max_cost: Annotated[float | None, typer.Option(min=0, help="Stop before endpoints cost more.")] = None,
    forgetting: Annotated[str | None, typer.Option(help="Ask tuned models these too: builtin, off, FILE.")] = None,
    curve: Annotated[bool, typer.Option("--curve", help="Also train on parts of train; vary shots, passages.")] = False,
    curve_axes: Annotated[str | None, typer.Option(help="Only these curves: labels,shots,passages.")] = None,
    advice: Annotated[Path | None, typer.Option(help="advice.json: say whether the run bears it out.")] = None,
    require: Annotated[list[str] | None, typer.Option(help=REQUIRE_HELP)] = None,
    no_cache: Annotated[bool, typer.Option("--no-cache", help=NO_CACHE_HELP)] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print results.json instead of the summary.")] = False,
) -> None:
    """Run every approach on the same eval rows, and write a report.

    The run folder holds results.json and report.html.
    """
    named = {"model": model} if endpoint is None else {"model.name": model, "model.endpoint": endpoint}
    options: dict[str, Any] = {**named, "embedder": embedder, "seeds": seeds, "forgetting": forgetting}
    overrides = {key: value for key, value in options.items() if value is not None} | gate_settings(gate or [])
    others = [task, arms, limit, out, adapter, drop_overlap or None, advice, prices, curve or None, curve_axes]
    others += [True] * bool(overrides)
    if resume is not None and any(value is not None for value in others):
        raise UsageError(
            "--resume takes everything from the run folder: give no task and no other option than --json, --require, "
            "--max-cost, --no-cache"
        )
    from advisor.run_command import RunRequest, prepare_run, reopen_run

    try:
        if resume is not None:
            prepared = reopen_run(resume, require or (), max_cost, cache=not no_cache)
        elif task is not None:
            names = [name.strip() for name in arms.split(",") if name.strip()] if arms is not None else None
            axes = curve_axes_of(curve_axes, wanted=curve)
            fixed = (task, overrides, names, limit, out, adapter, drop_overlap, advice)
            request = RunRequest(
                *fixed, require=require or (), prices=prices, curve=axes, max_cost=max_cost, cache=not no_cache
            )
            prepared = prepare_run(request, sys.argv[1:])
        else:
            raise UsageError("which task? Give a task.yaml or a folder that holds one (`tuneworthy init` makes one)")
    except KeyboardInterrupt:
        raise TuneworthyError("stopped before the first arm; no run was begun") from None
    _execute(prepared, as_json=as_json)


def _execute(prepared: "PreparedRun", *, as_json: bool) -> None:
    """Answer the cells under a progress display, then print the results; say how to resume if stopped."""
    from rich.console import Console

    from advisor.progress import watching
    from advisor.run_command import check_complete, execute_run, warnings
    from evals.requirement import check_requirements

    for warning in warnings(prepared):
        print(f"note: {warning}", file=sys.stderr)
    try:
        with watching(Console(stderr=True), prepared.record) as watcher:
            results = execute_run(prepared, watcher)
    except KeyboardInterrupt:
        raise TuneworthyError(
            "stopped; answers are kept, and what was trained up to the last checkpoint. "
            f"Go on with: tuneworthy run --resume {prepared.folder}"
        ) from None
    _show(results, prepared.folder, as_json=as_json)
    check_complete(results, prepared.folder)
    check_requirements(prepared.requirements, results)


def _show(results: dict[str, Any], folder: Path, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(results, ensure_ascii=False, indent=1))
        return
    from rich.console import Console

    from reports.terminal import summary

    console = Console()
    console.print(summary(results))
    print(f"Report: {folder / 'report.html'}")


app.command()(check)
app.command()(compare)
app.command()(demo)
app.command()(index)
app.command()(init)
app.command()(report)
app.command()(schema)
app.add_typer(cache_app)


@app.command("arms")
def list_arms() -> None:
    """List the arms, family by family."""
    from advisor.arms import listing

    print(listing())


@app.command()
def builtin(
    abilities: Annotated[bool, typer.Option(help="Measure its abilities on what its training never saw.")] = False,
    model: Annotated[str, typer.Option(help="Another model: local folder or hub name.")] = "builtin",
    rows: Annotated[int, typer.Option(min=1, help="Questions per ability.")] = 200,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the questions.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Show the built-in model, or measure what it can do."""
    from advisor.builtin import describe_abilities, describe_model

    if abilities:
        print(describe_abilities(model, rows=rows, seed=seed, as_json=as_json))
    else:
        print(describe_model(model, as_json=as_json))


def _quiet_libraries() -> None:
    """Keep libraries from writing progress bars and advice over ours; a user's own setting wins."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")


def main() -> None:
    """Run the command line; print what went wrong as one line and exit with its code."""
    _quiet_libraries()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal may know fewer signs than a user's rows hold
            stream.reconfigure(errors="backslashreplace")
    signal.signal(signal.SIGTERM, stop)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # not where a shell has us ignore it
        signal.signal(signal.SIGINT, stop)
    begin()
    try:
        returned = app(standalone_mode=False)
        if isinstance(returned, int) and returned:  # typer's own word for a stop: it eats the interrupt
            sys.exit(_failed("stopped", 1))
        _print(returned)
    except TyperException as error:
        sys.exit(_refused(error))
    except (Abort, KeyboardInterrupt):
        sys.exit(_failed("stopped", 1))
    except TuneworthyError as error:
        sys.exit(_failed(str(error), error.exit_code))
    except BrokenPipeError:  # whoever read what we print has had enough of it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        sys.exit(_failed(f"{where}{error.strerror or error}", 1))
    except Exception as error:
        if os.environ.get(TRACE):
            raise
        sys.exit(_failed(unforeseen(error), 1))
    sys.exit(0)


def _print(returned: object) -> None:
    """Print what a command returned: text as it is, anything else as rich draws it; each of a tuple."""
    if isinstance(returned, tuple):
        for part in returned:
            _print(part)
    elif isinstance(returned, str):
        print(returned)
    elif isinstance(returned, TuneworthyError):  # what the command showed is on the screen; this is how it ends
        raise returned
    elif returned is not None and not isinstance(returned, int):
        from rich.console import Console

        Console().print(returned)


def _refused(error: TyperException) -> int:
    """Print what is wrong with the command line in one line, or the help when there was nothing on it."""
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":
        print(error.format_message())
        return error.exit_code
    command = context.command_path if context else "tuneworthy"
    return _failed(f"{refusal(error)}. See: {command} --help".replace("?. See", "? See"), error.exit_code)


def _failed(message: str, code: int) -> int:
    end_told()
    print(f"tuneworthy: {message}", file=sys.stderr)
    return code


if __name__ == "__main__":
    main()
