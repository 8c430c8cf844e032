"""How often the verdict is wrong, how often intervals hold the truth, and whether power is as foretold: by simulation.

Each cell is one ``Setting`` whose truth is known; its comparisons go through the very code that judges a run.
A claim at a gain exactly at the minimum counts as false whichever way it goes: the stricter reading.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from evals.joint import Claim, Joint
from evals.needed import needed
from evals.scoreboard import MeanScoreboard
from evals.simulated import Setting, Simulated, Source
from evals.verdict import confidences, judge

CONFIDENCE = 0.95
MINIMUM_GAIN = 0.03
GAINS = (0.0, 0.015, 0.03, 0.09)
"""No gain, below the minimum, at it, above it."""

DISCORDANCES = (0.12, 0.3)
ROWS = (50, 200, 1000)
FEW_GROUPS = (5, 10)
RIVALS = ((2, 1), (2, 2), (4, 1), (6, 6))
"""Untrained arms, and how many of them are as good as the best."""

REFERENCE_ROWS = 60_000
"""Rows of the sample from which the true covariance of differences is taken."""

ALLOWED_FALSE = 0.05
ALLOWED_COVERAGE = (0.93, 0.97)
ALLOWED_GAP = 0.05
"""The bounds a cell is held to: share of false claims, coverage, power found against power foretold."""

MOST_ROWS = 4000
"""Where more rows than this are needed, the count isn't tried out."""


@dataclass(frozen=True)
class CellResult:
    """Shares of one cell's comparisons; None where a figure has no meaning there.

    ``coverage`` is over all pairs of the trained arm with an untrained one. ``power`` is the share of right claims,
    ``foretold`` what the power formula says of it.
    """

    setting: Setting
    comparisons: int
    false_worth_it: float | None
    false_not_worth_it: float | None
    coverage: float
    claim: Claim | None
    power: float | None
    foretold: float | None

    @property
    def within(self) -> bool:
        """Whether every figure of the cell keeps its bound."""
        false = [share for share in (self.false_worth_it, self.false_not_worth_it) if share is not None]
        low, high = ALLOWED_COVERAGE
        gap = 0.0 if self.power is None or self.foretold is None else abs(self.power - self.foretold)
        return max(false, default=0.0) <= ALLOWED_FALSE and low <= self.coverage <= high and gap <= ALLOWED_GAP


def all_settings() -> list[Setting]:
    """Return the cells: 0/1 scores in every combination, graded ones at the minimum gain, and a few large groups."""
    grid = product(ROWS, GAINS, DISCORDANCES, (False, True), (1, 3), RIVALS)
    binary = [
        Setting(rows, gain, discordance, clustered, seeds, untrained, near)
        for rows, gain, discordance, clustered, seeds, (untrained, near) in grid
    ]
    graded = [
        Setting(rows, MINIMUM_GAIN, DISCORDANCES[1], clustered, seeds, 2, 2, graded=True)
        for rows, clustered, seeds in product(ROWS, (False, True), (1, 3))
    ]
    few = [
        Setting(200, gain, DISCORDANCES[1], True, 1, 2, 2, groups=groups)
        for groups, gain in product(FEW_GROUPS, (0.0, MINIMUM_GAIN, 0.09))
    ]
    return binary + graded + few


def two_seed_settings() -> list[Setting]:
    """Return cells with two training seeds, at the minimum gain; they stand apart, since two seeds tell too little."""
    grid = product(ROWS, DISCORDANCES, (False, True))
    return [Setting(rows, MINIMUM_GAIN, discordance, clustered, 2, 2, 2) for rows, discordance, clustered in grid]


def run_cell(setting: Setting, comparisons: int, seed: int) -> CellResult:
    """Simulate one cell."""
    source = Source(setting, seed)
    minimum = setting.true_gains.min() if setting.graded else MINIMUM_GAIN
    worth = not_worth = held = 0
    for _ in range(comparisons):
        scores, names = scoreboard(source.draw(), source)
        outcome = judge(["tuned"], names, scores, minimum_gain=minimum, confidence=CONFIDENCE)
        worth += outcome == "worth_it"
        not_worth += outcome == "not_worth_it"
        held += _held(scores, names, setting)
    share = worth / comparisons, not_worth / comparisons
    claim = _claim(setting)
    return CellResult(
        setting=setting,
        comparisons=comparisons,
        false_worth_it=share[0] if setting.gain <= MINIMUM_GAIN else None,
        false_not_worth_it=share[1] if setting.gain >= MINIMUM_GAIN else None,
        coverage=held / comparisons / setting.untrained,
        claim=claim,
        power=None if claim is None else share[claim == "not_worth_it"],
        foretold=None if claim is None else foretold(setting, claim, seed),
    )


def scoreboard(drawn: Simulated, source: Source) -> tuple[MeanScoreboard, list[str]]:
    """Return the scoreboard of a comparison and the names of its untrained arms; the trained one is ``tuned``."""
    names = [f"untrained_{place}" for place in range(len(drawn.untrained))]
    arms = {"tuned": drawn.trained} | dict(zip(names, drawn.untrained, strict=True))
    return MeanScoreboard(arms, None if source.clusters.single else source.clusters), names


def true_joint(setting: Setting, seed: int) -> Joint:
    """Return the differences' true means, and their covariance from one large sample, at the setting's rows."""
    larger = REFERENCE_ROWS * max(setting.groups, 1) // setting.rows  # groups stay as large as they are
    source = Source(replace(setting, rows=REFERENCE_ROWS, groups=larger if setting.groups else 0), seed)
    scores, names = scoreboard(source.draw(), source)
    seen = scores.joint("tuned", names)
    if seen is None:
        raise ValueError("the reference sample has no rows")
    scale = REFERENCE_ROWS / setting.rows
    parts = setting.seed_parts(seen, scale)
    return Joint(setting.true_gains, seen.covariance * scale, parts, setting.rows, seen.only)


def foretold(setting: Setting, claim: Claim, seed: int) -> float:
    """Return what the power formula says of a right claim."""
    levels = confidences(CONFIDENCE, 1, setting.untrained)
    joint = true_joint(setting, seed)
    return joint.power(claim, MINIMUM_GAIN, levels[claim], rows=setting.rows, seeds=setting.seeds)


@dataclass(frozen=True)
class RowsTried:
    """A setting at the rows that were said to be needed, and the share of comparisons that then decided rightly."""

    setting: Setting
    claim: Claim
    decided: float


def try_rows_needed(setting: Setting, comparisons: int, seed: int) -> RowsTried | None:
    """Run a setting with as many rows as are needed for 80% power; None where there's no such count in reach."""
    found = needed(true_joint(setting, seed), MINIMUM_GAIN, confidences(CONFIDENCE, 1, setting.untrained))
    if found.rows is None or found.rows > MOST_ROWS:
        return None
    larger = setting.with_rows(found.rows)
    source, right = Source(larger, seed + 1), 0
    for _ in range(comparisons):
        scores, names = scoreboard(source.draw(), source)
        right += judge(["tuned"], names, scores, minimum_gain=MINIMUM_GAIN, confidence=CONFIDENCE) == found.claim
    return RowsTried(larger, found.claim, right / comparisons)


def _held(scores: MeanScoreboard, names: Sequence[str], setting: Setting) -> int:
    """Return how many of the intervals hold the true gain."""
    held = 0
    for name, gain in zip(names, setting.true_gains, strict=True):
        found = scores.difference("tuned", name, CONFIDENCE)
        if found.low is not None and found.high is not None:
            held += found.low - 1e-9 <= gain <= found.high + 1e-9
    return held


def _claim(setting: Setting) -> Claim | None:
    """Return the claim that is right, None where the gain is the minimum itself or scores are graded."""
    if setting.graded or np.isclose(setting.gain, MINIMUM_GAIN):
        return None
    return "worth_it" if setting.gain > MINIMUM_GAIN else "not_worth_it"
