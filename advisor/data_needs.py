"""How many rows it takes to learn from, per label, and to judge on; noise raises all three."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from advisor.readiness_item import share_of
from evals.power import DISCORDANT, MOST_NOISE, eval_rows_needed, noise_factor

NOISE = {"low": 0.02, "middle": 0.05, "high": 0.10}
"""The share of wrong answers that each answer to ``noise`` counts as: the upper end, for the open one our judgement."""

UNKNOWN_NOISE = NOISE["middle"]

LEAST_EXAMPLES = 50
"""Where hosted training begins to show gains (OpenAI's guide: 50 to 100 examples)."""

SORTING_EXAMPLES = 200
"""What sorting takes (Lawma: tens to hundreds of examples per task suffice)."""

OTHER_EXAMPLES = 1_000
"""What other tasks take: the low end of the thousands that Microsoft's guide asks for."""

LEAST_PER_LABEL = 8
"""The usual least of examples per label (SetFit)."""


@dataclass(frozen=True, slots=True)
class DataNeeds:
    """Rows needed, with the shares that they rest on; ``noise_known`` tells an answer or a count from a guess."""

    examples: int
    per_label: int
    eval_rows: int
    noise: float
    noise_known: bool
    discordant: float


def data_needs(answers: Mapping[str, str], figures: Mapping[str, float], minimum_gain: float) -> DataNeeds:
    """Return how many rows the task takes.

    ``figures`` may hold the shares ``noise`` and ``discordant`` (rows that exactly one of two approaches gets right).
    Raises ``UsageError`` for a gain or share that is none.
    """
    counted = share_of(figures, "noise")
    noise = counted if counted is not None else NOISE.get(answers.get("noise", ""), UNKNOWN_NOISE)
    discordant = figures.get("discordant", DISCORDANT)
    base = SORTING_EXAMPLES if answers.get("task") == "sorting" else OTHER_EXAMPLES
    factor = noise_factor(noise)
    return DataNeeds(
        examples=math.ceil(base * factor),
        per_label=math.ceil(LEAST_PER_LABEL * factor),
        eval_rows=eval_rows_needed(minimum_gain, discordant, noise),
        noise=min(noise, MOST_NOISE),
        noise_known=counted is not None or answers.get("noise") in NOISE,
        discordant=discordant,
    )
