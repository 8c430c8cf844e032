"""JSON in answers, by the letter of RFC 8259: no NaN, no infinity, and no key twice in one object."""

import json
import math
import re
from dataclasses import dataclass
from typing import Any, NoReturn

MAX_DEPTH = 100
"""Nesting beyond this is a model running wild; it's taken as no JSON at all."""

_MAX_STARTS = 1000
"""How many opening brackets are tried in one text, so that a text of brackets costs little."""

_OPENING = re.compile(r"[{\[]")
_HALF = re.compile(
    r"\s*(?:t|tr|tru|f|fa|fal|fals|n|nu|nul|N|Na|-|-?I\w{0,7}|\.|[eE][-+]?|\\u?[0-9a-fA-F]{0,3}|u?[0-9a-fA-F]{0,3})?\s*(?:$|```)"
)
"""What may be left of the text where a value was cut off: nothing, half a word, number or escape; or a fence's end."""


@dataclass(frozen=True, slots=True)
class JsonValue:
    """A parsed value and the part of the text that it stands in."""

    value: Any
    text: str


@dataclass(frozen=True, slots=True)
class _Failure:
    """Why no value stands at a bracket: the text ends within it (``cut``), or ``length`` characters are refused."""

    cut: bool
    length: int


def parse_json(text: str) -> JsonValue | None:
    """Return the value that the whole text is (spaces aside), or None."""
    text = text.strip()
    found = _decode(text, 0)
    return found if isinstance(found, JsonValue) and len(found.text) == len(text) else None


def find_json(text: str, openings: str = "{[") -> JsonValue | None:
    """Return the first object or list in ``text``, one that begins with one of ``openings`` if there is any.

    What stands in a code fence comes before what stands outside. Nothing is taken from within a value:
    neither from one that a larger one holds, nor from one that is refused (a key twice, NaN), nor from one
    that the text's end cuts off; a text that ends so has no answer unless one stands before.
    """
    first = None
    for fenced in text.split("```")[1::2]:
        tag, _, body = fenced.partition("\n")
        found = parse_json(body if tag.strip().isalnum() else fenced)
        if found is not None and found.text[0] in openings:
            return found
        if found is not None and found.text[0] in "{[":
            first = first or found
    place = 0
    for _ in range(_MAX_STARTS):
        opening = _OPENING.search(text, place)
        if opening is None:
            return first
        place = opening.start()
        tried = _decode(text, place)
        if isinstance(tried, JsonValue):
            if tried.text[0] in openings:
                return tried
            first = first or tried
            place += len(tried.text)
        elif tried.cut:
            return None
        else:
            place += max(tried.length, 1)
    return first


def _decode(text: str, start: int) -> JsonValue | _Failure:
    try:
        value, end = _DECODER.raw_decode(text, start)
    except ValueError:
        return _failure(text, start)
    except RecursionError:
        return _Failure(cut=True, length=0)
    return JsonValue(value, text[start:end]) if _shallow(value) else _Failure(cut=False, length=end - start)


def _failure(text: str, start: int) -> _Failure:
    """Return what a reader that takes NaN, twofold keys and raw line ends would have read."""
    try:
        return _Failure(cut=False, length=_TOLERANT.raw_decode(text, start)[1] - start)
    except json.JSONDecodeError as error:
        unended = error.msg.startswith("Unterminated string")
        return _Failure(cut=unended or _HALF.match(text, error.pos) is not None, length=0)
    except (ValueError, RecursionError):  # a number of thousands of digits, or nesting without end
        return _Failure(cut=True, length=0)


def _shallow(value: Any) -> bool:  # noqa: ANN401 - any JSON value
    """Whether nothing is nested deeper than ``MAX_DEPTH``; level by level, since depth is what is in doubt."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [child for node in level for child in _containers(node)]
        if not level:
            return True
    return False


def _containers(node: Any) -> list[Any]:  # noqa: ANN401 - any JSON value
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return [child for child in children if isinstance(child, dict | list)]


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return record


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("a number is too large")
    return number


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_pairs, parse_float=_finite, parse_constant=_no_constant)
_TOLERANT = json.JSONDecoder(strict=False)
