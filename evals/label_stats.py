"""How sure a macro-F1 or a difference of two is: the bootstrap of the metric itself.

The interval is bias-corrected and never narrower than the accuracy's on the same rows: with every row
right, or hardly a row on which two arms differ, resamples show no spread, and rows do.
"""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from evals.intervals import Bounds
from evals.label_metrics import Coded, macro_f1, macro_f1_draws
from evals.resampling import RESAMPLES, Bootstrap, FloatVector
from evals.stats import Difference, Estimate, PairedSample, ScoreSample

_METHOD = f"bootstrap of macro-F1, {RESAMPLES:,} resamples, no narrower than accuracy's interval"


class MacroF1Sample:
    """One arm's labels on all eval rows, once per training seed, of which those that are ``scored`` count.

    Macro-F1 is averaged over the seeds.
    """

    def __init__(self, coded: Sequence[Coded], scored: NDArray[np.bool_], seed: int) -> None:
        self._all, self._scored = tuple(coded), scored
        self.coded = tuple(one.take(np.flatnonzero(scored)) for one in coded)
        self.n = int(scored.sum())
        self.dropped = len(scored) - self.n
        self.seed = seed

    @cached_property
    def point(self) -> float | None:
        """Macro-F1, or None without rows."""
        values = [macro_f1(coded) for coded in self.coded]
        return float(np.mean([value for value in values if value is not None])) if self.n else None

    @cached_property
    def draws(self) -> FloatVector:
        """Macro-F1 of every resample, in the order that all arms share."""
        draws: FloatVector = np.mean([macro_f1_draws(coded, self._scored, self.seed) for coded in self._all], axis=0)
        return draws

    @cached_property
    def accuracy(self) -> list[float | None]:
        """The share of seeds that got each row right."""
        right = np.mean([coded.true == coded.predicted for coded in self.coded], axis=0)
        return [float(share) for share in right]

    def estimate(self, confidence: float) -> Estimate:
        """Return macro-F1 with its interval."""
        if self.point is None:
            return Estimate(None, None, None, 0, self.dropped, "none", "no row was scored")
        rows = ScoreSample(self.accuracy, self.seed).estimate(confidence)
        bounds = _moved(Bounds(rows.low or 0.0, rows.high or 0.0), rows.mean or 0.0, self.point)
        if self.n > 1:
            own = Bootstrap(self.point, self.n, np.sort(self.draws)).interval(confidence)
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
        return PairedSample(self._first.accuracy, self._second.accuracy, self._first.seed)

    @cached_property
    def _bootstrap(self) -> Bootstrap:
        point = (self._first.point or 0.0) - (self._second.point or 0.0)
        return Bootstrap(point, self._first.n, np.sort(self._first.draws - self._second.draws))

    def difference(self, confidence: float) -> Difference:
        """Return first − second with its interval and p-value."""
        n, dropped = self._first.n, self._first.dropped
        if self._first.point is None or self._second.point is None:
            return Difference(None, None, None, None, 0, dropped, "none", "no row was scored for both")
        point = self._first.point - self._second.point
        rows = self._rows.difference(confidence)
        bounds = _moved(Bounds(rows.low or 0.0, rows.high or 0.0), rows.difference or 0.0, point)
        p_value = 1.0
        if n > 1:
            own, p_value = self._bootstrap.interval(confidence), self._bootstrap.p_value()
            bounds = bounds.around(own.low, own.high)
        bounds = bounds.within(-1, 1)
        return Difference(
            point, bounds.low, bounds.high, p_value, n, dropped, f"paired {_METHOD}; p from the same draws"
        )


def _moved(bounds: Bounds, old: float, new: float) -> Bounds:
    """Return bounds as far from ``new`` as these are from ``old``."""
    return Bounds(new + bounds.low - old, new + bounds.high - old)
