import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from evals.clusters import clusters_of, independent
from evals.intervals import Bounds, normal_quantile
from evals.spread import SeedPart, Spread, influences, quantile, row_df, row_variance, seed_variance
from evals.stats import PairedSample, ScoreSample

KEYS = st.lists(st.sampled_from(["a", "b", "c", "d", None]), min_size=4, max_size=30)


def test_rows_without_a_key_stand_alone():
    clusters = clusters_of(["x", None, "y", "x", None])
    assert clusters.of.tolist() == [0, 1, 2, 0, 3]
    assert clusters.sizes.tolist() == [2, 1, 1, 1]
    assert (clusters.count, clusters.single) == (4, False)
    assert independent(3).single
    kept = clusters.take(np.array([True, False, True, True, True]))
    assert kept.of.tolist() == [0, 1, 0, 2]


def test_totals_are_sums_by_cluster():
    clusters = clusters_of(["x", "y", "x"])
    assert clusters.totals(np.array([[1.0, 2.0, 3.0], [0.0, 1.0, 0.5]])).tolist() == [[4, 2], [0.5, 1]]
    assert independent(2).totals(np.array([3.0, 4.0])).tolist() == [3, 4]


def test_independent_rows_give_the_textbooks_variance():
    values = np.random.default_rng(0).random(30)
    assert row_variance(values, independent(30)) == pytest.approx(values.var(ddof=1) / 30)
    assert row_df(independent(30)) == 29


@pytest.mark.parametrize("size", [2, 5])
def test_equal_clusters_give_the_variance_of_their_means(size):
    values = np.random.default_rng(1).random(60)
    clusters = clusters_of([str(place // size) for place in range(60)])
    means = values.reshape(-1, size).mean(axis=1)
    assert row_variance(values, clusters) == pytest.approx(means.var(ddof=1) / len(means))
    assert row_df(clusters) == pytest.approx(60 / size - 1)


@settings(max_examples=60)
@given(KEYS)
def test_bell_and_mccaffreys_figures_by_their_matrices(keys):
    clusters = clusters_of(keys)
    if clusters.count < 2:
        return
    rows = len(keys)
    member = (clusters.of[:, None] == np.arange(clusters.count)).astype(float)
    centre = np.eye(rows) - np.ones((rows, rows)) / rows
    weights = 1 / (rows * np.sqrt(1 - clusters.sizes / rows))
    moves = (member * weights).T @ centre  # one row per cluster: what it takes of the residuals
    covariance = moves @ moves.T
    assert row_df(clusters) == pytest.approx(np.trace(covariance) ** 2 / np.sum(covariance**2))
    values = np.random.default_rng(2).random(rows)
    assert influences(values, clusters) == pytest.approx(moves @ values)


def test_clustered_rows_widen_intervals():
    random = np.random.default_rng(3)
    shared = np.repeat(random.integers(0, 2, 40), 5).astype(float)
    keys = clusters_of([str(place // 5) for place in range(200)])
    for scores in (shared, np.clip(shared * 0.5 + 0.25 * random.random(200), 0, 1)):
        alone, together = ScoreSample(scores, 0).estimate(0.95), ScoreSample(scores, 0, keys).estimate(0.95)
        ratio = (together.high - together.low) / (alone.high - alone.low)
        assert 1.7 < ratio < 2.7  # 40 clusters of five equal rows: the square root of five
        assert "40 clusters" in together.method


def test_clusters_of_one_row_change_nothing():
    random = np.random.default_rng(4)
    first, second = (random.random((2, 80)) < 0.6).astype(float)
    keys = clusters_of([None] * 80)
    assert PairedSample(first, second, 0, keys).difference(0.9) == PairedSample(first, second, 0).difference(0.9)


def test_the_sign_flip_takes_clusters_whole():
    first = np.repeat([1.0, 0.0], [60, 20])
    keys = clusters_of([str(place // 20) for place in range(80)])
    alone, together = PairedSample(first, 1 - first, 0).test(), PairedSample(first, 1 - first, 0, keys).test()
    assert alone.p_value < 0.001
    assert together.p_value > 0.3  # three against one
    assert "by cluster" in together.method


def test_one_seed_has_no_part_of_its_own():
    assert seed_variance(np.ones((1, 20)), independent(20)) == ()


def test_seeds_that_agree_add_nothing_and_seeds_that_differ_do():
    random = np.random.default_rng(5)
    same = np.repeat((random.random((1, 300)) < 0.7).astype(float), 3, axis=0)
    (part,) = seed_variance(same, independent(300))
    assert (part.variance, part.noise, part.count) == (0, 0, 3)
    apart = np.stack([(random.random(300) < share).astype(float) for share in (0.5, 0.7, 0.9)])
    (part,) = seed_variance(apart, independent(300))
    means = apart.mean(axis=1)
    assert part.variance == pytest.approx((means.var(ddof=1) - part.noise) / 3)
    assert part.noise == pytest.approx(np.mean([0.25, 0.21, 0.09]) / 300, rel=0.2)
    one, three = PairedSample(apart[1], np.zeros(300), 0), PairedSample(apart, np.zeros(300), 0)
    assert _width(three) > 3 * _width(one)
    assert "3 training seeds" in three.difference(0.95).method
    assert three.test().method == "t test with the seeds' part"


def _width(pair):
    found = pair.difference(0.95)
    return found.high - found.low


def test_the_seeds_part_is_right_on_average():
    random = np.random.default_rng(6)
    found = []
    for _ in range(400):
        accuracy = 0.7 + 0.05 * random.standard_normal(4)
        (part,) = seed_variance((random.random((4, 250)) < accuracy[:, None]).astype(float), independent(250))
        found.append(part.variance)
    assert np.mean(found) == pytest.approx(0.05**2 / 4, rel=0.1)


def test_rows_that_a_seed_lacks_count_for_the_mean_only():
    scores = [[1.0, 0.0, None, 1.0], [1.0, None, None, 0.0]]
    found = ScoreSample(scores, 0).estimate(0.95)
    assert (found.n, found.dropped) == (3, 1)
    assert found.mean == pytest.approx((1 + 0 + 0.5) / 3)


@given(st.floats(1e-6, 1e-2), st.floats(0, 1e-2), st.integers(2, 6), st.sampled_from([0.8, 0.95, 0.99]))
def test_a_half_width_lies_between_its_parts_and_their_sum(rows, seeds, count, confidence):
    spread = Spread(rows, 40.0, (SeedPart(seeds, 0.0, count),))
    t_rows, t_seeds = quantile(40.0, confidence), quantile(count - 1, confidence)
    assert spread.half_width(confidence) >= t_rows * math.sqrt(rows + seeds) * (1 - 1e-9)
    assert spread.half_width(confidence) <= t_seeds * math.sqrt(rows + seeds) * (1 + 1e-9)
    wide = spread.widen(Bounds(0.4, 0.7), 0.5, confidence)
    assert wide.low <= 0.4
    assert wide.high >= 0.7


def test_without_seeds_the_half_width_is_students():
    spread = Spread(0.0004, 19.0)
    assert spread.half_width(0.95) == pytest.approx(scipy_stats.t.ppf(0.975, 19) * 0.02)
    assert 0.0004 < spread.normal_variance(0.95) < 0.00044
    assert Spread(0.0004, 5000.0).normal_variance(0.95) == pytest.approx(0.0004, rel=1e-3)
    few = Spread(0.0004, 3.0)
    assert 0.0006 < few.normal_variance(0.95) < (few.half_width(0.95) / normal_quantile(0.95)) ** 2
    assert normal_quantile(0.95) == pytest.approx(1.959964)


def test_the_p_value_is_where_the_interval_ends_at_zero():
    spread = Spread(0.0004, 30.0, (SeedPart(0.0001, 0.0, 3),))
    for mean in (0.02, -0.05):
        assert spread.half_width(1 - spread.p_value(mean)) == pytest.approx(abs(mean), rel=1e-6)
    assert spread.p_value(0.0) == 1
    assert Spread(0.0004, 30.0).p_value(0.03) == pytest.approx(2 * scipy_stats.t.sf(1.5, 30), rel=1e-6)


def test_a_single_cluster_says_nothing():
    keys = clusters_of(["all"] * 12)
    found = PairedSample([0.5] * 6 + [1.0] * 6, [0.2] * 12, 0, keys).difference(0.95)
    assert (found.low, found.high) == (-1, 1)
