"""One step of the plan."""

import re
import shlex
from dataclasses import dataclass, replace
from pathlib import Path

TASK = "mytask"
MODEL = "MODEL"
ANSWERS = "advice-answers.yaml"
"""What the user puts in: a folder of the task, a hub name or folder of a model, the answers that were saved."""


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


@dataclass(frozen=True, slots=True)
class Places:
    """The user's own files where commands name placeholders; ``drafted``: the folder holds a task file already."""

    task: Path | None = None
    drafted: bool = False
    rows: Path | None = None
    evaluation: Path | None = None
    documents: Path | None = None
    answers: Path | None = None

    def named(self, text: str) -> str:
        """Return a sentence whose commands name the user's own files, as far as they are known."""
        own = {"ROWS": self.rows, "DOCS": self.documents, "TASK": self.task if self.drafted else None}
        for word, place in own.items():
            if place is not None:
                text = shlex.quote(str(place)).join(re.split(rf"\b{word}\b", text))
        return text

    def fill(self, step: Step) -> Step:
        """Return ``step`` with a command that can be run as it stands, as far as the files are known."""
        if step.command is None:
            return step
        text = step.command
        if self.rows is not None and self.evaluation is None:
            text = text.replace(" --eval EVAL", "")
        if self.rows is not None and self.documents is None:
            text = text.replace(" --documents DOCS", "")
        own = {TASK: self.task, "ROWS": self.rows, "EVAL": self.evaluation, "DOCS": self.documents}
        own[ANSWERS] = self.answers
        words = [word if own.get(word) is None else shlex.quote(str(own[word])) for word in text.split()]
        return replace(step, command=" ".join(words))
