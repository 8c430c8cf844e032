"""The decision: training was worth it, or it was not, or these rows can't tell.

Worth it: some trained arm beats every untrained arm by more than the minimum gain. Not worth it: for
every trained arm there is an untrained arm that it doesn't beat by more than that. Both are read off
intervals of paired differences, widened for the number of ways in which chance could make the claim
(Bonferroni): over the trained arms for the first, and over the untrained ones, too, for the second.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from evals import verdict_wording as wording
from evals.joint import Claim
from evals.needed import Needed, needed
from evals.protocols import Family
from evals.scoreboard import Scoreboard
from evals.stats import Difference
from evals.verdict_wording import Absent, Outcome

FAMILIES: tuple[Family, ...] = ("classic", "prompt", "rag", "tune")
"""The families from the least to the most that has to be built and kept."""


@dataclass(frozen=True, slots=True)
class Contender:
    """An arm that is done.

    ``tokens`` are the mean per prediction, prompt and completion together; ``place`` is the arm's in the plan,
    which tells arms of equal tokens apart (a clock would not tell the same twice).
    """

    name: str
    family: Family
    tokens: float
    place: int

    @property
    def trained(self) -> bool:
        """Whether the arm trains a model."""
        return self.family == "tune"

    @property
    def effort(self) -> tuple[int, float, int]:
        """What the arm costs, as a key to sort by: family, tokens, place in the plan."""
        return FAMILIES.index(self.family), self.tokens, self.place


@dataclass(frozen=True, slots=True)
class Gain:
    """A trained arm's score minus the best untrained arm's, at the confidence that decides.

    ``trained`` is the arm that decides: the best of those of which the outcome holds, mostly the best of all.
    """

    trained: str
    difference: float
    low: float
    high: float
    confidence: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision with the figures that carry it; arms are named, None where there is none.

    ``needed`` is there when the verdict is undecided: what would decide it.
    """

    outcome: Outcome
    reason: str
    best_arm: str | None
    cheapest_within_noise: str | None
    within_noise: tuple[str, ...]
    best_trained: str | None
    best_untrained: str | None
    gain: Gain | None
    minimum_gain: float
    confidence: float
    needed: Needed | None = None


@dataclass(frozen=True)
class _Case:
    """One trained arm against all untrained ones, at the two levels of confidence."""

    trained: str
    outcome: Outcome
    against: dict[str, Difference]
    decisive: str
    confidence: float


def decide(
    contenders: Sequence[Contender],
    scores: Scoreboard,
    *,
    minimum_gain: float,
    confidence: float,
    absent: Sequence[Absent] = (),
) -> Verdict:
    """Return the verdict over the arms that are done; ``minimum_gain`` is in the metric's unit (0…1)."""
    means = {arm.name: scores.estimate(arm.name, confidence).mean for arm in contenders}
    ranked = sorted(contenders, key=lambda arm: (-_known(means[arm.name]), arm.effort))
    trained = [arm.name for arm in ranked if arm.trained]
    untrained = [arm.name for arm in ranked if not arm.trained]
    near = _within_noise(ranked, scores, confidence)
    outcome: Outcome = "undecided"
    gain = lacking = None
    if not trained or not untrained:
        reason = wording.nothing_to_compare(bool(trained), bool(untrained), absent)
    else:
        cases = _judge_all(trained, untrained, scores, minimum_gain, confidence)
        outcome = _outcome(cases)
        case = next(case for case in cases if case.outcome == outcome)
        focus, lead = case.trained, case.against[untrained[0]]
        gain = _gain(focus, lead, case.confidence)
        if outcome == "undecided" and (joint := scores.joint(focus, untrained)) is not None:
            lacking = needed(joint, minimum_gain, confidences(confidence, len(trained), len(untrained)))
        comparison = wording.Comparison(
            trained=focus,
            trained_score=scores.estimate(focus, confidence),
            untrained=untrained[0],
            untrained_score=scores.estimate(untrained[0], confidence),
            gain=lead,
            decisive=case.decisive,
            decisive_gain=case.against[case.decisive],
            confidence=case.confidence,
            minimum_gain=minimum_gain,
            needed=lacking,
        )
        others = [arm for arm in trained if arm != focus] if outcome == "not_worth_it" else []
        reason = wording.compared(outcome, comparison, others, absent)
    return Verdict(
        outcome=outcome,
        reason=reason,
        best_arm=ranked[0].name if ranked else None,
        cheapest_within_noise=min(near, key=lambda arm: arm.effort).name if near else None,
        within_noise=tuple(arm.name for arm in near),
        best_trained=trained[0] if trained else None,
        best_untrained=untrained[0] if untrained else None,
        gain=gain,
        minimum_gain=minimum_gain,
        confidence=confidence,
        needed=lacking,
    )


def judge(
    trained: Sequence[str], untrained: Sequence[str], scores: Scoreboard, *, minimum_gain: float, confidence: float
) -> Outcome:
    """Return the outcome alone, for at least one arm of each kind."""
    return _outcome(_judge_all(trained, untrained, scores, minimum_gain, confidence))


def _judge_all(
    trained: Sequence[str], untrained: Sequence[str], scores: Scoreboard, minimum_gain: float, confidence: float
) -> list[_Case]:
    return [_judge(arm, untrained, scores, minimum_gain, confidence, len(trained)) for arm in trained]


def confidences(confidence: float, trained: int, untrained: int) -> dict[Claim, float]:
    """Return the confidence of the two-sided intervals that each claim is read off.

    A claim is one end of an interval, so at 95% it's false in 2.5% of cases at most. For "worth it" that chance is
    shared by the trained arms. For "not worth it" it is shared by the untrained ones, one of which is enough; every
    trained arm has to fail, which needs no share.
    """
    error = 1 - confidence
    return {"worth_it": 1 - error / trained, "not_worth_it": 1 - error / untrained}


def _judge(
    trained: str, untrained: Sequence[str], scores: Scoreboard, minimum_gain: float, confidence: float, arms: int
) -> _Case:
    """Return what the intervals say of one of ``arms`` trained arms."""
    levels = confidences(confidence, arms, len(untrained))
    surer, surest = levels["worth_it"], levels["not_worth_it"]
    wins = {arm: scores.difference(trained, arm, surer) for arm in untrained}
    if all(_low(wins[arm]) > minimum_gain for arm in untrained):
        return _Case(trained, "worth_it", wins, min(untrained, key=lambda arm: _low(wins[arm])), surer)
    against = {arm: scores.difference(trained, arm, surest) for arm in untrained}
    closest = min(untrained, key=lambda arm: _high(against[arm]))
    if _high(against[closest]) <= minimum_gain:
        return _Case(trained, "not_worth_it", against, closest, surest)
    return _Case(trained, "undecided", against, min(untrained, key=lambda arm: _low(against[arm])), surest)


def _outcome(cases: Sequence[_Case]) -> Outcome:
    outcomes = {case.outcome for case in cases}
    if "worth_it" in outcomes:
        return "worth_it"
    return "not_worth_it" if outcomes == {"not_worth_it"} else "undecided"


def _within_noise(ranked: Sequence[Contender], scores: Scoreboard, confidence: float) -> list[Contender]:
    """Return the best arm and those whose difference to it may be none."""
    if not ranked:
        return []
    best = ranked[0].name
    rest = ((arm, scores.difference(best, arm.name, confidence)) for arm in ranked[1:])
    return [ranked[0], *(arm for arm, gap in rest if _low(gap) <= 0 <= _high(gap))]


def _gain(trained: str, difference: Difference, confidence: float) -> Gain | None:
    if difference.difference is None or difference.low is None or difference.high is None:
        return None
    return Gain(trained, difference.difference, difference.low, difference.high, confidence)


def _known(mean: float | None) -> float:
    return -1.0 if mean is None else mean


def _low(difference: Difference) -> float:
    """Return the lower bound; a difference that can't be computed may be anything."""
    return -math.inf if difference.low is None else difference.low


def _high(difference: Difference) -> float:
    return math.inf if difference.high is None else difference.high
