"""A learning curve from a few training sizes: err(n) = c + A·(n/N)^−b, with how sure it is.

Errors of models fall with the number of examples as a power law towards a floor (Hestness et al. 2017,
arXiv:1712.00409; Viering and Loog 2021, arXiv:2103.10948). Four sizes can't pin down three parameters, and the best
fit alone is far too sure. So every curve on a grid is weighed by how well it explains the scores: A (what is left
to learn at N rows), c (the floor) from 0 up and b from 0.05 to 1.5, all alike beforehand (b by its logarithm). The
scores' errors are taken with their covariance, since all sizes are scored on the same eval rows.

Whether there is a floor can hardly be told from four sizes, and it decides what more rows bring: curves without one
go on falling. So they are weighed apart, too, and an interval reaches from the lower to the higher end of the two
that hold 95% of the weight among all curves and among those without a floor (these only while they fit). The middle
is the average over both kinds, each weighed by how well it explains the scores. Where a level line explains them
nearly as well, an interval of what more rows bring begins at none.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from evals.intervals import normal_quantile, tail

FloatArray = NDArray[np.float64]

MOST_TIMES = 4.0
"""No statement is made about more than this many times the rows there are."""

FEWEST_SIZES = 3
MISFIT = 0.01
"""When even the best curve would miss the scores by more in 1% of cases, they follow no such curve."""

_EXPONENTS = np.geomspace(0.05, 1.5, 24)
_EVEN_EXPONENTS = np.linspace(0.05, 1.5, 30)
"""Without a floor: spaced like the others, small exponents weigh so much that steeper curves are covered less."""

_STEPS = 80
"""Steps of A and c on a grid."""

_MARGIN = 5.0
"""A grid reaches so many standard deviations above the error at the whole of train: what is beyond has no weight."""

_TOPS = 40
"""Grids end at a multiple of one over this, so that few of them are made."""


@dataclass(frozen=True)
class Span:
    """A figure and its interval."""

    middle: float
    low: float
    high: float


class PowerLaw:
    """The curves through errors (0…1) at training sizes, weighed.

    ``sizes`` have shape (K,) and the largest is the whole of train; ``errors`` (K,), ``covariance`` (K, K).
    ``confidence`` is that of every interval.
    """

    def __init__(self, sizes: FloatArray, errors: FloatArray, covariance: FloatArray, confidence: float = 0.95) -> None:
        self.sizes, self.errors = sizes, errors
        self._confidence = confidence
        covariance = covariance + 1e-8 * np.eye(len(sizes))
        self._inverse = np.linalg.inv(covariance)
        whole = int(sizes.argmax())
        top = float(errors[whole] + _MARGIN * np.sqrt(covariance[whole, whole]))
        self._top = min(max(int(np.ceil(top * _TOPS)), 1), _TOPS) / _TOPS

    @cached_property
    def _kinds(self) -> "tuple[_Weighed, ...]":
        """All curves, and those without a floor."""
        return tuple(self._weighed(_grid(self._top, floor=floor)) for floor in (True, False))

    def _weighed(self, grid: "_Grid") -> "_Weighed":
        gaps = self.errors - grid.at(self.sizes / self.sizes.max())
        misses: FloatArray = np.einsum("ij,jk,ik->i", gaps, self._inverse, gaps)
        return _Weighed(grid, misses)

    def _fits(self, misses: float) -> bool:
        """Whether curves that miss the errors by so much (squared, in standard deviations) can be true."""
        from scipy.special import chdtrc

        return bool(chdtrc(max(len(self.sizes) - 1, 1), misses) > MISFIT)

    @property
    def follows(self) -> bool:
        """Whether the errors look like a curve that falls, to a floor or without one, at all."""
        return self._fits(self._kinds[0].least)

    def error_at(self, times: float) -> Span:
        """Return the error at ``times`` the rows there are. Raises ``ValueError`` beyond ``MOST_TIMES``."""
        _check(times)
        return self._span(lambda grid: grid.at(np.array([times]))[:, 0])

    def gain(self, times: float) -> Span:
        """Return by how much the score rises when rows become ``times`` as many. Raises as ``error_at``."""
        _check(times)
        span = self._span(lambda grid: -np.diff(grid.at(np.array([1.0, times])))[:, 0])
        return Span(span.middle, 0.0, span.high) if self._may_be_level else span

    @property
    def _may_be_level(self) -> bool:
        """Whether a curve that doesn't fall at all explains the errors nearly as well as the best one.

        Such curves are one edge of the grid and weigh next to nothing: without this, intervals leave no gain out in 8%
        of cases where there is none.
        """
        every = self._kinds[0]
        return bool(every.misses[every.grid.left == 0].min() - every.least <= normal_quantile(self._confidence) ** 2)

    def _span(self, value: "Callable[[_Grid], FloatArray]") -> Span:
        least = self._kinds[0].least
        kinds = [kind for place, kind in enumerate(self._kinds) if place == 0 or self._fits(kind.least)]
        spans = [kind.span(value(kind.grid), tail(self._confidence)) for kind in kinds]
        evidence = np.array([kind.evidence(least) for kind in kinds])
        middle = float(evidence @ [span.middle for span in spans] / evidence.sum())
        return Span(middle, min(span.low for span in spans), max(span.high for span in spans))


@dataclass(frozen=True)
class _Grid:
    left: FloatArray
    floor: FloatArray
    exponent: FloatArray

    def at(self, times: FloatArray) -> FloatArray:
        """Return the error of every curve at the multiples ``times`` of the rows, shape (curves, times)."""
        return self.floor[:, None] + self.left[:, None] * times[None, :] ** -self.exponent[:, None]


@dataclass(frozen=True)
class _Weighed:
    """Curves with their squared distances to the errors, in standard deviations, shape (curves,)."""

    grid: _Grid
    misses: FloatArray

    @property
    def least(self) -> float:
        """The distance of the nearest curve."""
        return float(self.misses.min())

    def evidence(self, least: float) -> float:
        """Return how well these curves explain the errors on average, next to one at the distance ``least``."""
        return float(np.exp(-0.5 * (self.misses - least)).mean())

    @cached_property
    def _weights(self) -> FloatArray:
        raw = np.exp(-0.5 * (self.misses - self.least))
        weights: FloatArray = raw / raw.sum()
        return weights

    def span(self, values: FloatArray, beyond: float) -> Span:
        """Return the average of ``values`` over the curves, and the interval that leaves ``beyond`` at each end."""
        order = np.argsort(values, kind="stable")
        below = np.cumsum(self._weights[order])
        low, high = (float(values[order][np.searchsorted(below, level)]) for level in (beyond, 1 - beyond))
        return Span(float(values @ self._weights), low, high)


@lru_cache(maxsize=8)
def _grid(top: float, *, floor: bool) -> _Grid:
    """Return curves whose error at the whole of train is at most ``top``; without ``floor`` those that fall to 0."""
    shares = np.linspace(0.0, top, _STEPS + 1)
    floors = shares if floor else np.zeros(1)
    exponents = _EXPONENTS if floor else _EVEN_EXPONENTS
    left, base, exponent = (axis.ravel() for axis in np.meshgrid(shares, floors, exponents, indexing="ij"))
    kept = left + base <= top + 1e-9
    return _Grid(left[kept], base[kept], exponent[kept])


def _check(times: float) -> None:
    if times > MOST_TIMES:
        raise ValueError(f"a curve says nothing beyond {MOST_TIMES:g} times its rows, asked for {times:g}")
