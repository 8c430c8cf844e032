"""The questions of the advisor: what is asked, in which order, and which answers make others meaningless."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TypeVar

import yaml

FILE = Path(__file__).parent / "questions.yaml"

Given = TypeVar("Given", str, str | None)
"""An answer: one of the options, or None where that can be, too: asked, and not known."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question; ``options`` maps values to their text, ``skip_when`` earlier keys to answers that void it."""

    key: str
    text: str
    why: str
    example: str
    options: Mapping[str, str]
    find_out: str
    gate: bool = False
    skip_when: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def skipped(self, answers: Mapping[str, str] | Mapping[str, str | None]) -> bool:
        """Whether ``answers`` (key → option) make this question meaningless."""
        return any(answers.get(key) in values for key, values in self.skip_when.items())


@cache
def questions() -> tuple[Question, ...]:
    """Return all questions in the order in which they are asked."""
    entries = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    made = []
    for entry in entries:
        skip = {key: tuple(values) for key, values in entry.pop("skip_when", {}).items()}
        made.append(Question(**entry, skip_when=skip))
    return tuple(made)


def relevant(answers: Mapping[str, Given]) -> dict[str, Given]:
    """Return ``answers`` without those to questions that earlier answers made meaningless."""
    kept: dict[str, Given] = {}
    for question in questions():
        if question.key in answers and not question.skipped(kept):
            kept[question.key] = answers[question.key]
    return kept


def unanswered(answers: Mapping[str, Given]) -> list[Question]:
    """Return the questions that are open and not made meaningless, in order."""
    kept = relevant(answers)
    return [question for question in questions() if question.key not in kept and not question.skipped(kept)]
