"""The condition of a task's data: how long its texts are, how its labels are balanced, what training rows repeat."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evals.example import Example
from evals.overlap import normalise_text
from evals.task import Task


@dataclass(frozen=True, slots=True)
class Lengths:
    """Words of a text: the median and the 95th percentile."""

    median: float
    p95: float


@dataclass(frozen=True, slots=True)
class LabelCount:
    """How many training and eval rows have a label."""

    label: str
    train: int
    eval: int


@dataclass(frozen=True, slots=True)
class DataCondition:
    """What can be said of the rows and documents of a task, train and eval together where not said otherwise.

    ``labels`` is empty without labels, ``document_words`` None without documents. ``repeated`` are the training rows
    whose input stands in an earlier one, ``contradictory`` those whose input stands in another with another answer.
    """

    input_words: Lengths
    answer_words: Lengths
    document_words: Lengths | None
    labels: tuple[LabelCount, ...]
    repeated: int
    contradictory: int


def data_condition(task: Task) -> DataCondition:
    """Return the condition of the data of ``task``."""
    rows = (*task.train, *task.eval)
    train, evals = _labels(task.train), _labels(task.eval)
    answers: dict[str, list[str]] = defaultdict(list)
    for row in task.train:
        answers[normalise_text(row.input)].append(normalise_text(row.target))
    return DataCondition(
        input_words=_lengths([row.input for row in rows]),
        answer_words=_lengths([row.target for row in rows]),
        document_words=_lengths([one.text for one in task.documents]) if task.documents else None,
        labels=tuple(LabelCount(label, train[label], evals[label]) for label in task.labels),
        repeated=len(task.train) - len(answers),
        contradictory=sum(len(said) for said in answers.values() if len(set(said)) > 1),
    )


def _labels(rows: Sequence[Example]) -> Counter[str]:
    return Counter(row.target for row in rows)


def _lengths(texts: Sequence[str]) -> Lengths:
    words = [len(text.split()) for text in texts]
    return Lengths(float(np.median(words)), float(np.percentile(words, 95)))
