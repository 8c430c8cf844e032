"""Attention in parts: what every query sees, a row's own tokens, and the label tree in blocks, joined exactly.

One mask over all keys makes every query pay for every key, those it may not see too. Here the columns that all rows
share are read without a mask, and nodes of a label tree see a block of some dozen neighbours instead of the whole
tree. Each part gives its output and the logarithm of its normaliser; from these follows the softmax over all of them
(as in flash attention, arXiv 2205.14135).

It stands in for the module's own attention for the length of one pass (``baselines.own_attention``).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from baselines.label_tree import LabelTree
from baselines.own_attention import attend, attending, refuse_strange

if TYPE_CHECKING:
    from transformers import PreTrainedConfig

BLOCK = 32
"""Nodes of a label tree that attend together: half of a larger block would be what they may not see."""


@dataclass(frozen=True)
class Blocks:
    """The nodes of a label tree in blocks of ``BLOCK``, in their order, in which a parent stands before its children.

    ``keys`` (blocks, width) are the nodes each block looks at: its first node's ancestors, then its own. ``mask``
    (blocks, 1, BLOCK, width) is added to the scores.
    """

    size: int
    keys: torch.Tensor
    mask: torch.Tensor


@dataclass(frozen=True)
class Split:
    """Which keys the queries of a pass see.

    The first ``shared`` columns of the cache are the same in all rows, and every query sees them. Behind them stand
    ``own`` tokens of each row, then the nodes of a label tree in ``blocks``; the last queries are theirs. ``mask``
    (rows, 1, queries, own) is added to the scores of own tokens.
    """

    shared: int
    own: int
    mask: torch.Tensor
    blocks: Blocks

    def of_nodes(self) -> "Split":
        """Return the same for a pass of the nodes alone."""
        return replace(self, mask=self.mask[:, :, -self.blocks.size :])


_now: ContextVar[Split] = ContextVar("split")


@contextmanager
def split_attention(config: "PreTrainedConfig", split: Split) -> Iterator[None]:
    """Let modules of ``config`` attend as ``split`` says."""
    token = _now.set(split)
    try:
        with attending(config, "tuneworthy_split", _attend):
            yield
    finally:
        _now.reset(token)


def look_back(real: torch.Tensor, first: int, last: int, dtype: torch.dtype) -> torch.Tensor:
    """Return what is added to the scores of queries ``first`` to ``last``, shape (rows, 1, queries, tokens).

    ``real`` (rows, tokens) says which tokens are no padding. Each sees itself, padding too (a query that sees nothing
    would have no softmax), and the real ones before it; queries beyond the last token see all real ones.
    """
    look = torch.ones((last, real.shape[1]), dtype=torch.bool, device=real.device).tril()[first:]
    seen = look & real[:, None, :]
    seen.diagonal(first, 1, 2).fill_(True)
    return _added(seen, dtype)[:, None]


def make_blocks(tree: LabelTree, rows: int, dtype: torch.dtype) -> Blocks:
    """Return the blocks of ``tree`` for a pass of ``rows`` rows; its nodes must stand depth first."""
    size = tree.size
    starts = range(0, size, BLOCK)
    above = [_ancestors(tree, start + 1) for start in starts]
    widest = max(map(len, above))
    keys = np.zeros((len(starts), widest + BLOCK), dtype=np.int64)
    seen = np.zeros((len(starts), BLOCK, widest + BLOCK), dtype=np.bool_)
    for place, (start, nodes) in enumerate(zip(starts, above, strict=True)):
        queries = np.arange(start, min(start + BLOCK, size))
        keys[place, : len(nodes)] = nodes
        keys[place, widest : widest + len(queries)] = queries
        seen[place, : len(queries), : len(nodes)] = tree.visible[queries][:, nodes]
        seen[place, : len(queries), widest : widest + len(queries)] = tree.visible[np.ix_(queries, queries)]
        seen[place, len(queries) :, widest] = True  # what fills up the last block must see something
    mask = _added(torch.from_numpy(seen), dtype)[:, None]
    return Blocks(size, torch.from_numpy(keys), mask.repeat(rows, 1, 1, 1))


def _ancestors(tree: LabelTree, node: int) -> list[int]:
    """Return the nodes above ``node`` without the root, counted from 0 as queries are."""
    above = []
    while node := tree.parent[node]:
        above.append(node - 1)
    return above


def _added(seen: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    return torch.zeros(seen.shape, dtype=dtype, device=seen.device).masked_fill_(~seen, -torch.inf)


@dataclass
class _Part:
    """Attention to some of the keys: (rows, queries, heads, width), and its normalisers' logarithms without width."""

    output: torch.Tensor
    log_sum: torch.Tensor

    def join(self, other: "_Part") -> "_Part":
        """Return attention to the keys of both."""
        share = torch.sigmoid(self.log_sum - other.log_sum)[..., None].to(self.output.dtype)
        return _Part(torch.lerp(other.output, self.output, share), torch.logaddexp(self.log_sum, other.log_sum))


def _attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    **kwargs: object,
) -> tuple[torch.Tensor, None]:
    """Return attention as transformers wants it, (rows, queries, heads, width), for the ``Split`` of this pass."""
    refuse_strange(dropout, kwargs)
    split = _now.get()
    own = slice(split.shared, split.shared + split.own)
    found = _part(query, key[:, :, own], value[:, :, own], split.mask, scaling)
    if split.shared:
        keys, values = (states[:1, :, : split.shared].expand(len(query), -1, -1, -1) for states in (key, value))
        found = found.join(_part(query, keys, values, None, scaling))
    nodes = slice(-split.blocks.size, None)
    behind = _Part(found.output[:, nodes], found.log_sum[:, nodes])
    others = _block_part(query[:, :, nodes], key[:, :, nodes], value[:, :, nodes], split.blocks, scaling)
    found.output[:, nodes] = behind.join(others).output
    return found.output.contiguous(), None


def _part(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: torch.Tensor | None, scaling: float | None
) -> _Part:
    """Attend to ``key`` under ``mask``, or to all of it."""
    output, log_sum = attend(query, key, value, mask, scaling)
    return _Part(output.transpose(1, 2), log_sum.transpose(1, 2))


def _block_part(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, blocks: Blocks, scaling: float | None
) -> _Part:
    """Attend from a tree's nodes to nodes: blocks as rows of a batch."""
    rows, heads, size, width = query.shape
    number, wide = blocks.keys.shape
    queries = query.new_zeros((rows, number * BLOCK, heads, width))
    queries[:, :size] = query.transpose(1, 2)
    keys, values = (
        states.transpose(1, 2)
        .index_select(1, blocks.keys.view(-1))
        .view(rows * number, wide, -1, width)
        .transpose(1, 2)
        for states in (key, value)
    )
    queries = queries.view(rows * number, BLOCK, heads, width).transpose(1, 2)
    found = _part(queries, keys, values, blocks.mask, scaling)
    output = found.output.reshape(rows, -1, heads, width)[:, :size]
    return _Part(output, found.log_sum.reshape(rows, -1, heads)[:, :size])
