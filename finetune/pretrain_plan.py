"""The plan of a training from random weights, and the report of how it went."""

import math
from dataclasses import dataclass, field

from evals.errors import UsageError


@dataclass(frozen=True, slots=True)
class PretrainPlan:
    """How long and how fast to learn; at least one of ``tokens``, ``steps`` and ``seconds`` must be given.

    The schedule follows whichever limit is nearest. With ``seconds`` alone the number of steps depends on
    the machine, so two runs differ; with ``tokens`` or ``steps`` equal seeds give equal runs.
    ``workers`` is the number of CPU threads that share a batch, each with some of its rows (useful up to the
    number of cores; no effect on a GPU). ``compile`` passes the model through ``torch.compile``; ``bf16`` multiplies
    matrices in that format on a CPU, too (on a GPU it always is). The rate stays at its peak until ``decay_share``
    of the plan is left, then falls along a half cosine; by default it falls from the start.
    """

    tokens: int | None = None
    steps: int | None = None
    seconds: float | None = None
    learning_rate: float = 3e-3
    final_share: float = 0.02
    warmup_steps: int = 50
    weight_decay: float = 0.01
    clip: float = 1.0
    validate_every: int = 100
    keep_best: bool = False
    checkpoint_seconds: float = 180.0
    workers: int = 1
    compile: bool = False
    bf16: bool = False
    decay_share: float = 1.0

    def __post_init__(self) -> None:
        if self.tokens is None and self.steps is None and self.seconds is None:
            raise UsageError("a training plan needs a limit: give tokens, steps or seconds")

    def share_done(self, steps: int, tokens: int, seconds: float) -> float:
        """Return how much of the plan is used up, 0 to 1, by the nearest limit."""
        limits = ((steps, self.steps), (tokens, self.tokens), (seconds, self.seconds))
        return min(1.0, max(done / limit if limit > 0 else 1.0 for done, limit in limits if limit is not None))

    def rate_at(self, step: int, share: float) -> float:
        """Return the learning rate of a step (counted from 0) when ``share`` of the plan is used up."""
        warm = min(1.0, (step + 1) / max(1, self.warmup_steps))
        fallen = max(0.0, (share - (1 - self.decay_share)) / self.decay_share)
        cosine = 0.5 * (1 + math.cos(math.pi * fallen))
        return self.learning_rate * warm * (self.final_share + (1 - self.final_share) * cosine)


@dataclass(frozen=True, slots=True)
class Validation:
    """What a look at held-out data gave: mean loss per answer token, and named scores from 0 to 1."""

    loss: float
    scores: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TrainPoint:
    """One point of the curve: mean training loss since the last point, and the validation at it, if any."""

    step: int
    tokens: int
    rate: float
    loss: float
    validation: Validation | None = None


@dataclass(frozen=True)
class PretrainReport:
    """What the training took and how it went. ``best_step`` is set when validation chose the weights."""

    steps: int
    tokens: int
    seconds: float
    points: tuple[TrainPoint, ...]
    best_step: int | None = None
