"""The prefix tree of a label set: what several labels share is computed once.

Labels are token sequences. A node stands for a distinct proper prefix of at least one label: the
position after which a label's next token is read off. Node 0 is the root, the prompt itself. The last
token of a label needs no node unless it goes on to become another label, or the end behind it counts:
then the label's last step is ``END``, which stands for any of the tree's ``ends``.

All nodes but the root can stand side by side in one forward pass: node ``i`` sees the prompt, its
ancestors and itself (``visible``), at position ``len(prompt) - 1 + depth[i]``. The same idea is used
for speculative decoding with token trees (SpecInfer, arXiv 2305.09781).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

END = -1
"""In place of a token: the answer is over, said by any of the tokens that can end it."""


@dataclass(frozen=True)
class LabelTree:
    """The tree of some labels.

    ``labels`` are the indices of these labels in the caller's list. ``token``, ``parent`` and ``depth``
    describe the nodes, depth first; of the root (node 0) only the depth, 0, means anything.
    ``steps[k]`` is the path of label ``labels[k]``: for each of its tokens the node
    whose logits are read and the token itself; where there are ``ends``, its last is (node, ``END``).
    """

    labels: tuple[int, ...]
    token: tuple[int, ...]
    parent: tuple[int, ...]
    depth: tuple[int, ...]
    steps: tuple[tuple[tuple[int, int], ...], ...]
    ends: tuple[int, ...] = ()

    @property
    def size(self) -> int:
        """How many tokens a forward pass must feed after the prompt: all nodes but the root."""
        return len(self.token) - 1

    @cached_property
    def visible(self) -> NDArray[np.bool_]:
        """Which node sees which, root left out: shape (size, size), row = the one that looks."""
        seen = np.eye(self.size, dtype=np.bool_)
        for node in range(1, len(self.token)):
            if self.parent[node]:
                seen[node - 1] |= seen[self.parent[node] - 1]
        return seen

    @cached_property
    def edges(self) -> tuple[tuple[int, int], ...]:
        """The distinct (node, next token) pairs whose log-probability some label needs."""
        return tuple(dict.fromkeys(step for path in self.steps for step in path))

    @cached_property
    def paths(self) -> tuple[tuple[int, ...], ...]:
        """The nodes of each longest way down from the root, root included; together they hold every node."""
        inner = {parent for node, parent in enumerate(self.parent) if node}
        ends = [node for node in range(len(self.token)) if node not in inner]
        return tuple(self._way_to(node) for node in ends)

    def _way_to(self, node: int) -> tuple[int, ...]:
        way = [node]
        while way[-1]:
            way.append(self.parent[way[-1]])
        return tuple(reversed(way))

    def sums(self, edge_logprobs: NDArray[np.floating]) -> NDArray[np.float64]:
        """Add up each label's steps: (rows, edges) log-probabilities → (rows, labels) log-likelihoods."""
        index = {edge: place for place, edge in enumerate(self.edges)}
        flat = [index[step] for path in self.steps for step in path]
        starts = np.cumsum([0, *(len(path) for path in self.steps[:-1])])
        return np.add.reduceat(edge_logprobs[:, flat].astype(np.float64), starts, axis=1)


def one_begins_another(labels: Sequence[Sequence[int]]) -> bool:
    """Tell whether the tokens of one label are the beginning of another's, which goes on."""
    distinct = sorted({tuple(label) for label in labels})
    # what begins with a label stands right behind it in this order
    return any(after[: len(label)] == label for label, after in pairwise(distinct))


def grow_trees(
    labels: Sequence[Sequence[int]], max_nodes: int | None = None, ends: Sequence[int] = ()
) -> list[LabelTree]:
    """Return the trees of ``labels``, each of at most ``max_nodes`` nodes besides the root where it can be.

    One tree without ``max_nodes``. A label that needs more nodes than that gets a tree of its own.
    Labels that begin alike stay together. With ``ends``, the tokens that can end an answer, every label's
    end is one more step. Raises ``ValueError`` for a label without tokens.
    """
    for place, label in enumerate(labels):
        if not len(label):
            raise ValueError(f"label {place} has no tokens")
    if ends:
        labels = [(*label, END) for label in labels]
    if max_nodes is None:
        return [_grow(labels, range(len(labels)), ends)] if labels else []
    order = sorted(range(len(labels)), key=lambda place: tuple(labels[place]))
    groups: list[list[int]] = []
    nodes: set[tuple[int, ...]] = set()
    for place in order:
        label = tuple(labels[place])
        prefixes = {label[:end] for end in range(1, len(label))}
        if not groups or len(nodes | prefixes) > max_nodes:
            groups.append([])
            nodes = set()
        groups[-1].append(place)
        nodes |= prefixes
    return [_grow(labels, sorted(group), ends) for group in groups]


def _grow(labels: Sequence[Sequence[int]], chosen: Sequence[int], ends: Sequence[int]) -> LabelTree:
    token, parent, depth = [-1], [-1], [0]
    node_of: dict[tuple[int, int], int] = {}
    steps: dict[int, tuple[tuple[int, int], ...]] = {}
    for place in sorted(chosen, key=lambda place: tuple(labels[place])):  # so that the nodes stand depth first
        node = 0
        path = []
        label = labels[place]
        for offset, piece in enumerate(label):
            path.append((node, piece))
            if offset == len(label) - 1:
                break
            if (node, piece) not in node_of:
                node_of[node, piece] = len(token)
                token.append(piece)
                parent.append(node)
                depth.append(depth[node] + 1)
            node = node_of[node, piece]
        steps[place] = tuple(path)
    in_order = tuple(steps[place] for place in chosen)
    return LabelTree(tuple(chosen), tuple(token), tuple(parent), tuple(depth), in_order, tuple(ends))
