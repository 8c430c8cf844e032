"""Which of the advisor's questions a probe answers, by which thresholds, and in what words."""

from collections.abc import Sequence
from dataclasses import dataclass

from advisor.found_answer import FoundAnswer, counted
from advisor.oracle import OracleTest
from advisor.probe_arm import ArmScore
from evals.stats import Difference, Estimate

FEWEST_ROWS = 10
"""Scored rows, at least, for an answer to be filled in: fewer say next to nothing. Our judgement."""

MOST_ERRORS = 0.05
"""Share of rows that may fail before a score stands for the others only, as for the arms of a run."""

SMALL_GAP, LARGE_GAP = 0.02, 0.10
"""Up to the first a gap counts as none, up to the second as some (``advisor/questions.yaml``)."""


@dataclass(frozen=True)
class Aim:
    """The score that is needed (0…1), the metric that it's measured by, and the confidence of intervals."""

    target: float
    metric: str
    confidence: float


def probe_answers(arms: Sequence[ArmScore], oracle: OracleTest | None, aim: Aim) -> dict[str, FoundAnswer]:
    """Return the answers that the scores decide, by the question's key.

    Scores of too few rows decide nothing, nor do those whose interval holds another answer too.
    """
    sound = [arm for arm in arms if is_sound(arm.estimate)]
    best = max(sound, key=_mean_of, default=None)
    found = {"oracle": _oracle(best, oracle, aim), "gap": _gap(best, aim) if best else None}
    return {key: answer for key, answer in found.items() if answer is not None}


def is_sound(estimate: Estimate) -> bool:
    """Tell whether enough rows were scored, and few enough failed, for a score to decide something."""
    return estimate.n >= FEWEST_ROWS and estimate.dropped <= MOST_ERRORS * (estimate.n + estimate.dropped)


def score_words(estimate: Estimate) -> str:
    """Return a score with its interval in whole percent."""
    if estimate.mean is None or estimate.low is None or estimate.high is None:
        return "no score"
    return f"{estimate.mean:.0%} ({estimate.low:.0%} to {estimate.high:.0%})"


def _mean_of(arm: ArmScore) -> float:
    return arm.estimate.mean or 0.0


def _gap(best: ArmScore, aim: Aim) -> FoundAnswer | None:
    """Return the gap where the rows can tell it: none, or how far; None where the interval holds both."""
    low, high = best.estimate.low or 0.0, best.estimate.high or 0.0
    short = round(aim.target - _mean_of(best), 6)
    if short <= SMALL_GAP:
        option = "none" if low > aim.target - LARGE_GAP else None
    elif high >= aim.target:
        option = None
    else:
        option = "some" if short <= LARGE_GAP else "large"
    if option is None:
        return None
    points = f"{short * 100:.0f} points short of" if short > 0 else "which reaches"
    return FoundAnswer(option, f"{_said(best, aim)}, {points} {aim.target:.0%}")


def _oracle(best: ArmScore | None, test: OracleTest | None, aim: Aim) -> FoundAnswer | None:
    if best is not None and _reaches(best.estimate, aim):
        return FoundAnswer("without", f"{_said(best, aim)}, without a passage")
    if test is None or not (is_sound(test.without) and is_sound(test.with_passage)):
        return None
    if _reaches(test.without, aim):
        return FoundAnswer("without", _test_words(test, aim))
    if _reaches(test.with_passage, aim):
        return FoundAnswer("only_with", _test_words(test, aim))
    if (test.with_passage.high or 0.0) >= aim.target:
        return None  # it may reach the target or not: these rows can't tell
    option = "partly" if (test.difference.low or 0.0) > 0 else "still_wrong"
    return FoundAnswer(option, _test_words(test, aim))


def _reaches(estimate: Estimate, aim: Aim) -> bool:
    """Whether a score reaches the target, and its interval doesn't reach far below."""
    if estimate.mean is None or estimate.low is None:
        return False
    return round(estimate.mean, 6) >= aim.target and estimate.low > aim.target - LARGE_GAP


def _said(arm: ArmScore, aim: Aim) -> str:
    score = f"{arm.arm} {score_words(arm.estimate)} by {aim.metric} on {counted(arm.estimate.n, 'row')}"
    failed = f", {counted(arm.estimate.dropped, 'row')} failed" if arm.estimate.dropped else ""
    return f"{score} at {aim.confidence:.0%} confidence{failed}"


def _test_words(test: OracleTest, aim: Aim) -> str:
    with_passage, without = score_words(test.with_passage), score_words(test.without)
    known = f"its passage is known for {test.rows:,} of {counted(test.asked, 'row')} ({test.named:,} by doc_id)"
    return (
        f"{with_passage} by {aim.metric} with the right passage, {without} without, "
        f"{_difference_words(test.difference)} at {aim.confidence:.0%} confidence; {aim.target:.0%} is needed; {known}"
    )


def _difference_words(difference: Difference) -> str:
    if difference.difference is None or difference.low is None or difference.high is None:
        return "no difference known"
    low, mean, high = (100 * value for value in (difference.low, difference.difference, difference.high))
    return f"a difference of {mean:+.0f} points ({low:+.0f} to {high:+.0f})"
