"""What a request costs, and when training has paid for itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.request_cost import Rates, RequestCost, break_even, request_cost

HOSTED = Rates(input=1.0, cached_input=0.1, output=4.0, cache_hit_rate=0.8)


def costing(approach, cost):
    return RequestCost(approach, 0, 0, 0, cost)


def test_a_cached_prefix_by_hand():
    # 1,600 tokens of prefix: 320 at 1.00 and 1,280 at 0.10; 200 at 1.00; 150 out at 4.00, per million
    cost = request_cost("prompt", prefix=1600, rest=200, output=150, rates=HOSTED)
    assert cost.cost == pytest.approx((320 + 128 + 200 + 600) / 1e6)
    assert (cost.input_tokens, cost.prefix_tokens, cost.output_tokens) == (1800, 1600, 150)


def test_break_even_by_hand_with_its_band():
    # 1,000 to repay at 0.001 a request: a million requests, ten months of 100,000
    even = break_even(costing("tune", 0.001), costing("prompt", 0.002), 1000, 100_000, 12)
    assert even.requests.middle == pytest.approx(1_000_000)
    assert (even.requests.low, even.requests.high) == (pytest.approx(500_000), pytest.approx(2_000_000))
    assert (even.months.low, even.months.middle, even.months.high) == tuple(map(pytest.approx, (5, 10, 20)))
    assert even.within_horizon is None


@pytest.mark.parametrize(("fixed", "within"), [(500, True), (1000, None), (3000, False)])
def test_within_the_horizon_only_where_the_whole_band_is(fixed, within):
    assert break_even(costing("tune", 0.001), costing("prompt", 0.002), fixed, 100_000, 12).within_horizon is within


@pytest.mark.parametrize("tuned", [0.002, 0.003])
def test_never_where_a_request_saves_nothing(tuned):
    even = break_even(costing("tune", tuned), costing("prompt", 0.002), 1000, 100_000, 12)
    assert even.requests is None
    assert even.months is None
    assert even.within_horizon is False


def test_at_once_where_nothing_is_left_to_repay():
    even = break_even(costing("tune", 0.001), costing("rag", 0.002), -50, 100_000, 12)
    assert even.requests.high == even.months.high == 0
    assert even.within_horizon is True


@given(st.integers(0, 10**5), st.integers(0, 10**5), st.integers(0, 10**5), st.floats(0, 1))
def test_a_better_cache_never_costs_more(prefix, rest, output, hit):
    worse = request_cost("prompt", prefix, rest, output, Rates(1, 0.1, 4, hit * 0.5))
    better = request_cost("prompt", prefix, rest, output, Rates(1, 0.1, 4, hit))
    assert better.cost <= worse.cost * (1 + 1e-12)


@given(st.floats(1, 1e7), st.floats(1e-6, 1), st.floats(1, 1e8))
def test_more_to_repay_takes_longer_and_the_band_holds_its_middle(fixed, saving, volume):
    less, more = (
        break_even(costing("tune", 0), costing("prompt", saving), amount, volume, 12) for amount in (fixed, 2 * fixed)
    )
    assert more.requests.middle > less.requests.middle
    assert less.months.low < less.months.middle < less.months.high
