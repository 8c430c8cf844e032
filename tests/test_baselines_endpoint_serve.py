"""Against a server that this project didn't write: transformers' own ``transformers serve``, with the built-in model.

It tells no log-likelihoods (it takes ``echo`` and ``logprobs`` and leaves them aside), so labels are written there; the
scoring of labels is tested against a server of our own in ``test_baselines_endpoint_model``.
"""

import socket
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

import baselines
from baselines.endpoint_client import EndpointClient
from baselines.endpoint_model import EndpointModel
from baselines.loading import load_model
from evals.example import Prompt, Shot
from evals.model_ref import Endpoint
from evals.prices import load_prices
from evals.protocols import Limits
from evals.spending import Meter

FOLDER = Path(baselines.__file__).with_name("builtin")
SHOTS = (Shot("frost", "cold"), Shot("fire", "warm"))


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Serve the built-in model on a free port of loopback."""
    from transformers.cli.serve import Serve

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = Serve(str(FOLDER), host="127.0.0.1", port=port, device="cpu", dtype="float32", non_blocking=True)
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5).close()
                break
            except OSError:
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.kill_server()


def served(url: str) -> EndpointModel:
    endpoint = Endpoint(endpoint=url, name=str(FOLDER), api="completions", context=2048, tokenizer="builtin")
    return EndpointModel(endpoint, EndpointClient(endpoint, None), Meter(load_prices()))


def test_answers_are_those_of_the_local_model(url):
    prompts = [Prompt("Answer from the passages.", f"What is the colour of item {number}?") for number in range(6)]
    prompts += [Prompt("Say warm or cold.", f"ember {number}", SHOTS) for number in range(6)]
    here, there = load_model("builtin").generate(prompts, Limits(12)), served(url).generate(prompts, Limits(12))
    told = [(a.prompt, a.text, a.prompt_tokens, a.completion_tokens, a.cut, a.error) for a in there]
    assert told == [(a.prompt, a.text, a.prompt_tokens, a.completion_tokens, a.cut, a.error) for a in here]
    assert any(answer.text for answer in there)


def test_a_cut_answer_is_cut_alike(url):
    prompts = [Prompt("Answer from the passages.", "What is the colour of item 7?")]
    [here], [there] = load_model("builtin").generate(prompts, Limits(2)), served(url).generate(prompts, Limits(2))
    assert (there.text, there.cut, there.completion_tokens) == (here.text, here.cut, here.completion_tokens)
    assert there.cut


def test_labels_are_written_since_it_tells_no_likelihoods(url):
    model = served(url)
    assert model.why_written(["warm", "cold"]) == (
        "the server gives no log-likelihoods of a given text (echo and logprobs)"
    )
    choices = model.choose([Prompt("Say warm or cold.", "ember", SHOTS)], ["warm", "cold"])
    [written] = load_model("builtin").generate([Prompt("Say warm or cold.", "ember", SHOTS)], Limits(8))
    assert written.text in ("warm", "cold")
    assert [(choice.by_sum, choice.loglikelihoods) for choice in choices] == [(written.text, ())]


def test_a_model_that_the_server_lacks_is_told(url):
    endpoint = Endpoint(endpoint=url, name="no/such-model", api="completions", retries=0)
    model = EndpointModel(endpoint, EndpointClient(endpoint, None), Meter(load_prices()))
    [answer] = model.generate([Prompt("Say it.", "x")], Limits(4))
    assert answer.error is not None
    assert answer.text == ""
