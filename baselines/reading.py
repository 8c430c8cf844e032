"""Prompts read into one key-value cache: a few at a time, and what several of them begin with once."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from transformers import DynamicCache

from baselines.forward import Forward
from baselines.kv_cache import Prefix
from baselines.kv_parts import PartedCache
from baselines.padding import pad_left
from baselines.prefix_groups import Group


@dataclass(frozen=True)
class Read:
    """Prompts that have been read, in ``order`` (indices of the rows that were given).

    ``mask`` (rows, columns) says where each has tokens in ``cache``; ``logits`` (rows, 1, vocabulary) are their last.
    """

    order: list[int]
    cache: DynamicCache
    mask: torch.Tensor
    logits: torch.Tensor


def read_prompts(forward: Forward, prefix: Prefix, rests: Sequence[list[int]], group: Group, room: int) -> Read:
    """Read ``rests``, all of which stand behind ``prefix``, and leave room for ``room`` tokens behind each.

    ``group`` holds the rows and says what they share.
    """
    end = len(prefix.ids) + max(map(len, rests))
    reader = _Reader(forward, rests, end, PartedCache(len(rests), end, end + room - 1))
    reader.read(group, prefix)
    return Read(reader.order, reader.parted.whole(), torch.cat(reader.masks), torch.cat(reader.logits))


@dataclass
class _Reader:
    forward: Forward
    rests: Sequence[list[int]]
    end: int
    parted: PartedCache
    order: list[int] = field(default_factory=list)
    masks: list[torch.Tensor] = field(default_factory=list)
    logits: list[torch.Tensor] = field(default_factory=list)

    def read(self, group: Group, prefix: Prefix) -> None:
        """Read the rows of ``group``, whose shared tokens ``prefix`` ends with: inner groups first, then the others.

        A part of ``budget.enough`` tokens runs at full speed, so it takes no row that would need padding.
        """
        for inner in group.groups:
            shared = self.rests[inner.rows[0]][group.length : inner.length]
            self.read(inner, self.forward.extend(prefix, shared))
        budget, rows = self.forward.budget, group.alone
        first = 0
        while first < len(rows):
            longest, count = self._left(rows[first], group), 1
            while first + count < len(rows) and (count + 1) * longest <= budget.tokens:
                if count * longest >= budget.enough and self._left(rows[first + count], group) != longest:
                    break
                count += 1
            self._read_part(rows[first : first + count], group, prefix)
            first += count

    def _left(self, row: int, group: Group) -> int:
        return len(self.rests[row]) - group.length

    def _read_part(self, rows: Sequence[int], group: Group, prefix: Prefix) -> None:
        shared = len(prefix.ids)
        part = pad_left([self.rests[row][group.length :] for row in rows], shared, self.forward.device)
        columns = part.mask.shape[1]
        cache = self.parted.part(prefix, len(self.order), len(rows), columns)
        self.logits.append(self.forward(part.ids, part.mask, part.positions, cache, keep=1))
        hidden = part.mask.new_zeros((len(rows), self.end - columns))
        self.masks.append(torch.cat([hidden, part.mask], dim=1))
        self.order += rows
