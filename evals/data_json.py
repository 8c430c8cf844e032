"""Rows of JSON files: a list of objects, or one object per line."""

import json
from collections.abc import Generator, Iterator

from evals.data_file import DataFile, RawRow
from evals.errors import UsageError

_SPACE = " \t\r\n"
_KINDS = {dict: "an object", list: "a list", str: "a text", bool: "true or false", int: "a number", float: "a number"}


class JsonProblem(UsageError):
    """Text that isn't the JSON that was expected; ``position`` is the offset where that shows."""

    def __init__(self, what: str, position: int) -> None:
        self.position = position
        super().__init__(what)


def decode_json(text: str) -> object:
    """Return the value of a JSON text.

    Raises ``JsonProblem`` for broken JSON, twofold keys, ``Infinity``, nesting beyond what Python
    can follow and integers of more than 4,000 digits. ``NaN``, which pandas writes for a missing
    value, is read as null.
    """
    start = _skip_space(text, 0)
    value, end = _decode_at(text, start)
    end = _skip_space(text, end)
    if end < len(text):
        raise JsonProblem("something stands after the end of the value", end)
    return value


def jsonl_rows(file: DataFile) -> Iterator[RawRow]:
    """Yield the objects of a JSON Lines file; empty lines are skipped."""
    first = True
    for number, line in enumerate(file.lines(newline="\n"), start=1):
        if not line.strip():
            continue
        if first and line.lstrip().startswith("["):
            file.problem(number, "begins a list, where each line should be an object; if it's one list, name it .json")
            return
        first = False
        try:
            value = decode_json(line.rstrip())
        except JsonProblem as problem:
            file.problem(number, f"is not valid JSON: {problem} (column {problem.position + 1})")
            continue
        if isinstance(value, dict):
            file.columns.update(dict.fromkeys(value))
            yield RawRow(number, number, value)
        else:
            file.problem(number, f"is {kind_of(value)}, not an object")


def json_rows(file: DataFile) -> Iterator[RawRow]:
    """Yield the objects of a file that holds a list of them, or an object with such a list under ``data``.

    After broken JSON nothing can be read, so that it is the file's last problem.
    """
    with file.open_binary() as source:
        content = source.read()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        file.problem(line, f"is not UTF-8 (byte 0x{content[error.start]:02x}): save it as UTF-8")
        return
    line = 1
    position = 0
    try:
        for number, (start, value) in enumerate(_elements(text), start=1):
            line += text.count("\n", position, start)
            position = start
            if isinstance(value, dict):
                file.columns.update(dict.fromkeys(value))
                yield RawRow(line, number, value)
            else:
                file.problem(line, f"row {number} is {kind_of(value)}, not an object")
    except JsonProblem as problem:
        file.problem(text.count("\n", 0, problem.position) + 1, f"is not valid JSON: {problem}")


def kind_of(value: object) -> str:
    """Return what a JSON value is, in words."""
    return "null" if value is None else _KINDS.get(type(value), f"a {type(value).__name__}")


def _elements(text: str) -> Iterator[tuple[int, object]]:
    """Yield the offset and value of each element of the list that the text holds."""
    start = _skip_space(text, 0)
    if text[start : start + 1] == "[":
        end = yield from _list(text, start)
    elif text[start : start + 1] == "{":
        end = yield from _data_object(text, start)
    else:
        raise JsonProblem("it should be a list of objects, [{…}, {…}]", start)
    end = _skip_space(text, end)
    if end < len(text):
        raise JsonProblem("something stands after the end of the value (one object per line? name it .jsonl)", end)


def _list(text: str, start: int) -> Generator[tuple[int, object], None, int]:
    """Yield the elements of the list that begins at ``start``; return the offset after it."""
    position = _skip_space(text, start + 1)
    if text[position : position + 1] == "]":
        return position + 1
    while True:
        value, end = _decode_at(text, position)
        yield position, value
        end = _skip_space(text, end)
        if text[end : end + 1] == "]":
            return end + 1
        position = _skip_space(text, _expect(text, end, ","))


def _data_object(text: str, start: int) -> Generator[tuple[int, object], None, int]:
    """Yield the elements of the list under ``data``; return the offset after the object that begins at ``start``."""
    found = False
    position = _skip_space(text, start + 1)
    while text[position : position + 1] != "}":
        key, end = _decode_at(text, position)
        position = _skip_space(text, _expect(text, _skip_space(text, end), ":"))
        if key == "data" and text[position : position + 1] == "[":
            found = True
            end = yield from _list(text, position)
        else:
            _, end = _decode_at(text, position)
        end = _skip_space(text, end)
        position = end if text[end : end + 1] == "}" else _skip_space(text, _expect(text, end, ","))
    if not found:
        raise JsonProblem(
            'it is one object, where a list of objects is wanted, [{…}, {…}] or {"data": [{…}]} '
            "(one object per line? name it .jsonl)",
            start,
        )
    return position + 1


def _decode_at(text: str, position: int) -> tuple[object, int]:
    """Return the value that begins at ``position`` and the offset after it."""
    try:
        return _DECODER.raw_decode(text, position)
    except json.JSONDecodeError as error:
        raise JsonProblem(error.msg[0].lower() + error.msg[1:], error.pos) from None
    except RecursionError:
        raise JsonProblem("it is nested too deeply", position) from None
    except _Unwanted as error:
        raise JsonProblem(str(error), position) from None


def _expect(text: str, position: int, character: str) -> int:
    if text[position : position + 1] != character:
        raise JsonProblem(f"a {character!r} is missing", position)
    return position + 1


def _skip_space(text: str, position: int) -> int:
    while position < len(text) and text[position] in _SPACE:
        position += 1
    return position


class _Unwanted(ValueError):
    """Something that Python's reader would let pass, or would stop at in words of its own."""


def _unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    values = dict(pairs)
    if len(values) < len(pairs):
        keys = [key for key, _ in pairs]
        raise _Unwanted(f"the key {next(key for key in keys if keys.count(key) > 1)!r} stands twice in an object")
    return values


def _integer(digits: str) -> int:
    if len(digits) > 4000:
        raise _Unwanted(f"it holds a number of {len(digits):,} digits")
    return int(digits)


def _constant(name: str) -> None:
    if name != "NaN":
        raise _Unwanted(f"{name} is no JSON number")


_DECODER = json.JSONDecoder(object_pairs_hook=_unique_keys, parse_int=_integer, parse_constant=_constant)
