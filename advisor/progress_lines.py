"""The progress of a run where no terminal is, as in a log file or a pipeline: a line per cell, and one a minute.

Like all that standard error gets beside errors, they begin with ``note:``.
"""

import time
from collections.abc import Callable

from rich.console import Console

EVERY_S = 60.0
"""Seconds that may pass in a cell without a line."""


class LineWatcher:
    """Writes a line when a cell ends, and in between at most one every ``EVERY_S`` seconds by ``clock``."""

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._clock = clock
        self._told = self._began = clock()
        self._place = ""

    def cell_started(self, cell: str, position: int, cells: int) -> None:
        """Remember which one it is; what takes less than a minute needs no line for its beginning."""
        self._place = f"{position} of {cells}"
        self._told = self._began = self._clock()

    def progressed(self, cell: str, phase: str, done: int, total: int) -> None:
        """Say how far the cell is, unless that was said a short while ago."""
        now = self._clock()
        if now - self._told >= EVERY_S:
            self._told = now
            self._say(f"{cell} ({self._place}): {phase}, {done:,} of {total:,}")

    def cell_finished(self, cell: str, outcome: str) -> None:
        """Say the outcome and what the cell took."""
        self._say(f"{cell} ({self._place}): {outcome}, {self._clock() - self._began:.0f} s")

    def cell_failed(self, cell: str, cause: str) -> None:
        """Say why."""
        self._say(f"{cell} ({self._place}) failed: {cause}")

    def _say(self, text: str) -> None:
        self._console.print(f"note: {text}", markup=False, highlight=False, soft_wrap=True)
