"""What can be said of a task before anything is run: counts, balance, lengths, leakage, what its eval rows can show."""

from dataclasses import dataclass

from evals.data_condition import DataCondition, data_condition
from evals.detectable import Detectable, detectable
from evals.leakage import Leak, find_leaks
from evals.row_clusters import shared_clusters
from evals.task import Task


@dataclass(frozen=True)
class TaskFacts:
    """The facts of a task."""

    name: str
    answer: str
    metric: str
    train_rows: int
    eval_rows: int
    documents: int
    condition: DataCondition
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
        condition=data_condition(task),
        leaks=find_leaks(task),
        detectable=detectable(len(task.eval), clusters.count, decision.minimum_gain, decision.confidence),
        notes=task.notes,
    )
