"""What one request takes by itself, asked cold and asked again warm, as a user would wait for it.

A run answers rows in batches, which tells what a row costs and not how long it takes. So after its rows an arm is
asked some of them one at a time: cold, after what it keeps between requests is dropped (the computed prefix of the
prompt), and warm, right after. Only the clock is read; the answers are thrown away.
"""

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np

from evals.errors import SpendingError
from evals.example import Example
from evals.full_disk import full_disk
from evals.protocols import Arm
from evals.stored import ADDED_LATER

ROWS = 16
"""Requests that are timed, at most."""

SECONDS = 6.0
"""Time that they may take in all, once ``FEWEST`` are timed; the one under way is finished."""

FEWEST = 5
"""Fewer rows than these tell little."""

MOST_SECONDS = 15.0
"""Time after which no further row is begun, however few are timed."""


@runtime_checkable
class KeepsCache(Protocol):
    """An arm that can keep something between requests."""

    def serve(self, *, on: bool) -> None:
        """Answer single requests from what earlier ones have left (``on``), or each for itself."""
        ...

    def cool(self) -> None:
        """Drop it, so that the next request starts from nothing but the loaded model."""
        ...


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds of ``rows`` single requests: median and 95th percentile, cold and warm; ``ids`` says which rows."""

    rows: int
    cold_ms_p50: float
    cold_ms_p95: float
    warm_ms_p50: float
    warm_ms_p95: float
    ids: tuple[str, ...] = field(default=(), metadata=ADDED_LATER)


@dataclass(frozen=True, slots=True)
class Timing:
    """The latency of single requests, or the problem for which there's none."""

    latency: Latency | None = None
    problem: str | None = None


def time_requests(arm: Arm, examples: Sequence[Example], seed: int) -> Timing:
    """Return what single requests take, or why that can't be told: it mustn't cost the answers that are there.

    Raises what stops the whole run, which goes on from here when it's resumed: ``SpendingError``, and the ``OSError``
    of a full disk.
    """
    try:
        latency = measure_latency(arm, examples, seed)
    except SpendingError:
        raise
    except Exception as error:
        if full_disk(error) is not None:
            raise
        return Timing(problem=f"{type(error).__name__}: {error}" if str(error) else type(error).__name__)
    return Timing(latency) if latency else Timing(problem="every row asked alone ended in an error")


def measure_latency(arm: Arm, examples: Sequence[Example], seed: int) -> Latency | None:
    """Return what single requests take, for a seeded choice of ``examples``.

    A row that ends in an error is left out: failing takes another time than answering. None where no row is left.
    """
    chosen = random.Random(seed).sample(examples, min(ROWS, len(examples)))
    ids: list[str] = []
    cold: list[float] = []
    warm: list[float] = []
    begun = time.perf_counter()
    keeps = arm if isinstance(arm, KeepsCache) else None
    if keeps is not None:
        keeps.serve(on=True)
    try:
        for example in chosen:
            if keeps is not None:
                keeps.cool()
            first, again = _timed(arm, example), _timed(arm, example)
            if first is not None and again is not None:
                cold.append(first)
                warm.append(again)
                ids.append(example.id)
            if time.perf_counter() - begun > (SECONDS if len(ids) >= FEWEST else MOST_SECONDS):
                break
    finally:
        if keeps is not None:
            keeps.serve(on=False)
    if not ids:
        return None
    (cold_50, cold_95), (warm_50, warm_95) = (np.percentile(times, [50, 95]) for times in (cold, warm))
    return Latency(len(ids), float(cold_50), float(cold_95), float(warm_50), float(warm_95), tuple(ids))


def _timed(arm: Arm, example: Example) -> float | None:
    begun = time.perf_counter()
    predictions = arm.answer([example])
    taken = 1000 * (time.perf_counter() - begun)
    return None if any(prediction.error is not None for prediction in predictions) else taken
