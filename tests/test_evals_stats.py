import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from evals.calibration_labels import true_macro_f1
from evals.clusters import independent
from evals.intervals import identical_draws, mcnemar_exact, tail, tango, wilson
from evals.label_metrics import Coded
from evals.label_stats import MacroF1Sample, PairedMacroF1
from evals.resampling import Bootstrap, bootstrap_mean, sign_flip_p_value
from evals.stats import PairedSample, ScoreSample

BINARY = st.sampled_from([0.0, 1.0])
GRADED = st.sampled_from([0.0, 0.25, 1 / 3, 0.5, 0.9, 1.0])
SCORES = st.lists(BINARY, min_size=1, max_size=40) | st.lists(GRADED, min_size=1, max_size=40)
PAIRS = st.lists(st.tuples(BINARY, BINARY), min_size=1, max_size=40) | st.lists(
    st.tuples(GRADED, GRADED), min_size=1, max_size=40
)


@pytest.mark.parametrize(
    ("right", "n", "low", "high"),  # Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_gives_the_published_figures(right, n, low, high):
    bounds = wilson(right / n, n, 0.95)
    assert (bounds.low, bounds.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


@given(st.integers(1, 300), st.data())
def test_wilson_is_scipys(n, data):
    right = data.draw(st.integers(0, n))
    expected = scipy_stats.binomtest(right, n).proportion_ci(0.9, method="wilson")
    bounds = wilson(right / n, n, 0.9)
    assert bounds.low == pytest.approx(expected.low, abs=1e-9)
    assert bounds.high == pytest.approx(expected.high, abs=1e-9)


@pytest.mark.parametrize(
    ("first", "second", "n", "low", "high"),
    [(12, 2, 50, 0.0569, 0.3404), (5, 0, 41, 0.0229, 0.2554)],  # solved on a grid below
)
def test_tango_is_where_the_constrained_score_test_turns(first, second, n, low, high):
    bounds = tango(first, second, n, 0.95)
    for bound, sign in ((bounds.low, 1), (bounds.high, -1)):
        # The likelihood under p01 - p10 = bound is maximised over p10 by search, not by Tango's formula.
        shares = np.linspace(max(0, -bound) + 1e-9, min(1, (1 - bound) / 2), 400_001)
        likelihood = (
            first * np.log(np.maximum(shares + bound, 1e-300))
            + second * np.log(shares)
            + (n - first - second) * np.log(np.maximum(1 - 2 * shares - bound, 1e-300))
        )
        share = shares[likelihood.argmax()]
        z = (first - second - n * bound) / math.sqrt(n * (2 * share + bound - bound**2))
        assert z == pytest.approx(sign * 1.959964, abs=2e-3)
    assert (bounds.low, bounds.high) == (pytest.approx(low, abs=0.02), pytest.approx(high, abs=0.02))


def test_tango_without_a_row_that_differs_is_wilsons_width():
    bounds = tango(0, 0, 40, 0.95)
    assert bounds.high == pytest.approx(1.959964**2 / (40 + 1.959964**2), abs=1e-6)
    assert bounds.low == -bounds.high


@pytest.mark.parametrize(("first", "second", "p"), [(5, 0, 0.0625), (1, 9, 22 / 1024), (3, 3, 1.0), (0, 0, 1.0)])
def test_mcnemar_is_exact(first, second, p):
    assert mcnemar_exact(first, second) == pytest.approx(p)


@pytest.mark.parametrize("confidence", [0, 1, -1, 95])
def test_a_confidence_must_be_a_share(confidence):
    with pytest.raises(ValueError, match="confidence"):
        tail(confidence)


@given(SCORES, st.sampled_from([0.8, 0.95, 0.999]))
def test_an_interval_holds_its_mean_and_has_width(scores, confidence):
    found = ScoreSample(scores, 0).estimate(confidence)
    assert found.mean == pytest.approx(np.mean(scores))
    assert 0 <= found.low <= found.mean <= found.high <= 1
    assert found.high > found.low
    assert found.n == len(scores)


@settings(max_examples=60)
@given(SCORES)
def test_intervals_shrink_with_rows_and_grow_with_confidence(scores):
    few, many = ScoreSample(scores, 0).estimate(0.95), ScoreSample(scores * 5, 0).estimate(0.95)
    assert many.high - many.low < few.high - few.low
    sure = ScoreSample(scores, 0).estimate(0.99)
    assert sure.low <= few.low
    assert sure.high >= few.high


@settings(max_examples=60)
@given(PAIRS)
def test_differences_are_antisymmetric(pairs):
    first, second = [one for one, _ in pairs], [two for _, two in pairs]
    there, back = PairedSample(first, second, 3).difference(0.95), PairedSample(second, first, 3).difference(0.95)
    assert there.difference == pytest.approx(-back.difference)
    assert there.low == pytest.approx(-back.high, abs=1e-9)
    assert there.high == pytest.approx(-back.low, abs=1e-9)
    assert PairedSample(first, second, 3).test() == PairedSample(second, first, 3).test()
    assert 0 < PairedSample(first, second, 3).test().p_value <= 1
    assert -1 <= there.low <= there.difference <= there.high <= 1
    assert there.low < there.high


def test_methods_say_what_was_done():
    ones, graded = [1.0, 0.0] * 20, [0.5, 0.3, 0.9, 0.1] * 10
    assert ScoreSample(ones, 0).estimate(0.95).method == "Wilson interval"
    assert ScoreSample(graded, 0).estimate(0.95).method == "BCa bootstrap, 5,000 resamples"
    binary = PairedSample(ones, [1.0] * 40, 0)
    assert binary.difference(0.95).method == "Tango's paired interval"
    assert binary.test().method == "exact McNemar test"
    assert PairedSample(graded, ones, 0).difference(0.95).method == "BCa bootstrap, 5,000 resamples"
    assert PairedSample(graded, ones, 0).test().method == "sign-flip test, 5,000 draws"
    assert "40 identical rows" in PairedSample(graded, graded, 0).difference(0.95).method
    assert "Student" in ScoreSample([0.2, 0.5, 0.4], 0).estimate(0.95).method
    assert "half a row" in ScoreSample([0.5] * 50 + [0.75], 0).estimate(0.95).method


def test_equal_arms_get_the_bound_of_identical_rows():
    pair = PairedSample([1.0] * 30 + [0.5], [1.0] * 30 + [0.5], 0)
    found = pair.difference(0.95)
    assert found.difference == 0
    assert found.high == pytest.approx(1 - 0.025 ** (1 / 31))
    assert found.low == -found.high
    assert pair.test().p_value == 1
    ones = identical_draws(1.0, 31, 0.95, 0, 1)
    assert (ones.low, ones.high) == (pytest.approx(0.025 ** (1 / 31)), 1)


def test_errors_are_dropped_in_pairs_and_counted():
    first, second = [1.0, None, 0.0, 1.0, None], [0.0, 1.0, None, 1.0, None]
    found = PairedSample(first, second, 0).difference(0.95)
    assert (found.n, found.dropped, found.difference) == (2, 3, 0.5)
    assert ScoreSample(first, 0).estimate(0.95).n == 3
    assert ScoreSample(first, 0).estimate(0.95).dropped == 2


def test_bootstraps_leave_errors_out():
    random = np.random.default_rng(0)
    scores = random.random(200).tolist()
    with_errors = [score if place % 4 else None for place, score in enumerate(scores)]
    kept = [score for score in with_errors if score is not None]
    one, two = ScoreSample(with_errors, 0).estimate(0.95), ScoreSample(kept, 0).estimate(0.95)
    assert one.mean == pytest.approx(two.mean)
    assert one.high - one.low == pytest.approx(two.high - two.low, rel=0.06)


def test_no_rows_give_none_and_a_reason():
    found = ScoreSample([None, None], 0).estimate(0.95)
    assert (found.mean, found.low, found.high, found.n) == (None, None, None, 0)
    assert found.reason
    pair = PairedSample([1.0, None], [None, 1.0], 0)
    gap = pair.difference(0.95)
    assert (gap.difference, pair.test().p_value, gap.n, gap.dropped) == (None, None, 0, 2)
    assert gap.reason


@pytest.mark.parametrize("score", [1.5, -0.1, math.nan, math.inf])
def test_scores_outside_the_range_are_refused(score):
    with pytest.raises(ValueError, match="between 0 and 1"):
        ScoreSample([0.5, score], 0).estimate(0.95)


def test_unequal_lengths_are_refused():
    with pytest.raises(ValueError, match="equally many"):
        PairedSample([1.0], [1.0, 0.0], 0).difference(0.95)


def test_the_seed_decides():
    scores = np.random.default_rng(0).random(50).tolist()
    assert ScoreSample(scores, 1).estimate(0.95) == ScoreSample(scores, 1).estimate(0.95)
    assert ScoreSample(scores, 1).estimate(0.95) != ScoreSample(scores, 2).estimate(0.95)


def test_bca_agrees_with_scipys_at_the_level_that_small_samples_need():
    values = np.random.default_rng(4).beta(0.3, 3, 16)
    t = scipy_stats.t.ppf(0.975, 15) * math.sqrt(16 / 15)  # Hesterberg's expansion
    level = 2 * scipy_stats.norm.cdf(t) - 1
    theirs = scipy_stats.bootstrap((values,), np.mean, method="BCa", n_resamples=40_000, confidence_level=level, rng=0)
    ours, width = bootstrap_mean(values, 0, independent(16)).interval(0.95), np.ptp(theirs.confidence_interval)
    assert ours.low == pytest.approx(theirs.confidence_interval.low, abs=0.03 * width)
    assert ours.high == pytest.approx(theirs.confidence_interval.high, abs=0.03 * width)


def test_bias_moves_both_ends_the_same_way():
    draws = np.linspace(0, 1, 5001)
    even, low = Bootstrap(0.5, 1000, draws).interval(0.9), Bootstrap(0.4, 1000, draws).interval(0.9)
    assert (even.low, even.high) == (pytest.approx(0.05, abs=0.002), pytest.approx(0.95, abs=0.002))
    assert low.low < even.low - 0.01
    assert low.high < even.high - 0.01


def test_sign_flips_agree_with_enumeration():
    differences = np.array([0.5, 0.25, -0.1, 0.4, 0.0, 0.3, 0.2])
    signs = np.array(np.meshgrid(*[[-1, 1]] * 7)).reshape(7, -1)
    exact = np.mean(np.abs(differences @ signs) >= abs(differences.sum()) - 1e-12)
    assert sign_flip_p_value(differences, 0) == pytest.approx(exact, abs=0.02)
    assert sign_flip_p_value(np.zeros(4), 0) == 1
    assert sign_flip_p_value(np.full(60, 0.5), 0) == pytest.approx(1 / 5001)  # never 0


def coverage(draw, truth, runs, confidence=0.9):
    """Return the share of intervals that hold the truth, and the share of p-values below 0.1."""
    random = np.random.default_rng(7)
    held = small = 0
    for _ in range(runs):
        first, second = draw(random)
        pair = PairedSample(first.tolist(), second.tolist(), 0)
        found = pair.difference(confidence)
        held += found.low <= truth <= found.high
        small += pair.test().p_value < 0.1
    return held / runs, small / runs


def test_binary_intervals_cover_as_they_say():
    def draw(random):
        second = random.random(80) < 0.6
        first = np.where(random.random(80) < 0.4, random.random(80) < 0.8, second)
        return first.astype(float), second.astype(float)

    held, _ = coverage(draw, 0.4 * 0.2, 800)
    assert 0.87 <= held <= 0.945


def test_graded_intervals_cover_as_they_say():
    def draw(random):
        return random.beta(2, 1, 30), np.where(random.random(30) < 0.3, 0.0, random.beta(2, 1, 30))

    held, _ = coverage(draw, 2 / 3 * 0.3, 400)
    assert 0.865 <= held <= 0.94


def test_sparse_differences_are_not_oversure():
    def draw(random):
        first = random.random(60)
        moved = random.random(60) < 0.05
        return np.where(moved, random.integers(0, 2, 60), first), np.where(moved, 0.5, first)

    held, _ = coverage(draw, 0.0, 300)
    assert held >= 0.88


@pytest.mark.parametrize("graded", [False, True])
def test_p_values_keep_their_level(graded):
    def draw(random):
        if graded:
            return random.random(25), random.random(25)
        return (random.random(60) < 0.7).astype(float), (random.random(60) < 0.7).astype(float)

    _, small = coverage(draw, 0.0, 400)
    assert 0.03 <= small <= 0.13


def macro(true, predicted, labels=3):
    codes = [Coded(labels, np.array(true), np.array(guess)) for guess in predicted]
    return MacroF1Sample(codes, np.ones(len(true), bool), 0)


def test_macro_f1_differences_are_paired_and_never_certain():
    random = np.random.default_rng(1)
    true = random.integers(0, 3, 150)
    worse = np.where(random.random(150) < 0.5, true, random.integers(0, 3, 150))
    better = np.where(random.random(150) < 0.7, true, worse)
    pair = PairedMacroF1(macro(true, [better]), macro(true, [worse]))
    found = pair.difference(0.95)
    assert 0 < found.low < found.difference < found.high
    assert pair.test().p_value < 0.01
    back = PairedMacroF1(macro(true, [worse]), macro(true, [better])).difference(0.95)
    assert back.low == pytest.approx(-found.high, abs=1e-9)
    equal = PairedMacroF1(macro(true, [worse]), macro(true, [worse]))
    same = equal.difference(0.95)
    assert (same.difference, equal.test().p_value) == (0, 1)
    assert same.low == pytest.approx(-(1 - 0.025 ** (1 / 150)))


def test_macro_f1_of_perfect_answers_has_width():
    found = macro([0, 1, 2] * 10, [[0, 1, 2] * 10]).estimate(0.95)
    assert found.mean == found.high == 1
    assert 0.8 < found.low < 0.95


def test_macro_f1_of_a_rare_label_always_right_leaves_room_for_a_miss():
    """All of two rows right doesn't tell a label's F1: one miss more would have cost a ninth of the score."""
    true = [0] * 30 + [1] * 18 + [2] * 2
    predicted = [1] * 3 + [0] * 27 + [1] * 15 + [0] * 3 + [2] * 2
    common, rare = macro([0] * 30 + [1] * 18, [predicted[:48]]).estimate(0.95), macro(true, [predicted]).estimate(0.95)
    assert rare.mean - rare.low > common.mean - common.low + 0.03
    resampled = np.quantile(macro(true, [predicted]).draws, 0.025)
    assert rare.low < resampled - 0.03


def test_macro_f1s_intervals_hold_the_truth_where_a_rare_label_is_mostly_right():
    random, shares, right = (
        np.random.default_rng(3),
        np.array([0.6, 0.25, 0.1, 0.05]),
        np.array([0.97, 0.95, 0.93, 0.9]),
    )
    truth = true_macro_f1(tuple(shares), tuple(right))
    held = below = 0
    for _ in range(100):
        true = random.choice(4, size=50, p=shares)
        answers = [
            np.where(random.random(50) < right[true], true, (true + random.integers(1, 4, 50)) % 4) for _ in range(2)
        ]
        one, two = (macro(true, [answer], labels=4) for answer in answers)
        score, gain = one.estimate(0.95), PairedMacroF1(one, two).difference(0.95)
        held += score.low <= truth <= score.high
        below += gain.low <= 0 <= gain.high
    assert held >= 93  # 83 of 100 by the plain bootstrap
    assert below >= 93


def test_macro_f1_averages_seeds():
    true = [0, 1, 2] * 10
    half = macro(true, [true, [0] * 30])
    assert half.estimate(0.95).mean == pytest.approx((1 + 0.5 / 3) / 2)


def test_macro_f1_of_no_rows_is_none():
    none = MacroF1Sample([Coded(2, np.array([0]), np.array([0]))], np.zeros(1, bool), 0)
    assert none.estimate(0.95).mean is None
    assert PairedMacroF1(none, none).difference(0.95).difference is None
