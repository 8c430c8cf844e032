"""From answers to the kind of answer of a task, its metric, and a first instruction."""

from collections.abc import Mapping

from evals.task_file import AnswerKind, Metric

_BY_TASK: dict[str, AnswerKind] = {
    "sorting": "label",
    "tabular": "label",
    "grouping": "label",
    "extraction": "json",
    "tools": "json",
    **dict.fromkeys(("documents", "facts", "rewriting", "reasoning", "code", "sql", "style", "translation"), "text"),
}
_BY_OUTPUT: dict[str, AnswerKind] = {"label": "label", "json": "json", "free": "text", "private": "text"}

INSTRUCTIONS: dict[AnswerKind, str] = {
    "label": "Classify the input. Answer with exactly one of the labels and nothing else.",
    "json": "Extract what the input says as one JSON object. Answer with the JSON only.",
    "number": "Answer the input with one number and nothing else.",
    "text": "Write the answer to the input. Give the answer only, with no other words.",
}

_MET: dict[Metric, str] = {
    "macro_f1": "Every label counts the same, however rare, since the rare ones matter.",
    "accuracy": "The share of right labels.",
    "json_exact": "Right only if every field is.",
    "json_f1": "Fields are scored one by one.",
    "numeric": "A number counts if it's within `tolerance`.",
    "exact_match": "Word for word, since a form that is nearly right is wrong; other right answers go into `targets`.",
    "rouge_l": "Likeness to your texts; no metric tells a good style, so read some answers, too.",
    "token_f1": "Shared words with the right answer.",
}


def said_kind(answers: Mapping[str, str]) -> AnswerKind | None:
    """Return the kind of answer that ``answers`` speak of; None when they say nothing."""
    task, output = answers.get("task", ""), answers.get("output", "")
    if task == "sorting":
        return "label"
    return _BY_OUTPUT.get(output) or _BY_TASK.get(task)


def settled_kind(said: AnswerKind | None, guessed: AnswerKind, *, private: bool) -> AnswerKind:
    """Return the kind to use for rows that look like ``guessed``: what was said only where any rows would do."""
    if said == "text" and (guessed == "label" or (guessed == "number" and private)):
        return "text"
    return guessed


def metric_for(kind: AnswerKind, answers: Mapping[str, str]) -> tuple[Metric, str]:
    """Return the metric that suits, and why."""
    metric = _metric(kind, answers)
    return metric, _MET[metric]


def _metric(kind: AnswerKind, answers: Mapping[str, str]) -> Metric:
    task = answers.get("task", "")
    if kind == "label":
        return "macro_f1" if answers.get("rarest") in ("under_8", "under_100") else "accuracy"
    if kind == "json":
        return "json_exact" if task == "tools" or answers.get("output") == "private" else "json_f1"
    if kind == "number":
        return "numeric"
    if answers.get("output") == "private" or task in ("sorting", "sql", "code", "tools", "reasoning"):
        return "exact_match"
    return "rouge_l" if task in ("rewriting", "style", "translation") else "token_f1"
