"""Odd servers and odd keys: nothing that they say changes an answer, a cost or a cell that it doesn't concern."""

import threading
import time

import pytest

from baselines.endpoint_client import EndpointClient
from baselines.endpoint_labels import label_score
from baselines.endpoint_model import EndpointModel
from baselines.endpoint_wire import BadReplyError
from evals.errors import ModelError, SpendingError
from evals.example import Prompt
from evals.model_ref import Endpoint
from evals.prices import load_prices
from evals.protocols import Limits
from evals.spending import Meter, Taken
from tests.endpoint_server import Made, said, serving
from tests.test_baselines_endpoint_client import KEY, after, ask, model

HUGE = 10**400
PRICES = load_prices()


@pytest.mark.parametrize(
    "when", ["Wed, 21 Oct 99999999999999999999 07:28:00 GMT", "Fri, 01 Jan 0001 00:00:00 +2359", "soon"]
)
def test_a_wait_until_a_day_that_no_clock_reaches_is_a_wait_of_our_own(when):
    with serving(after(1, Made({}, 503, {"Retry-After": when}))) as server:
        [answer], waits = ask(server)
    assert (answer.text, waits) == ("done", [0.5])


def test_a_count_of_tokens_that_cannot_be_is_not_told():
    meter = Meter(PRICES)
    odd = said("x", read=HUGE, written=HUGE, prompt_tokens_details={"cached_tokens": HUGE})
    with serving(lambda asked: odd) as server:
        [answer], _ = ask(server, meter=meter)
    assert (answer.text, answer.error, answer.completion_tokens) == ("x", None, 1)
    assert 0 < meter.cost < 1


def test_a_log_likelihood_that_cannot_be_is_none():
    told = {"tokens": [":", " warm"], "token_logprobs": [None, -HUGE]}
    with pytest.raises(BadReplyError):
        label_score({"choices": [{"logprobs": told}], "usage": {"completion_tokens": 0}}, " warm")


@pytest.mark.parametrize("key", ["warm", "risk-pd1f8e0b2a97c653", "done"])
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


def test_what_a_server_read_before_it_hung_is_counted():
    prompt = Prompt("Say it.", "thing 0")
    with serving(after(2, Made(hang=True))) as server:
        meter = Meter(PRICES)
        found, _ = model(server, meter=meter, timeout=0.2)
        found.generate([prompt], Limits(5))
        size = found.count_tokens(found.render(prompt))
    assert size > 0
    # The two tries by the estimate, scaled by what the server counted (10 tokens), and the answer.
    assert meter.cost == pytest.approx(meter.price(None, Taken(3 * 10, 2)))
    with serving(lambda asked: Made(hang=True)) as server:
        meter = Meter(PRICES)
        ask(server, meter=meter, timeout=0.1, retries=1)
    assert meter.cost == pytest.approx(meter.price(None, Taken(2 * size)))


def test_what_is_under_way_when_the_server_refuses_us_is_counted():
    refused = threading.Event()

    def rule(asked):
        if asked.text == "thing 0":
            refused.set()
            return Made({}, 401)
        refused.wait(5)
        time.sleep(0.2)
        return said("x", read=1000, written=10)

    meter = Meter(PRICES)
    with serving(rule) as server, pytest.raises(ModelError, match="answers 401"):
        ask(server, count=9, meter=meter, concurrency=3)
    assert len(server.asked) == 3
    assert meter.cost == pytest.approx(meter.price(None, Taken(2 * 1000, 2 * 10)))


def test_nothing_is_tried_again_once_the_server_refuses_us():
    refused = threading.Event()

    def rule(asked):
        if asked.text == "thing 0":
            refused.set()
            return Made({}, 404)
        refused.wait(5)
        time.sleep(0.2)
        return Made({}, 500)

    with serving(rule) as server, pytest.raises(ModelError, match="answers 404"):
        ask(server, count=2, concurrency=2)
    assert len(server.asked) == 2


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_the_limit_on_costs_knows_how_much_an_answer_may_have(name):
    meter = Meter(PRICES, limit=0.001)
    with serving(lambda asked: said("x")) as server:
        found, _ = model(server, meter=meter, parameters={name: 5000})
        with pytest.raises(SpendingError, match="the next batch may cost up to 0.02"):
            found.generate([Prompt("Say it.", "thing")], Limits(5))
    assert not server.asked


def test_a_server_that_hangs_is_told_of_early_and_once(caplog):
    with serving(lambda asked: said("done") if asked.number == 0 else Made(hang=True)) as server:
        endpoint = Endpoint(endpoint=server.url, name="m", timeout=0.4, retries=1)
        client = EndpointClient(endpoint, None, quiet=0.1, jitter=lambda: 0.0)
        asked = EndpointModel(endpoint, client, Meter(PRICES))
        [answer] = asked.generate([Prompt("Say it.", "thing")], Limits(5))
        assert (answer.text, caplog.messages) == ("done", [])
        answers = asked.generate([Prompt("Say it.", f"thing {number}") for number in range(3)], Limits(5))
    assert {answer.error for answer in answers} == {"no answer within 0.4 s, 2 times in a row"}
    assert caplog.messages == [
        f"note: no answer from {server.url} for 0.1 s; it's waited for up to 2 times 0.4 s a request, as `timeout` and "
        "`retries` say"
    ]
