"""How sure a macro-F1 or a difference of two is: the bootstrap of the metric itself.

The interval is bias-corrected and never narrower than the accuracy's on the same rows: with every row
right, or hardly a row on which two arms differ, resamples show no spread, and rows do. Nor is it narrower than with
half a right and half a wrong row more for each label, laid around the score: where two or three rows tell a rare
label's F1, all of them right, resamples are far too sure of it (one interval in six missed the truth with 50 rows and
labels of 60, 25, 10 and 5%, by simulation, ``docs/log.md``). Rows that share a cluster
are drawn together. Several training seeds add their part as for a mean (``evals.spread``); what rows and seeds
together add by chance is seen in how far a resample moves the seeds apart.
"""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from evals.clusters import Clusters, FloatArray, independent
from evals.intervals import Bounds, tail
from evals.label_metrics import Coded, likeness_of, macro_f1, macro_f1_draws, smoothed_draws, smoothed_macro_f1
from evals.resampling import RESAMPLES, Bootstrap, FloatVector
from evals.spread import SeedPart, Spread
from evals.stats import Difference, Estimate, PairedSample, ScoreSample, Test

_METHOD = (
    f"bootstrap of macro-F1, {RESAMPLES:,} resamples, no narrower than accuracy's interval, nor than with half a right "
    "and half a wrong row more for each label"
)


class MacroF1Sample:
    """One arm's labels on all eval rows, once per training seed, of which those that are ``scored`` count.

    Macro-F1 is averaged over the seeds.
    """

    def __init__(
        self, coded: Sequence[Coded], scored: NDArray[np.bool_], seed: int, clusters: Clusters | None = None
    ) -> None:
        self._all, self._scored = tuple(coded), scored
        self._clusters = independent(len(scored)) if clusters is None else clusters
        self.coded = tuple(one.take(np.flatnonzero(scored)) for one in coded)
        self.clusters = self._clusters.take(scored)
        self.n = int(scored.sum())
        self.dropped = len(scored) - self.n
        self.seed = seed

    @cached_property
    def by_seed(self) -> list[float]:
        """Macro-F1 of each seed; empty without rows."""
        return [value for value in map(macro_f1, self.coded) if value is not None]

    @property
    def point(self) -> float | None:
        """Macro-F1, or None without rows."""
        return float(np.mean(self.by_seed)) if self.n else None

    @cached_property
    def _draws(self) -> FloatArray:
        """Macro-F1 of every seed and resample, shape (seeds, resamples)."""
        return np.stack([macro_f1_draws(coded, self._scored, self.seed, self._clusters) for coded in self._all])

    @cached_property
    def draws(self) -> FloatVector:
        """Macro-F1 of every resample, in the order that all arms share."""
        draws: FloatVector = self._draws.mean(axis=0)
        return draws

    @cached_property
    def smoothed(self) -> FloatVector:
        """How far each resample with rows added moves macro-F1 from what it is with them, in the same order."""
        likeness = likeness_of(self._all)
        draws = [smoothed_draws(one, self._scored, self.seed, self._clusters, likeness) for one in self._all]
        moves: FloatVector = np.mean(draws, axis=0) - np.mean([smoothed_macro_f1(one) for one in self.coded])
        return moves

    @cached_property
    def seeds(self) -> tuple[SeedPart, ...]:
        """The training seeds' part of the variance; () with one seed."""
        count = len(self.by_seed)
        if count < 2 or self.clusters.count < 2:
            return ()
        chance = float((self._draws - self.draws).var(axis=1).sum()) / (count - 1)
        return (SeedPart(max(float(np.var(self.by_seed, ddof=1)) - chance, 0.0) / count, chance, count),)

    @cached_property
    def right(self) -> list[list[float]]:
        """Whether each seed got each scored row right."""
        return [(coded.true == coded.predicted).astype(float).tolist() for coded in self.coded]

    @property
    def _spread(self) -> Spread:
        return _spread(self.draws, self.clusters, self.seeds)

    def estimate(self, confidence: float) -> Estimate:
        """Return macro-F1 with its interval."""
        if self.point is None:
            return Estimate(None, None, None, 0, self.dropped, "none", "no row was scored")
        rows = ScoreSample(self.right, self.seed, self.clusters).estimate(confidence)
        bounds = _moved(Bounds(rows.low or 0.0, rows.high or 0.0), rows.mean or 0.0, self.point)
        if self.clusters.count > 1:
            own = Bootstrap(self.point, self.clusters.count, np.sort(self.draws)).interval(confidence)
            own = _no_narrower(own, self.point, self.smoothed, confidence)
            own = self._spread.widen(own, self.point, confidence)
            bounds = bounds.around(own.low, own.high)
        bounds = bounds.within(0, 1)
        return Estimate(self.point, bounds.low, bounds.high, self.n, self.dropped, _METHOD)


class PairedMacroF1:
    """Two arms' labels on the same rows."""

    def __init__(self, first: MacroF1Sample, second: MacroF1Sample) -> None:
        if (first.n, first.seed) != (second.n, second.seed):
            raise ValueError(f"paired samples must hold the same rows, got {first.n} and {second.n}")
        self._first, self._second = first, second

    @cached_property
    def _rows(self) -> PairedSample:
        return PairedSample(self._first.right, self._second.right, self._first.seed, self._first.clusters)

    @property
    def rows(self) -> int:
        """The rows that both scored."""
        return self._first.n

    @property
    def draws(self) -> FloatVector:
        """The difference of every resample, in the order that all arms share."""
        return self._first.draws - self._second.draws

    @property
    def point(self) -> float | None:
        """First − second, or None without rows."""
        one, two = self._first.point, self._second.point
        return None if one is None or two is None else one - two

    @cached_property
    def _bootstrap(self) -> Bootstrap:
        return Bootstrap(self.point or 0.0, self._first.clusters.count, np.sort(self.draws))

    @cached_property
    def spread(self) -> Spread:
        """How far the difference would move on other rows and with other seeds."""
        return _spread(self.draws, self._first.clusters, self._first.seeds + self._second.seeds)

    def test(self) -> Test:
        """Return the p-value that there is no difference."""
        if self.point is None:
            return Test(None, "none")
        if self._first.clusters.count < 2:
            return Test(1.0, "none")
        if self.spread.seeds:
            return Test(self.spread.p_value(self.point), "t test with the seeds' part")
        return Test(self._bootstrap.p_value(), "bootstrap, from the same draws")

    def difference(self, confidence: float) -> Difference:
        """Return first − second with its interval."""
        n, dropped, point = self._first.n, self._first.dropped, self.point
        if point is None:
            return Difference(None, None, None, 0, dropped, "none", "no row was scored for both")
        rows = self._rows.difference(confidence)
        bounds = _moved(Bounds(rows.low or 0.0, rows.high or 0.0), rows.difference or 0.0, point)
        if self._first.clusters.count > 1:
            moves = self._first.smoothed - self._second.smoothed
            own = _no_narrower(self._bootstrap.interval(confidence), point, moves, confidence)
            own = self.spread.widen(own, point, confidence)
            bounds = bounds.around(own.low, own.high)
        bounds = bounds.within(-1, 1)
        return Difference(point, bounds.low, bounds.high, n, dropped, f"paired {_METHOD}")


def _spread(draws: FloatVector, clusters: Clusters, seeds: tuple[SeedPart, ...]) -> Spread:
    """Return the spread of a metric by the variance of its resamples."""
    free = max(clusters.count - 1, 1)
    return Spread(float(draws.var()) * clusters.count / free, float(free), seeds)


def _no_narrower(bounds: Bounds, point: float, moves: FloatVector, confidence: float) -> Bounds:
    """Return bounds that hold ``confidence`` of ``moves`` around ``point`` too."""
    low, high = np.quantile(moves, [tail(confidence), 1 - tail(confidence)])
    return bounds.around(point + float(low), point + float(high))


def _moved(bounds: Bounds, old: float, new: float) -> Bounds:
    """Return bounds as far from ``new`` as these are from ``old``."""
    return Bounds(new + bounds.low - old, new + bounds.high - old)
