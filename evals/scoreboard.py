"""Scores of all arms of a run on the same eval rows: ask for an arm's estimate or for a difference.

What is resampled once is kept, since the comparisons and the verdict ask for the same pairs at several
levels of confidence.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from evals.clusters import Clusters, independent
from evals.joint import Joint
from evals.label_metrics import code
from evals.label_stats import MacroF1Sample, PairedMacroF1
from evals.sample import Scores
from evals.spread import influences
from evals.stats import Difference, Estimate, PairedSample, ScoreSample, Test

STATISTICS_SEED = 0
"""Every resample of every run starts here, so that the same cells give the same results."""


class Scoreboard(Protocol):
    """What comparisons and verdict need to know of the scores."""

    def estimate(self, arm: str, confidence: float) -> Estimate:
        """Return an arm's score with its interval."""
        ...

    def difference(self, first: str, second: str, confidence: float) -> Difference:
        """Return first − second on the rows that both scored."""
        ...

    def test(self, first: str, second: str) -> Test:
        """Return the p-value that the two score the same."""
        ...

    def joint(self, first: str, others: Sequence[str]) -> Joint | None:
        """Return ``first`` minus each of the others, with how these differences move together; None without rows."""
        ...


class MeanScoreboard:
    """Arms whose score is the mean of their rows' scores.

    ``scores`` maps an arm to one score per eval row, in the order of the eval rows, or to one list of those per
    training seed; None is an error.
    """

    def __init__(
        self, scores: Mapping[str, Scores], clusters: Clusters | None = None, seed: int = STATISTICS_SEED
    ) -> None:
        self._scores = scores
        self._clusters = clusters
        self._seed = seed
        self._pairs: dict[tuple[str, str], PairedSample] = {}

    def estimate(self, arm: str, confidence: float) -> Estimate:
        """Return an arm's mean with its interval."""
        return ScoreSample(self._scores[arm], self._seed, self._clusters).estimate(confidence)

    def difference(self, first: str, second: str, confidence: float) -> Difference:
        """Return the mean of first − second on the rows that both scored."""
        if (second, first) in self._pairs:
            return _turned(self._pairs[second, first].difference(confidence))
        return self._pair(first, second).difference(confidence)

    def test(self, first: str, second: str) -> Test:
        """Return the p-value that the two score the same."""
        return self._pair(*((second, first) if (second, first) in self._pairs else (first, second))).test()

    def joint(self, first: str, others: Sequence[str]) -> Joint | None:
        """Return ``first`` minus each of the others on the rows that all scored."""
        pairs = [self._pair(first, other) for other in others]
        values = np.stack([pair.values for pair in pairs])
        kept = np.asarray(~np.isnan(values).any(axis=0))
        clusters = (independent(values.shape[1]) if self._clusters is None else self._clusters).take(kept)
        if clusters.count < 2:
            return None
        moves = influences(values[:, kept], clusters)
        return Joint(
            gains=values[:, kept].mean(axis=1),
            covariance=moves @ moves.T,
            seeds=tuple(pair.spread.seeds for pair in pairs),
            rows=int(kept.sum()),
            only=np.array([pair.only for pair in pairs]) if all(pair.binary for pair in pairs) else None,
        )

    def _pair(self, first: str, second: str) -> PairedSample:
        pair = self._pairs.get((first, second))
        if pair is None:
            pair = PairedSample(self._scores[first], self._scores[second], self._seed, self._clusters)
            self._pairs[first, second] = pair
        return pair


@dataclass(frozen=True)
class LabelRows:
    """An arm's labels, per training seed and eval row; ``scored`` is False where any seed had an error."""

    predicted: Sequence[Sequence[str | None]]
    scored: NDArray[np.bool_]


class MacroF1Scoreboard:
    """Arms whose score is macro-F1; ``targets`` are the accepted labels of each eval row."""

    def __init__(
        self,
        labels: Sequence[str],
        targets: Sequence[Sequence[str]],
        arms: Mapping[str, LabelRows],
        clusters: Clusters | None = None,
        seed: int = STATISTICS_SEED,
    ) -> None:
        self._scored = {arm: rows.scored for arm, rows in arms.items()}
        self._coded = {arm: [code(labels, targets, seen) for seen in rows.predicted] for arm, rows in arms.items()}
        self._clusters = clusters
        self._seed = seed
        self._samples: dict[tuple[str, bytes], MacroF1Sample] = {}
        self._pairs: dict[tuple[str, str], PairedMacroF1] = {}

    def estimate(self, arm: str, confidence: float) -> Estimate:
        """Return an arm's macro-F1 with its interval."""
        return self._sample(arm, self._scored[arm]).estimate(confidence)

    def difference(self, first: str, second: str, confidence: float) -> Difference:
        """Return first − second on the rows that both scored."""
        if (second, first) in self._pairs:
            return _turned(self._pairs[second, first].difference(confidence))
        return self._pair(first, second).difference(confidence)

    def test(self, first: str, second: str) -> Test:
        """Return the p-value that the two score the same."""
        return self._pair(*((second, first) if (second, first) in self._pairs else (first, second))).test()

    def joint(self, first: str, others: Sequence[str]) -> Joint | None:
        """Return ``first`` minus each of the others; their covariance is that of the shared resamples."""
        pairs = [self._pair(first, other) for other in others]
        gains = [pair.point for pair in pairs]
        if any(gain is None for gain in gains):
            return None
        return Joint(
            gains=np.array(gains, dtype=np.float64),
            covariance=np.atleast_2d(np.cov(np.stack([pair.draws for pair in pairs]))),
            seeds=tuple(pair.spread.seeds for pair in pairs),
            rows=min(pair.rows for pair in pairs),
        )

    def _pair(self, first: str, second: str) -> PairedMacroF1:
        pair = self._pairs.get((first, second))
        if pair is None:
            both = self._scored[first] & self._scored[second]
            pair = PairedMacroF1(self._sample(first, both), self._sample(second, both))
            self._pairs[first, second] = pair
        return pair

    def _sample(self, arm: str, scored: NDArray[np.bool_]) -> MacroF1Sample:
        key = (arm, scored.tobytes())
        if key not in self._samples:
            self._samples[key] = MacroF1Sample(self._coded[arm], scored, self._seed, self._clusters)
        return self._samples[key]


def _turned(difference: Difference) -> Difference:
    """Return the difference the other way round."""
    if difference.difference is None or difference.low is None or difference.high is None:
        return difference
    return replace(difference, difference=-difference.difference, low=-difference.high, high=-difference.low)
