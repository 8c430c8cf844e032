"""Whether a training was underfit, well fit or overfit, read off its curve.

What counts as clear is our judgement, not a law; ``diagnose`` names its thresholds. They are relative to the
curve's own figures, so the size of a loss (long answers, a large vocabulary) doesn't matter.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from evals.fit_report import LossPoint

Kind = Literal["underfit", "well_fit", "overfit", "unknown"]
Cause = Literal[
    "rising", "by_heart", "hardly", "falling", "budget", "level", "unlearnt", "unsteady", "few_points", "no_validation"
]

FEWEST_POINTS = 4
"""Evaluations below this number don't make a curve."""

CLEAR = 0.05
"""A validation loss changes clearly when it changes by this share of what it was …"""

CLEAR_OF_FALL = 0.1
"""… and by this times that share of its whole fall: near zero, large ratios are small matters."""

CLEAR_AT_BUDGET = 0.6
"""Where a budget ended a training, this part of a clear fall is enough: more steps would have gone on with it."""

LATE = 0.75
"""The end of a training is what comes after this share of its steps."""

POOR = 0.5
"""A score below this on the model's own answers to held-out rows is far from what was to be learnt …"""

NO_GAP = 0.95
"""… and a training loss of at least this share of the validation loss says that the training rows aren't known
better: a learning rate that falls to zero flattens the curve of a training that should have gone on."""

LEARNT = 0.2
"""A training loss that falls by this share shows that something was learnt."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One evaluation: validation loss, score, and the mean training loss since the evaluation before."""

    step: int
    train: float | None
    validation: float
    score: float | None


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The judgement, what it rests on, and the evaluations that carry it.

    ``first`` is the first evaluation (step 0: before training), ``lowest`` the one with the lowest validation
    loss after that, ``late`` the validation loss at three quarters of the steps, ``last`` the last evaluation.
    All are None where there are too few evaluations; ``evaluations`` counts them.
    """

    kind: Kind
    cause: Cause
    evaluations: int
    first: Standing | None = None
    lowest: Standing | None = None
    last: Standing | None = None
    late: float | None = None


def diagnose(losses: Sequence[LossPoint], *, ended_by_budget: bool = False) -> Diagnosis:
    """Return whether the training that left ``losses`` was underfit, well fit or overfit.

    A change is *clear* from 5% of what the validation loss was, if that's at least 0.5% of its whole fall (from
    the first evaluation to the lowest) too. The first of these that holds:

    - unknown: no evaluation, or fewer than 4 of them (``no_validation``, ``few_points``);
    - overfit: from its lowest evaluation to the last one the validation loss rose clearly, while the training
      loss fell (``rising``); or the training loss fell by a fifth or more in the course of the training, while
      the validation loss never got clearly below what it was before training (``by_heart``);
    - underfit: the validation loss never got clearly below what it was before training (``hardly``);
    - unknown: it rose clearly from its lowest evaluation on, and the training loss didn't fall (``unsteady``);
    - underfit: the validation loss is lowest at the end and fell clearly over the last quarter of the steps
      (``falling``), where 3% are enough if a token budget ended the training (``budget``);
    - underfit: at the end less than half of the held-out rows are answered right, and the training loss is no
      lower than the validation loss (``unlearnt``);
    - well fit: everything else (``level``).

    Points whose loss isn't a finite number are passed over.
    """
    course = _standings(losses)
    if len(course) < FEWEST_POINTS:
        return Diagnosis("unknown", "few_points" if course else "no_validation", len(course))
    first, last = course[0], course[-1]
    trained = course[1:] if first.step == 0 else course
    lowest = min(trained, key=lambda standing: standing.validation)
    late = _interpolated(course, LATE * last.step)
    kind, cause = _judge(first, trained, lowest, late, ended_by_budget=ended_by_budget)
    return Diagnosis(kind, cause, len(course), first, lowest, last, late)


def _judge(
    first: Standing, trained: Sequence[Standing], lowest: Standing, late: float, *, ended_by_budget: bool
) -> tuple[Kind, Cause]:
    last, fall = trained[-1], max(0.0, first.validation - lowest.validation)

    def clear(change: float, reference: float, part: float = 1.0) -> bool:
        return change > 0 and change >= part * CLEAR * reference and change >= part * CLEAR * CLEAR_OF_FALL * fall

    rose = clear(last.validation - lowest.validation, lowest.validation)
    if rose and _fell(lowest, last):
        return "overfit", "rising"
    if first.step == 0 and not clear(fall, first.validation):
        return ("overfit", "by_heart") if _fell(trained[0], last, by=LEARNT) else ("underfit", "hardly")
    if rose:
        return "unknown", "unsteady"
    if last is lowest:
        if ended_by_budget and clear(late - last.validation, late, CLEAR_AT_BUDGET):
            return "underfit", "budget"
        if clear(late - last.validation, late):
            return "underfit", "falling"
    poor = last.score is not None and last.score < POOR
    if poor and last.train is not None and last.train >= NO_GAP * last.validation:
        return "underfit", "unlearnt"
    return "well_fit", "level"


def _fell(before: Standing, after: Standing, by: float = 0.0) -> bool:
    """Tell whether the training loss fell between two evaluations, by the share ``by`` or more."""
    if before.train is None or after.train is None:
        return False
    return after.train < before.train and after.train <= (1 - by) * before.train


def _standings(losses: Sequence[LossPoint]) -> list[Standing]:
    """Return the evaluations by step, each with the mean training loss since the one before."""
    points = sorted(losses, key=lambda point: point.step)
    course: list[Standing] = []
    seen: list[float] = []
    for point in points:
        if point.train is not None and math.isfinite(point.train):
            seen.append(point.train)
        if point.validation is not None and math.isfinite(point.validation):
            mean = sum(seen) / len(seen) if seen else None
            course.append(Standing(point.step, mean, point.validation, point.score))
            seen = []
    return course


def _interpolated(course: Sequence[Standing], step: float) -> float:
    """Return the validation loss at ``step``, on the straight line between the evaluations beside it."""
    before = max((standing for standing in course if standing.step <= step), key=lambda s: s.step, default=course[0])
    after = min((standing for standing in course if standing.step >= step), key=lambda s: s.step)
    if after.step <= before.step:
        return before.validation
    share = (step - before.step) / (after.step - before.step)
    return before.validation + share * (after.validation - before.validation)
