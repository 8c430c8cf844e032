"""Odd servers and odd keys: nothing that they say changes an answer, a cost or a cell that it doesn't concern."""

import pytest

from baselines.endpoint_labels import label_score
from baselines.endpoint_wire import BadReplyError
from evals.prices import load_prices
from evals.spending import Meter
from tests.endpoint_server import Made, said, serving
from tests.test_baselines_endpoint_client import after, ask

HUGE = 10**400


@pytest.mark.parametrize(
    "when", ["Wed, 21 Oct 99999999999999999999 07:28:00 GMT", "Fri, 01 Jan 0001 00:00:00 +2359", "soon"]
)
def test_a_wait_until_a_day_that_no_clock_reaches_is_a_wait_of_our_own(when):
    with serving(after(1, Made({}, 503, {"Retry-After": when}))) as server:
        [answer], waits = ask(server)
    assert (answer.text, waits) == ("done", [0.5])


def test_a_count_of_tokens_that_cannot_be_is_not_told():
    meter = Meter(load_prices())
    odd = said("x", read=HUGE, written=HUGE, prompt_tokens_details={"cached_tokens": HUGE})
    with serving(lambda asked: odd) as server:
        [answer], _ = ask(server, meter=meter)
    assert (answer.text, answer.error, answer.completion_tokens) == ("x", None, 1)
    assert 0 < meter.cost < 1


def test_a_log_likelihood_that_cannot_be_is_none():
    told = {"tokens": [":", " warm"], "token_logprobs": [None, -HUGE]}
    with pytest.raises(BadReplyError):
        label_score({"choices": [{"logprobs": told}], "usage": {"completion_tokens": 0}}, " warm")
