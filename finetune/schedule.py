"""How long and how fast to train: learning rate, steps under a token budget, and when to evaluate."""

import math
from dataclasses import dataclass

from evals.task_file import Tune

EPOCHS = 3.0
"""Passes over the rows when the task file names no number and the arm has no default of its own."""

CPU_TOKENS = 300_000
"""The default token budget on a CPU: minutes for a small model, not days."""

WARMUP_SHARE = 0.06
EVALUATIONS = 6
"""A run is evaluated at least this often, and at least once an epoch."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """A planned training: ``steps`` of ``batch_size`` rows, warm-up included, evaluated every ``evaluate_every``.

    ``cut_by_budget`` tells that the token budget ended it before the wanted epochs.
    """

    learning_rate: float
    steps: int
    steps_per_epoch: int
    warmup_steps: int
    evaluate_every: int
    cut_by_budget: bool

    @property
    def epochs(self) -> float:
        """Passes over the training rows."""
        return self.steps / self.steps_per_epoch


def plan_schedule(
    settings: Tune, *, rows: int, epoch_tokens: int, token_budget: int | None, learning_rate: float
) -> Schedule:
    """Return the schedule for ``rows`` training rows that hold ``epoch_tokens`` tokens together.

    ``token_budget`` (None: unlimited) shortens the run; the learning rate then decays over the shortened length.
    """
    steps_per_epoch = math.ceil(rows / settings.batch_size)
    wanted = max(1, math.ceil((settings.epochs or EPOCHS) * steps_per_epoch))
    affordable = wanted if token_budget is None else max(1, int(token_budget / epoch_tokens * steps_per_epoch))
    steps = min(wanted, affordable)
    return Schedule(
        learning_rate=learning_rate,
        steps=steps,
        steps_per_epoch=steps_per_epoch,
        warmup_steps=min(max(1, round(WARMUP_SHARE * steps)), steps - 1),
        evaluate_every=min(steps_per_epoch, math.ceil(steps / EVALUATIONS)),
        cut_by_budget=steps < wanted,
    )


def token_budget(settings: Tune, device: str) -> int | None:
    """Return how many tokens may be trained on: the user's figure, else 300,000 on a CPU and no limit elsewhere."""
    if settings.max_train_tokens is not None:
        return settings.max_train_tokens
    return CPU_TOKENS if device == "cpu" else None


def default_learning_rate(parameters: int, *, low_rank: bool) -> float:
    """Return the peak learning rate for a model of ``parameters`` weights.

    LoRA: 2e-4 from a billion on (the QLoRA paper's figure for 7B to 13B), up to 5e-3 at a few million.
    All weights: a tenth of that from a billion on, a fifth at a few million. The ends were found by trying;
    between them the rate follows a power of the size.
    """
    smaller = max(1.0, 1e9 / parameters)
    rate: float = min(5e-3, 2e-4 * smaller**0.6) if low_rank else min(1e-3, 2e-5 * smaller**0.7)
    return rate
