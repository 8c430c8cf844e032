"""Under which form two rows ask the same and answer the same."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from evals.example import Example
from evals.learnt_answers import normalised
from evals.overlap import normalise_text
from evals.task_file import AnswerKind


@dataclass(frozen=True, slots=True)
class RowKey:
    """A row's input and accepted answers without what doesn't count when rows are compared.

    The input is in the form in which train and eval rows are compared (``evals.overlap``); labels stay as they are.
    """

    input: str
    answers: frozenset[str]


def row_keys(examples: Sequence[Example], kind: AnswerKind) -> list[RowKey]:
    """Return the key of each row, in order."""
    return [
        RowKey(normalise_text(row.input), frozenset(_answer(target, kind) for target in row.targets))
        for row in examples
    ]


def count_conflicts(keys: Sequence[RowKey]) -> int:
    """Return how many rows contradict others that have the same input.

    Of rows with one input, those count that don't accept the answer which most of them accept: at least so many
    of the answers are wrong, whichever is right.
    """
    groups: dict[str, list[frozenset[str]]] = defaultdict(list)
    for key in keys:
        groups[key.input].append(key.answers)
    return sum(len(group) - _most_agreed(group) for group in groups.values() if len(group) > 1)


def _most_agreed(group: Sequence[frozenset[str]]) -> int:
    return Counter(answer for answers in group for answer in answers).most_common(1)[0][1]


def _answer(target: str, kind: AnswerKind) -> str:
    if kind == "number":
        return repr(float(target))
    return target if kind == "label" else normalised(target, kind) or target
