"""The exam of a model that is being trained: held-out rows, answered by the engine and scored by the task's metric.

A validation loss is teacher-forced: at every token the model is shown the right answer so far. Whether a model
can answer is seen only by letting it answer, the way its arm answers afterwards (``baselines.answering``).
"""

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from baselines.answering import answer_limits, answer_with_model
from baselines.local_model import LocalModel
from evals.example import Example, Prompt
from evals.protocols import Limits
from evals.scoring import mean_score, score
from evals.task import Task
from finetune.encode import EncodedRow, zero_shot_prompt
from finetune.schedule import Schedule

MOST_ROWS = 32
"""Rows answered at one evaluation, at most."""

FEWEST_ROWS = 4
"""Rows answered however short the training is, if there are so many."""

COST_SHARE = 0.1
"""All exams of a training together are to cost at most this share of it."""

LEARNT_TOKEN = 3.0
"""A token that is learnt costs a forward pass and a backward one of twice the work."""

WRITTEN_TOKEN = 5.0
"""A token that is written costs so many tokens of a prompt that is read: few rows make one step of it."""


@dataclass(frozen=True)
class Exam:
    """The rows of an exam and the model that sits it, which may be in the middle of its training.

    ``prompts`` are what it's asked for each row; None: the zero-shot ones.
    """

    model: LocalModel
    task: Task
    examples: tuple[Example, ...]
    limits: Limits
    prompts: tuple[Prompt, ...] | None = None

    def sit(self) -> float | None:
        """Return the model's score (0…1) as it stands; None when every row ended in an error.

        Weights, gradients, training mode and the global random state are left as they were.
        """
        module = self.model.module
        training = module.training
        module.train()  # the engine goes into eval mode by itself; seeing a model in training, it leaves no trace
        try:
            prompts = self.prompts or [zero_shot_prompt(self.task, example) for example in self.examples]
            answers = answer_with_model(self.model, self.task, self.examples, prompts, self.limits)
        finally:
            module.train(training)
            self.model.forget()
        rows = [score(self.task, *pair) for pair in zip(self.examples, answers, strict=True)]
        return mean_score(self.task, rows)


def plan_exam(
    model: LocalModel,
    task: Task,
    validation: Sequence[EncodedRow],
    *,
    schedule: Schedule,
    step_tokens: float,
    seed: int,
    prompts: Mapping[str, Prompt] | None = None,
) -> Exam | None:
    """Return the exam over at most 32 rows drawn from ``validation``, or None when there are none.

    The rows are the same at every evaluation. They are fewer where that would cost more than a tenth of the
    training, whose steps learn ``step_tokens`` tokens each; 4 of them are always answered. ``prompts`` are what is
    asked, by row id.
    """
    if not validation:
        return None
    limits = answer_limits(task, model.count_tokens)
    written = sum(model.count_tokens(f" {label}") for label in task.labels) if task.answer == "label" else 0.0
    if task.answer != "label":
        written = WRITTEN_TOKEN * limits.max_new_tokens
    row_cost = sum(row.prompt_tokens for row in validation) / len(validation) + written
    exams = 1 + math.ceil(schedule.steps / schedule.evaluate_every)
    affordable = int(COST_SHARE * LEARNT_TOKEN * step_tokens * schedule.steps / (exams * row_cost))
    count = min(len(validation), MOST_ROWS, max(FEWEST_ROWS, affordable))
    chosen = {row.id for row in random.Random(seed).sample(list(validation), count)}
    examples = tuple(row for row in task.train if row.id in chosen)
    asked = None if prompts is None else tuple(prompts[row.id] for row in examples)
    return Exam(model, task, examples, limits, asked)
