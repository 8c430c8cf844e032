"""Rows of CSV and TSV files (RFC 4180: quoted cells may hold separators and line breaks)."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from evals.data_file import DataFile, RawRow

LARGEST_CELL = 64 * 1024 * 1024
"""Characters in one cell, at most; a quote mark that is never closed swallows the rest of the file."""


def csv_rows(file: DataFile, separator: str) -> Iterator[RawRow]:
    """Yield the rows of a CSV or TSV file under the names of its first row.

    A ``.csv`` whose first line has semicolons but no comma is read with semicolons, as spreadsheets
    write it in much of Europe. Rows in which every cell is empty are skipped.
    """
    lines = file.lines(newline="")
    first = next(lines, "")
    if separator == "," and "," not in first and ";" in first:
        separator = ";"
    rows = _rows(file, chain([first], lines), separator)
    before = len(file.problems)
    header = next(rows, None)
    if header is None:
        return
    _check_header(file, header)
    if len(file.problems) > before:
        return
    names = [name.strip() for name in header.cells]
    file.columns.update(dict.fromkeys(names))
    for row in rows:
        if len(row.cells) == len(names):
            yield RawRow(row.line, row.line, dict(zip(names, row.cells, strict=True)))
        else:
            hint = " (quote cells that hold the separator)" if len(row.cells) > len(names) else ""
            file.problem(row.line, f"has {len(row.cells)} cells where the header has {len(names)}{hint}")


@dataclass(frozen=True, slots=True)
class _Cells:
    """The cells of one row and the line where it begins."""

    line: int
    cells: list[str]


def _rows(file: DataFile, lines: Iterator[str], separator: str) -> Iterator[_Cells]:
    """Yield the rows that hold something; a row whose quoting is broken is a problem, and reading goes on after it."""
    csv.field_size_limit(max(csv.field_size_limit(), LARGEST_CELL))
    reader = csv.reader(lines, delimiter=separator, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            file.problem(line, f"the quoting is broken ({error}); write a quote mark inside a quoted cell twice")
            continue
        if any(cell and not cell.isspace() for cell in cells):
            yield _Cells(line, cells)


def _check_header(file: DataFile, header: _Cells) -> None:
    seen: set[str] = set()
    for number, name in enumerate((name.strip() for name in header.cells), start=1):
        if not name:
            file.problem(header.line, f"column {number} of the header has no name; name it or leave the column out")
        elif name in seen:
            file.problem(header.line, f"the column {name!r} stands twice in the header")
        seen.add(name)
