from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.holm import holm
from evals.intervals import tango
from evals.joint import Joint
from evals.needed import needed
from evals.scoreboard import MeanScoreboard
from evals.spread import SeedPart

LEVELS = {"worth_it": 0.95, "not_worth_it": 0.95}


def joint(gains, deviation, rows=400, seeds=(), correlation=0.5, only=None):
    count = len(gains)
    covariance = deviation**2 * (correlation * np.ones((count, count)) + (1 - correlation) * np.eye(count))
    return Joint(np.array(gains), covariance, (seeds,) * count, rows, only)


@pytest.mark.parametrize(("gain", "rows"), [(0.05, 400), (0.08, 200), (0.04, 3000)])
def test_power_against_one_arm_is_the_textbooks(gain, rows):
    error = 0.02 * (400 / rows) ** 0.5
    expected = NormalDist().cdf((gain - 0.02) / error - 1.959964)
    found = joint([gain], 0.02).power("worth_it", 0.02, 0.95, rows=rows, seeds=1)
    assert found == pytest.approx(expected, abs=0.01)
    against = joint([0.04 - gain], 0.02).power("not_worth_it", 0.02, 0.95, rows=rows, seeds=1)
    assert against == pytest.approx(expected, abs=0.01)


def test_power_at_the_minimum_is_the_share_of_false_claims():
    assert joint([0.02], 0.02).power("worth_it", 0.02, 0.95, rows=400, seeds=1) == pytest.approx(0.025, abs=0.003)


def exact_power(first, second, rows, minimum_gain, confidence):
    """Sum over every outcome of one pair: the share of which Tango's interval lies above, and below, the minimum."""
    from scipy.stats import multinomial

    worth = not_worth = 0.0
    for one in range(rows + 1):
        for two in range(rows + 1 - one):
            chance = multinomial.pmf([one, two, rows - one - two], rows, [first, second, 1 - first - second])
            if chance > 1e-9:
                bounds = tango(one, two, rows, confidence)
                worth += chance * (bounds.low > minimum_gain)
                not_worth += chance * (bounds.high <= minimum_gain)
    return worth, not_worth


@pytest.mark.parametrize(("first", "second", "rows"), [(0.13, 0.03, 50), (0.12, 0.0, 40), (0.06, 0.14, 60)])
def test_power_of_few_rows_is_that_of_the_interval_in_use(first, second, rows):
    # What every row adds is known, so the covariance of 400 rows is exact; the power asked for is of fewer.
    variance = (first + second - (first - second) ** 2) / 399
    found = Joint(np.array([first - second]), np.array([[variance]]), ((),), 400, np.array([[first, second]]))
    exact = exact_power(first, second, rows, 0.02, 0.95)
    for claim, expected in zip(("worth_it", "not_worth_it"), exact, strict=True):
        assert found.power(claim, 0.02, 0.95, rows=rows, seeds=1) == pytest.approx(expected, abs=0.008)


def test_counts_of_many_rows_come_to_the_normal_formula():
    counts = joint([0.05], 0.02, only=np.array([[0.12, 0.07]]))
    plain = joint([0.05], 0.02)
    for rows in (3000, 30_000):
        expected = plain.power("worth_it", 0.02, 0.95, rows=rows, seeds=1)
        assert counts.power("worth_it", 0.02, 0.95, rows=rows, seeds=1) == pytest.approx(expected, abs=0.02)


def test_arms_that_answer_alike_are_not_worth_training_once_there_are_rows_enough():
    alike = Joint(np.zeros(1), np.zeros((1, 1)), ((),), 50, np.zeros((1, 2)))
    assert alike.power("not_worth_it", 0.02, 0.95, rows=50, seeds=1) == 0
    assert alike.power("not_worth_it", 0.02, 0.95, rows=500, seeds=1) == 1
    assert alike.power("worth_it", 0.0, 0.95, rows=500, seeds=1) == 0


def test_all_arms_must_be_beaten_and_one_is_enough_not_to_be():
    one, three = joint([0.06], 0.02), joint([0.06] * 3, 0.02, correlation=0.0)
    alone = one.power("worth_it", 0.02, 0.95, rows=400, seeds=1)
    assert three.power("worth_it", 0.02, 0.95, rows=400, seeds=1) == pytest.approx(alone**3, abs=0.02)
    one, three = joint([-0.02], 0.02), joint([-0.02] * 3, 0.02, correlation=0.0)
    alone = one.power("not_worth_it", 0.02, 0.95, rows=400, seeds=1)
    assert three.power("not_worth_it", 0.02, 0.95, rows=400, seeds=1) == pytest.approx(1 - (1 - alone) ** 3, abs=0.02)


def test_the_rows_needed_have_the_power():
    found = needed(joint([0.05], 0.02), 0.02, LEVELS)
    exact = 400 * ((1.959964 + 0.841621) * 0.02 / 0.03) ** 2
    assert found.claim == "worth_it"
    assert found.rows == pytest.approx(exact, rel=0.02)
    assert found.seeds is None
    assert needed(joint([-0.01], 0.02), 0.02, LEVELS).rows == pytest.approx(exact, rel=0.02)
    assert needed(joint([-0.01], 0.02), 0.02, LEVELS).claim == "not_worth_it"


def test_nothing_decides_a_gain_at_the_minimum():
    found = needed(joint([0.02], 0.02), 0.02, LEVELS)
    assert (found.claim, found.rows, found.seeds) == ("not_worth_it", None, None)


def test_rows_are_found_also_where_still_more_of_them_decide_less():
    # Two seeds: Student's quantile with one degree of freedom weighs the more, the less of the variance is the rows'.
    part = SeedPart(variance=0.00002, noise=0.0, count=2)
    found = joint([0.08], 0.02, rows=400, seeds=(part,))

    def power(rows):
        return found.power("worth_it", 0.02, 0.95, rows=rows, seeds=2)

    assert power(10_000_000) < 0.8
    rows = needed(found, 0.02, LEVELS).rows
    assert power(rows) >= 0.8
    assert power(int(rows * 0.97)) < 0.8


def test_seeds_decide_where_rows_cannot():
    part = SeedPart(variance=0.0003, noise=0.0001, count=3)
    found = needed(joint([0.05], 0.004, rows=5000, seeds=(part,)), 0.02, LEVELS)
    assert found.rows is None
    assert 4 < found.seeds <= 30
    quiet = SeedPart(variance=1e-7, noise=0.0001, count=3)
    assert needed(joint([0.05], 0.02, seeds=(quiet,)), 0.02, LEVELS).rows is not None


@given(st.floats(0.03, 0.2), st.integers(50, 5000), st.integers(3, 8))
def test_power_grows_with_rows_and_seeds(gain, rows, seeds):
    found = joint([gain, gain + 0.01], 0.03, seeds=(SeedPart(0.0001, 0.0001, 3),))
    power = found.power("worth_it", 0.02, 0.95, rows=rows, seeds=seeds)
    assert found.power("worth_it", 0.02, 0.95, rows=2 * rows, seeds=seeds) >= power - 0.01
    assert found.power("worth_it", 0.02, 0.95, rows=rows, seeds=seeds + 1) >= power - 0.01


def test_a_scoreboard_tells_how_differences_move_together():
    random = np.random.default_rng(0)
    scores = {name: (random.random(500) < 0.7).astype(float) for name in ("tuned", "one", "two")}
    found = MeanScoreboard(scores).joint("tuned", ["one", "two"])
    values = np.stack([scores["tuned"] - scores["one"], scores["tuned"] - scores["two"]])
    assert found.gains == pytest.approx(values.mean(axis=1))
    assert found.covariance == pytest.approx(np.cov(values) / 500)
    assert found.only[0] == pytest.approx([np.mean(values[0] > 0), np.mean(values[0] < 0)])
    assert (found.rows, found.seed_count) == (500, 1)
    assert MeanScoreboard({"a": [None, 1.0], "b": [1.0, None]}).joint("a", ["b"]) is None


def test_holm_corrects_step_by_step():
    assert holm([0.01, 0.04, 0.03, None, 0.005]) == pytest.approx([0.03, 0.06, 0.06, None, 0.02])
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), max_size=8))
def test_holm_never_lowers_and_keeps_the_order(p_values):
    corrected = holm(p_values)
    assert all(before <= after <= 1 for before, after in zip(p_values, corrected, strict=True))
    order = sorted(range(len(p_values)), key=lambda place: p_values[place])
    assert [corrected[place] for place in order] == sorted(corrected)
