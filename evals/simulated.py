"""Made-up comparisons whose truth is known: 0/1 scores of a trained arm and several untrained ones.

Each arm answers a row rightly when a latent normal variable falls below its threshold (a multivariate probit), so
that every arm's accuracy, and with it every gain, is exact. Rows have a difficulty that all arms share; how much of
the latent variance it is decides the discordance, the share of rows that exactly one of two arms gets right. Rows
of one cluster share part of everything. A training seed moves the trained arm's accuracy and a part of its
answers.
"""

import math
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from evals.clusters import Clusters, FloatArray, independent
from evals.joint import Joint
from evals.spread import SeedPart

UNTRAINED = 0.7
"""Accuracy of the best untrained arm."""

FAR = 0.1
"""How much worse the untrained arms are that aren't level with the best."""

CLUSTER_SIZES = (1, 2, 3, 4)
CLUSTER_SHARE = 0.5
"""Share of the latent variance that rows of one cluster have in common."""

SEED_SHARE = 0.6
"""Share of the trained arm's own latent variance that its seeds have in common."""

GRADED_MEAN = 1 / 3
"""Mean score of a wrong answer in graded settings."""

SEED_DEVIATION = 0.015
"""Standard deviation of the accuracy between training seeds, where there are several."""


@dataclass(frozen=True)
class Setting:
    """What a simulated comparison looks like; shares are 0…1.

    ``gain`` is the trained arm's accuracy less the best untrained arm's, ``discordance`` the share of rows that
    exactly one of these two gets right. Of the ``untrained`` arms ``near`` are as good as the best, the others are
    worse by ``FAR``. With ``graded`` a wrong answer still scores something, as token F1 does: a draw from Beta(1, 2).
    ``groups``, where there are any, are so many large clusters in place of many small ones.
    """

    rows: int
    gain: float
    discordance: float
    clustered: bool
    seeds: int
    untrained: int
    near: int
    graded: bool = False
    groups: int = 0

    @property
    def true_gains(self) -> FloatArray:
        """The trained arm's mean score less each untrained arm's, shape (untrained,)."""
        return (self.trained_accuracy - self.accuracies) * (1 - GRADED_MEAN if self.graded else 1)

    @property
    def trained_accuracy(self) -> float:
        """The trained arm's accuracy."""
        return UNTRAINED + self.gain

    @cached_property
    def accuracies(self) -> FloatArray:
        """The untrained arms' accuracies, shape (untrained,)."""
        return np.where(np.arange(self.untrained) < self.near, UNTRAINED, UNTRAINED - FAR)

    def seed_parts(self, seen: Joint, scale: float) -> tuple[tuple[SeedPart, ...], ...]:
        """Return the seeds' true variance for each difference, with the noise ``seen`` in a sample that's larger."""
        if self.seeds == 1:
            return ((),) * self.untrained
        variance = (SEED_DEVIATION * (1 - GRADED_MEAN if self.graded else 1)) ** 2 / self.seeds
        return tuple(
            tuple(SeedPart(variance, part.noise * scale, part.count) for part in parts) for parts in seen.seeds
        )

    def with_rows(self, rows: int) -> "Setting":
        """Return the same with another number of rows."""
        return replace(self, rows=rows)

    def clusters(self) -> Clusters:
        """Return the rows' clusters: sizes in turn, the same in every simulation."""
        if not self.clustered:
            return independent(self.rows)
        if self.groups:
            return Clusters((np.arange(self.rows) % self.groups).astype(np.int64))
        cycle = np.repeat(np.arange(len(CLUSTER_SIZES)), CLUSTER_SIZES)
        rounds, places = np.divmod(np.arange(self.rows), len(cycle))
        return Clusters((rounds * len(CLUSTER_SIZES) + cycle[places]).astype(np.int64))


@dataclass(frozen=True)
class Simulated:
    """Scores of one comparison: the trained arm's (seeds, rows), the untrained arms' (untrained, rows)."""

    trained: FloatArray
    untrained: FloatArray


class Source:
    """Draws comparisons of one setting, seeded."""

    def __init__(self, setting: Setting, seed: int) -> None:
        self.setting = setting
        self.clusters = setting.clusters()
        shares = [round(1e4 * share) for share in (setting.gain, setting.discordance)]
        kinds = [setting.untrained, setting.near, setting.seeds, int(setting.clustered), setting.groups]
        self._random = np.random.default_rng([seed, setting.rows, int(setting.graded), *shares, *kinds])

    def draw(self) -> Simulated:
        """Return the next comparison."""
        setting = self.setting
        shared = shared_part(setting.trained_accuracy, UNTRAINED, setting.discordance)
        difficulty = math.sqrt(shared) * self._field(1)
        own = math.sqrt(1 - shared)
        untrained = difficulty + own * self._field(setting.untrained) < _thresholds(setting.accuracies)[:, None]
        habit = math.sqrt(SEED_SHARE) * self._field(1) + math.sqrt(1 - SEED_SHARE) * self._field(setting.seeds)
        accuracy = np.full(setting.seeds, setting.trained_accuracy)
        if setting.seeds > 1:
            accuracy += SEED_DEVIATION * self._random.standard_normal(setting.seeds)
        trained = difficulty + own * habit < _thresholds(np.clip(accuracy, 1e-6, 1 - 1e-6))[:, None]
        return Simulated(self._scores(trained), self._scores(untrained))

    def _scores(self, right: NDArray[np.bool_]) -> FloatArray:
        if not self.setting.graded:
            return right.astype(np.float64)
        return np.where(right, 1.0, self._random.beta(1, 2, right.shape))

    def _field(self, count: int) -> FloatArray:
        """Return standard normals, shape (count, rows), of which rows of a cluster share a part."""
        own = self._random.standard_normal((count, self.setting.rows))
        if self.clusters.single:
            return own
        common = self._random.standard_normal((count, self.clusters.count))[:, self.clusters.of]
        return math.sqrt(CLUSTER_SHARE) * common + math.sqrt(1 - CLUSTER_SHARE) * own


@lru_cache(maxsize=256)
def shared_part(one: float, two: float, discordance: float) -> float:
    """Return the correlation of two latent normals whose thresholds hold ``one`` and ``two``, by their discordance.

    Raises ``ValueError`` when no correlation of 0…1 gives it.
    """
    from scipy.optimize import brentq
    from scipy.stats import multivariate_normal

    thresholds = _thresholds(np.array([one, two]))

    def excess(correlation: float) -> float:
        both = multivariate_normal.cdf(thresholds, cov=[[1, correlation], [correlation, 1]])
        return float(one + two - 2 * both - discordance)

    return float(brentq(excess, 0.0, 1 - 1e-9, xtol=1e-7))


def _thresholds(accuracies: NDArray[np.float64]) -> FloatArray:
    from scipy.special import ndtri

    thresholds: FloatArray = ndtri(accuracies)
    return thresholds
