"""The advice's estimates as blocks of a page: whatever nested mapping they are, as pairs, tables and sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reports.advice_wording import ARMS, APPROACHES, rough, spelled
from reports.wording import upperfirst

DEEPEST = 6
"""Below this many levels a part is shown as its plain text."""

_NAMES = ("name", "approach", "method", "topic")


@dataclass(frozen=True)
class Table:
    """Records side by side: a row each; ``numeric`` says which columns hold figures alone."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[bool, ...]


@dataclass(frozen=True)
class Block:
    """One part of the estimates under its own title; what it doesn't have is empty."""

    title: str
    level: int
    pairs: tuple[tuple[str, str], ...] = ()
    sentences: tuple[str, ...] = ()
    table: Table | None = None


@dataclass(frozen=True)
class EstimatesView:
    """The estimates in their own order, and the assumptions apart."""

    blocks: tuple[Block, ...]
    assumptions: Table | None


def build_estimates(estimates: Mapping[str, Any] | None) -> EstimatesView | None:
    """Return the estimates as blocks, None for none."""
    if estimates is None:
        return None
    rest = {key: value for key, value in estimates.items() if key != "assumptions"}
    given = estimates.get("assumptions")
    records = given if _are_records(given) else []
    blocks = _blocks(rest, "", 0)
    if given and not records:
        blocks += _blocks({"assumptions": given}, "", 0)
    return EstimatesView(tuple(blocks), table_of(records, spell=("name",)) if records else None)


def table_of(records: Sequence[Mapping[str, Any]], spell: tuple[str, ...] = ()) -> Table:
    """Return records as one table, columns in the order in which they first come; ``spell`` names columns of keys."""
    flat = [_flat(record) for record in records]
    paths = list(dict.fromkeys(path for record in flat for path in record))
    values = [[record.get(path) for path in paths] for record in flat]
    rows = [
        tuple(_said(cell, spelling=path[-1] in spell) for path, cell in zip(paths, row, strict=True)) for row in values
    ]
    numeric = [
        all(cell is None or _is_number(cell) for cell in column) and any(_is_number(cell) for cell in column)
        for column in zip(*values, strict=True)
    ]
    return Table(tuple(_heads(paths)), tuple(rows), tuple(numeric))


def _blocks(part: Mapping[str, Any], title: str, level: int) -> list[Block]:
    """Return a mapping as one block of its plain values and further ones for what is nested in it."""
    pairs = [(upperfirst(spelled(key)), _said(value)) for key, value in part.items() if _is_plain(value)]
    made = [Block(title, level, tuple(pairs))] if pairs else []
    for key, value in part.items():
        name = upperfirst(spelled(key))
        if _is_plain(value) or not value:
            continue
        if level >= DEEPEST:
            made.append(Block(name, level + 1, sentences=(str(value),)))
        elif isinstance(value, Mapping):
            made += _nested(value, name, level + 1)
        elif _are_records(value):
            made += _records(value, name, level + 1)
        else:
            made.append(Block(name, level + 1, sentences=tuple(_said(one) for one in value)))
    return made


def _nested(part: Mapping[str, Any], title: str, level: int) -> list[Block]:
    inner = _blocks(part, title, level)
    return inner if inner and inner[0].title == title else [Block(title, level), *inner]


def _records(records: Sequence[Mapping[str, Any]], title: str, level: int) -> list[Block]:
    """Return records as a table where every value has a cell, else each under its own title."""
    if not any(_holds_list(record) for record in records):
        return [Block(title, level, table=table_of(records))]
    made = [Block(title, level)]
    for place, record in enumerate(records, 1):
        known = next((key for key in _NAMES if isinstance(record.get(key), str)), None)
        name = upperfirst(_said(record[known])) if known else f"Number {place}"
        made += _nested({key: value for key, value in record.items() if key != known}, name, level + 1)
    return made


def _flat(record: Mapping[str, Any], path: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    found: dict[tuple[str, ...], Any] = {}
    for key, value in record.items():
        if isinstance(value, Mapping) and len(path) < DEEPEST:
            found |= _flat(value, (*path, key))
        else:
            found[*path, key] = value
    return found


def _heads(paths: Sequence[tuple[str, ...]]) -> list[str]:
    """Return a title for each column: its last key, or its whole path where others end alike."""
    ends = [path[-1] for path in paths]
    return [
        upperfirst(spelled(path[-1] if ends.count(path[-1]) == 1 else ": ".join(path))) for path in paths
    ]


def _said(value: object, *, spelling: bool = False) -> str:
    if isinstance(value, str):
        return spelled(value) if spelling else APPROACHES.get(value, ARMS.get(value, value))
    return rough(value)


def _is_plain(value: object) -> bool:
    return not isinstance(value, Mapping | list | tuple)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _are_records(value: object) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(isinstance(one, Mapping) for one in value)


def _holds_list(value: object, level: int = 0) -> bool:
    if isinstance(value, Mapping):
        return level < DEEPEST and any(_holds_list(one, level + 1) for one in value.values())
    return isinstance(value, list | tuple)
