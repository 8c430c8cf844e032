"""What one request takes by itself, asked cold and asked again warm, as a user would wait for it.

A run answers rows in batches, which tells what a row costs and not how long it takes. So after its rows an arm is
asked some of them one at a time: cold, after what it keeps between requests is dropped (the computed prefix of the
prompt), and warm, right after. Only the clock is read; the answers are thrown away.
"""

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from evals.example import Example
from evals.protocols import Arm

ROWS = 16
"""Requests that are timed, at most."""

SECONDS = 6.0
"""Time that they may take in all; the one under way is finished."""


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
    """Milliseconds of ``rows`` single requests: median and 95th percentile, cold and warm."""

    rows: int
    cold_ms_p50: float
    cold_ms_p95: float
    warm_ms_p50: float
    warm_ms_p95: float


def measure_latency(arm: Arm, examples: Sequence[Example], seed: int) -> Latency | None:
    """Return what single requests take, for a seeded choice of ``examples``; None without any."""
    chosen = random.Random(seed).sample(range(len(examples)), min(ROWS, len(examples)))
    cold: list[float] = []
    warm: list[float] = []
    begun = time.perf_counter()
    keeps = arm if isinstance(arm, KeepsCache) else None
    if keeps is not None:
        keeps.serve(on=True)
    try:
        for place in chosen:
            if keeps is not None:
                keeps.cool()
            cold.append(_timed(arm, examples[place]))
            warm.append(_timed(arm, examples[place]))
            if time.perf_counter() - begun > SECONDS:
                break
    finally:
        if keeps is not None:
            keeps.serve(on=False)
    if not cold:
        return None
    (cold_50, cold_95), (warm_50, warm_95) = (np.percentile(times, [50, 95]) for times in (cold, warm))
    return Latency(len(cold), float(cold_50), float(cold_95), float(warm_50), float(warm_95))


def _timed(arm: Arm, example: Example) -> float:
    begun = time.perf_counter()
    arm.answer([example])
    return 1000 * (time.perf_counter() - begun)
