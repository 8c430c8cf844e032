"""``advice.json``, schema 1, read back and checked: the file may be edited, damaged or of another version.

The models say what the page and the runner rely on; fields that they don't name may be there too.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, ValidationError

from evals.errors import UsageError
from evals.stored import first_problem

SCHEMA = 1


def _text(value: object) -> object:
    """Let any text pass, lone surrogates too: what can't be written down is the page's business."""
    if not isinstance(value, str):
        raise ValueError("should be text")
    return value


Text = Annotated[Any, PlainValidator(_text)]
Share = Annotated[float, Field(ge=0, le=1)]


class _Part(BaseModel):
    """One part of the file: types are taken as they stand, further fields are left alone."""

    model_config = ConfigDict(strict=True, extra="ignore", allow_inf_nan=False)


class _Source(_Part):
    title: Text
    year: int
    id: Text


class _Reason(_Part):
    text: Text
    figure: Text | None
    source: _Source | None
    answers: dict[Text, Text]


class _Weight(_Reason):
    direction: Literal["for", "against"]
    points: float


class _Option(_Part):
    approach: Text
    name: Text
    probability: Share
    reasons: list[_Weight]


class _Block(_Reason):
    kind: Literal["hard", "first"]
    options: list[Text]


class _Recommendation(_Part):
    approach: Text
    probability: Share
    meanwhile: Text
    sentence: Text
    first: list[Text]
    caveats: list[Text] = []


class _Flip(_Part):
    changes: dict[Text, Text]
    approach: Text
    probability: Share


class _Unknown(_Part):
    key: Text
    question: Text
    decides: bool
    could_be: dict[Text, Text]
    how: Text


class _Answer(_Part):
    question: Text
    value: Text | None
    text: Text | None
    origin: Text
    note: Text | None
    options: dict[Text, Text] = {}


class _Case(_Part):
    title: Text
    year: int
    source: Text
    metric: Text
    results: dict[Text, float]
    winner: Text
    simplest: Text
    eval_rows: int | None = None
    memory: bool
    figure: Text | None = None
    alike: list[Text] = []
    unlike: list[Text] = []


class _Ready(_Part):
    topic: Text
    have: Any
    need: Any
    how: Text | None = None
    ok: bool | None


class _Step(_Part):
    step: Text
    day: int | None = None
    command: Text | None = None
    why: Text | None = None


class _Advice(_Part):
    recommendation: _Recommendation
    options: list[_Option] = Field(min_length=1)
    blocks: list[_Block]
    flips: list[_Flip]
    find_out: list[_Unknown]
    answers: dict[Text, _Answer]
    cases: list[_Case]
    estimates: dict[Text, Any] | None = None
    readiness: list[_Ready] | None = None
    plan: list[_Step] | None = None
    data: dict[Text, Text] | None = None


def read_advice(path: Path) -> dict[str, Any]:
    """Return the advice in ``path``. Raises ``UsageError`` for any file that isn't an advice of this schema."""
    again = "`tuneworthy advise` makes it anew"
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            raise UsageError(f"{path} is a pipe or a device; give the file that `tuneworthy advise` wrote")
        found = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse)
    except FileNotFoundError:
        raise UsageError(f"there's no file {path}; `tuneworthy advise` writes one") from None
    except OSError as error:
        raise UsageError(f"{path} can't be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is not JSON ({_line(error)}); {again}") from error
    try:
        check_advice(found)
    except UsageError as error:
        raise UsageError(f"{path}: {error}; {again}") from error
    checked: dict[str, Any] = found
    return checked


def check_advice(advice: object) -> None:
    """Raise ``UsageError`` with one line that names the first thing wrong, unless ``advice`` is one of schema 1."""
    if not isinstance(advice, Mapping):
        raise UsageError("an advice is an object with a schema number, and this is none")
    schema = advice.get("schema")
    if type(schema) is not int or schema != SCHEMA:
        given = "no schema number" if schema is None else f"schema {_line(repr(schema))}"
        raise UsageError(f"the advice has {given}; this version of tuneworthy reads {SCHEMA}")
    try:
        _Advice.model_validate(dict(advice))
    except ValidationError as error:
        raise UsageError(f"the advice is damaged at {_line(first_problem(error))}") from None


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number in JSON")


def _line(text: object) -> str:
    """Return ``text`` as one printable line of at most 200 characters."""
    line = "".join(sign if sign.isprintable() else " " for sign in str(text))
    return " ".join(line.split())[:200]
