"""A prediction becomes a scored prediction: read in both ways, measured by every metric that fits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import assert_never

from evals.errors import ArmError
from evals.example import Example
from evals.extraction import extract
from evals.json_metrics import json_exact, json_f1, json_valid
from evals.label_metrics import code, macro_f1
from evals.number_metrics import numeric, same_number
from evals.protocols import Prediction
from evals.scored import ScoredPrediction
from evals.task import Task
from evals.task_file import AnswerKind, Metric
from evals.text_metrics import exact_match, rouge_l, token_f1

Measure = Callable[[str, str], float]


@dataclass(frozen=True, slots=True)
class _Reading:
    """One way to read an answer, and what each metric gives for it."""

    extracted: str | None
    metrics: dict[str, float]


def row_metric(metric: Metric) -> str:
    """Return the metric that stands for ``metric`` on a single row: macro-F1 has no value there, accuracy has."""
    return "accuracy" if metric == "macro_f1" else metric


def score(task: Task, example: Example, prediction: Prediction) -> ScoredPrediction:
    """Return ``prediction`` with its readings and scores; the best of the accepted answers counts.

    Both readings are made without a look at this row's targets. A prediction with an error gets no scores.
    Raises ``ArmError`` when the prediction is for another row.
    """
    if prediction.id != example.id:
        raise ArmError(f"the arm answered row {prediction.id!r} where row {example.id!r} was asked")
    strict = lenient = counted = None
    if prediction.error is None:
        strict = _read(task, example, prediction, strict=True)
        lenient = _read(task, example, prediction, strict=False)
        counted = strict if task.settings.extraction == "strict" else lenient
    return ScoredPrediction(
        id=example.id,
        input=example.input,
        targets=example.targets,
        prompt=prediction.prompt,
        raw=prediction.raw,
        answer=prediction.answer,
        extracted=counted.extracted if counted else None,
        score=counted.metrics[row_metric(task.metric)] if counted else None,
        score_lenient=lenient.metrics[row_metric(task.metric)] if lenient else None,
        score_strict=strict.metrics[row_metric(task.metric)] if strict else None,
        metrics=counted.metrics if counted else {},
        choice_by_mean=prediction.choice_by_mean,
        prompt_tokens=prediction.prompt_tokens,
        completion_tokens=prediction.completion_tokens,
        ms=prediction.ms,
        retrieved=prediction.retrieved,
        doc_id=example.doc_id,
        group=example.group,
        error=prediction.error,
        cut=prediction.cut,
        in_train=task.learnt.repeats(example.input, counted.extracted) if counted else None,
        cached=prediction.cached,
        cached_tokens=prediction.cached_tokens,
    )


def mean_score(task: Task, rows: Sequence[ScoredPrediction]) -> float | None:
    """Return the task's metric (0…1) over the rows that have a score, or None when none has."""
    known = [row for row in rows if row.score is not None]
    if task.metric == "macro_f1":
        return macro_f1(code(task.labels, [row.targets for row in known], [row.extracted for row in known]))
    return sum(row.score or 0.0 for row in known) / len(known) if known else None


def measures(kind: AnswerKind, tolerance: float) -> dict[str, Measure]:
    """Return the metrics that a single row of this kind has, by name: (answer, target) → 0…1."""
    if kind == "label":
        return {"accuracy": lambda answer, target: float(answer == target)}
    if kind == "text":
        return {"token_f1": token_f1, "exact_match": exact_match, "rouge_l": rouge_l}
    if kind == "json":
        return {"json_exact": json_exact, "json_f1": json_f1, "json_valid": json_valid}
    if kind == "number":
        return {"numeric": lambda answer, target: numeric(answer, target, tolerance), "exact_match": same_number}
    assert_never(kind)


def _read(task: Task, example: Example, prediction: Prediction, *, strict: bool) -> _Reading:
    if prediction.choice_by_mean is not None:
        extracted: str | None = prediction.raw  # chosen from the labels: there is nothing to extract
    else:
        answer = prediction.raw if prediction.answer is None else prediction.answer
        extracted = extract(answer, task.answer, task.labels, strict=strict, form=task.form)
    metrics = measures(task.answer, task.settings.tolerance)
    if extracted is None:
        return _Reading(None, dict.fromkeys(metrics, 0.0))
    best = {name: max(measure(extracted, t) for t in example.targets) for name, measure in metrics.items()}
    return _Reading(extracted, best)
