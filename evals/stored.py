"""Stored JSON as the dataclass it was written from, checked field by field: files may be damaged or meddled with."""

import dataclasses
import json
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from evals.errors import RunError

T = TypeVar("T")

ADDED_LATER = {"added_later": True}
"""The ``metadata`` of a field that older files lack: it takes its default there."""


def from_record(kind: type[T], record: dict[str, Any]) -> T:
    """Return the ``kind`` (a dataclass) that ``dataclasses.asdict`` made ``record`` from.

    Every field must be there but those marked ``ADDED_LATER``, no other may, and each must have its type
    (nothing is converted). Raises ``ValueError`` with one line that names the first field that's wrong.
    """
    fields = dataclasses.fields(kind)  # type: ignore[arg-type]
    names = {field.name for field in fields}
    needed = {field.name for field in fields if not field.metadata.get("added_later")}
    missing, unknown = sorted(needed - record.keys()), sorted(record.keys() - names)
    if missing or unknown:
        wrong, what = (missing[0], "is missing") if missing else (unknown[0], "is no field of it")
        raise ValueError(f"{wrong} {what}")
    adapter: TypeAdapter[T] = TypeAdapter(kind)
    try:
        # By way of text, since pydantic takes a list for a tuple only from JSON when it's strict.
        return adapter.validate_json(json.dumps(record), strict=True)
    except ValidationError as error:
        raise ValueError(first_problem(error)) from None


def strange_schema(path: Path, schema: object, known: int, mend: str) -> RunError:
    """Return the error for a file of another ``schema`` than ``known``; ``mend`` helps where it isn't a newer one."""
    newer = type(schema) is int and schema > known
    told = " ".join(str(schema).split())[:40]
    return RunError(
        f"{path} has schema {told}; this version of tuneworthy reads {known}; {'update tuneworthy' if newer else mend}"
    )


def first_problem(error: ValidationError, above: str = "") -> str:
    """Return the first problem of ``error`` as one line: where (below ``above``), and what is wrong."""
    first = error.errors(include_url=False)[0]
    where = ".".join(map(str, (above, *first["loc"]) if above else first["loc"]))
    return f"{where}: {first['msg'][0].lower()}{first['msg'][1:]}" if where else first["msg"]
