"""The rows that a probe asks, and the rows that may stand in its prompts as worked examples."""

from dataclasses import dataclass
from pathlib import Path

from advisor.given_data import GivenData
from evals.errors import DataError, RowProblem, UsageError
from evals.example import Example
from evals.overlap import drop_overlap, find_overlap
from evals.split import limit_examples, split_train
from evals.task import Task
from evals.task_file import METRICS, AnswerKind, Data, Metric, TaskFile

POOL_ROWS = 2_000
"""Rows that shots are chosen from, at most; more would choose no better and take longer."""


@dataclass(frozen=True)
class ProbeSample:
    """The rows asked and the pool of shots; none of the pool is, or belongs with, a row that is asked."""

    asked: tuple[Example, ...]
    pool: tuple[Example, ...]


def draw_sample(given: GivenData, rows: int, seed: int) -> ProbeSample:
    """Draw at most ``rows`` rows by ``seed``: of the eval rows where there are any, else at most half of all rows.

    Labels keep their shares. Rows of one input (without an eval file: of one group too) stay on one side. Raises
    ``UsageError`` when ``rows`` is less than 1, ``DataError`` when there is nothing to draw from.
    """
    stratify = given.guess.answer == "label"
    if given.evaluation:
        asked = limit_examples(given.evaluation, rows, seed, stratify)
        pool = limit_examples(given.examples, POOL_ROWS, seed, stratify)
        left = drop_overlap(pool, find_overlap(pool, asked))
        if not left:
            what = "every row that was looked at has the input of an eval row; a probe needs others"
            raise DataError([RowProblem(given.file, 0, what)])
        return ProbeSample(asked, left)
    examples = limit_examples(given.examples, rows + POOL_ROWS, seed, stratify)
    try:
        split = split_train(examples, min(rows / len(examples), 0.5), seed, stratify)
    except UsageError:
        what = "its rows are one row, one group or one input; a probe needs two or more"
        raise DataError([RowProblem(given.file, 0, what)]) from None
    return ProbeSample(limit_examples(split.eval, rows, seed, stratify), split.train)


def probe_task(
    given: GivenData, sample: ProbeSample, model_ref: str, instruction: str | None, metric: Metric | None
) -> Task:
    """Return the task that the arms of a probe are run on: the sample, with every setting at its default.

    Raises ``UsageError`` for an instruction that says nothing or a metric that doesn't fit the answers.
    """
    if instruction is not None and not instruction.strip():
        raise UsageError("the instruction says nothing; write what the model is to do, or leave it out")
    kind: AnswerKind = given.guess.answer
    check_metric(metric, kind)
    settings = TaskFile(
        instruction=instruction or given.guess.instruction,
        answer=kind,
        metric=metric,
        data=Data(train=str(given.file)),
        model=model_ref,
    )
    return Task(
        name="probe",
        settings=settings,
        folder=Path(),
        labels=given.labels,
        train=sample.pool,
        eval=sample.asked,
        documents=given.documents or (),
        hashes={},
    )


def check_metric(metric: Metric | None, kind: AnswerKind) -> None:
    """Raise ``UsageError`` when ``metric`` has no value for a single row of ``kind``."""
    fitting = [name for name in METRICS[kind] if name != "macro_f1"]
    if metric is not None and metric not in fitting:
        raise UsageError(f"the metric {metric} can't be probed on {kind} answers; choose among {', '.join(fitting)}")
