"""``tuneworthy report`` and ``tuneworthy index`` as typer sees them; ``cli.py`` prints what they return."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from advisor.compare_options import PRICES_HELP, REQUIRE_HELP
from evals.errors import RunError, TuneworthyError, UsageError


class Format(StrEnum):
    """What a report can be written as."""

    HTML = "html"
    MD = "md"
    JSON = "json"
    CSV = "csv"


_SUFFIXES = {".html": Format.HTML, ".htm": Format.HTML, ".md": Format.MD, ".json": Format.JSON, ".csv": Format.CSV}


def report(
    run_folder: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")],
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the report to FILE as well.")] = None,
    form: Annotated[
        Format | None,
        typer.Option("--format", help="html (default); md for a pull request; json; csv: every answer."),
    ] = None,
    open_it: Annotated[bool, typer.Option("--open", help="Show the page in the browser.")] = False,
    prices: Annotated[Path | None, typer.Option(help=PRICES_HELP)] = None,
    require: Annotated[list[str] | None, typer.Option(help=REQUIRE_HELP)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print results.json instead of the summary.")] = False,
) -> object:
    """Compute results and report again; no model is loaded."""
    chosen = _format(out, form, as_json=as_json)
    if out is not None:
        _check_place(out, run_folder)
    from evals.requirement import check_requirements, parse_requirements
    from evals.results import keep_prices, write_results
    from reports.terminal import summary
    from reports.writer import write_report

    if prices is not None:
        keep_prices(prices, run_folder)
    results = write_results(run_folder)
    requirements = parse_requirements(require or [], [arm["name"] for arm in results["arms"]])
    page = write_report(run_folder, results)
    text = _text(chosen, run_folder, results)
    if out is not None:
        _write(out, page.read_text(encoding="utf-8") if text is None else text)
    if open_it and (code := typer.launch(str(page.resolve()))):
        raise RunError(f"no browser could be started (exit code {code}); open {page} yourself")
    shown = [summary(results), f"Report: {page}"] if text is None or out is not None else [text.removesuffix("\n")]
    if out is not None:
        shown.append(f"Written: {out}")
    try:
        check_requirements(requirements, results)
    except TuneworthyError as error:
        return (*shown, error)
    return tuple(shown)


def _format(out: Path | None, form: Format | None, *, as_json: bool) -> Format:
    """Return what is asked for, by the option or the file's name. Raises ``UsageError`` where they disagree."""
    if as_json and form not in (None, Format.JSON):
        raise UsageError(f"--json and --format {form} ask for two things: give one of them")
    if form is not None or as_json:
        return form or Format.JSON
    if out is None:
        return Format.HTML
    if (named := _SUFFIXES.get(out.suffix.lower())) is None:
        raise UsageError(f"--out {out}: can't tell the format from the name; give --format html, md, json or csv")
    return named


def _text(form: Format, run: Path, results: dict[str, object]) -> str | None:
    """Return the report as text; None where it's the page."""
    if form is Format.JSON:
        return json.dumps(results, ensure_ascii=False, indent=1) + "\n"
    if form is Format.MD:
        from reports.markdown import markdown

        return markdown(results)
    if form is Format.CSV:
        from reports.csv_rows import csv_text

        return csv_text(run)
    return None


def _check_place(out: Path, run: Path) -> None:
    """Raise ``UsageError`` where ``out`` would take the place of what a run is made of, or has no folder to be in."""
    if out.is_dir():
        raise UsageError(f"--out {out}: that's a folder; name a file in it")
    if not out.parent.is_dir():
        raise UsageError(f"--out {out}: there's no folder {out.parent}; make it first, or name another file")
    inside = out.resolve().is_relative_to(run.resolve())
    if inside and out.exists() and not out.name.startswith("report"):
        raise UsageError(f"--out {out}: that's a file of the run; name another one")


def _write(path: Path, text: str) -> None:
    from evals.files import write_text

    try:
        if path.exists() and not path.is_file():
            path.write_text(text, encoding="utf-8")  # a pipe or a device: nothing can take its place
        else:
            write_text(path.resolve(), text)
    except OSError as error:
        raise RunError(f"can't write {path}: {error.strerror or error}") from error


def index(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder of run folders.")] = Path("runs"),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> object:
    """List the runs under a folder with their verdicts.

    A page, runs.html, links their reports.
    """
    from evals.run_list import list_runs
    from reports.run_index import RunTable, listed, write_run_index

    runs = list_runs(folder)
    if as_json:
        return json.dumps([listed(run) for run in runs], ensure_ascii=False, indent=1)
    return RunTable(runs), f"Page: {write_run_index(folder, runs)}"
