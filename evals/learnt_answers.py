"""The answers of the training rows, as something that an arm may repeat where it should have found its own.

A tuned model that hasn't learnt to find answers writes ones that it has learnt by heart: well formed, sure, and
wrong. It shows in wrong answers that are, word for word, answers of training rows.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from evals.json_value import parse_json
from evals.task_file import AnswerKind
from evals.words import plain_words

OPEN = 0.5
"""From so many different answers a training row on, answers are the rows' own; below, rows share a set of them."""

COMMON = 0.02
"""An answer that more than this share of the rows has (and more than one row) is the task's own phrase, such as
a refusal: to give it is no repetition of a row."""


@dataclass(frozen=True)
class LearntAnswers:
    """The answers of training rows, normalised: case, punctuation and spacing don't count, nor JSON's order of keys."""

    kind: AnswerKind
    texts: frozenset[str]

    def holds(self, answer: str | None) -> bool | None:
        """Tell whether ``answer`` is one of them; None where that would say nothing (labels, numbers, closed sets)."""
        if not self.texts:
            return None
        return answer is not None and normalised(answer, self.kind) in self.texts


def learnt_answers(kind: AnswerKind, targets: Sequence[str]) -> LearntAnswers:
    """Return what ``targets`` (the preferred answer of each training row) may be repeated from."""
    if kind not in ("text", "json"):
        return LearntAnswers(kind, frozenset())
    counts = Counter(normalised(target, kind) for target in targets)
    if len(counts) < OPEN * len(targets):
        return LearntAnswers(kind, frozenset())
    most = max(1.0, COMMON * len(targets))
    return LearntAnswers(kind, frozenset(text for text, count in counts.items() if text and count <= most))


def normalised(answer: str, kind: AnswerKind) -> str:
    """Return ``answer`` without what doesn't count when two answers are compared word for word."""
    if kind == "json" and (found := parse_json(answer)) is not None:
        return json.dumps(found.value, sort_keys=True, ensure_ascii=False)
    return " ".join(plain_words(answer))
