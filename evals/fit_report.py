"""What fitting an arm took and how it went, as it's kept in ``fit.json``."""

from dataclasses import dataclass, field

from evals.selection import Selection
from evals.stored import ADDED_LATER


@dataclass(frozen=True, slots=True)
class LossPoint:
    """One point of a training curve; ``validation`` and ``score`` are None between evaluations.

    ``train`` and ``validation`` are mean losses per answer token, in nats; the model is shown the right answer
    up to each token. ``score`` (0…1) is the task's own metric over validation rows that the model answered
    by itself, as it answers afterwards.
    """

    step: int
    epoch: float
    train: float | None
    validation: float | None
    score: float | None = None


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """How a training was planned: its pace, its learning rate, and the rows it's watched with.

    The learning rate rises in ``warmup_steps`` to ``learning_rate`` and falls along half a cosine to
    ``final_share`` of that at the last step. ``epochs`` are those asked for; ``ended_by_budget`` is the budget
    in tokens that ended it sooner, None where none did. ``validation_rows`` were held out of train;
    ``scored_rows`` of them were answered at each evaluation.
    """

    batch_size: int
    learning_rate: float
    warmup_steps: int
    final_share: float
    epochs: float
    ended_by_budget: int | None
    validation_rows: int
    scored_rows: int


@dataclass(frozen=True, slots=True)
class FitReport:
    """What fitting an arm took: seconds, tokens seen, memory, the loss curve and plain facts.

    ``best_step`` is the step of the checkpoint that was kept, the one with the lowest validation loss; None
    where there were no validation rows. ``facts`` are short sentences or figures that the report shows as they
    stand, for example ``{"shots": 8, "selection": "balanced"}``. ``plan`` is there for arms that train,
    ``selection`` for those that chose among settings.
    """

    seconds: float = 0.0
    train_rows: int = 0
    train_tokens: int = 0
    steps: int = 0
    steps_per_epoch: int = 0
    epochs: float = 0.0
    best_step: int | None = None
    peak_memory_mb: float | None = None
    losses: tuple[LossPoint, ...] = ()
    facts: dict[str, str | int | float | bool | None] = field(default_factory=dict)
    plan: TrainingPlan | None = field(default=None, metadata=ADDED_LATER)
    selection: Selection | None = field(default=None, metadata=ADDED_LATER)
