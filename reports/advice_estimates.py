"""The advice's estimates as blocks of a page: whatever nested mapping they are, as pairs, tables and sentences."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reports.advice_table import DEEPEST, Table, is_plain, label, said, table_of
from reports.wording import upperfirst

TITLES = {
    "memory": "GPU memory (GiB)",
    "requests": "One request",
    "break_even": "Break-even with the cheapest that trains nothing",
    "routes": "Other routes",
    "sentences": "",
}
"""Titles of parts whose key says too little (or needs no title); any other part is called by its key."""

_NAMES = ("name", "approach", "method", "topic")


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
    currency = estimates.get("currency")
    writer = _Writer(currency if isinstance(currency, str) else "")
    given: Any = estimates.get("assumptions")
    if not _are_records(given):
        return EstimatesView(tuple(writer.blocks(estimates, "", 0)), None)
    rest = {key: value for key, value in estimates.items() if key != "assumptions"}
    return EstimatesView(tuple(writer.blocks(rest, "", 0)), table_of(given, keys="name"))


@dataclass(frozen=True)
class _Writer:
    """Turns parts into blocks; sums of money are in ``currency``."""

    currency: str

    def blocks(self, part: Mapping[str, Any], title: str, level: int) -> list[Block]:
        """Return a mapping as a block of its plain values, then one or more for each part nested in it."""
        plain = {key: value for key, value in part.items() if is_plain(value)}
        pairs = tuple((label(key, self.currency), said(value)) for key, value in plain.items())
        made = [Block(title, level, pairs)] if pairs or title else []
        for key, value in part.items():
            if not is_plain(value) and value:
                made += self._part(value, TITLES.get(key, label(key)), level + 1)
        return made

    def _part(self, value: Any, title: str, level: int) -> Iterable[Block]:  # noqa: ANN401
        if level > DEEPEST:
            return [Block(title, level, sentences=(str(value),))]
        if isinstance(value, Mapping):
            return self.blocks(value, title, level)
        if not _are_records(value):
            return [Block(title, level, sentences=tuple(map(said, value)))]
        if not any(_holds_list(record) for record in value):
            return [Block(title, level, table=table_of(value, self.currency))]
        return [Block(title, level), *self._records(value, level + 1)]

    def _records(self, records: Sequence[Mapping[str, Any]], level: int) -> Iterable[Block]:
        """Yield the blocks of records that don't fit into a table, each under its own name."""
        for place, record in enumerate(records, 1):
            known = next((key for key in _NAMES if isinstance(record.get(key), str)), "")
            name = upperfirst(said(record[known])) if known else f"Number {place}"
            yield from self.blocks({key: value for key, value in record.items() if key != known}, name, level)


def _are_records(value: object) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(isinstance(one, Mapping) for one in value)


def _holds_list(value: object, level: int = 0) -> bool:
    if isinstance(value, Mapping):
        return level < DEEPEST and any(_holds_list(one, level + 1) for one in value.values())
    return isinstance(value, list | tuple)
