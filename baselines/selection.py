"""The choice among settings of an arm, made on a part of train that is held out for it and never on the eval rows.

Settings chosen by the rows that judge them look better than they are. So where the task names several (numbers of
shots, of passages, sizes of passages, wordings of the instruction), each is tried on the same seeded part of train,
with the rest of train to learn from; the best mean score wins, and of equal ones the one with the fewest prompt
tokens. The arm is then prepared with all of train.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product

from evals.errors import ArmError
from evals.example import Document, Example
from evals.protocols import Arm, ArmContext
from evals.scoring import score
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


def candidates(task: Task, *, shots: bool, passages: bool) -> list[Candidate]:
    """Return the choices that ``task`` leaves to an arm that uses shots, or passages; one when it leaves none."""
    settings = task.settings
    wordings = [settings.instruction, *(settings.instructions or ())]
    counts = settings.few_shot.try_k if shots and settings.few_shot.try_k else [settings.few_shot.k]
    found = settings.rag.try_k if passages and settings.rag.try_k else [settings.rag.k]
    sizes = settings.rag.try_chunk_tokens if passages and settings.rag.try_chunk_tokens else [settings.rag.chunk_tokens]
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


def held_out(train: Sequence[Example], seed: int) -> tuple[list[Example], list[Example]]:
    """Return the rows to choose by and the rest, a seeded draw; none to choose by when train is too small."""
    count = min(MOST_ROWS, int(SHARE * len(train)))
    if count < FEWEST_ROWS:
        return [], list(train)
    chosen = frozenset(random.Random(seed).sample(range(len(train)), count))
    kept = [row for place, row in enumerate(train) if place in chosen]
    return kept, [row for place, row in enumerate(train) if place not in chosen]


def choose(
    make: Callable[[ArmContext], Arm],
    context: ArmContext,
    options: Sequence[Candidate],
    train: Sequence[Example],
    documents: Sequence[Document],
) -> tuple[Task, Facts]:
    """Return the task with the settings that score best on rows held out of ``train``, and what was tried.

    Raises ``ArmError`` when no setting could answer the rows.
    """
    rows, rest = held_out(train, context.seed)
    if not rows:
        return options[0].task, {"chosen": f"{options[0].name}: train is too small to choose by"}
    tried: list[tuple[float, float, int]] = []
    for place, option in enumerate(options):
        task = replace(option.task, train=tuple(rest))
        arm = make(replace(context, task=task))
        arm.fit(rest, documents)
        answers = [score(task, row, answer) for row, answer in zip(rows, arm.answer(rows), strict=True)]
        scores = [answer.score for answer in answers if answer.score is not None]
        if scores:
            tokens = sum(answer.prompt_tokens for answer in answers) / len(answers)
            tried.append((-sum(scores) / len(scores), tokens, place))
        context.progress("choosing settings", place + 1, len(options))
    if not tried:
        raise ArmError("none of the settings to choose from could answer the validation rows")
    best = options[min(tried)[2]]
    told = "; ".join(f"{options[place].name} {-loss:.1%}" for loss, _, place in tried)
    return best.task, {"chosen": best.name, "chosen by": f"{len(rows)} rows held out of train: {told}"}
