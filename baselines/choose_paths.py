"""Label scores for architectures that don't take the label tree's mask: every way down the tree is a row.

Slower than ``baselines.choose`` and just as exact. ``score_cached`` puts the rows behind the prompt's
key-value cache; ``score_plain`` needs neither cache nor left padding and so fits every causal model.
"""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from baselines.forward import Forward
from baselines.kv_cache import Prefix, copy_rows, open_cache
from baselines.label_tree import END, LabelTree
from baselines.padding import pad_left, pad_right

Scores: TypeAlias = NDArray[np.float64]


def score_cached(forward: Forward, prefix: Prefix, rests: Sequence[list[int]], trees: Sequence[LabelTree]) -> Scores:
    """Score one batch: the prompts once, then every way down a tree as a row of its own behind them."""
    device = forward.device
    padded = pad_left(rests, len(prefix.ids), device)
    end = padded.mask.shape[1]
    cache = open_cache(prefix, len(rests), end)
    at_prompt = forward(padded.ids, padded.mask, padded.positions, cache, keep=1)
    scores = np.empty((len(rests), sum(len(tree.labels) for tree in trees)))
    for tree in trees:
        at_root = [edge for edge in tree.edges if edge[0] == 0]
        found = dict(zip(at_root, read_logprobs(at_prompt, at_root).T, strict=True))
        if tree.size:
            deepest = max(tree.depth)
            at_once = max(1, forward.budget.cached // (len(rests) * (end + deepest)))
            for start in range(0, len(tree.paths), at_once):
                paths = tree.paths[start : start + at_once]
                ids, real = pad_right([[tree.token[node] for node in path[1:]] for path in paths], device)
                rows = torch.arange(len(rests), device=device).repeat_interleave(len(paths))
                logits = forward(
                    ids.repeat(len(rests), 1),
                    torch.cat([padded.mask[rows], real.repeat(len(rests), 1)], dim=1),
                    padded.positions[rows, -1:] + torch.arange(1, ids.shape[1] + 1, device=device),
                    copy_rows(cache, rows, end + ids.shape[1]),
                    keep=ids.shape[1],
                )
                _read_paths(tree, paths, logits.view(len(rests), len(paths), *logits.shape[1:]), found, offset=1)
        scores[:, list(tree.labels)] = tree.sums(np.stack([found[edge] for edge in tree.edges], axis=1))
    return scores


def score_plain(forward: Forward, row: list[int], trees: Sequence[LabelTree]) -> Scores:
    """Score one prompt without a cache: the whole text again for every way down the tree."""
    scores = np.empty(sum(len(tree.labels) for tree in trees))
    for tree in trees:
        found: dict[tuple[int, int], NDArray[np.floating]] = {}
        at_once = max(1, forward.budget.tokens // (len(row) + max(tree.depth)))
        for start in range(0, len(tree.paths), at_once):
            paths = tree.paths[start : start + at_once]
            ids, real = pad_right([[*row, *(tree.token[node] for node in path[1:])] for path in paths], forward.device)
            logits = forward(ids, real, None, None, keep=ids.shape[1] - len(row) + 1)
            _read_paths(tree, paths, logits[None], found, offset=0)
        scores[list(tree.labels)] = tree.sums(np.stack([found[edge] for edge in tree.edges], axis=1))[0]
    return scores


def _read_paths(
    tree: LabelTree,
    paths: Sequence[tuple[int, ...]],
    logits: torch.Tensor,
    found: dict[tuple[int, int], NDArray[np.floating]],
    *,
    offset: int,
) -> None:
    """Add to ``found`` the log-probabilities that can be read off ``logits`` (rows, paths, columns, vocabulary).

    Column 0 belongs to the node ``offset`` steps below the root.
    """
    for number, path in enumerate(paths):
        column_of = {node: depth - offset for depth, node in enumerate(path) if depth >= offset}
        edges = [edge for edge in tree.edges if edge[0] in column_of and edge not in found]
        if edges:
            read = read_logprobs(logits[:, number], [(column_of[node], token) for node, token in edges], tree.ends)
            found.update(zip(edges, read.T, strict=True))


def read_logprobs(
    logits: torch.Tensor, edges: Sequence[tuple[int, int]], ends: Sequence[int] = ()
) -> NDArray[np.floating]:
    """Return log p(token) for each (column, token): (rows, columns, vocabulary) → (rows, edges).

    For the token ``END`` it's the logarithm of the summed probability of ``ends``.
    """
    columns, tokens = (torch.tensor(part, device=logits.device) for part in zip(*edges, strict=True))
    values = logits.float()
    picked = values[:, columns, tokens.clamp(min=0)]
    at_end = tokens == END
    if ends:
        ending = torch.tensor(ends, device=logits.device)
        picked[:, at_end] = values[:, columns[at_end, None], ending].logsumexp(dim=-1)
    return (picked - values.logsumexp(dim=-1)[:, columns]).cpu().numpy()
