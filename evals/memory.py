"""Memory: a process's peak while something runs, and how an error says that there was too little.

The peak is sampled by a thread, since the kernel's own never falls.
"""

import threading
from types import TracebackType
from typing import Self

import psutil

INTERVAL_SECONDS = 0.02

_TOO_LITTLE = ("out of memory", "can't allocate memory", "not enough memory", "_alloc_failed")
"""How torch on a CPU, CUDA and its libraries say that memory ran out."""


def says_out_of_memory(error: BaseException) -> bool:
    """Tell whether ``error`` is the machine or a device running out of memory, by its type or its words."""
    if isinstance(error, MemoryError):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and any(words in text for words in _TOO_LITTLE)


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
