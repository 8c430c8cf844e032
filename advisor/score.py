"""How often the advisor is right: its first choice for every published case, beside four simple rules.

::

    python -m advisor.score [--markdown | --fit]

The scorecard's weights are our reading of the evidence, set by hand. Only its start values, its temperature and its
lapse are fitted; for the score they are fitted anew for every source, on the cases of all the other sources.
"""

import argparse
import math
import random
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from advisor.calibration_error import EQUAL_COUNT, EQUAL_WIDTH, equal_count, equal_width
from advisor.cases import Case, cases
from advisor.recommend import recommend, total_points
from advisor.scorecard import OPTIONS, Scorecard, scorecard

if TYPE_CHECKING:
    import numpy as np

PRIOR_SD = 0.25
"""How near start values are held to where they began, in points; chosen on the whole bank among 0.25, 0.5, 1, 2."""

LAPSE_RANGE = (0.01, 0.4)
LATE: tuple[Mapping[str, str], ...] = ({"task": "sql", "base": "small"}, {"task": "sorting", "examples": "fifty"})
"""The entries that were added to the scorecard after the first scoring; the page tells the score without them."""

BEGIN = {"prompt": 0.0, "rag": 0.0, "tune": 0.0, "rag_tune": -2.5, "classic": -3.0}
"""Start values before any fit: both together must be worth two and a half points more than one."""

FITTED = ("rag", "tune", "rag_tune")
DRAWS = 4000
RULED_OUT = -99.0


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


def fit(bank: Sequence[Case], card: Scorecard) -> Scorecard:
    """Return ``card`` with the start values, the temperature and the lapse that are likeliest for ``bank``.

    Start values are held near the given ones by a normal prior (``PRIOR_SD`` points). The temperature, on which every
    case has a say, is free; the lapse only has to stay in ``LAPSE_RANGE``.
    """
    import numpy as np
    from scipy.optimize import minimize

    points = np.array(
        [[total_points(case.answers, card).get(option, RULED_OUT) for option in OPTIONS] for case in bank]
    )
    base = np.array([card.start[option] for option in OPTIONS])
    right = [OPTIONS.index(case.simplest) for case in bank]
    begin = np.array([card.start[option] for option in FITTED] + [math.log(card.temperature), card.lapse])
    places = [OPTIONS.index(option) for option in FITTED]

    def cost(values: "np.ndarray[Any, Any]") -> float:
        moved = np.zeros(len(OPTIONS))
        *starts_moved, log_temperature, lapse = values
        if not LAPSE_RANGE[0] <= lapse <= LAPSE_RANGE[1]:
            return math.inf
        moved[places] = np.array(starts_moved) - begin[:-2]
        sums = (points + moved) / math.exp(log_temperature)
        starts = np.where(points > RULED_OUT, base + moved, RULED_OUT) / math.exp(log_temperature)
        shares = (1 - lapse) * _softmax(sums) + lapse * _softmax(starts)
        prior = float(((values[:-2] - begin[:-2]) ** 2).sum()) / (2 * PRIOR_SD**2)
        return prior - float(np.log(shares[range(len(right)), right]).sum())

    found = minimize(cost, begin, method="Nelder-Mead", options={"xatol": 1e-4, "fatol": 1e-6, "maxiter": 4000}).x
    start = {**card.start, **dict(zip(FITTED, map(float, found[:-2]), strict=True))}
    return replace(card, start=start, temperature=math.exp(float(found[-2])), lapse=float(found[-1]))


def _softmax(sums: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
    import numpy as np

    powers = np.exp(sums - sums.max(axis=1, keepdims=True))
    shares: np.ndarray[Any, Any] = powers / powers.sum(axis=1, keepdims=True)
    return shares


def sureness(scored: Sequence[Scored]) -> list[tuple[float, bool]]:
    """Return the probability of each first choice, and whether it was right."""
    return [(one.probabilities[one.ranked[0]], one.ranked[0] == one.case.simplest) for one in scored]


def leave_one_source_out(bank: Sequence[Case], card: Scorecard) -> list[Scored]:
    """Return every case scored by a card that was fitted to the other sources."""
    fitted = {
        source: fit([case for case in bank if case.source != source], card) for source in {c.source for c in bank}
    }
    return [Scored(case, probabilities(case.answers, fitted[case.source])) for case in bank]


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
    for _ in range(DRAWS):
        rows = [gain for name in rng.choices(names, k=len(names)) for gain in gains[name]]
        draws.append(sum(rows) / len(rows))
    draws.sort()
    every = [gain for rows in gains.values() for gain in rows]
    return sum(every) / len(every), draws[DRAWS // 40], draws[-1 - DRAWS // 40]


def summary(scored: Sequence[Scored]) -> dict[str, float]:
    """Return top-1 and top-2 agreement with the simplest within noise, with the winner, log loss and calibration."""
    n = len(scored)
    return {
        "top1": sum(one.ranked[0] == one.case.simplest for one in scored) / n,
        "top2": sum(one.case.simplest in one.ranked[:2] for one in scored) / n,
        "winner": sum(one.ranked[0] == one.case.winner for one in scored) / n,
        "log_loss": -sum(math.log(max(1e-9, one.probabilities[one.case.simplest])) for one in scored) / n,
        "ece": equal_count(sureness(scored)),
        "n": n,
    }


def table(scored: Sequence[Scored]) -> str:
    """Return the whole account in Markdown: agreement, each option, the simple rules, and every case missed."""
    figures, n = summary(scored), len(scored)
    right = [one.ranked[0] == one.case.simplest for one in scored]
    lines = [
        "| measure | value |",
        "|---|---|",
        f"| first choice is the simplest within noise | {figures['top1']:.1%} |",
        f"| it is among the first two | {figures['top2']:.1%} |",
        f"| first choice is the best figure (ties count as missed) | {figures['winner']:.1%} |",
        f"| log loss (nats) | {figures['log_loss']:.3f} |",
        f"| calibration error of the first choice, {EQUAL_COUNT} bins of equal count | {figures['ece']:.3f} |",
        f"| the same, {EQUAL_WIDTH} bins of equal width | {equal_width(sureness(scored)):.3f} |",
        "",
        "| simplest within noise | cases | found | named |",
        "|---|---|---|---|",
    ]
    for option in OPTIONS:
        of = [one for one in scored if one.case.simplest == option]
        found = sum(one.ranked[0] == option for one in of)
        lines.append(f"| {option} | {len(of)} | {found} | {sum(one.ranked[0] == option for one in scored)} |")
    lines += ["", "| rule | right | the advisor is ahead by (95%, over sources) |", "|---|---|---|"]
    groups = [one.case.source for one in scored]
    for name, rule in BASELINES.items():
        theirs = [rule(one.case.answers) == one.case.simplest for one in scored]
        gain, low, high = ahead_by(right, theirs, groups)
        lines.append(
            f"| {name} | {sum(theirs) / n:.1%} | {100 * gain:.1f} points ({100 * low:.1f} to {100 * high:.1f}) |"
        )
    lines += ["", "| missed | said | was | why |", "|---|---|---|---|"]
    for one in scored:
        if one.ranked[0] != one.case.simplest:
            said = ", ".join(f"{option} {one.probabilities[option]:.0%}" for option in one.ranked[:2])
            lines.append(
                f"| {one.case.title} ({one.case.source}) | {said} | {one.case.simplest} | {one.case.missed or ''} |"
            )
    return "\n".join(lines)


def without_late(bank: Sequence[Case], card: Scorecard) -> str:
    """Say in one line how the card scores without the entries that were added after the first scoring."""
    early = replace(card, factors=tuple(factor for factor in card.factors if factor.when not in LATE))
    figures = summary(leave_one_source_out(bank, early))
    return (
        f"Without the {len(LATE)} entries that were added after the first scoring: first choice {figures['top1']:.1%}, "
        f"among the first two {figures['top2']:.1%}, calibration error {figures['ece']:.3f}."
    )


def without_added(bank: Sequence[Case], card: Scorecard) -> str:
    """Say in one line how the card scores without the answers that the second reading added."""
    fewer = [
        replace(case, answers={key: value for key, value in case.answers.items() if key not in case.added})
        for case in bank
    ]
    figures, answers = summary(leave_one_source_out(fewer, card)), sum(len(case.added) for case in bank)
    return (
        f"Without the {answers} answers in {sum(bool(case.added) for case in bank)} cases that the second reading "
        f"added: first choice {figures['top1']:.1%}, among the first two {figures['top2']:.1%}, "
        f"calibration error {figures['ece']:.3f}, log loss {figures['log_loss']:.3f}."
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the score; the last line is for programs."""
    parser = argparse.ArgumentParser(
        prog="python -m advisor.score", description="Score the advisor on published cases."
    )
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--markdown", action="store_true", help="the table alone, as docs/advisor-score.md holds it")
    choice.add_argument("--fit", action="store_true", help="start values and temperature fitted to all cases")
    given = parser.parse_args(arguments)
    bank, card = cases(), replace(scorecard(), start=BEGIN, temperature=1.0)
    write = sys.stdout.write
    if given.fit:
        fitted = fit(bank, card)
        write(f"start: {{{', '.join(f'{key}: {value:.2f}' for key, value in fitted.start.items())}}}\n")
        write(f"temperature: {fitted.temperature:.2f}\nlapse: {fitted.lapse:.2f}\n")
        return 0
    scored = leave_one_source_out(bank, card)
    write(f"{table(scored)}\n\n{without_late(bank, card)}\n\n{without_added(bank, card)}\n")
    if not given.markdown:
        figures = summary(scored)
        write(f"top1={figures['top1']:.3f} top2={figures['top2']:.3f} ece={figures['ece']:.3f} n={len(scored)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
