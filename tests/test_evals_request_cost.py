"""What a request costs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.request_cost import Rates, request_cost

HOSTED = Rates(input=1.0, cached_input=0.1, output=4.0, cache_hit_rate=0.8)


def test_a_cached_prefix_by_hand():
    # 1,600 tokens of prefix: 320 at 1.00 and 1,280 at 0.10; 200 at 1.00; 150 out at 4.00, per million
    cost = request_cost("prompt", prefix=1600, rest=200, output=150, rates=HOSTED)
    assert cost.cost == pytest.approx((320 + 128 + 200 + 600) / 1e6)
    assert (cost.input_tokens, cost.prefix_tokens, cost.output_tokens) == (1800, 1600, 150)


@given(st.integers(0, 10**5), st.integers(0, 10**5), st.integers(0, 10**5), st.floats(0, 1))
def test_a_better_cache_never_costs_more(prefix, rest, output, hit):
    worse = request_cost("prompt", prefix, rest, output, Rates(1, 0.1, 4, hit * 0.5))
    better = request_cost("prompt", prefix, rest, output, Rates(1, 0.1, 4, hit))
    assert better.cost <= worse.cost * (1 + 1e-12)
