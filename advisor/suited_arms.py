"""Which arms of a run suit a question: always the cheap ones, retrieval and training where they make sense."""

from collections.abc import Collection, Mapping

from advisor.recommend import NOT_READY
from evals.task_file import AnswerKind

TRAINED = ("qlora", "rag_qlora")
"""What is run of training: the cheapest arm tells whether the others are worth a run. The second retrieves, too."""

RETRIEVING = ("rag", "rag_shots")

_STEPWISE = frozenset({"reasoning", "code", "sql"})
_UNTRAINABLE = frozenset({"tabular", "grouping"})


def suited_arms(
    answers: Mapping[str, str],
    approach: str,
    kind: AnswerKind | None,
    blocked: Collection[str] = (),
    *,
    documents: bool = False,
) -> tuple[str, ...]:
    """Return names of arms, cheap ones first.

    ``approach`` is what is recommended, ``blocked`` the options that a gate rules out or puts off, ``kind`` None
    where the kind of answer isn't known (then no arm that needs one is named), ``documents`` whether some are there.
    """
    arms = ["majority", "nearest"]
    if kind == "label":
        arms.append("logistic")
    arms += ["zero_shot", "few_shot"]
    if approach == "prompt":
        arms.append("few_shot_nearest")
    if approach == "prompt" or kind == "number" or answers.get("task") in _STEPWISE:
        arms.append("cot")
    retrieves = approach in ("rag", "rag_tune")
    if "rag" not in blocked and (retrieves or documents or answers.get("corpus") in ("small", "large")):
        arms += RETRIEVING if retrieves else RETRIEVING[:1]
    if "tune" not in blocked and approach != NOT_READY and answers.get("task") not in _UNTRAINABLE:
        arms += TRAINED if approach == "rag_tune" else TRAINED[:1]
    return tuple(arms)
