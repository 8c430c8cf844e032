"""``report.html`` from a run folder: reads the results and the cells, writes the page in one move."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import UndefinedError

from evals.cell import CellFolder
from evals.errors import RunError
from evals.files import write_text
from evals.record import read_record
from evals.results import read_results
from evals.scored import ScoredPrediction
from evals.shared_texts import SharedTexts
from reports.explorer import PROMPT_ROWS
from reports.page import render_report


def write_report(run: Path, results: Mapping[str, Any] | None = None) -> Path:
    """Write ``report.html`` into the run folder and return its path; ``results`` default to ``results.json``.

    Raises ``RunError`` when the run folder, its results or its cells can't be read or are incomplete,
    and ``OSError`` when the page can't be written; an older page is then left as it was.
    """
    given = read_results(run) if results is None else results
    predictions = read_predictions(run)
    try:
        page = render_report(given, predictions)
    except (KeyError, TypeError, AttributeError, UndefinedError) as error:
        raise RunError(
            f"{run / 'results.json'} can't be shown, since something is missing or of the wrong kind "
            f"({type(error).__name__}: {error}); `tuneworthy report {run}` makes it anew"
        ) from error
    path = run / "report.html"
    write_text(path, page)
    return path


def read_predictions(run: Path) -> dict[str, tuple[ScoredPrediction, ...]]:
    """Return the rows of every arm's first seed, arms in the order of the run, eval rows in theirs.

    Prompts are those of the first ``PROMPT_ROWS`` rows: no page keeps more.
    """
    record = read_record(run)
    order = {id_: place for place, id_ in enumerate(record.eval_ids)}
    texts = SharedTexts()

    def slim(row: ScoredPrediction) -> ScoredPrediction:
        return texts.slim(row, prompt=order.get(row.id, PROMPT_ROWS) < PROMPT_ROWS, text=True)

    predictions = {}
    for arm in record.arms:
        rows = CellFolder(run, arm.name, arm.family, arm.seeds[0]).read(slim).predictions
        predictions[arm.name] = tuple(sorted(rows, key=lambda row: order.get(row.id, len(order))))
    return predictions
