"""How often the advisor is right: its first choice for every published case, beside four simple rules.

::

    python -m advisor.score [--markdown] [--fit]

The scorecard's weights are our reading of the evidence, set by hand. Only its start values and its temperature are
fitted; for the score they are fitted anew for every source, on the cases of all the other sources.
"""

import argparse
import math
import random
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from advisor.cases import Case, cases
from advisor.recommend import NOT_READY, recommend
from advisor.scorecard import Scorecard, scorecard

FITTED = ("rag", "tune", "rag_tune")
BINS = 5


@dataclass(frozen=True, slots=True)
class Scored:
    """One case with the probabilities that it got, from a scorecard that hasn't seen its source."""

    case: Case
    probabilities: Mapping[str, float]

    @property
    def ranked(self) -> list[str]:
        """The options, the likeliest first."""
        return sorted(self.probabilities, key=lambda option: -self.probabilities[option])


def probabilities(answers: Mapping[str, str], card: Scorecard) -> dict[str, float]:
    """Return the probability of every option; "not ready" is shared out among what waits for it."""
    return {option.approach: option.probability for option in recommend(answers, card).options}


def log_loss(bank: Sequence[Case], card: Scorecard) -> float:
    """Return the mean negative log-probability (nats) of what was the simplest within noise."""
    return -sum(math.log(max(1e-9, probabilities(case.answers, card)[case.simplest])) for case in bank) / len(bank)


def fit(bank: Sequence[Case], card: Scorecard) -> Scorecard:
    """Return ``card`` with start values and temperature of the lowest log loss on ``bank``, held near the given ones."""
    from scipy.optimize import minimize

    begin = [card.start[option] for option in FITTED] + [math.log(card.temperature)]

    def made(values: Sequence[float]) -> Scorecard:
        start = {**card.start, **dict(zip(FITTED, (float(value) for value in values), strict=False))}
        return replace(card, start=start, temperature=math.exp(float(values[-1])))

    def cost(values: Sequence[float]) -> float:
        away = sum((value - first) ** 2 for value, first in zip(values, begin, strict=True))
        return log_loss(bank, made(values)) + 0.1 * away / len(bank)

    return made(minimize(cost, begin, method="Nelder-Mead", options={"xatol": 1e-3, "fatol": 1e-5}).x)


def leave_one_source_out(bank: Sequence[Case], card: Scorecard) -> list[Scored]:
    """Return every case scored by a card that was fitted to the other sources."""
    fitted = {
        source: fit([case for case in bank if case.source != source], card) for source in {c.source for c in bank}
    }
    return [Scored(case, probabilities(case.answers, fitted[case.source])) for case in bank]


def calibration_error(scored: Sequence[Scored]) -> float:
    """Return the expected calibration error of the first choice over ``BINS`` bins of equal count (Guo et al. 2017)."""
    sure = sorted((one.probabilities[one.ranked[0]], one.ranked[0] == one.case.simplest) for one in scored)
    error = 0.0
    for number in range(BINS):
        part = sure[number * len(sure) // BINS : (number + 1) * len(sure) // BINS]
        if part:
            error += abs(sum(p for p, _ in part) - sum(right for _, right in part)) / len(sure)
    return error


def flowchart(answers: Mapping[str, str]) -> str:
    """Return the usual advice in six lines: prompt first, retrieve what changes, train for form and labels."""
    if answers.get("task") in ("tabular", "grouping"):
        return "classic"
    if answers.get("knowledge") in ("monthly", "weekly"):
        return "rag"
    if answers.get("task") == "documents":
        return "rag"
    if answers.get("examples") in ("hundreds", "thousands", "more") and answers.get("task") in (
        "sorting",
        "extraction",
        "style",
    ):
        return "tune"
    return "prompt"


BASELINES: dict[str, Callable[[Mapping[str, str]], str]] = {
    "always prompt": lambda answers: "prompt",
    "always rag": lambda answers: "rag",
    "always tune": lambda answers: "tune",
    "flowchart": flowchart,
}


def ahead_by(
    ours: Sequence[bool], theirs: Sequence[bool], groups: Sequence[str], seed: int = 0
) -> tuple[float, float, float]:
    """Return the mean difference of two rates of right answers with its 95% interval, bootstrapped over sources."""
    rng = random.Random(seed)
    names = sorted(set(groups))
    gains = {
        name: [int(a) - int(b) for a, b, group in zip(ours, theirs, groups, strict=True) if group == name]
        for name in names
    }
    draws = []
    for _ in range(4000):
        rows = [gain for name in rng.choices(names, k=len(names)) for gain in gains[name]]
        draws.append(sum(rows) / len(rows))
    draws.sort()
    every = [gain for rows in gains.values() for gain in rows]
    return sum(every) / len(every), draws[100], draws[3899]
