"""Records of any shape as one table of texts: a column for every value, however deep it lies in its record."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reports.advice_wording import APPROACHES, rough, spelled
from reports.wording import upperfirst

DEEPEST = 6
"""Below this many levels a part is shown as its plain text."""

_IDENTIFIER = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_MONEY = {"cost", "saving", "price"}


@dataclass(frozen=True)
class Table:
    """Records side by side, a row each; ``numeric`` says which columns hold figures alone."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[bool, ...]


def table_of(records: Sequence[Mapping[str, Any]], currency: str = "", keys: str = "") -> Table:
    """Return ``records`` as one table, columns in the order in which they first come.

    ``currency`` is named with columns of money; the column ``keys`` holds names of settings, which are spelled out.
    """
    flat = [_flat(record) for record in records]
    paths = list(dict.fromkeys(path for record in flat for path in record))
    values = [[record.get(path) for path in paths] for record in flat]
    rows = [
        tuple(
            spelled(cell)
            if path == (keys,) and isinstance(cell, str)
            else said(_months(cell) if path[-1] == "months" else cell)
            for path, cell in cells
        )
        for cells in (zip(paths, row, strict=True) for row in values)
    ]
    return Table(
        tuple(_head(path, paths, currency) for path in paths),
        tuple(rows),
        tuple(_is_numeric(column) for column in zip(*values, strict=True)),
    )


def label(key: str, currency: str = "") -> str:
    """Return a key as a title, with the currency where it's about money: ``Cost per run (USD)``."""
    name = upperfirst(spelled(key))
    return f"{name} ({currency})" if currency and _MONEY & set(key.split("_")) else name


def said(value: object) -> str:
    """Return a plain value as a cell has it: figures to a sensible length, ranges in brackets, identifiers in words."""
    if isinstance(value, Mapping) and _is_range(value):
        middle, ends = rough(value.get("middle")), f"{rough(value['low'])} to {rough(value['high'])}"
        return f"{middle} ({ends})" if "middle" in value else ends
    if isinstance(value, str):
        known = APPROACHES.get(value)
        return known or (spelled(value) if _IDENTIFIER.fullmatch(value) else value)
    return rough(value)


def _months(value: object) -> object:
    """Return a range of months without figures that claim to tell hours: ``0.1`` is the least."""
    if not (isinstance(value, Mapping) and _is_range(value)):
        return value
    return {key: max(0.1, one) if isinstance(one, int | float) else one for key, one in value.items()}


def is_plain(value: object) -> bool:
    """Whether ``value`` is shown as one text: anything but lists, and mappings other than a range."""
    return not isinstance(value, Mapping | list | tuple) or _is_range(value)


def _is_range(value: object) -> bool:
    return isinstance(value, Mapping) and {"low", "high"} <= set(value) <= {"low", "middle", "high"}


def _flat(record: Mapping[str, Any], path: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    found: dict[tuple[str, ...], Any] = {}
    for key, value in record.items():
        if not is_plain(value) and isinstance(value, Mapping) and len(path) < DEEPEST:
            found |= _flat(value, (*path, key))
        else:
            found[*path, key] = value
    return found


def _head(path: tuple[str, ...], paths: Sequence[tuple[str, ...]], currency: str) -> str:
    """Return a column's title: its last key, or its whole path where another column ends alike."""
    alone = sum(other[-1] == path[-1] for other in paths) == 1
    return label(path[-1], currency) if alone else upperfirst(": ".join(spelled(key) for key in path))


def _is_numeric(column: Sequence[object]) -> bool:
    figures = [_is_range(cell) or (isinstance(cell, int | float) and not isinstance(cell, bool)) for cell in column]
    return any(figures) and all(cell is None or figure for cell, figure in zip(column, figures, strict=True))
