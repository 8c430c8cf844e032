"""A commented ``task.yaml`` from the answers and, where there are some, the rows: ready for ``tuneworthy run``.

The rows decide where they contradict the answers, so that the file loads; a comment then says so.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from advisor.advice import NAMES
from advisor.data_needs import LEAST_EXAMPLES
from advisor.questions import questions, relevant
from advisor.recommend import recommend
from advisor.scorecard import Gate
from advisor.suited_arms import RETRIEVING, TRAINED, suited_arms
from advisor.task_kind import INSTRUCTIONS, metric_for, said_kind, settled_kind
from evals.errors import UsageError
from evals.starter import documents_section, make_starter, starter_text
from evals.task_file import AnswerKind

REQUESTS = {"low": 3_000, "middle": 100_000, "high": 3_000_000}
"""Requests a month that each answer to ``volume`` counts as, here and in the estimates (``evals/prices.yaml``)."""

SEEDS = 3
PLACEHOLDER = "train.csv"


def draft_task(
    answers: Mapping[str, str],
    approach: str,
    data: Path | None,
    documents: Path | None,
    *,
    folder: Path = Path(),
    eval_data: Path | None = None,
    minimum_gain: float = 0.03,
    input_column: str | None = None,
    target_column: str | None = None,
) -> str:
    """Return the text of a task file for ``folder``, from where its paths are seen.

    ``approach`` is the recommended one. Without ``data`` the file names a placeholder. Raises ``UsageError`` for an
    unknown approach, a gain outside 0 to 1, or columns that can't be guessed, ``DataError`` for data that can't be
    read.
    """
    if approach not in NAMES:
        raise UsageError(f"there's no approach {approach!r}; there are {', '.join(NAMES)}")
    if not 0 <= minimum_gain <= 1:
        raise UsageError(f"the minimum gain must be from 0 to 1, as in 0.03 for 3 points; it is {minimum_gain}")
    known = relevant(answers)
    blocks = recommend(answers).blocks
    said, rows, notes = said_kind(known), None, _warnings(known)
    values: dict[str, Any]
    if data is None:
        kind: AnswerKind = said or "text"
        values = {"data": {"train": PLACEHOLDER}}
        if documents is not None:
            values["documents"] = documents_section(folder, documents)
        notes.append(f"There were no rows yet: put your file in place of {PLACEHOLDER}, and mend what follows from it.")
    else:
        starter = make_starter(
            folder,
            data,
            eval_data=eval_data,
            documents=documents,
            input_column=input_column,
            target_column=target_column,
        )
        values, rows = dict(starter.values), starter.rows
        kind = settled_kind(said, starter.guess.answer, private=known.get("output") == "private")
        if said not in (None, kind):
            notes.append(f"By your answers this would be `answer: {said}`; found in the rows: {starter.guess.reason}.")
        if kind != starter.guess.answer:
            values = {key: value for key, value in values.items() if key not in ("instruction", "labels")}
    blocked = {option for gate in blocks for option in gate.options}
    arms = suited_arms(known, approach, kind, blocked, documents=documents is not None)
    if rows is not None and rows < LEAST_EXAMPLES:
        arms = tuple(arm for arm in arms if arm not in TRAINED)
        notes.append(f"Training is left out of the arms: {rows:,} rows are fewer than {LEAST_EXAMPLES}.")
    if documents is None and set(arms) & set(RETRIEVING):
        notes.append("No documents were named: until `documents` names some, `rag` looks among the training rows.")
    metric, why = metric_for(kind, known)
    values = {
        "instruction": INSTRUCTIONS[kind],
        **values,
        "answer": kind,
        "metric": metric,
        "model": "builtin",
        "arms": list(arms),
        "seeds": SEEDS if set(arms) & set(TRAINED) else 1,
        "decision": {"minimum_gain": minimum_gain, **_requests(known)},
    }
    head = "".join(f"# {line}\n" for line in _head(approach, blocks, notes))
    return head + starter_text(values, _remarks(known, why, trained=bool(set(arms) & set(TRAINED))))


def _head(approach: str, blocks: tuple[Gate, ...], notes: list[str]) -> Iterator[str]:
    yield f"Drafted from answers to the advisor, which recommends: {NAMES[approach]}."
    for gate in blocks:
        left_out = "training" if "tune" in gate.options else "retrieval"
        yield f"No {left_out} in here: {gate.reason.text}"
    yield from notes


def _warnings(answers: Mapping[str, str]) -> list[str]:
    """Return what the task can't show of such a question."""
    if answers.get("task") == "grouping":
        return ["Groups can't be scored without right answers: find and name them first, then label rows by them."]
    if answers.get("task") == "tabular":
        return ["One column is read as the input: join the columns of the table into one text."]
    return []


def _requests(answers: Mapping[str, str]) -> dict[str, int]:
    requests = REQUESTS.get(answers.get("volume", ""))
    return {} if requests is None else {"requests_per_month": requests}


def _remarks(answers: Mapping[str, str], metric: str, *, trained: bool) -> dict[str, str]:
    own = "; a local folder keeps everything on your machines" if answers.get("privacy") == "own" else ""
    volumes = next(question.options for question in questions() if question.key == "volume")
    volume = volumes.get(answers.get("volume", ""), "")
    after = "the last trains" if trained else f"add {TRAINED[0]} to see what training would bring"
    return {
        "instruction": "Mend this: say what you would say to a new colleague.",
        "answer": "Or: label, text, json, number.",
        "metric": metric,
        "model": f"The built-in one knows nothing of the world: put a hub name or a local folder here{own}.",
        "arms": f"The cheap ones first; {after}. `tuneworthy arms` lists all.",
        "seeds": "Several show how much of a trained arm's score is chance." if trained else "More only for training.",
        "decision.minimum_gain": "Fixed before any result is seen; training has to gain more than this.",
        "decision.requests_per_month": f"{f'You said {volume}; put' if volume else 'Put'} your own count: it decides "
        "whether training repays.",
    }
