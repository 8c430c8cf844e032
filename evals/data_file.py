"""A file that rows are read from: its columns, its lines of text, and what is wrong with it."""

import gzip
import io
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import BinaryIO, cast

from evals.problems import Problems

SUFFIXES = (".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".parquet")
"""The kinds of files that rows are read from; each also with ``.gz``."""


@dataclass(frozen=True, slots=True)
class RawRow:
    """One row as the file has it. ``line`` is where it begins, from 1 (in Parquet: its row).

    ``number`` is unique within the file: the line where each row has one of its own, otherwise the row.
    """

    line: int
    number: int
    values: dict[str, object]

    @property
    def place(self) -> str:
        """Where the row stands in its file, in words."""
        return f"line {self.line}" if self.line == self.number else f"row {self.number}"


class DataFile:
    """A file of rows, while it is read.

    ``columns`` holds the names met so far, in order. ``wanted`` lets Parquet leave other columns
    unread; they are named in ``columns`` nevertheless.
    """

    def __init__(self, path: Path, problems: Problems, wanted: Collection[str] | None = None) -> None:
        self.path = path
        self.problems = problems
        self.wanted = wanted
        self.columns: dict[str, None] = {}

    @property
    def suffix(self) -> str | None:
        """Which of ``SUFFIXES`` the name ends with, ``.gz`` aside; None if with none."""
        name = self.path.name.lower().removesuffix(".gz")
        return next((suffix for suffix in SUFFIXES if name.endswith(suffix)), None)

    def problem(self, line: int, what: str) -> None:
        """Add a problem of this file."""
        self.problems.add(self.path, line, what)

    def row_problem(self, raw: RawRow, what: str) -> None:
        """Add a problem of one row, counting rows where lines don't tell them apart."""
        self.problem(raw.line, what if raw.line == raw.number else f"row {raw.number}: {what}")

    def unreadable(self) -> str | None:
        """Return why no rows can be read, as far as that shows without opening the file; None if they may be."""
        if self.path.is_dir():
            return f"is a folder; name a file ({', '.join(SUFFIXES)})"
        if self.path.is_symlink() and not self.path.exists():
            return "is a symbolic link that leads nowhere"
        if not self.path.exists():
            return f"there is no such file{_nearest_file(self.path)}"
        if self.suffix is None:
            return f"is of a kind that can't be read; save it as one of {', '.join(SUFFIXES)}"
        if not self.path.is_file():
            return "is a pipe or a device; save what it gives in a file"
        return None

    def open_binary(self) -> BinaryIO:
        """Open for reading bytes, unpacked if the name ends with ``.gz``."""
        if self.packed:
            return cast("BinaryIO", gzip.open(self.path, "rb"))
        return self.path.open("rb")

    @property
    def packed(self) -> bool:
        """Whether the content is gzipped."""
        return self.path.suffix.lower() == ".gz"

    def lines(self, newline: str) -> Iterator[str]:
        """Yield the lines with their ends; ``newline`` as in ``open``. A byte order mark is left out.

        Bytes that aren't UTF-8 are problems, one per line, and become U+FFFD.
        """
        # surrogateescape hides a bad byte b as U+DC00 + b, so that reading can go on behind it.
        with (
            self.open_binary() as raw,
            io.TextIOWrapper(raw, encoding="utf-8-sig", errors="surrogateescape", newline=newline) as file,
        ):
            for number, line in enumerate(file, start=1):
                try:
                    if not line.isascii():
                        line.encode()
                except UnicodeEncodeError as error:
                    byte = ord(line[error.start]) - 0xDC00
                    self.problem(number, f"is not UTF-8 (byte 0x{byte:02x}): save it as UTF-8")
                    yield line.encode(errors="surrogateescape").decode(errors="replace")
                else:
                    yield line


def _nearest_file(path: Path) -> str:
    """Return a hint at the file of the same folder whose name comes nearest, or nothing."""
    if not path.parent.is_dir():
        return f" (nor a folder {path.parent})"
    near = get_close_matches(path.name, [other.name for other in path.parent.iterdir() if other.is_file()], n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""
