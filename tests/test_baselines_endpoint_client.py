"""Requests to a server that fails in every way a server fails: what is tried again, what isn't, what is told."""

import asyncio
import gc
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from baselines.endpoint_client import EndpointClient, read_key
from baselines.endpoint_model import EndpointModel
from evals.errors import ModelError, SpendingError, UsageError
from evals.example import Prompt
from evals.model_ref import Endpoint
from evals.prices import load_prices
from evals.protocols import Limits
from evals.spending import Meter, Taken
from tests.endpoint_server import Made, Server, said, serving

KEY = "sk-test-0123456789abcdef"


def model(server: Server, *, key: str | None = None, meter: Meter | None = None, **settings):
    """Return a model of ``server`` and the list of the waits that it would have made."""
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    endpoint = Endpoint(endpoint=server.url, name="m", **settings)
    client = EndpointClient(endpoint, key, sleep=sleep, jitter=lambda: 1.0)
    return EndpointModel(endpoint, client, meter or Meter(load_prices())), waits


def ask(server: Server, count: int = 1, **settings):
    found, waits = model(server, **settings)
    prompts = [Prompt("Say it.", f"thing {number}") for number in range(count)]
    return found.generate(prompts, Limits(5)), waits


def after(failures: int, failure: Made, server_says: str = "done"):
    """Return a rule that fails ``failures`` times and then answers."""
    return lambda asked: failure if asked.number < failures else said(server_says)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503])
def test_is_asked_again_after_a_wait_that_doubles(status):
    with serving(after(3, Made({"error": {"message": "busy"}}, status))) as server:
        [answer], waits = ask(server)
    assert (answer.text, answer.error) == ("done", None)
    assert waits == [0.5, 1.0, 2.0]


def test_waits_as_long_as_the_server_asks_for():
    with serving(after(1, Made({}, 429, {"Retry-After": "7"}))) as server:
        [answer], waits = ask(server)
    assert answer.text == "done"
    assert waits == [7.5]  # and a little of our own, so that not all come back at once


def test_waits_until_the_date_that_the_server_names():
    when = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    with serving(after(1, Made({}, 503, {"Retry-After": when}))) as server:
        [answer], waits = ask(server)
    assert answer.text == "done"
    assert 90 < waits[0] < 101


def test_does_not_wait_for_hours():
    with serving(lambda asked: Made({}, 429, {"Retry-After": "7200"})) as server:
        [answer], waits = ask(server)
    assert answer.error == "the server answers 429 ({}) and asks us to wait 7,200 s"
    assert waits == []
    assert len(server.asked) == 1


def test_gives_up_after_the_retries_and_goes_on_with_the_other_rows():
    def rule(asked):
        return Made({"error": "no luck"}, 500) if asked.text == "thing 1" else said(asked.text)

    with serving(rule) as server:
        answers, waits = ask(server, count=3, retries=2, concurrency=1)
    assert [answer.text for answer in answers] == ["thing 0", "", "thing 2"]
    assert answers[1].error == "the server answers 500 (no luck), 3 times in a row"
    assert len(server.asked) == 5
    assert waits == [0.5, 1.0]


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (Made({"error": {"message": "too long"}}, 400), "the server answers 400 (too long)"),
        (Made({"detail": "no such field"}, 422), "the server answers 422 (no such field)"),
        (Made('{"choices": [{"mess'), "the answer is no JSON object (application/json, 19 bytes)"),
        (Made("<html>hello</html>", kind="text/html"), "the answer is no JSON object (text/html, 18 bytes): <html>"),
        (Made([1]), "the answer is no JSON object"),
        (Made({"choices": []}), "the server's answer holds no choices"),
        (said(None), "the server's answer holds no text (finish_reason: stop)"),
        (said(None, reason="length"), "the limit was used up before any text was written"),
        (said("x", reason="content_filter"), "the server's filter held the answer back"),
    ],
)
def test_what_would_come_back_alike_is_not_asked_again(made, told):
    with serving(lambda asked: made) as server:
        [answer], waits = ask(server)
    assert answer.error is not None
    assert answer.error.startswith(told)
    assert answer.text == ""
    assert waits == []
    assert len(server.asked) == 1


def test_a_connection_lost_in_the_middle_of_an_answer_is_tried_again():
    with serving(after(2, Made({"choices": "x" * 1000}, cut=True))) as server:
        [answer], waits = ask(server)
    assert answer.text == "done"
    assert len(waits) == 2


def test_a_server_that_hangs_is_left_and_asked_again():
    with serving(after(1, Made(hang=True))) as server:
        [answer], waits = ask(server, timeout=0.2)
    assert answer.text == "done"
    assert waits == [0.5]


def test_a_server_that_always_hangs_is_an_error_of_its_rows():
    with serving(lambda asked: Made(hang=True)) as server:
        answers, _ = ask(server, count=2, timeout=0.1, retries=1)
    assert [answer.error for answer in answers] == ["no answer within 0.1 s, 2 times in a row"] * 2


def test_no_server_at_all_is_told_in_one_line():
    with serving(lambda asked: said("x")) as server:
        pass
    found, _ = model(server)
    with pytest.raises(ModelError, match=r"can't be reached: the connection failed .*; does the server run\?"):
        _ = found.fingerprint


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (401, "OPENAI_API_KEY holds no key"),
        (403, "OPENAI_API_KEY holds no key"),
        (404, r"check endpoint \(it ends with /v1, mostly\), name and api"),
        (307, "a redirect; give the address that it leads to"),
    ],
)
def test_a_server_that_refuses_every_request_stops_the_arm(status, told):
    refusal = Made({"error": {"message": "go away"}}, status)
    match = rf"answers {status} \(go away\).*{told}"
    with serving(lambda asked: refusal) as server, pytest.raises(ModelError, match=match):
        ask(server, count=5, concurrency=1)
    assert len(server.asked) == 1


def test_no_more_requests_at_once_than_allowed():
    def rule(asked):
        time.sleep(0.02)
        return said(asked.text)

    with serving(rule) as server:
        answers, _ = ask(server, count=12, concurrency=3)
    assert [answer.text for answer in answers] == [f"thing {number}" for number in range(12)]
    assert server.most_at_once <= 3


def test_the_key_is_sent_and_never_told():
    def rule(asked):
        held = asked.headers["Authorization"].removeprefix("Bearer ")
        if asked.number == 0:
            return Made({"error": {"message": f"Incorrect API key provided: {held[:8]}****cdef, or {held}"}}, 400)
        return said(f"your key is {held}")

    with serving(rule) as server:
        (refused, leaky), _ = ask(server, count=2, key=KEY, concurrency=1)
    assert server.asked[0].headers["Authorization"] == f"Bearer {KEY}"
    assert refused.error == "the server answers 400 (Incorrect API key provided: ***, or ***)"
    assert leaky.text == "your key is ***"


def test_without_a_key_none_is_sent():
    with serving(lambda asked: said("x")) as server:
        ask(server)
    assert "Authorization" not in server.asked[0].headers


def test_the_key_comes_from_the_variable_that_is_named(monkeypatch):
    endpoint = Endpoint(endpoint="http://h/v1", name="m", key_env="MY_KEY")
    monkeypatch.setenv("OPENAI_API_KEY", "another")
    monkeypatch.delenv("MY_KEY", raising=False)
    assert read_key(endpoint) is None
    monkeypatch.setenv("MY_KEY", f" {KEY}\n")
    assert read_key(endpoint) == KEY
    monkeypatch.setenv("MY_KEY", "sk-\nsecret")
    with pytest.raises(UsageError, match="MY_KEY holds characters that can't be sent") as told:
        read_key(endpoint)
    assert "secret" not in str(told.value)


def test_the_limit_on_costs_stops_before_a_batch_that_may_pass_it():
    prices = load_prices()
    meter = Meter(prices, limit=1e-4)
    with serving(lambda asked: said("x", read=20, written=5)) as server:
        found, _ = model(server, meter=meter, concurrency=1)
        prompts = [Prompt("Say it.", "thing")]
        found.generate(prompts, Limits(5))
        assert meter.cost == pytest.approx((20 * prices.hosted.input + 5 * prices.hosted.output) / 1e6)
        found.generate(prompts, Limits(5))
        with pytest.raises(SpendingError, match=r"8e-05 USD of 0.0001 USD are spent, and the next batch may cost"):
            found.generate(prompts, Limits(5))
    assert len(server.asked) == 2


def test_the_limit_holds_within_a_batch_that_takes_more_than_expected():
    meter = Meter(load_prices(), limit=1e-3)
    costly = said("x", read=1000, written=1)
    with serving(lambda asked: costly) as server, pytest.raises(SpendingError, match="at the limit of --max-cost"):
        ask(server, count=8, meter=meter, concurrency=1)
    assert len(server.asked) == 1


def test_tokens_from_the_servers_cache_cost_less():
    meter = Meter(load_prices())
    with serving(lambda asked: said("x", read=1000, written=0, prompt_tokens_details={"cached_tokens": 900})) as server:
        ask(server, meter=meter)
    assert meter.cost == pytest.approx(meter.price(None, Taken(1000, 0, 900)))
    assert meter.cost == pytest.approx((100 * 1.0 + 900 * 0.1) / 1e6)


def test_a_client_that_is_let_go_of_hangs_up_wherever_python_tidies_up():
    async def let_go(client: list[EndpointClient]) -> None:
        client.clear()
        gc.collect()

    with serving(lambda asked: said("x")) as server:
        found, _ = model(server)
        found.generate([Prompt("Say it.", "thing")], Limits(5))
        kept = [found._client]
        connections = kept[0]._session.client
        del found
        asyncio.run(let_go(kept))
    assert connections.is_closed
