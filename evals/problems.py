"""The problems met while data are read: collected, so that all are told at once."""

from pathlib import Path

from evals.errors import DataError, RowProblem


class Problems:
    """What is wrong with the data so far; at ``LIMIT`` reading stops, so that memory stays bounded."""

    LIMIT = 10_000

    def __init__(self) -> None:
        self._found: list[RowProblem] = []

    def __len__(self) -> int:
        return len(self._found)

    def add(self, file: Path, line: int, what: str) -> None:
        """Keep one problem; ``line`` counts from 1, 0 means the file as a whole.

        Raises ``DataError`` when there are ``LIMIT`` of them.
        """
        self._found.append(RowProblem(file, line, what))
        if len(self._found) >= self.LIMIT:
            raise DataError(self._found, f"reading stopped at {self.LIMIT:,}")

    def raise_any(self) -> None:
        """Raise one ``DataError`` of all problems, if there are any: file by file, in the order of lines."""
        if self._found:
            files = list(dict.fromkeys(problem.file for problem in self._found))
            raise DataError(sorted(self._found, key=lambda problem: (files.index(problem.file), problem.line)))
