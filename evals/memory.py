"""The process's peak memory while something runs, sampled by a thread (the kernel's own peak never falls)."""

import threading
from types import TracebackType
from typing import Self

import psutil

INTERVAL_SECONDS = 0.02


class PeakMemory:
    """``with PeakMemory() as peak: …`` then ``peak.megabytes``: the largest resident set seen, in MB of 10⁶ bytes."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._stop = threading.Event()
        self._peak = 0
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> Self:
        """Begin sampling."""
        self._look()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End sampling."""
        self._stop.set()
        self._thread.join()
        self._look()

    @property
    def megabytes(self) -> float:
        """The peak so far."""
        return round(self._peak / 1e6, 1)

    def _sample(self) -> None:
        while not self._stop.wait(INTERVAL_SECONDS):
            self._look()

    def _look(self) -> None:
        self._peak = max(self._peak, self._process.memory_info().rss)
