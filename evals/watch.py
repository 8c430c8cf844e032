"""What the runner tells a person who is waiting; the terminal shows it, tests record it."""

from typing import Protocol


class Watcher(Protocol):
    """Hears how far a run has come."""

    def cell_started(self, cell: str, position: int, cells: int) -> None:
        """``cell`` (arm and seed) begins; it's number ``position`` (from 1) of ``cells``."""
        ...

    def progressed(self, cell: str, phase: str, done: int, total: int) -> None:
        """``done`` of ``total`` steps of ``phase`` (for example "training" or "answering") are finished."""
        ...

    def cell_finished(self, cell: str, outcome: str) -> None:
        """``cell`` is complete; ``outcome`` is a short text such as its score."""
        ...

    def cell_failed(self, cell: str, cause: str) -> None:
        """``cell`` can't be completed; the run goes on with the others."""
        ...


class Silent:
    """Shows nothing."""

    def cell_started(self, cell: str, position: int, cells: int) -> None:
        """Show nothing."""

    def progressed(self, cell: str, phase: str, done: int, total: int) -> None:
        """Show nothing."""

    def cell_finished(self, cell: str, outcome: str) -> None:
        """Show nothing."""

    def cell_failed(self, cell: str, cause: str) -> None:
        """Show nothing."""
