"""Exact log-likelihoods of a label set after many prompts, for the price of about one pass per prompt.

What all prompts begin with is computed once, and so is what some of them begin with; the rest goes in
batches of similar length, left-padded; behind each prompt the nodes of the label tree stand side by side,
each seeing the prompt and its own ancestors only (``baselines.label_tree``). On a CPU attention goes in
parts (``baselines.split_attention``). Logits are taken at the prompt's last token and at the nodes,
nowhere else. Where an architecture doesn't take such a mask, labels are scored as rows behind the
cached prompt, and where it can't be cached or padded, one full text at a time.
"""

from collections.abc import Sequence

import numpy as np
import torch

from baselines.batches import plan_batches, run_halving
from baselines.choose_paths import Scores, read_logprobs, score_cached, score_plain
from baselines.forward import Forward, Way
from baselines.kv_cache import Prefix, open_cache, truncate
from baselines.label_tree import LabelTree, grow_trees
from baselines.padding import pad_left
from baselines.prefix_groups import group_rows

_NOT_A_NUMBER = "the model gave NaN, not a number, as a likelihood"


def score_labels(
    forward: Forward,
    rows: Sequence[list[int]],
    stranger: Sequence[int],
    labels: Sequence[Sequence[int]],
    ends: Sequence[int] = (),
) -> list[Scores | str]:
    """Return for each prompt in ``rows`` the log-likelihood of each label, shape (labels,), or why it failed.

    ``rows`` and ``labels`` are token ids, none empty; every prompt fits the context together with the
    longest label. ``stranger`` tells what belongs to the prefix (see ``shared_length``). With ``ends``, the
    log of the probability that one of those tokens follows is added to each label's.
    """
    if not rows:
        return []
    with forward.scoring():
        way = forward.way = forward.way or find_way(forward)
        longest = max(map(len, rows)) + max(map(len, labels))
        if way == "tree" and not forward.sees_all(longest):
            way = "cached"  # the tree's mask would show a windowed layer more than it may see
        trees = grow_trees(labels, max(1, forward.budget.logits // forward.vocabulary - 1), ends)
        if way == "plain":
            found = _score_one_by_one(forward, rows, trees)
        else:
            prefix, rests = forward.share(rows, stranger, longest)
            found = _score_batches(forward, prefix, rests, trees, way)
    return [_NOT_A_NUMBER if isinstance(row, np.ndarray) and np.isnan(row).any() else row for row in found]


def find_way(forward: Forward) -> Way:
    """Return the fastest way that gives an architecture's true scores, found by trying on a few tokens."""
    tokens = [place % forward.vocabulary for place in range(3, 40)]
    rows = [tokens[:24], [*tokens[:20], *tokens[30:32]], tokens[:21]]
    trees = grow_trees([tokens[24:27], [tokens[24], tokens[28], tokens[29]], [tokens[30]]])
    try:
        truth = [score_plain(forward, row, trees) for row in rows]
    except RuntimeError:
        return "plain"  # where each row will say what's wrong
    close = 1e-3 if forward.dtype == torch.float32 else 0.5
    longest = len(tokens)
    ways: tuple[Way, ...] = ("tree", "cached") if forward.tree_masks and forward.sees_all(longest) else ("cached",)
    tries = [
        (way, splits) for way in ways for splits in ((True, False) if way == "tree" and forward.splits else (False,))
    ]
    for way, forward.splits in tries:
        try:
            prefix, rests = forward.share(rows, rows[0], longest)
            found = _score_batches(forward, prefix, rests, trees, way)
        except (RuntimeError, ValueError, TypeError, AttributeError, IndexError, NotImplementedError):
            continue  # this architecture takes its cache, its mask or its attention in another form
        finally:
            forward.forget()
        pairs = zip(found, truth, strict=True)
        if all(isinstance(row, np.ndarray) and np.allclose(row, true, atol=close) for row, true in pairs):
            return way
    return "plain"


def _score_batches(
    forward: Forward, prefix: Prefix, rests: Sequence[list[int]], trees: Sequence[LabelTree], way: Way
) -> list[Scores | str]:
    budget, shared = forward.budget, len(prefix.ids)
    if way == "tree":
        score, columns = _score_tree, max(tree.size for tree in trees)
    else:
        score, columns = score_cached, max(max(tree.depth) for tree in trees)
    mask_per_query = way == "tree" and columns > 0

    def fits(count: int, longest: int) -> bool:
        new = longest + columns
        return (
            count <= budget.rows
            and count * new <= budget.tokens
            and count * (shared + new) <= budget.cached
            and (not mask_per_query or count * new * (shared + new) <= budget.scores)
            and count * (1 + columns) * forward.vocabulary <= budget.logits
        )

    def work(part: Sequence[int]) -> list[Scores | str]:
        return [*score(forward, prefix, [rests[row] for row in part], trees)]

    results: dict[int, Scores | str] = {}
    grouped = forward.sees_all(shared + max(map(len, rests)) + max(max(tree.depth) for tree in trees))
    for group in group_rows(rests).groups if grouped else ():
        try:
            longer = forward.extend(prefix, rests[group.rows[0]][: group.length])
        except (RuntimeError, MemoryError, IndexError):
            continue  # the rows' own passes will say what's wrong, each for itself
        inner = [rests[row][group.length :] for row in group.rows]
        results.update(zip(group.rows, _score_batches(forward, longer, inner, trees, way), strict=True))
    left = [row for row in range(len(rests)) if row not in results]
    for places in plan_batches([len(rests[row]) for row in left], fits, budget.enough):
        batch = [left[place] for place in places]
        results.update(zip(batch, run_halving(batch, work, lambda _, why: why), strict=True))
    return [results[row] for row in range(len(rests))]


def _score_one_by_one(forward: Forward, rows: Sequence[list[int]], trees: Sequence[LabelTree]) -> list[Scores | str]:
    def work(part: Sequence[int]) -> list[Scores | str]:
        return [score_plain(forward, rows[row], trees) for row in part]

    return [run_halving([row], work, lambda _, why: why)[0] for row in range(len(rows))]


def _score_tree(forward: Forward, prefix: Prefix, rests: Sequence[list[int]], trees: Sequence[LabelTree]) -> Scores:
    """Score one batch: the first tree's nodes stand right behind the prompts, further trees take their place."""
    shared = len(prefix.ids)
    padded = pad_left(rests, shared, forward.device)
    end = padded.mask.shape[1]
    cache = None
    if prefix.ids or len(trees) > 1:
        cache = open_cache(prefix, len(rests), end + max(tree.size for tree in trees))
    scores = np.empty((len(rests), sum(len(tree.labels) for tree in trees)))
    at_prompt = None
    for tree in trees:
        ids = torch.tensor(tree.token[1:], device=forward.device, dtype=torch.long).expand(len(rests), -1)
        positions = padded.positions[:, -1:] + torch.tensor(tree.depth[1:], device=forward.device, dtype=torch.long)
        split = forward.split(shared, padded.mask[:, shared:], tree)
        if at_prompt is None:
            ids = torch.cat([padded.ids, ids], dim=1)
            positions = torch.cat([padded.positions, positions], dim=1)
            mask = _tree_mask(padded.mask, ids.shape[1], tree) if tree.size and split is None else padded.mask
            logits = forward(ids, mask, positions, cache, keep=1 + tree.size, split=split)
            at_prompt = logits[:, :1].clone() if len(trees) > 1 else logits[:, :1]
        elif tree.size and cache is not None:
            truncate(cache, end)
            mask = _tree_mask(padded.mask, tree.size, tree) if split is None else padded.mask
            split = split and split.of_nodes()
            logits = torch.cat([at_prompt, forward(ids, mask, positions, cache, keep=tree.size, split=split)], dim=1)
        else:
            logits = at_prompt
        scores[:, list(tree.labels)] = tree.sums(read_logprobs(logits, tree.edges, tree.ends))
    return scores


def _tree_mask(real: torch.Tensor, queries: int, tree: LabelTree) -> torch.Tensor:
    """Return who sees whom: shape (rows, 1, queries, seen + nodes) for the last ``queries`` columns.

    ``real`` (rows, seen) says which places of prefix and prompt hold a token. Prompt tokens look back,
    nodes look at the prompt, their ancestors and themselves. Everyone sees itself, padding too: a query
    that sees nothing would have no softmax.
    """
    rows, seen = real.shape
    total = seen + tree.size
    look = torch.ones((total, total), dtype=torch.bool, device=real.device).tril()[total - queries :]
    look[queries - tree.size :, seen:] = torch.from_numpy(tree.visible).to(real.device)
    mask = look.expand(rows, -1, -1).clone()
    mask[:, :, :seen] &= real[:, None, :]
    mask.diagonal(total - queries, 1, 2).fill_(True)
    return mask[:, None]
