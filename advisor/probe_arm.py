"""One arm asked a few rows outside a run: nothing is kept but the scores."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evals.example import Example
from evals.protocols import Arm, ProgressHook
from evals.scoring import score
from evals.stats import Estimate, ScoreSample
from evals.task import Task

BATCH = 25
"""Rows answered between two signs of progress."""


@dataclass(frozen=True)
class ArmScore:
    """What one arm scored; ``first_error`` is the cause where rows failed."""

    arm: str
    estimate: Estimate
    first_error: str | None = None


@dataclass(frozen=True)
class RowScores:
    """An arm's scores (0…1) by row id, None for a row that failed."""

    arm: str
    scores: Mapping[str, float | None]
    first_error: str | None

    def estimate(self, seed: int, confidence: float) -> ArmScore:
        """Return the mean with its interval; ``seed`` is that of the bootstrap."""
        sample = ScoreSample(list(self.scores.values()), seed)
        return ArmScore(self.arm, sample.estimate(confidence), self.first_error)


def score_rows(arm: Arm, task: Task, rows: Sequence[Example], progress: ProgressHook) -> RowScores:
    """Fit ``arm`` on the task's training rows, ask it ``rows`` and score what it says."""
    arm.fit(task.train, ())
    scores: dict[str, float | None] = {}
    first_error: str | None = None
    for start in range(0, len(rows), BATCH):
        progress(arm.name, start, len(rows))
        asked = rows[start : start + BATCH]
        for row, prediction in zip(asked, arm.answer(asked), strict=True):
            scores[row.id] = score(task, row, prediction).score
            first_error = first_error or prediction.error
    progress(arm.name, len(rows), len(rows))
    return RowScores(arm.name, scores, first_error)
