"""The errors that tuneworthy raises; only ``advisor/cli.py`` prints them and exits.

::

    TuneworthyError           exit 1   something went wrong while working
    ├── UsageError            exit 2   the user's input can't be used as it stands
    │   ├── TaskError                  task.yaml: a key, a value, a path
    │   └── DataError                  rows or documents: file and line of each problem
    ├── ModelError            exit 1   a model, tokenizer, adapter or embedder can't be loaded
    │   └── MissingModelError exit 2   nothing is there under the name that the user gave
    ├── ArmError              exit 1   one arm can't go on (the other arms do)
    ├── GateError             exit 3   a gate that the user asked for was not met
    ├── SpendingError         exit 1   the limit on costs is reached; what is answered is kept
    └── RunError              exit 1   the run folder: locked, changed, unreadable, newer schema
        └── MissingRunError   exit 2   no run (or demo) is where the user said one was

A message is one line: what is wrong, where, and how to mend it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


class TuneworthyError(Exception):
    """Base of every error that a user may see; ``str()`` of it is the whole message."""

    exit_code = 1


class UsageError(TuneworthyError):
    """What the user gave can't be used: a flag, a file, a value."""

    exit_code = 2


class TaskError(UsageError):
    """The task file is wrong."""


@dataclass(frozen=True)
class RowProblem:
    """One thing wrong with one row; ``line`` counts from 1 (0 = the file as a whole)."""

    file: Path
    line: int
    what: str

    def __str__(self) -> str:
        """Return ``file:line: what``, as editors and terminals understand it."""
        where = f"{self.file}:{self.line}" if self.line else str(self.file)
        return f"{where}: {self.what}"


class DataError(UsageError):
    """One or more rows can't be used; all are collected, the first ``SHOWN`` are printed."""

    SHOWN = 20

    def __init__(self, problems: Sequence[RowProblem], advice: str = "") -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        head = str(self.problems[0]) if count == 1 else f"{count} problems in the data"
        lines = [head + (f" ({advice})" if advice else "")]
        if count > 1:
            lines += [f"  {problem}" for problem in self.problems[: self.SHOWN]]
            if count > self.SHOWN:
                lines.append(f"  … and {count - self.SHOWN} more")
        super().__init__("\n".join(lines))


class ModelError(TuneworthyError):
    """A model, tokenizer, adapter or embedder can't be loaded or used."""


class MissingModelError(ModelError):
    """What the user named as a model, adapter or embedder isn't there: wrong input, like any file that isn't there."""

    exit_code = 2


class ArmError(TuneworthyError):
    """One arm can't go on; the runner records the cause and goes on with the others."""


class GateError(TuneworthyError):
    """What the user required of the data or of the results isn't met; everything was done and written."""

    exit_code = 3


class RunError(TuneworthyError):
    """The run folder can't be used: locked, of another data set, unreadable, or of a newer schema."""


class MissingRunError(RunError):
    """The folder that the user named as a run's or a demo's isn't there, or is none: wrong input, like a model."""

    exit_code = 2


class SpendingError(TuneworthyError):
    """The limit on costs that the user set is reached: the whole run stops, and can be resumed with a higher one.

    ``spent`` is the cost so far, ``next_cost`` what the next batch may cost at most (0: it isn't known).
    """

    def __init__(self, message: str, spent: float = 0.0, next_cost: float = 0.0) -> None:
        super().__init__(message)
        self.spent = spent
        self.next_cost = next_cost
