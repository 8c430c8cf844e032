"""The choice among settings of an arm, made on a part of train that is held out for it and never on the eval rows.

Settings chosen by the rows that judge them look better than they are. So where the task names several (numbers of
shots, of passages, sizes of passages, wordings of the instruction), each is tried on the same seeded part of train,
with the rest of train to learn from; the best mean score wins, and of equal ones the one with the fewest tokens.
The arm is then prepared with all of train. Why: Cawley and Talbot 2010, "On over-fitting in model selection and
subsequent selection bias in performance evaluation" (JMLR 11, 2079-2107).
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from statistics import fmean

from evals.cell import fit_from_json
from evals.errors import ArmError, UsageError
from evals.example import Document, Example
from evals.protocols import Arm, ArmContext, Prediction
from evals.scoring import score
from evals.selection import Selection, Trial, best_trial
from evals.split import split_train
from evals.task import Task

Facts = dict[str, str | int | float | bool | None]

MOST_ROWS = 64
SHARE = 0.25
FEWEST_ROWS = 8
"""With fewer validation rows than this (32 training rows) nothing is chosen: the first setting is taken."""


@dataclass(frozen=True)
class Candidate:
    """A task with one choice of settings, and what that choice is called."""

    name: str
    task: Task


@dataclass(frozen=True)
class Choice:
    """The task with the settings that were kept, what was tried (None: nothing), and the facts for the report."""

    task: Task
    selection: Selection | None
    facts: Facts


def candidates(task: Task, *, shots: bool, passages: bool) -> list[Candidate]:
    """Return the choices that ``task`` leaves to an arm that uses shots, or passages; one when it leaves none."""
    settings = task.settings
    wordings = [settings.instruction, *(settings.instructions or ())]
    counts = settings.few_shot.try_k if shots and settings.few_shot.try_k else [settings.few_shot.k]
    found = settings.rag.try_k if passages and settings.rag.try_k else [settings.rag.k]
    cuts = passages and task.documents and settings.rag.try_chunk_tokens  # rows that stand in are never cut
    sizes = settings.rag.try_chunk_tokens if cuts and settings.rag.try_chunk_tokens else [settings.rag.chunk_tokens]
    made = []
    for (number, wording), k, near, size in product(enumerate(wordings, start=1), counts, found, sizes):
        parts = [f"instruction {number}"] if len(wordings) > 1 else []
        parts += [f"{k} shots"] if len(counts) > 1 else []
        parts += [f"{near} passages"] if len(found) > 1 else []
        parts += [f"{size} tokens a passage"] if len(sizes) > 1 else []
        changed = settings.model_copy(
            update={
                "instruction": wording,
                "instructions": None,
                "few_shot": settings.few_shot.model_copy(update={"k": k, "try_k": None}),
                "rag": settings.rag.model_copy(
                    update={"k": near, "chunk_tokens": size, "try_k": None, "try_chunk_tokens": None}
                ),
            }
        )
        made.append(Candidate(", ".join(parts), replace(task, settings=changed)))
    return made


def held_out(train: Sequence[Example], seed: int, *, by_label: bool = False) -> tuple[list[Example], list[Example]]:
    """Return the rows to choose by and the rest, a seeded draw; none to choose by when train is too small.

    Rows of one group or with the same input stay on one side, or a copy would answer for them; with ``by_label`` the
    mix of labels is kept. A group that brings more than ``MOST_ROWS`` is cut; the rows cut off are on neither side.
    """
    share = min(SHARE, MOST_ROWS / max(1, len(train)))
    if int(share * len(train)) < FEWEST_ROWS:
        return [], list(train)
    try:
        split = split_train(train, share, seed, stratify=by_label)
    except UsageError:
        return [], list(train)
    return list(split.eval[:MOST_ROWS]), list(split.train)


def choose(
    make: Callable[[ArmContext], Arm],
    context: ArmContext,
    options: Sequence[Candidate],
    train: Sequence[Example],
    documents: Sequence[Document],
) -> Choice:
    """Return the task with the settings that score best on rows held out of ``train``, and what was tried.

    No setting is shown an eval row. One of which more rows fail than ``generate.max_error_share`` isn't chosen. What a
    run that was stopped chose before (``fit.json``) is taken over when it tried the same settings on the same rows.
    Raises ``ArmError`` when no setting could answer the rows.
    """
    rows, rest = held_out(train, context.seed, by_label=context.task.answer == "label")
    if not rows:
        told = f"{options[0].name}: train is too small to choose by, or all of one group"
        return Choice(options[0].task, None, {"chosen": told})
    ids, names = tuple(row.id for row in rows), [option.name for option in options]
    found = _chosen_before(context.folder)
    if found is None or found.validation_ids != ids or [trial.name for trial in found.tried] != names:
        trials = []
        for place, option in enumerate(options):
            task = replace(option.task, train=tuple(rest), eval=())
            arm = make(replace(context, task=task))
            arm.fit(rest, documents)
            trials.append(_trial(option, rows, arm.answer(rows)))
            context.progress("choosing settings", place + 1, len(options))
        found = Selection(tuple(trials), best_trial(trials), ids)
    best = options[found.chosen]
    if found.tried[found.chosen].score is None:
        raise ArmError("none of the settings to choose from could answer the validation rows")
    told = "; ".join(f"{trial.name} {_result(trial)}" for trial in found.tried)
    return Choice(best.task, found, {"chosen": best.name, "chosen by": f"{len(rows)} rows held out of train: {told}"})


def _trial(option: Candidate, rows: Sequence[Example], answers: Sequence[Prediction]) -> Trial:
    scored = [score(option.task, row, answer).score for row, answer in zip(rows, answers, strict=True)]
    scores = [one for one in scored if one is not None]
    errors = len(rows) - len(scores)
    failed = not scores or errors > option.task.settings.generate.max_error_share * len(rows)
    tokens = fmean(answer.prompt_tokens + answer.completion_tokens for answer in answers)
    return Trial(option.name, None if failed else round(fmean(scores), 9), errors, round(tokens, 3))


def _result(trial: Trial) -> str:
    return f"failed on {trial.errors} rows" if trial.score is None else f"{trial.score:.1%}"


def _chosen_before(folder: Path) -> Selection | None:
    try:
        record = json.loads((folder / "fit.json").read_text(encoding="utf-8"))
        record.pop("schema", None)
        return fit_from_json(record).selection
    except (OSError, ValueError, AttributeError):
        return None
