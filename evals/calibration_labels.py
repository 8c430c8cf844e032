"""How often macro-F1's intervals hold the truth: by simulation, as ``evals.calibration`` does it for means.

A row's label is drawn; each of two arms names it rightly with the label's own chance, or one of the other labels. Both
share the row's difficulty, half of the latent variance. So each arm's confusion matrix, and with it its macro-F1 over
all rows that could be drawn, is exact.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evals.scoreboard import LabelRows, MacroF1Scoreboard

CONFIDENCE = 0.95
MOST_COMPARISONS = 1000
"""So many comparisons a cell are made at most: each draws thousands of resamples."""

ROWS = (50, 200)
MIXES = {"even": (0.25, 0.25, 0.25, 0.25), "skewed": (0.6, 0.25, 0.1, 0.05)}
"""Shares of the four labels."""

TUNED, UNTRAINED = (0.9, 0.8, 0.75, 0.65), (0.8, 0.7, 0.65, 0.6)
"""How often each arm names a row of each label rightly."""

NAMES = ("a", "b", "c", "d")


@dataclass(frozen=True)
class LabelSetting:
    """The number of eval rows, and how the labels are mixed: a key of ``MIXES``."""

    rows: int
    mix: str


@dataclass(frozen=True)
class LabelCell:
    """Shares of comparisons whose interval holds the truth: the tuned arm's score, and its gain."""

    setting: LabelSetting
    comparisons: int
    score: float
    gain: float


def label_settings() -> list[LabelSetting]:
    """Return the cells."""
    return [LabelSetting(rows, mix) for rows in ROWS for mix in MIXES]


def true_macro_f1(mix: tuple[float, ...], right: tuple[float, ...]) -> float:
    """Return macro-F1 over all rows that could be drawn."""
    shares, chances = np.array(mix), np.array(right)
    wrong = shares * (1 - chances) / (len(mix) - 1)
    named = shares * chances + wrong.sum() - wrong
    return float(np.mean(2 * shares * chances / (shares + named)))


def run_label_cell(setting: LabelSetting, comparisons: int, seed: int) -> LabelCell:
    """Simulate one cell; ``comparisons`` are ``MOST_COMPARISONS`` at most."""
    comparisons = min(comparisons, MOST_COMPARISONS)
    random = np.random.default_rng([seed, setting.rows, list(MIXES).index(setting.mix)])
    mix = MIXES[setting.mix]
    tuned = true_macro_f1(mix, TUNED)
    gain = tuned - true_macro_f1(mix, UNTRAINED)
    score_held = gain_held = 0
    for _ in range(comparisons):
        scores = _draw(random, setting)
        alone, difference = scores.estimate("tuned", CONFIDENCE), scores.difference("tuned", "untrained", CONFIDENCE)
        score_held += _holds(alone.low, alone.high, tuned)
        gain_held += _holds(difference.low, difference.high, gain)
    return LabelCell(setting, comparisons, score_held / comparisons, gain_held / comparisons)


def _draw(random: np.random.Generator, setting: LabelSetting) -> MacroF1Scoreboard:
    labels = random.choice(len(NAMES), size=setting.rows, p=MIXES[setting.mix])
    difficulty = random.standard_normal(setting.rows)
    arms = {
        "tuned": _named(random, labels, difficulty, TUNED),
        "untrained": _named(random, labels, difficulty, UNTRAINED),
    }
    scored = np.ones(setting.rows, dtype=bool)
    rows = {name: LabelRows([[NAMES[label] for label in named]], scored) for name, named in arms.items()}
    return MacroF1Scoreboard(NAMES, [(NAMES[label],) for label in labels], rows)


def _named(
    random: np.random.Generator, labels: NDArray[np.int64], difficulty: NDArray[np.float64], right: tuple[float, ...]
) -> NDArray[np.int64]:
    """Return what an arm names each row."""
    from scipy.special import ndtri

    latent = math.sqrt(0.5) * difficulty + math.sqrt(0.5) * random.standard_normal(len(labels))
    others = (labels + random.integers(1, len(NAMES), size=len(labels))) % len(NAMES)
    named: NDArray[np.int64] = np.where(latent < ndtri(np.array(right)[labels]), labels, others)
    return named


def _holds(low: float | None, high: float | None, truth: float) -> bool:
    return low is not None and high is not None and low <= truth <= high
