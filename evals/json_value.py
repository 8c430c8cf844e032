"""JSON in answers, by the letter of RFC 8259: no NaN, no infinity, and no key twice in one object."""

import json
import math
from dataclasses import dataclass
from typing import Any, NoReturn

MAX_DEPTH = 100
"""Nesting beyond this is a model running wild; it's taken as no JSON at all."""

_MAX_STARTS = 1000
"""How many opening brackets are tried in one text, so that a text of brackets costs little."""


@dataclass(frozen=True, slots=True)
class JsonValue:
    """A parsed value and the part of the text that it stands in."""

    value: Any
    text: str


def parse_json(text: str) -> JsonValue | None:
    """Return the value that the whole text is (spaces aside), or None."""
    text = text.strip()
    found = _decode(text, 0)
    return found if found is not None and len(found.text) == len(text) else None


def find_json(text: str, openings: str = "{[") -> JsonValue | None:
    """Return the first JSON value in ``text`` that begins with one of ``openings``, or None.

    What stands in a code fence comes before what stands outside.
    """
    for fenced in text.split("```")[1::2]:
        tag, _, body = fenced.partition("\n")
        found = parse_json(body if tag.strip().isalnum() else fenced)
        if found is not None and found.text[0] in openings:
            return found
    starts = 0
    for place, character in enumerate(text):
        if character in openings:
            starts += 1
            found = _decode(text, place)
            if found is not None or starts == _MAX_STARTS:
                return found
    return None


def _decode(text: str, start: int) -> JsonValue | None:
    try:
        value, end = _DECODER.raw_decode(text, start)
    except (ValueError, RecursionError):
        return None
    return JsonValue(value, text[start:end]) if _shallow(value) else None


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
