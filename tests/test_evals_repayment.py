"""When training has paid for itself."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.repayment import Spending, Volume, repayment


def cost(name, request, once=0.0, monthly=0.0):
    return Spending(name, request, once, monthly)


def test_break_even_by_hand_with_its_band():
    # 1,000 to repay at 0.001 a request: a million requests, ten months of 100,000
    even = repayment(cost("tune", 0.001, 1000), cost("prompt", 0.002), Volume(100_000, 12))
    assert (even.requests.low, even.requests.middle) == tuple(map(pytest.approx, (500_000, 1_000_000)))
    assert even.requests.high == pytest.approx(2_000_000)
    assert (even.months.low, even.months.middle, even.months.high) == tuple(map(pytest.approx, (5, 10, 20)))
    assert even.status == "unclear"


@pytest.mark.parametrize(("once", "status"), [(500, "yes"), (1000, "unclear"), (3000, "no")])
def test_within_the_horizon_only_where_the_whole_band_is(once, status):
    assert repayment(cost("tune", 0.001, once), cost("prompt", 0.002), Volume(100_000, 12)).status == status


@pytest.mark.parametrize("tuned", [0.002, 0.003])
def test_never_where_a_request_saves_nothing(tuned):
    even = repayment(cost("tune", tuned, 1000), cost("prompt", 0.002), Volume(100_000, 12))
    assert (even.requests, even.months, even.status) == (None, None, "never")


def test_at_once_where_nothing_is_left_to_repay():
    even = repayment(cost("tune", 0.001), cost("rag", 0.002, 50), Volume(100_000, 12))
    assert even.requests.high == even.months.high == 0
    assert even.status == "yes"


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.floats(1e-6, 1), st.floats(1e-6, 1), st.integers(1, 10**7))
def test_dearer_training_never_repays_sooner_and_a_cheaper_request_never_later(once, more, request, other, volume):
    def after(once, request):
        found = repayment(cost("t", request, once), cost("u", other), Volume(volume, 12))
        return math.inf if found.requests is None else found.requests.middle

    assert after(once + more, request) >= after(once, request)
    assert after(once, request / 2) <= after(once, request)
    if request >= other:
        assert after(once, request) == math.inf


@given(st.floats(1, 1e7), st.floats(1e-6, 1), st.floats(1, 1e8))
def test_the_band_holds_its_middle(once, saving, volume):
    months = repayment(cost("tune", 0, once), cost("prompt", saving), Volume(volume, 12)).months
    assert months.low < months.middle < months.high


@pytest.mark.parametrize(
    ("saving", "months", "status"),
    # (0.0029: not quite the hosting, and more than that if saving or volume is half as large again)
    [
        (0.004, 1.0, "unclear"),
        (0.0029, None, "unclear"),
        (0.0019, None, "never"),
        (0.01, 100 / 700, "yes"),
        (0.00301, 100.0, "unclear"),
    ],
)
def test_months_are_those_in_which_savings_less_hosting_repay_what_was_spent_once(saving, months, status):
    # 100 once and 300 a month more; 100,000 requests a month
    found = repayment(cost("tuned", 0.0, 100, 300), cost("rag", saving, 0, 0), Volume(100_000, 12))
    assert found.status == status
    assert (found.months is None) == (months is None)
    if months is not None:
        assert found.months.middle == pytest.approx(months)
        assert found.months.low <= found.months.middle
    assert found.requests.middle == pytest.approx((100 + 12 * 300) / saving)


def test_a_band_that_holds_never_has_no_end():
    found = repayment(cost("tuned", 0.0, 100, 300), cost("rag", 0.004, 0, 0), Volume(100_000, 12))
    assert found.months.high is None  # half the saving doesn't pay the hosting


def test_without_a_volume_requests_are_those_over_the_horizon():
    found = repayment(cost("tuned", 0.001, 1200, 0), cost("rag", 0.003, 200, 50), Volume(None, 12))
    assert (found.status, found.months) == ("unknown", None)
    assert found.requests.middle == pytest.approx((1000 - 600) / 0.002)
    assert repayment(cost("rag", 0.003, 0, 0), cost("tuned", 0.001, 0, 0), Volume(100, 12)).status == "never"
