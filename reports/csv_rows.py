"""Every answer of a run as CSV, a line for each arm, seed and eval row: for a spreadsheet or a notebook.

Texts come from the data, and a spreadsheet takes one that begins with ``=`` and the like for a formula: an apostrophe
in front keeps it text (OWASP, "CSV injection").
"""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from evals.cell import CellFolder
from evals.record import read_record

COLUMNS = (
    "arm",
    "seed",
    "id",
    "input",
    "target",
    "extracted",
    "score",
    "score_strict",
    "score_lenient",
    "error",
    "prompt_tokens",
    "completion_tokens",
    "ms",
    "raw",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def csv_text(run: Path) -> str:
    """Return the answers in the run folder as CSV. Raises ``RunError`` when they can't be read."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(_rows(run))
    return text.getvalue()


def harmless(value: object) -> object:
    """Return a cell that no spreadsheet takes for a formula; figures stay figures, None is an empty cell."""
    if not isinstance(value, str):
        return "" if value is None else value
    text = value.encode("utf-8", "replace").decode()  # a lone surrogate can't be written
    return f"'{text}" if text.startswith(_FORMULA) else text


def _rows(run: Path) -> Iterator[list[object]]:
    record = read_record(run)
    for arm in record.arms:
        for seed in arm.seeds:
            for row in CellFolder(run, arm.name, arm.family, seed).read().predictions:
                fields = [row.id, row.input, " | ".join(row.targets), row.extracted]
                fields += [row.score, row.score_strict, row.score_lenient, row.error]  # type: ignore[list-item]
                figures = [row.prompt_tokens, row.completion_tokens, None if row.cached else round(row.ms, 3)]
                yield [harmless(value) for value in (arm.name, seed, *fields, *figures, row.raw)]
