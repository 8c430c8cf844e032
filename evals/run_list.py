"""The runs under a folder: what each is of, and its results where it has some that can be read."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evals.errors import MissingRunError, RunError
from evals.record import read_record
from evals.results import read_results

DEEPEST = 3
"""Levels below the folder that are looked into: runs, demos that hold runs, and folders of these."""


@dataclass(frozen=True)
class ListedRun:
    """One run folder, by its path from the folder that was listed; without ``results``, ``why`` says what is wrong."""

    name: str
    task: str
    created: str
    results: dict[str, Any] | None
    why: str = ""


def list_runs(folder: Path) -> list[ListedRun]:
    """Return the runs under ``folder``, the newest first, damaged ones last. Raises ``RunError`` where none is."""
    if not folder.is_dir():
        raise MissingRunError(f"there's no folder {folder}; `tuneworthy run` makes runs/")
    try:
        runs = [_listed(path, folder) for path in _folders(folder, DEEPEST)]
    except OSError as error:
        raise RunError(f"{error.filename or folder}: can't be read: {error.strerror or error}") from error
    if not runs:
        raise MissingRunError(
            f"there's no run under {folder}: no folder there holds a run.json; `tuneworthy run TASK` makes one"
        )
    return sorted(sorted(runs, key=lambda run: run.name), key=lambda run: run.created, reverse=True)


def _folders(folder: Path, levels: int) -> Iterator[Path]:
    """Yield the run folders; a run holds no other."""
    if (folder / "run.json").exists():
        yield folder
    elif levels:
        for path in sorted(folder.iterdir()):
            if path.is_dir() and not path.is_symlink():
                yield from _folders(path, levels - 1)


def _listed(path: Path, folder: Path) -> ListedRun:
    name = path.relative_to(folder).as_posix()
    task, created = "", ""
    try:
        record = read_record(path)
        task, created = record.task_name, record.created
        return ListedRun(name, task, created, read_results(path))
    except RunError as error:
        return ListedRun(name, task, created, None, str(error))
