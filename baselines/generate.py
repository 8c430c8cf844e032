"""Greedy generation for many prompts: shared prefixes, left padding, and rows that leave when they're done."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from transformers import GenerationConfig

from baselines.batches import plan_batches, run_halving
from baselines.choose import find_way
from baselines.encoding import Encoding
from baselines.forward import Forward
from baselines.kv_cache import Prefix, close_up
from baselines.prefix_groups import all_alone, group_rows
from baselines.reading import read_prompts

LEAVE = 8
"""Finished rows are taken out of the batch when they're one in so many: others' cache is copied to their places."""

_NOT_A_NUMBER = "the model gave NaN, not a number, as a logit"


@dataclass
class Written:
    """What one row has got so far: new tokens, and once it's done, text or error. ``seconds`` is its share.

    ``room`` is how many tokens it may get; an answer that was still going on there is ``cut``.
    """

    room: int = 0
    tokens: list[int] = field(default_factory=list)
    done: bool = False
    text: str = ""
    cut: bool = False
    error: str | None = None
    seconds: float = 0.0


@dataclass(frozen=True)
class Ending:
    """When an answer ends, besides at the end of its room: at a token, or at a string of the new text."""

    encoding: Encoding
    stop: tuple[str, ...]

    @property
    def tail(self) -> int:
        """How many of the last tokens hold a stop string that has just been completed."""
        return max((len(stop.encode()) for stop in self.stop), default=0) + 4

    def append(self, row: Written, token: int) -> None:
        """Add a token to ``row`` and close the row if that ends it."""
        row.tokens.append(token)
        ended = token in self.encoding.end_token_ids
        stopped = ended or self._stopped(row.tokens)
        if stopped or len(row.tokens) >= row.room:
            row.done, row.cut = True, not stopped
            text = self.encoding.decode(row.tokens[:-1] if ended else row.tokens)
            ends = [place for place in (text.find(stop) for stop in self.stop) if place >= 0]
            row.text = text[: min(ends, default=len(text))].strip()

    def _stopped(self, tokens: list[int]) -> bool:
        if not self.stop:
            return False
        text = self.encoding.decode(tokens[-self.tail :])
        return any(stop in text for stop in self.stop)


def write_answers(
    forward: Forward, rows: Sequence[list[int]], rooms: Sequence[int], stranger: Sequence[int], ending: Ending
) -> list[Written]:
    """Continue each prompt in ``rows`` greedily until its ``ending``; one result per prompt, in order.

    ``rows`` are token ids, none empty; ``rooms`` says how many tokens each may get, at least one, with which
    it fits the context.
    ``stranger`` tells what belongs to the prefix (see ``baselines.batches.shared_length``).
    """
    if not rows:
        return []
    with forward.scoring():
        forward.way = forward.way or find_way(forward)
        if forward.way == "plain":
            return _write_one_by_one(forward, rows, rooms, ending)
        longest_text = max(len(row) + room for row, room in zip(rows, rooms, strict=True))
        prefix, rests = forward.share(rows, stranger, longest_text)
        shared, budget, most = len(prefix.ids), forward.budget, max(rooms)

        def fits(count: int, longest: int) -> bool:
            return (
                count <= budget.rows
                and count * (shared + longest + most) <= budget.cached
                and count * forward.vocabulary <= budget.logits
            )

        # As with a shared prefix: transformers counts padding as distance, where a layer has a window.
        grouped = forward.sees_all(longest_text)

        def work(part: Sequence[int]) -> list[Written]:
            asked, room = [rests[row] for row in part], [rooms[row] for row in part]
            return _write_batch(forward, prefix, asked, room, ending, grouped=grouped)

        units = [group.rows for group in group_rows(rests).groups] if grouped else []
        written: dict[int, Written] = {}
        # Reading takes little padding (see _Reader), so only the cache's waste speaks against rows of unlike length.
        for batch in plan_batches(list(map(len, rests)), fits, budget.cached // 4, units):
            started = time.perf_counter()
            found = run_halving(batch, work, lambda _, why: Written(done=True, error=why))
            share = (time.perf_counter() - started) / len(batch)
            for row, result in zip(batch, found, strict=True):
                result.seconds = share
                written[row] = result
    return [written[row] for row in range(len(rows))]


def _write_batch(
    forward: Forward, prefix: Prefix, rests: Sequence[list[int]], rooms: Sequence[int], ending: Ending, *, grouped: bool
) -> list[Written]:
    device = forward.device
    group = group_rows(rests) if grouped else all_alone(rests)
    read = read_prompts(forward, prefix, rests, group, max(rooms))
    cache, mask, logits = read.cache, read.mask, read.logits
    results = [Written(room) for room in rooms]
    going = [results[row] for row in read.order]
    last = mask.sum(dim=1, keepdim=True) - 1
    while True:
        best, tokens = logits[:, -1].max(dim=-1)
        for row, token, broken in zip(going, tokens.tolist(), best.isnan().tolist(), strict=True):
            if broken:
                row.done, row.error = True, _NOT_A_NUMBER
            elif not row.done:
                ending.append(row, token)
        open_rows = [place for place, row in enumerate(going) if not row.done]
        if not open_rows:
            return results
        if (len(going) - len(open_rows)) * LEAVE >= len(going):
            # the last of those that go on take the places of the finished ones
            count = len(open_rows)
            free = [place for place, row in enumerate(going[:count]) if row.done]
            moved = [place for place in open_rows if place >= count]
            sources, places = (torch.tensor(rows, dtype=torch.long, device=device) for rows in (moved, free))
            close_up(cache, sources, places, count)
            order = list(range(count))
            for place, source in zip(free, moved, strict=True):
                order[place] = source
            keep = torch.tensor(order, device=device)
            tokens, last, mask = tokens[keep], last[keep], mask[keep]
            going = [going[place] for place in order]
        # A finished row stays where it is: its next position may lie beyond the model's context.
        last = last + torch.tensor([[int(not row.done)] for row in going], device=device)
        mask = torch.cat([mask, mask.new_ones((len(going), 1))], dim=1)
        logits = forward(tokens[:, None], mask, last, cache, keep=1)


def _write_one_by_one(
    forward: Forward, rows: Sequence[list[int]], rooms: Sequence[int], ending: Ending
) -> list[Written]:
    """Let transformers generate, a row at a time: right for every causal model, and slow."""
    ends = sorted(ending.encoding.end_token_ids) or None
    generate: Callable[..., torch.Tensor] = getattr(forward.module, "generate")  # noqa: B009  (torch types hide it)

    def work(part: Sequence[int]) -> list[Written]:
        ids, room = torch.tensor([rows[part[0]]], device=forward.device), rooms[part[0]]
        settings = GenerationConfig(max_new_tokens=room, do_sample=False, eos_token_id=ends, pad_token_id=0)
        new = generate(input_ids=ids, attention_mask=torch.ones_like(ids), generation_config=settings)
        result = Written(room)
        for token in new[0, ids.shape[1] :].tolist():
            if not result.done:
                ending.append(result, token)
        return [result]

    written = []
    for row in range(len(rows)):
        started = time.perf_counter()
        result = run_halving([row], work, lambda _, why: Written(done=True, error=why))[0]
        result.seconds = time.perf_counter() - started
        written.append(result)
    return written
