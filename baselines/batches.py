"""How rows are put into batches: by length, under a budget; halved when one fails."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from baselines.device import is_out_of_memory

T = TypeVar("T")

ALWAYS = 2
"""So many single rows that fail alike before any has succeeded: the fault isn't the rows'."""

WORTH_SHARING = 16
"""A shared prefix shorter than this many tokens isn't worth a forward pass of its own."""

CHANCE = 32
"""Prompts that agree for fewer than this many tokens beyond the shared instruction and shots do so by chance."""


@dataclass(frozen=True)
class Budget:
    """What one forward pass may hold.

    ``tokens``: new tokens, padding included. ``cached``: positions in the KV cache, over all rows.
    ``scores``: entries of an explicit attention mask. ``logits``: entries of the logits. ``rows``: rows.
    ``enough``: with so many new tokens a pass runs at full speed, and padding isn't worth while any more.
    """

    tokens: int
    cached: int
    scores: int
    logits: int
    rows: int
    enough: int


CACHE_BYTES = 2**31
"""What keys and values of one batch may take on a CPU, whose system kills who takes too much: nothing to halve then."""

CPU_BUDGET = Budget(tokens=4_096, cached=32_768, scores=2**25, logits=2**25, rows=64, enough=512)
LEAST_CACHED, MOST_CACHED = 2_048, 65_536
GPU_BUDGET = Budget(tokens=32_768, cached=262_144, scores=2**29, logits=2**28, rows=512, enough=8_192)


def cpu_budget(position_bytes: int | None) -> Budget:
    """Return the budget of a CPU where a position of the cache takes so many bytes (None: not known)."""
    if not position_bytes:
        return CPU_BUDGET
    return replace(CPU_BUDGET, cached=max(LEAST_CACHED, min(MOST_CACHED, CACHE_BYTES // position_bytes)))


def plan_batches(
    lengths: Sequence[int], fits: Callable[[int, int], bool], enough: int, units: Sequence[Sequence[int]] = ()
) -> Iterator[list[int]]:
    """Yield the indices of ``lengths`` in batches, the longest first, so that there's little padding.

    ``fits(rows, longest)`` says whether a batch of so many rows may be run; a single row always is. A
    batch of ``enough`` tokens or more takes no row that would be padded to more than twice its length.
    ``units`` are rows that stay side by side, in the place of their longest; a batch may still end between them.
    Equal lengths keep their order, so that the same call always makes the same batches.
    """
    batch: list[int] = []
    longest = 0
    for index in _in_order(lengths, units):
        if batch:
            wide = max(longest, lengths[index])
            mostly_padding = 2 * min(longest, lengths[index]) < wide and len(batch) * wide >= enough
            if mostly_padding or not fits(len(batch) + 1, wide):
                yield batch
                batch, longest = [], 0
        batch.append(index)
        longest = max(longest, lengths[index])
    if batch:
        yield batch


def _in_order(lengths: Sequence[int], units: Sequence[Sequence[int]]) -> list[int]:
    """Return all indices: units, and rows that are in none, by their longest."""
    together = {index for unit in units for index in unit}
    places = [*units, *([index] for index in range(len(lengths)) if index not in together)]
    places.sort(key=lambda unit: (-max(lengths[index] for index in unit), min(unit)))
    return [index for unit in places for index in unit]


def shared_length(rows: Sequence[list[int]], stranger: Sequence[int], *, alone: bool = False) -> int:
    """Return how many tokens of all ``rows`` are the same and worth computing once (0: none).

    At least one token of every row is left over. ``stranger`` is a prompt of the same kind with an
    input of its own: where the rows agree a little longer than with it, that's chance, and the prefix
    ends where ``stranger`` parts, so that the next call has the same one. With ``alone`` a single row shares its
    prefix with earlier and later calls, as a server's cache would.
    """
    if len(rows) == 1 and alone:
        length = min(agreement(rows[0], stranger), len(rows[0]) - 1)
        return length if length >= WORTH_SHARING else 0
    if len(rows) < 2:
        return 0  # a row alone has nothing to share, and mustn't depend on what an earlier call has left
    low, high = min(rows), max(rows)  # what the smallest and the largest share, all share
    everyone = min(agreement(low, high), min(map(len, rows)) - 1)
    usual = min(everyone, agreement(low, stranger))
    length = usual if everyone - usual < CHANCE else everyone
    return length if length >= WORTH_SHARING else 0


def agreement(left: Sequence[int], right: Sequence[int]) -> int:
    """Return how many leading items two sequences have in common."""
    for place, (one, other) in enumerate(zip(left, right, strict=False)):
        if one != other:
            return place
    return min(len(left), len(right))


def run_halving(
    rows: Sequence[int], work: Callable[[Sequence[int]], list[T]], failed: Callable[[int, str], T]
) -> list[T]:
    """Return ``work(rows)``, in ever smaller parts when it fails; a row that fails alone becomes ``failed(row, why)``.

    So one row's failure stays its own. Where the first two rows fail alone for the same reason, the model is
    taken to fail always, and the rest isn't tried.
    """
    done: dict[int, T] = {}
    parts, reasons, hopeless = [list(rows)], [], ""
    while parts:
        part = parts.pop(0)
        if hopeless:
            done |= {row: failed(row, hopeless) for row in part}
            continue
        found, why = _attempt(part, work)
        if found is not None:
            done |= dict(zip(part, found, strict=True))
        elif len(part) > 1:
            parts[:0] = [part[: len(part) // 2], part[len(part) // 2 :]]
        else:
            done[part[0]] = failed(part[0], why)
            reasons.append(why)
            if len(done) == len(reasons) == ALWAYS and len(set(reasons)) == 1:
                hopeless = why
    return [done[row] for row in rows]


def _attempt(part: Sequence[int], work: Callable[[Sequence[int]], list[T]]) -> tuple[list[T] | None, str]:
    """Return ``work(part)``, or None and why it failed."""
    try:
        return work(part), ""
    except (RuntimeError, MemoryError, IndexError) as error:
        why = f"the model failed: {type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
        if is_out_of_memory(error):
            why = "out of memory with this row alone"
    # Outside the handler: the error's traceback would keep the failed batch's tensors alive.
    _release_memory()
    return None, why


def _release_memory() -> None:
    import torch

    if torch.cuda.is_available():
        torch.cuda.empty_cache()
