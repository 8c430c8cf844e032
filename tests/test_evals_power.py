import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from evals.errors import UsageError
from evals.power import eval_rows_needed, gain_that_shows, noise_factor, paired_rows

gains = st.floats(0.001, 1)
shares = st.floats(0.01, 1)
noises = st.floats(0, 1)


@pytest.mark.parametrize(
    ("gain", "discordant", "rows"),
    [
        (0.02, 0.1, 1960),
        (0.02, 0.2, 3922),
        (0.02, 0.3, 5884),
        (0.03, 0.1, 870),
        (0.03, 0.2, 1742),
        (0.03, 0.3, 2614),
        (0.05, 0.1, 312),
        (0.05, 0.2, 626),
        (0.05, 0.3, 940),
        (0.10, 0.2, 155),
        (0.10, 0.3, 233),
    ],
)
def test_the_published_table_comes_out(gain, discordant, rows):
    assert abs(paired_rows(gain, discordant) - rows) < 1
    assert eval_rows_needed(gain, discordant) == pytest.approx(1.1 * rows, abs=2)


def exact_power(rows, gain, discordant, tries=20_000):
    """Share of simulated comparisons in which the exact McNemar test finds the gain."""
    chance = np.random.default_rng(5)
    differing = chance.binomial(rows, discordant, tries)
    won = chance.binomial(differing, (discordant + gain) / 2 / discordant)
    tail = np.minimum(binom.cdf(won, differing, 0.5), binom.sf(won - 1, differing, 0.5))
    return float(np.mean((2 * tail < 0.05) & (2 * won > differing)))


@pytest.mark.parametrize(("gain", "discordant"), [(0.05, 0.2), (0.05, 0.1), (0.1, 0.3), (0.2, 0.2), (1.0, 0.2)])
def test_the_rows_needed_show_the_gain_in_four_of_five_tries(gain, discordant):
    share = max(gain, discordant)
    assert exact_power(eval_rows_needed(gain, discordant), gain, share) > 0.785


def test_the_approximation_alone_falls_short_and_half_the_rows_far_short():
    assert 0.74 < exact_power(625, 0.05, 0.2) < 0.785
    assert exact_power(313, 0.05, 0.2) < 0.55


@pytest.mark.parametrize(("noise", "factor"), [(0, 1), (0.05, 1.2346), (0.1, 1.5625), (0.25, 4)])
def test_noise_multiplies(noise, factor):
    assert noise_factor(noise) == pytest.approx(factor, abs=1e-4)
    assert eval_rows_needed(0.05, 0.2, noise) == pytest.approx(689 * factor, rel=0.01)


@given(gains, gains, shares, noises)
def test_smaller_gains_need_more_rows(one, other, discordant, noise):
    small, large = sorted((one, other))
    assert eval_rows_needed(small, discordant, noise) >= eval_rows_needed(large, discordant, noise)


@given(gains, shares, noises, noises)
def test_more_noise_needs_more_rows(gain, discordant, one, other):
    less, more = sorted((one, other))
    assert eval_rows_needed(gain, discordant, less) <= eval_rows_needed(gain, discordant, more)


@given(st.integers(0, 100_000), shares, noises)
def test_the_gain_that_shows_is_the_smallest(rows, discordant, noise):
    gain = gain_that_shows(rows, discordant, noise)
    if gain is None:
        assert rows < eval_rows_needed(1.0, discordant, noise)
        return
    assert eval_rows_needed(gain, discordant, noise) <= rows
    if gain > 0.001:
        assert eval_rows_needed(gain - 0.001, discordant, noise) > rows


@pytest.mark.parametrize("gain", [0, -0.1, 1.01, float("nan"), float("inf"), 1e-300])
def test_a_gain_that_is_none_is_refused(gain):
    with pytest.raises(UsageError, match="the minimum gain must be from"):
        paired_rows(gain)


def test_shares_that_are_none_are_refused():
    with pytest.raises(UsageError, match="on which two arms differ"):
        paired_rows(0.03, 0)
    with pytest.raises(UsageError, match="wrong answers must be"):
        noise_factor(1.2)
