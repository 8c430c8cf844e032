"""A learning curve from a few training sizes: err(n) = c + A·(n/N)^−b, with how sure it is.

Errors of models fall with the number of examples as a power law towards a floor (Hestness et al. 2017,
arXiv:1712.00409; Viering and Loog 2021, arXiv:2103.10948). Four sizes can't pin down three parameters, and the best
fit alone is far too sure. So every curve on a grid is weighed by how well it explains the scores: A (what is left
to learn at N rows), c (the floor) from 0 to 1 and b from 0.05 to 1.5, all alike beforehand. The scores' errors are
taken with their covariance, since all sizes are scored on the same eval rows. What is said of more rows is an average
over all those curves, and its interval holds 95% of their weight: right on average over such curves, too sure for the
rare ones that fall slowly and without a floor (70 to 85% of intervals hold the truth there, by simulation).
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

MOST_TIMES = 4.0
"""No statement is made about more than this many times the rows there are."""

FEWEST_SIZES = 3
MISFIT = 0.01
"""When even the best curve would miss the scores by more in 1% of cases, they follow no such curve."""

_EXPONENTS = np.geomspace(0.05, 1.5, 24)
_SHARES = np.linspace(0.0, 1.0, 101)


@dataclass(frozen=True)
class Span:
    """A figure and the interval that holds 95% of the weight."""

    middle: float
    low: float
    high: float


class PowerLaw:
    """The curves through errors (0…1) at training sizes, weighed.

    ``sizes`` have shape (K,) and the largest is the whole of train; ``errors`` (K,), ``covariance`` (K, K).
    """

    def __init__(self, sizes: FloatArray, errors: FloatArray, covariance: FloatArray) -> None:
        self.sizes, self.errors = sizes, errors
        self._inverse = np.linalg.inv(covariance + 1e-8 * np.eye(len(sizes)))

    @cached_property
    def _misses(self) -> FloatArray:
        """The squared distance of every curve to the errors, in standard deviations, shape (curves,)."""
        grid = _grid()
        gaps = self.errors - grid.at(self.sizes / self.sizes.max())
        misses: FloatArray = np.einsum("ij,jk,ik->i", gaps, self._inverse, gaps)
        return misses

    @cached_property
    def _weights(self) -> FloatArray:
        raw = np.exp(-0.5 * (self._misses - self._misses.min()))
        weights: FloatArray = raw / raw.sum()
        return weights

    @property
    def follows(self) -> bool:
        """Whether the errors look like a curve that falls to a floor at all."""
        from scipy.special import chdtrc

        return bool(chdtrc(max(len(self.sizes) - 1, 1), self._misses.min()) > MISFIT)

    def error_at(self, times: float) -> Span:
        """Return the error at ``times`` the rows there are. Raises ``ValueError`` beyond ``MOST_TIMES``."""
        if times > MOST_TIMES:
            raise ValueError(f"a curve says nothing beyond {MOST_TIMES:g} times its rows, asked for {times:g}")
        return self._span(_grid().at(np.array([times]))[:, 0])

    def gain(self, times: float) -> Span:
        """Return by how much the score rises when rows become ``times`` as many. Raises as ``error_at``."""
        if times > MOST_TIMES:
            raise ValueError(f"a curve says nothing beyond {MOST_TIMES:g} times its rows, asked for {times:g}")
        now, then = _grid().at(np.array([1.0, times])).T
        return self._span(now - then)

    def _span(self, values: FloatArray) -> Span:
        order = np.argsort(values, kind="stable")
        below = np.cumsum(self._weights[order])
        low, high = (float(values[order][np.searchsorted(below, level)]) for level in (0.025, 0.975))
        return Span(float(values @ self._weights), low, high)


@dataclass(frozen=True)
class _Grid:
    left: FloatArray
    floor: FloatArray
    exponent: FloatArray

    def at(self, times: FloatArray) -> FloatArray:
        """Return the error of every curve at the multiples ``times`` of the rows, shape (curves, times)."""
        return self.floor[:, None] + self.left[:, None] * times[None, :] ** -self.exponent[:, None]


@lru_cache(maxsize=1)
def _grid() -> _Grid:
    """Return all curves whose error at the whole of train is at most 1."""
    left, floor, exponent = (axis.ravel() for axis in np.meshgrid(_SHARES, _SHARES, _EXPONENTS, indexing="ij"))
    kept = left + floor <= 1 + 1e-9
    return _Grid(left[kept], floor[kept], exponent[kept])
