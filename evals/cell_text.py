"""One cell of a data file as text: what a number, a truth value or a list is read as."""

import json
import math
from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal

from evals.data_json import JsonProblem, decode_json, kind_of
from evals.task_file import AnswerKind

LONGEST = 4_000_000
"""Characters in one text, at most: about a million tokens, more than any model reads at once."""

_EXACT = 2**53
"""Up to here a float holds every whole number."""


class CellProblem(ValueError):
    """A cell that can't be used; ``str()`` says what is wrong, to be read after the column's name."""


def cell_text(value: object) -> str | None:
    """Return a cell as text; None where it is null, NaN, empty or blank.

    ``true``/``false`` and dates are written as in JSON and ISO 8601; a whole number loses its ``.0``,
    since tables with gaps hold whole numbers as floats. Raises ``CellProblem`` for lists, objects,
    bytes, infinity, and texts with half a surrogate pair (they can't be written as UTF-8).
    """
    if value is None:
        return None
    if isinstance(value, str):
        return _checked(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _float_text(value)
    if isinstance(value, Decimal):
        return None if value.is_nan() else format(value, "f")
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    raise CellProblem(f"holds {kind_of(value)}, where text is wanted")


def target_text(value: object, answer: AnswerKind) -> str | None:
    """Return a target as text without surrounding space; None where it is empty.

    For ``json`` an object or list becomes compact JSON, and a text must be JSON; for ``number`` it must be
    a finite number. Raises ``CellProblem`` otherwise.
    """
    if answer == "json" and isinstance(value, dict | list):
        text: str | None = _compact(value)
    else:
        text = cell_text(value)
    if text is None:
        return None
    text = text.strip()
    if answer == "number" and not is_number(text):
        raise CellProblem(f"is no finite number: {shorten(text)}")
    if answer == "json":
        try:
            decode_json(text)
        except JsonProblem as problem:
            raise CellProblem(f"is not valid JSON: {problem}: {shorten(text)}") from None
    return text


def target_list(value: object, answer: AnswerKind) -> tuple[str, ...]:
    """Return the accepted answers of a ``targets`` cell: a list, or a text that is a JSON list; empty for null.

    Raises ``CellProblem`` for anything else, and for an entry that is empty or no target.
    """
    if isinstance(value, str):
        value = _decoded_list(value)
    if value is None:
        return ()
    if not isinstance(value, Sequence) or isinstance(value, str | bytes):
        raise CellProblem(f"""should be a list, as in ["one", "two"]; it is {kind_of(value)}""")
    texts: list[str] = []
    for number, entry in enumerate(value, start=1):
        try:
            text = target_text(entry, answer)
        except CellProblem as problem:
            raise CellProblem(f"has an entry, number {number}, that {problem}") from None
        if text is None:
            raise CellProblem(f"has an empty entry, number {number}")
        texts.append(text)
    return tuple(texts)


def is_number(text: str) -> bool:
    """Tell whether a text is one finite number in plain or scientific notation (``1_000`` is none)."""
    try:
        return "_" not in text and math.isfinite(float(text))
    except ValueError:
        return False


def shorten(text: str, width: int = 60) -> str:
    """Return a quoted one-line piece of ``text`` for an error message."""
    return repr(text if len(text) <= width else text[: width - 1] + "…")


def _checked(text: str) -> str | None:
    if not text or text.isspace():
        return None
    if len(text) > LONGEST:
        raise CellProblem(f"holds {len(text):,} characters (at most {LONGEST:,}); split the text, or leave the row out")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise CellProblem(
            f"holds half a surrogate pair (\\u{ord(text[error.start]):04x}), which is no character"
        ) from None
    return text


def _float_text(value: float) -> str | None:
    if math.isnan(value):
        return None
    if math.isinf(value):
        raise CellProblem("is infinite")
    return str(int(value)) if value.is_integer() and abs(value) < _EXACT else repr(value)


def _compact(value: object) -> str:
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise CellProblem(f"can't be written as JSON: {error}") from None
    return _checked(text) or ""


def _decoded_list(text: str) -> object:
    if not text or text.isspace():
        return None
    try:
        value = decode_json(text)
    except JsonProblem as problem:
        raise CellProblem(f"""is no JSON list, as in ["one", "two"]: {problem}: {shorten(text)}""") from None
    if not isinstance(value, list):
        raise CellProblem(f"""should be a list, as in ["one", "two"]; it is {kind_of(value)}""")
    return value
