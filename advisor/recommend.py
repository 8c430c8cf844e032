"""The recommendation: a pure function of the answers and the scorecard; no language model decides.

Every option's points are added up (log-odds), divided by the temperature and turned into probabilities by a softmax,
and mixed with those of the start values: some tasks go against what their answers say. Options that a gate rules out
hard get none; what a gate wants done first moves their share to "not ready".
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from advisor.questions import relevant
from advisor.scorecard import OPTIONS, Factor, Gate, Reason, Scorecard, applies, scorecard

NOT_READY = "not_ready"
SHOWN = 3
"""How many reasons for and against are kept."""


@dataclass(frozen=True, slots=True)
class Weight:
    """What answers (mostly one) add to an option, compared with what they add to the others on average."""

    answers: Mapping[str, str]
    points: float
    reason: Reason


@dataclass(frozen=True, slots=True)
class Option:
    """One approach with its probability and the strongest reasons for and against it."""

    approach: str
    probability: float
    reasons_for: tuple[Weight, ...] = ()
    reasons_against: tuple[Weight, ...] = ()


@dataclass(frozen=True)
class Recommendation:
    """The ranked options; ``approach`` is the first, ``meanwhile`` the first that nothing stands against."""

    approach: str
    meanwhile: str
    options: tuple[Option, ...]
    blocks: tuple[Gate, ...]


def recommend(answers: Mapping[str, str], card: Scorecard | None = None) -> Recommendation:
    """Return what ``answers`` (key → option; missing means unknown) speak for."""
    card = card or scorecard()
    known = relevant(answers)
    given = [factor for factor in card.factors if applies(factor.when, known)]
    blocks = tuple(gate for gate in card.gates if applies(gate.when, known))
    ruled_out = {option for gate in blocks if gate.kind == "hard" for option in gate.options}
    waiting = {option for gate in blocks if gate.kind == "first" for option in gate.options} - ruled_out
    shares = mixed(total_points(known, card), card)
    made = []
    for option in OPTIONS:
        probability = 0.0 if option in waiting else shares.get(option, 0.0)
        made.append(_option(option, probability, given))
    if waiting:
        made.append(Option(NOT_READY, sum(shares[option] for option in waiting)))
    ranked = tuple(sorted(made, key=lambda option: -option.probability))
    meanwhile = next(option.approach for option in ranked if option.approach != NOT_READY)
    return Recommendation(ranked[0].approach, meanwhile, ranked, blocks)


def total_points(answers: Mapping[str, str], card: Scorecard) -> dict[str, float]:
    """Return the start value and all points of every option that no gate rules out."""
    known = relevant(answers)
    given = [factor for factor in card.factors if applies(factor.when, known)]
    hard = [gate for gate in card.gates if gate.kind == "hard" and applies(gate.when, known)]
    left = [option for option in OPTIONS if not any(option in gate.options for gate in hard)]
    return {option: card.start[option] + sum(factor.points(option) for factor in given) for option in left}


def mixed(sums: Mapping[str, float], card: Scorecard) -> dict[str, float]:
    """Return the probabilities of the options in ``sums``: by their points, and for the lapse by the start values."""
    by_points = softmax(sums, card.temperature)
    by_start = softmax({option: card.start[option] for option in sums}, card.temperature)
    return {option: (1 - card.lapse) * by_points[option] + card.lapse * by_start[option] for option in sums}


def softmax(sums: Mapping[str, float], temperature: float) -> dict[str, float]:
    """Return the probabilities of options whose log-odds are ``sums`` over ``temperature``."""
    highest = max(sums.values())
    powers = {option: math.exp((value - highest) / temperature) for option, value in sums.items()}
    total = sum(powers.values())
    return {option: power / total for option, power in powers.items()}


def _option(option: str, probability: float, given: list[Factor]) -> Option:
    weights = []
    for factor in given:
        mean = sum(factor.points(other) for other in OPTIONS) / len(OPTIONS)
        points = factor.points(option) - mean
        if _told(option, factor, points):
            weights.append(Weight(factor.when, points, factor.reason))
    weights.sort(key=lambda weight: -abs(weight.points))
    return Option(
        option,
        probability,
        tuple([weight for weight in weights if weight.points > 0][:SHOWN]),
        tuple([weight for weight in weights if weight.points < 0][:SHOWN]),
    )


def _told(option: str, factor: Factor, points: float) -> bool:
    """Whether a factor is a reason to be told of ``option``, which it moves by ``points`` beside the others.

    What only speaks against some other option isn't a reason for this one, but for prompting where it speaks against
    training; what speaks for training is none against classic methods, which learn from the same rows.
    """
    own = factor.points(option)
    if points > 0:
        against_training = option == "prompt" and factor.push.get("tune", 0.0) < 0
        return own > 0 or (own == 0 and against_training and max(factor.push.values()) <= 0)
    return own < 0 or option != "classic" or "task" in factor.when
