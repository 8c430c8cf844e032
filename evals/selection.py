"""What an arm tried on held-out training rows, and what it kept; part of ``fit.json``."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Trial:
    """One choice of settings and how it did on the validation rows.

    ``score`` is the mean (0…1) over the rows without an error, None where too many failed; ``tokens`` is the mean of
    prompt and answer tokens per row.
    """

    name: str
    score: float | None
    errors: int
    tokens: float


@dataclass(frozen=True, slots=True)
class Selection:
    """All trials in order, the place of the one kept, and the ids of the training rows that they answered."""

    tried: tuple[Trial, ...]
    chosen: int
    validation_ids: tuple[str, ...]


def best_trial(trials: Sequence[Trial]) -> int:
    """Return the place of the best mean score; of equal ones the one with the fewest tokens, then the first.

    One without a score wins only when none has any.
    """

    def rank(place: int) -> tuple[bool, float, float, int]:
        trial = trials[place]
        return trial.score is None, -(trial.score or 0.0), trial.tokens, place

    return min(range(len(trials)), key=rank)
