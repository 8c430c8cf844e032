"""Odd servers and odd keys: nothing that they say changes an answer, a cost or a cell that it doesn't concern."""

import pytest

from baselines.endpoint_labels import label_score
from baselines.endpoint_wire import BadReplyError
from evals.prices import load_prices
from evals.spending import Meter
from tests.endpoint_server import Made, said, serving
from tests.test_baselines_endpoint_client import KEY, after, ask

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


@pytest.mark.parametrize("key", ["warm", "risk-4d1f8e0b2a97c653", "done"])
def test_a_key_that_is_like_a_word_changes_no_answer(key):
    answers = ["warm.", "a risk-profile, risk-free", "done"]
    with serving(lambda asked: said(answers[asked.number])) as server:
        found, _ = ask(server, count=3, key=key, concurrency=1)
    assert [answer.text for answer in found] == answers


def test_a_failure_told_with_success_shows_no_part_of_the_key():
    failure = Made({"error": {"message": f"bad key {KEY[:8]}****, {KEY}"}})
    with serving(lambda asked: failure) as server:
        [answer], _ = ask(server, key=KEY)
    assert answer.error == "the server's answer holds no choices (bad key ***, ***)"
