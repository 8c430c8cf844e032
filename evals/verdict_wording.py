"""The verdict's reason: one to three plain sentences, every figure computed.

Scores are in percent of the metric, differences in points (hundredths of it), with one decimal.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from evals.needed import Needed
from evals.protocols import Family
from evals.stats import Difference, Estimate

Outcome = Literal["worth_it", "not_worth_it", "undecided"]


@dataclass(frozen=True, slots=True)
class Absent:
    """An arm that takes no part, and why: one clause."""

    name: str
    family: Family
    why: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the reason tells: the trained arm, the best untrained one, and the pair that decided."""

    trained: str
    trained_score: Estimate
    untrained: str
    untrained_score: Estimate
    gain: Difference
    decisive: str
    decisive_gain: Difference
    confidence: float
    minimum_gain: float
    needed: Needed | None = None


def compared(outcome: Outcome, told: Comparison, others: Sequence[str], absent: Sequence[Absent]) -> str:
    """Return the reason of a verdict that rests on a comparison.

    ``others`` are further trained arms of which the same holds.
    """
    least = f"the {asked(told.minimum_gain)} asked for"
    opening = (
        f"{told.trained} scores {scored(told.trained_score)}; "
        f"the best untrained arm, {told.untrained}, {scored(told.untrained_score)}: "
        f"{_change(told.gain, told.confidence)}"
    )
    sentences: list[str]
    aside = told.decisive != told.untrained
    if outcome == "worth_it":
        sentences = [f"{opening}, more than {least}."]
        if aside:
            sentences.append(f"The closest call is against {told.decisive}: {_span(told.decisive_gain)}.")
    elif outcome == "not_worth_it":
        closing = "" if aside else f", not more than {least}"
        sentences = [f"{opening}{closing}."]
        if aside:
            sentences.append(f"Against {told.decisive} it is {_span(told.decisive_gain)}, not more than {least}.")
        if others:
            sentences.append(f"{_list(others)} {'does' if len(others) == 1 else 'do'} no better.")
    else:
        sentences = [*_undecided(opening, least, told, aside)]
    return " ".join(sentences + _left_out(absent))


def nothing_to_compare(trained: bool, untrained: bool, absent: Sequence[Absent]) -> str:
    """Return the reason when there is no trained arm, or no untrained one, that is done."""
    sides = [
        _missing("trained", [arm for arm in absent if arm.family == "tune"]) if not trained else "",
        _missing("untrained", [arm for arm in absent if arm.family != "tune"]) if not untrained else "",
    ]
    return " ".join(filter(None, [*sides, "So training can't be compared with doing without it."]))


def asked(share: float) -> str:
    """Return the gain that was asked for, as exact as the user gave it: ``2 points``, ``1 point``, ``2.5 points``."""
    figure = f"{round(100 * share, 4):g}"
    return f"{figure} point{'' if figure == '1' else 's'}"


def scored(estimate: Estimate) -> str:
    """Return ``91.0% (88.0–94.0)``."""
    if estimate.mean is None or estimate.low is None or estimate.high is None:
        return "nothing that can be scored"
    return f"{100 * estimate.mean:.1f}% ({100 * estimate.low:.1f}–{100 * estimate.high:.1f})"


def signed(share: float) -> str:
    """Return a difference in points with a proper minus sign: ``−1.1``; never ``−0.0``."""
    figure = f"{abs(100 * share):.1f}"
    return f"−{figure}" if share < 0 and float(figure) else figure


def level(confidence: float) -> str:
    """Return ``95%`` or ``98.3%``."""
    return f"{round(100 * confidence, 1):g}%"


def _undecided(opening: str, least: str, told: Comparison, aside: bool) -> list[str]:
    pair = told.decisive_gain
    if pair.difference is None:
        return [f"{opening}.", f"With {told.decisive} it has no scored row in common, so nothing can be said."]
    doubt = f"which may be more or less than {least}"
    span = f". Against {told.decisive} it is {_span(pair)}" if aside else ""
    rows = f"{pair.n:,} eval row{'' if pair.n == 1 else 's'}"
    return [f"{opening}{span}, {doubt}.", f"{rows} can't tell which; {_deciding(told.needed, pair.n)}."]


def _deciding(needed: Needed | None, rows: int) -> str:
    """Return the clause that says what would decide."""
    if needed is None:
        return "more eval rows would narrow the interval"
    ways = []
    if needed.rows is not None:
        total = _about(max(needed.rows, rows + 1))
        ways.append(f"about {total - rows:,} more ({total:,} in all)")
    if needed.seeds is not None:
        ways.append(f"{needed.seeds:,} training seeds")
    if not ways:
        return "the gain lies so close to the one asked for that no number of rows would tell"
    claim = "enough" if needed.claim == "worth_it" else "too little"
    return f"{' or '.join(ways)} would tell in four of five tries that it is {claim}, if scores stay as they are"


def _about(rows: int) -> int:
    """Return ``rows`` rounded up to two digits that count."""
    step: int = 10 ** max(len(str(rows)) - 2, 0)
    return -(-rows // step) * step


def _change(gain: Difference, confidence: float) -> str:
    if gain.difference is None or gain.low is None or gain.high is None:
        return "they have no scored row in common"
    span = f"({signed(gain.low)} to {signed(gain.high)}, {level(confidence)} interval)"
    figure = signed(gain.difference)
    if figure.startswith("−"):
        return f"training changes the score by {figure} points {span}"
    return f"training adds {figure} points {span}"


def _span(gain: Difference) -> str:
    if gain.difference is None or gain.low is None or gain.high is None:
        return "unknown"
    return f"{signed(gain.difference)} points ({signed(gain.low)} to {signed(gain.high)})"


def _missing(side: str, absent: Sequence[Absent]) -> str:
    if not absent:
        return f"No {side} arm was run."
    return f"No {side} arm is done: " + "; ".join(f"{arm.name} {arm.why}" for arm in absent) + "."


def _left_out(absent: Sequence[Absent]) -> list[str]:
    if not absent:
        return []
    return ["Not compared: " + "; ".join(f"{arm.name} {arm.why}" for arm in absent) + "."]


def _list(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
