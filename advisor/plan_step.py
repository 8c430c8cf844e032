"""One step of the plan."""

from dataclasses import dataclass

TASK = "mytask"
MODEL = "MODEL"
"""What the user puts in: a folder of the task, a hub name or folder of a model."""


@dataclass(frozen=True, slots=True)
class Step:
    """What to do on working day ``day`` (from 1), the command if there is one, and when to stop."""

    day: int
    title: str
    what: str
    command: str | None
    stop: str


def command(*words: str) -> str:
    """Return a command line of ours."""
    return " ".join(("tuneworthy", *words))
