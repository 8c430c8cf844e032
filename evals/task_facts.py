"""What can be said of a task before anything is run: counts, balance, lengths, leakage, what its eval rows can show."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evals.detectable import Detectable, detectable
from evals.example import Example
from evals.leakage import Leak, find_leaks
from evals.row_clusters import shared_clusters
from evals.task import Task


@dataclass(frozen=True, slots=True)
class Lengths:
    """Words of a text: the median and the 95th percentile."""

    median: float
    p95: float


@dataclass(frozen=True)
class TaskFacts:
    """The facts of a task; ``labels`` maps each label to its training and eval rows (empty without labels)."""

    name: str
    answer: str
    metric: str
    train_rows: int
    eval_rows: int
    documents: int
    labels: dict[str, tuple[int, int]]
    input_words: Lengths
    answer_words: Lengths
    leaks: tuple[Leak, ...]
    detectable: Detectable
    notes: tuple[str, ...]


def task_facts(task: Task) -> TaskFacts:
    """Return the facts of ``task``; its data are loaded already, nothing else is."""
    decision = task.settings.decision
    clusters = shared_clusters([row.group for row in task.eval], [row.doc_id for row in task.eval])
    return TaskFacts(
        name=task.name,
        answer=task.answer,
        metric=task.metric,
        train_rows=len(task.train),
        eval_rows=len(task.eval),
        documents=len(task.documents),
        labels=_balance(task),
        input_words=_lengths([row.input for row in (*task.train, *task.eval)]),
        answer_words=_lengths([row.target for row in (*task.train, *task.eval)]),
        leaks=find_leaks(task),
        detectable=detectable(len(task.eval), clusters.count, decision.minimum_gain, decision.confidence),
        notes=task.notes,
    )


def _balance(task: Task) -> dict[str, tuple[int, int]]:
    train, evals = _labels(task.train), _labels(task.eval)
    return {label: (train[label], evals[label]) for label in task.labels}


def _labels(rows: Sequence[Example]) -> Counter[str]:
    return Counter(row.target for row in rows)


def _lengths(texts: Sequence[str]) -> Lengths:
    words = [len(text.split()) for text in texts]
    return Lengths(float(np.median(words)), float(np.percentile(words, 95)))
