"""The answers of the training rows, as something that an arm may repeat where it should have found its own.

A tuned model that answers out of what it learnt writes the answer that training gave to the same question: well
formed, sure, and wrong where the world has moved on. It shows in wrong answers that are, word for word, the
answer of the training row that asks most nearly the same.
"""

import json
import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from evals.example import Example
from evals.json_value import parse_json
from evals.task_file import AnswerKind
from evals.words import plain_words

OPEN = 0.5
"""From this share of rows on whose answer is their own, or is shared only with rows that ask nearly the same, answers
are open; below, rows share a set of them, as labels are."""

COMMON = 0.02
"""An answer that more than this share of the rows gives to other questions is the task's own phrase, such as a
refusal: to give it is no repetition of a row."""

ALIKE = 0.5
"""Two questions ask nearly the same when the words they share weigh at least this part of all their words; a word
weighs the logarithm of how rare it is among the training rows, and nothing if none has it. Our judgement."""


@dataclass(frozen=True)
class LearntAnswers:
    """What training rows ask and answer; answers are normalised (case, punctuation, JSON's order of keys don't count).

    ``answers`` holds None for an answer that is the task's own phrase; both are empty where nothing can be said.
    """

    kind: AnswerKind
    questions: tuple[frozenset[str], ...]
    answers: tuple[str | None, ...]

    def repeats(self, question: str, answer: str | None) -> bool | None:
        """Tell whether ``answer`` is what the training row said that asks most nearly the same as ``question``.

        False where no row asks nearly the same; None where it would say nothing (labels, numbers, closed sets).
        Of rows equally near any counts.
        """
        if not self.questions:
            return None
        if answer is None:
            return False
        given = normalised(answer, self.kind)
        return any(self.answers[row] == given for row in self._nearest(question))

    def shared(self) -> Counter[str | None]:
        """Return, for every answer, how many rows give it that ask something else than the first that does."""
        first: dict[str | None, int] = {}
        found: Counter[str | None] = Counter()
        for row, answer in enumerate(self.answers):
            found[answer] += self._alike(self.questions[first.setdefault(answer, row)], row) < ALIKE
        return found

    def _nearest(self, question: str) -> list[int]:
        words = frozenset(plain_words(question))
        touched = {row for word in words & self._rows.keys() for row in self._rows[word]}
        alike = {row: self._alike(words, row) for row in touched}
        best = max(alike.values(), default=0.0)
        return [row for row, share in alike.items() if share >= max(ALIKE, best - 1e-9)]

    def _alike(self, words: frozenset[str], row: int) -> float:
        """Return the weight of the words that a question and a row share, over that of all their words (0 to 1)."""
        either = sum(map(self._weight, words | self.questions[row]))
        return sum(map(self._weight, words & self.questions[row])) / either if either else 0.0

    def _weight(self, word: str) -> float:
        rows = len(self._rows.get(word, ()))
        return math.log(1 + len(self.questions) / rows) if rows else 0.0

    @cached_property
    def _rows(self) -> dict[str, list[int]]:
        """The rows that each word stands in."""
        found: dict[str, list[int]] = defaultdict(list)
        for row, words in enumerate(self.questions):
            for word in words:
                found[word].append(row)
        return dict(found)


def learnt_answers(kind: AnswerKind, train: Sequence[Example]) -> LearntAnswers:
    """Return what the rows of ``train`` ask and answer; nothing where answers are labels, numbers or a closed set."""
    nothing = LearntAnswers(kind, (), ())
    if kind not in ("text", "json"):
        return nothing
    targets = [normalised(row.target, kind) for row in train]
    questions = tuple(frozenset(plain_words(row.input)) for row in train)
    shared = LearntAnswers(kind, questions, tuple(targets)).shared()
    if not targets or shared.total() > (1 - OPEN) * len(targets):
        return nothing
    most = max(1.0, COMMON * len(targets))
    return LearntAnswers(kind, questions, tuple(text if text and shared[text] < most else None for text in targets))


def normalised(answer: str, kind: AnswerKind) -> str:
    """Return ``answer`` without what doesn't count when two answers are compared word for word."""
    if kind == "json" and (found := parse_json(answer)) is not None:
        return json.dumps(found.value, sort_keys=True, ensure_ascii=False)
    return " ".join(plain_words(answer))
