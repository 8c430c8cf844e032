"""How alike two JSON answers are: equal, or by the share of fields that agree.

``1`` equals ``1.0``; ``true`` equals neither ``1`` nor ``"true"``; the order of keys never matters.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from evals.json_value import parse_json

_Path = tuple[str, ...]
_Leaf = tuple[_Path, str, object]


def json_exact(answer: str, target: str) -> float:
    """Return 1.0 when both parse to the same value (lists in the same order), else 0.0."""
    ours, theirs = parse_json(answer), parse_json(target)
    return float(ours is not None and theirs is not None and _same(ours.value, theirs.value))


def json_f1(answer: str, target: str) -> float:
    """Return F1 (0…1) over (path, value) leaves, as multisets; an item's place in its list doesn't count.

    An empty object or list is a leaf, so that ``{"a": {}}`` differs from ``{}``.
    """
    ours, theirs = parse_json(answer), parse_json(target)
    if ours is None or theirs is None:
        return 0.0
    mine, other = Counter(_leaves(ours.value)), Counter(_leaves(theirs.value))
    return 2 * (mine & other).total() / (mine.total() + other.total())


def json_valid(answer: str, target: str) -> float:
    """Return 1.0 when ``answer`` parses and is an object, list or plain value as ``target`` is, else 0.0."""
    ours, theirs = parse_json(answer), parse_json(target)
    return float(ours is not None and theirs is not None and _shape(ours.value) == _shape(theirs.value))


def _shape(value: Any) -> str:  # noqa: ANN401 - any JSON value
    if isinstance(value, dict):
        return "object"
    return "list" if isinstance(value, list) else "plain"


def _type(value: Any) -> str:  # noqa: ANN401 - any JSON value
    if isinstance(value, bool):
        return "boolean"
    return "number" if isinstance(value, int | float) else type(value).__name__


def _same(first: Any, second: Any) -> bool:  # noqa: ANN401 - any JSON value
    if _type(first) != _type(second):
        return False
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(_same(first[key], second[key]) for key in first)
    if isinstance(first, list):
        return len(first) == len(second) and all(map(_same, first, second))
    return bool(first == second)


def _leaves(value: Any, path: _Path = ()) -> Iterator[_Leaf]:  # noqa: ANN401 - any JSON value
    if isinstance(value, dict) and value:
        for key, child in value.items():
            yield from _leaves(child, (*path, f".{key}"))
    elif isinstance(value, list) and value:
        for child in value:
            yield from _leaves(child, (*path, "[]"))
    else:
        yield path, _type(value), None if isinstance(value, dict | list) else value
