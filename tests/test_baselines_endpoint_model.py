"""A model behind an endpoint as arms see it: what is sent, how labels are chosen, what tokens are counted."""

from dataclasses import replace

import pytest
import torch

from baselines.answering import answer_limits, answer_with_model, answering_facts
from baselines.endpoint_client import EndpointClient
from baselines.endpoint_labels import label_score, one_begins_another
from baselines.endpoint_model import EndpointModel
from baselines.endpoint_tokens import estimate_tokens, token_counter
from baselines.endpoint_wire import BadReplyError
from baselines.loading import load_model
from baselines.prompt_arms import StepByStep, ZeroShot
from evals.errors import ModelError, UsageError
from evals.example import Passage, Prompt, Shot
from evals.model_ref import Endpoint
from evals.prices import load_prices
from evals.protocols import Limits
from evals.spending import Meter
from tests.endpoint_server import Made, Server, said, serving
from tests.fake_model import make_context, make_rows, make_task

LABELS = ("warm", "cold", "neither of them")
PROMPT = Prompt("Sort it.", "ember", (Shot("frost", "cold"), Shot("fire", "warm")), (Passage("p", "d", "T", "Text."),))


def model(server: Server, **settings) -> EndpointModel:
    endpoint = Endpoint(endpoint=server.url, name="m", **settings)

    async def sleep(seconds: float) -> None:
        pass

    return EndpointModel(endpoint, EndpointClient(endpoint, None, sleep=sleep), Meter(load_prices()))


@pytest.fixture(scope="module")
def local():
    return load_model("builtin")


def echoing(local, *, opening: tuple[str, ...] = ()):
    """Return a rule that answers ``echo`` and ``logprobs`` as vLLM does, by the model ``local``."""

    @torch.no_grad()
    def rule(asked):
        if not asked.body.get("echo"):
            return said("warm")
        ids = local.tokenizer(asked.body["prompt"], add_special_tokens=False)["input_ids"]
        logits = local.module(torch.tensor([ids])).logits[0].log_softmax(-1)
        told = [None] + [logits[place, token].item() for place, token in enumerate(ids[1:])]
        tokens = [local.tokenizer.decode([token]) for token in ids]
        logprobs = {"tokens": [*opening, *tokens, "!"], "token_logprobs": [None] * len(opening) + [*told, -0.5]}
        choice = {"text": asked.body["prompt"] + "!", "logprobs": logprobs, "finish_reason": "length"}
        return Made({"choices": [choice], "usage": {"prompt_tokens": len(ids), "completion_tokens": 1}})

    return rule


@pytest.mark.parametrize("opening", [(), ("<s>",)])
def test_labels_are_scored_as_the_local_model_scores_them(local, opening):
    prompts = [Prompt("Say whether it looks warm or cold.", thing) for thing in ("ember", "glacier", "moss")]
    with serving(echoing(local, opening=opening)) as server:
        found = model(server, api="completions", tokenizer="builtin")
        assert found.why_written(LABELS) is None
        choices = found.choose(prompts, LABELS)
    for choice, expected in zip(choices, local.choose(prompts, LABELS), strict=True):
        assert choice.loglikelihoods == pytest.approx(expected.loglikelihoods, abs=1e-3)
        assert (choice.by_sum, choice.by_mean, choice.error) == (expected.by_sum, expected.by_mean, None)
        assert choice.completion_tokens == expected.completion_tokens
        assert choice.prompt == expected.prompt


def test_all_that_a_choice_reads_is_counted(local):
    with serving(echoing(local)) as server:
        found = model(server, api="completions", tokenizer="builtin")
        [choice] = found.choose([PROMPT], LABELS)
    texts = [f"{found.render(PROMPT)} {label}" for label in LABELS]
    assert choice.prompt_tokens == sum(map(local.count_tokens, texts))


def test_a_label_that_cannot_be_scored_is_an_error_of_its_row(local):
    score = echoing(local)

    def rule(asked):
        return Made({"error": "broken"}, 400) if asked.text.endswith("ember\nOutput: cold") else score(asked)

    prompts = [Prompt("Sort it.", "ember"), Prompt("Sort it.", "moss")]
    with serving(rule) as server:
        bad, good = model(server, api="completions").choose(prompts, LABELS)
    assert bad.error == "the server answers 400 (broken)"
    assert (good.error, good.by_sum in LABELS) == (None, True)


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        (lambda asked: said("yes"), "the server gives no log-likelihoods of a given text (echo and logprobs)"),
        (lambda asked: Made({"error": "echo?"}, 422), "the server gives no log-likelihoods of a given text"),
        (lambda asked: Made({"error": "echo?"}, 500), "the server gives no log-likelihoods of a given text"),
    ],
)
def test_a_server_that_scores_nothing_has_the_label_written(rule, why):
    with serving(rule) as server:
        found = model(server, api="completions")
        assert found.why_written(LABELS).startswith(why)


def test_a_server_that_is_away_is_not_taken_for_one_that_scores_nothing():
    with serving(lambda asked: Made({}, 429)) as server:
        found = model(server, api="completions", retries=1)
        with pytest.raises(ModelError, match="can't be asked whether it scores labels: the server answers 429"):
            found.why_written(LABELS)


def test_labels_that_begin_each_other_are_written(local):
    assert one_begins_another(["1", "2", "10"])
    assert not one_begins_another(["10", "21"])
    with serving(echoing(local)) as server:
        found = model(server, api="completions")
        assert (
            found.why_written(["1", "2", "10"]) == "one label begins another, and how likely it ends there isn't told"
        )


def test_only_log_likelihoods_of_the_label_itself_count():
    def reply(tokens, values, written=1):
        choice = {"logprobs": {"tokens": tokens, "token_logprobs": values}}
        return {"choices": [choice], "usage": {"completion_tokens": written}}

    found = label_score(reply(["Out", ":", " wa", "rm", "!"], [None, -1.0, -2.0, -3.0, -9.0]), " warm")
    assert (found.loglikelihood, found.tokens) == (-5.0, 2)
    found = label_score(reply([":", " warm"], [None, -2.0], written=0), " warm")
    assert (found.loglikelihood, found.tokens) == (-2.0, 1)
    for tokens, values in (
        (["!"], [-1.0]),  # llama.cpp: the written token alone
        ([": warm", "!"], [-1.0, -1.0]),  # a token that holds the end of the prompt and the label
        ([" warm", "!"], [-1.0, -1.0]),  # a label without its prompt
        ([":", " warm", "!"], [None, None, -1.0]),
        ([":", " warm", "!"], [None, float("nan"), -1.0]),
        ([":", " cold", "!"], [None, -1.0, -1.0]),
        ([":", " warm"], [None, -1.0, -1.0]),
    ):
        with pytest.raises(BadReplyError):
            label_score(reply(tokens, values), " warm")


def test_an_arm_reads_a_written_label_out_of_the_answer():
    rows = make_rows(("ember", "warm"), ("frost", "cold"))
    task = make_task(rows)
    prompts = [Prompt("Sort it.", row.input) for row in rows]
    with serving(lambda asked: said("I think it is **Cold**.")) as server:
        found = model(server)
        limits = answer_limits(task, found.count_tokens)
        predictions = answer_with_model(found, task, rows, prompts, limits)
        facts = answering_facts(found, task, limits)
        [choice] = found.choose(prompts[:1], ["warm", "cold"])
    assert [prediction.raw for prediction in predictions] == ["I think it is **Cold**."] * 2
    assert predictions[0].choice_by_mean is None
    assert facts["labels"] == "written and read out of the answer: a chat doesn't tell how likely a given answer is"
    assert facts["max_new_tokens"] == limits.max_new_tokens
    assert (choice.by_sum, choice.loglikelihoods, choice.error) == ("cold", (), None)


def test_a_written_label_has_room_for_words_around_it(tmp_path, local):
    rows = make_rows(*[(f"thing {number}", ("warm", "cold")[number % 2]) for number in range(4)])

    def limits(found, kind=ZeroShot, **settings) -> int:
        arm = kind(make_context(make_task(rows, **settings), tmp_path, model=found))
        arm.fit(rows, ())
        return arm.limits.max_new_tokens

    with serving(lambda asked: said("I think it is warm.")) as server:
        found = model(server)
        assert limits(found) == 32
        assert limits(found, generate={"max_new_tokens": 9}) == 9
        assert limits(found, answer="text") == 5
        assert limits(found, StepByStep) == 256 + 5
        assert limits(local) == limits(local, answer="text") < 32
        found.choose([PROMPT], ["warm", "cold"])
    assert server.asked[-1].body["max_tokens"] == 32


def test_a_chat_is_sent_as_messages_and_a_plain_prompt_as_text():
    with serving(lambda asked: said("x")) as server:
        model(server).generate([PROMPT], Limits(7, ("###",)))
        model(server, api="completions").generate([PROMPT], Limits(7, ("###",)))
    chat, plain = server.asked
    assert chat.path == "/v1/chat/completions"
    assert [turn["role"] for turn in chat.body["messages"]] == [
        "system",
        "user",
        "assistant",
        "user",
        "assistant",
        "user",
    ]
    assert (chat.body["model"], chat.body["max_tokens"], chat.body["temperature"]) == ("m", 7, 0)
    assert chat.body["stop"] == ["###"]
    assert plain.path == "/v1/completions"
    assert plain.body["prompt"].endswith("Passage 1: T: Text.\n\nInput: ember\nOutput:")
    assert plain.body["stop"] == ["###", "\n\nInput:", "\nInput:", "\n\nPassage 1:"]


def test_a_chat_without_a_system_message_opens_with_the_instruction():
    with serving(lambda asked: said("x")) as server:
        found = model(server, system=False)
        found.generate([Prompt("Sort it.", "ember")], Limits(3))
    assert server.asked[0].body["messages"] == [{"role": "user", "content": "Sort it.\n\nember"}]
    assert found.render(Prompt("Sort it.", "ember")) == "[user]\nSort it.\n\nember"


def test_parameters_are_sent_and_take_the_place_of_ours():
    parameters = {"temperature": None, "max_tokens": None, "max_completion_tokens": 900, "reasoning_effort": "low"}
    with serving(lambda asked: said("x")) as server:
        model(server, parameters=parameters).generate([PROMPT], Limits(7))
    body = server.asked[0].body
    assert (body["max_completion_tokens"], body["reasoning_effort"]) == (900, "low")
    assert "temperature" not in body
    assert "max_tokens" not in body


def test_an_answer_ends_at_a_stop_and_says_when_it_was_cut():
    answers = ["plain", "one\n\nInput: two", "never ending"]
    rule = lambda asked: said(answers[asked.number], reason="stop" if asked.number == 0 else "length")  # noqa: E731
    with serving(rule) as server:
        found = model(server, api="completions", concurrency=1).generate([PROMPT] * 3, Limits(3))
    assert [(answer.text, answer.cut) for answer in found] == [("plain", False), ("one", False), ("never ending", True)]


def test_tokens_are_the_servers_or_else_estimated():
    with serving(lambda asked: said("two words", read=123, written=45)) as server:
        [told] = model(server).generate([PROMPT], Limits(3))
        server.rule = lambda asked: Made({"choices": [{"message": {"content": "two words"}}]})
        [silent] = model(server).generate([PROMPT], Limits(3))
    assert (told.prompt_tokens, told.completion_tokens) == (123, 45)
    assert silent.prompt_tokens == estimate_tokens(silent.prompt) > 10
    assert silent.completion_tokens == 2


def test_the_context_is_the_tasks_or_the_servers_or_a_default():
    with serving(lambda asked: said("x")) as server:
        assert model(server, context=777).context == 777
        assert model(server).context == 4096
        server.models = Made("nothing here", 404)
        assert model(server).context == 8192
        server.models = Made({"data": [{"id": "m", "meta": {"n_ctx": 512}}]})
        assert model(server).context == 512


def test_the_fingerprint_tells_models_servers_and_parameters_apart():
    with serving(lambda asked: said("x")) as server, serving(lambda asked: said("x")) as other:
        base = model(server).fingerprint
        assert model(server, timeout=3, concurrency=9, key_env="K").fingerprint == base
        assert model(other).fingerprint != base
        assert model(server, parameters={"top_p": 0.5}).fingerprint != base
        assert model(server, api="completions").fingerprint != base
        server.models = Made({"data": [{"id": "m", "max_model_len": 4096, "created": 5}]})
        assert model(server).fingerprint == base
        server.models = Made({"data": [{"id": "m", "max_model_len": 4096, "root": "another"}]})
        assert model(server).fingerprint != base


def test_a_refused_key_is_told_before_anything_is_asked():
    with serving(lambda asked: said("x")) as server:
        server.models = Made({"error": {"message": "no key"}}, 401)
        with pytest.raises(ModelError, match=r"answers 401 \(no key\); OPENAI_API_KEY holds no key"):
            _ = model(server).fingerprint


@pytest.mark.parametrize("labels", [(), ("a", " ")])
def test_no_choice_between_nothing(labels):
    with serving(lambda asked: said("x")) as server, pytest.raises(UsageError, match="can't choose between"):
        model(server).choose([PROMPT], labels)


def test_tokens_are_estimated_or_counted_by_a_tokenizer(local):
    assert estimate_tokens("") == 0
    assert estimate_tokens("The quick brown fox.") == 5
    assert estimate_tokens("internationalisation 1234567") == 4 + 3
    assert estimate_tokens("日本語") == 5
    text = "Say whether it looks warm or cold: 12.5 degrees"
    assert token_counter("builtin")(text) == local.count_tokens(text)
    with pytest.raises(ModelError):
        token_counter("/nowhere/at/all")


def test_a_run_asks_nothing_twice_but_when_it_takes_the_time(tmp_path, local):
    def opened(server: Server, **settings) -> EndpointModel:
        meter = Meter(load_prices())
        meter.keep_in(tmp_path)
        endpoint = Endpoint(endpoint=server.url, name="m", **settings)
        return EndpointModel(endpoint, EndpointClient(endpoint, None), meter)

    prompts = [Prompt("Sort it.", thing) for thing in ("ember", "frost")]
    with serving(lambda asked: said(asked.text[:5], reason="length")) as server:
        first = opened(server).generate(prompts[:1], Limits(5))
        with (tmp_path / "endpoint-answers.jsonl").open("a") as file:
            file.write('{"key": "half')  # as a kill leaves it
        both = opened(server).generate(prompts, Limits(5))
        assert len(server.asked) == 2
        again = opened(server)
        again.generate(prompts, Limits(5))
        assert len(server.asked) == 2
        again.generate(prompts, Limits(6))
        assert len(server.asked) == 4  # other limits, other requests
        again.serve(on=True)
        again.generate(prompts, Limits(5))
        assert len(server.asked) == 6
        server.rule = lambda asked: Made({"choices": []})
        failed = opened(server).generate([Prompt("Sort it.", "moss")], Limits(5))
        server.rule = lambda asked: said("moss")
        mended = opened(server).generate([Prompt("Sort it.", "moss")], Limits(5))
    assert not any(answer.cached for answer in (*first, *both))  # the run's own, as if it had never been stopped
    assert both[0].ms > 0
    assert replace(both[0], ms=0) == replace(first[0], ms=0)
    assert (failed[0].error is None, mended[0].text) == (False, "moss")


@pytest.mark.parametrize(("parameters", "drawn"), [({"temperature": 1}, 2), ({"temperature": None}, 2), ({}, 1)])
def test_each_seed_draws_its_own_answers_where_they_are_left_to_chance(tmp_path, parameters, drawn):
    rows = make_rows(("ember", "warm"), ("frost", "cold"))
    with serving(lambda asked: said(f"answer {asked.number // len(rows)}")) as server:
        endpoint = Endpoint(endpoint=server.url, name="m", parameters=parameters, concurrency=1)
        raws = []
        for seed in (0, 1, 0, 1):
            meter = Meter(load_prices())
            meter.keep_in(tmp_path)
            found = EndpointModel(endpoint, EndpointClient(endpoint, None), meter)
            arm = ZeroShot(make_context(make_task(rows, answer="text"), tmp_path, model=found, seed=seed))
            arm.fit(rows, ())
            raws.append([prediction.raw for prediction in arm.answer(rows)])
    assert raws[:2] == raws[2:]  # a resumed run has what its seed drew
    assert len({raw for answers in raws for raw in answers}) == drawn
    assert len(server.asked) == drawn * len(rows)


def test_scored_labels_are_kept_with_their_log_likelihoods(tmp_path, local):
    with serving(echoing(local)) as server:
        endpoint = Endpoint(endpoint=server.url, name="m", api="completions", tokenizer="builtin")
        found = []
        for _ in range(2):
            meter = Meter(load_prices())
            meter.keep_in(tmp_path)
            found.append(EndpointModel(endpoint, EndpointClient(endpoint, None), meter).choose([PROMPT], LABELS)[0])
            asked = len(server.asked)
    assert asked == 1 + len(LABELS) * 2  # whether it scores at all, a short prompt and the row by each label, once
    assert replace(found[1], ms=0) == replace(found[0], ms=0)
    assert found[1].ms > 0
