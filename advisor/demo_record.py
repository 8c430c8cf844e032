"""``demo.json``: which tasks a demo runs and how, written before its first run so that it can be resumed."""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field, StringConstraints

from evals.errors import MissingRunError, RunError
from evals.files import write_json
from evals.stored import from_record, strange_schema

SCHEMA = 1

DAMAGED = "start a new demo, or put back the file as it was"
FILE = "demo.json"

TaskName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=80)]
"""A name that is also a folder's."""


@dataclass(frozen=True)
class DemoTask:
    """One task of a demo: its name, which is also its run folder's, and the folder that holds its task.yaml."""

    name: TaskName
    source: str


@dataclass(frozen=True)
class DemoRecord:
    """The demo's inputs; ``full`` means every arm that fits, ``model`` and ``embedder`` replace the tasks' own."""

    tasks: Annotated[tuple[DemoTask, ...], Field(min_length=1)]
    full: bool
    model: str | None
    embedder: str | None
    created: str

    def write(self, folder: Path) -> None:
        """Write ``demo.json`` into the demo's folder."""
        write_json(folder / FILE, {"schema": SCHEMA} | dataclasses.asdict(self))


def read_demo(folder: Path) -> DemoRecord:
    """Return the record in ``folder``. Raises ``RunError`` when there is none that this version can read."""
    path = folder / FILE
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError) as error:
        why = f"it has no {FILE}" if folder.is_dir() else "there is no such folder"
        raise MissingRunError(f"{folder} is not a demo's folder: {why}") from error
    except (OSError, ValueError, RecursionError) as error:
        raise RunError(f"{path} can't be read ({error}); start a new demo") from error
    schema = record.pop("schema", None) if isinstance(record, dict) else None
    if schema != SCHEMA:
        raise strange_schema(path, schema, SCHEMA, DAMAGED)
    try:
        return from_record(DemoRecord, record)
    except ValueError as error:
        raise RunError(f"{path} is damaged: {error}; {DAMAGED}") from None
