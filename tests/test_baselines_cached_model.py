"""Answers from the cache are the very ones that were computed, and a model never gets another one's."""

from dataclasses import replace

import pytest
import torch

from baselines.answering import cool, serve
from baselines.cached_model import CachedModel, cached_like
from baselines.loading import load_model
from baselines.local_model import LocalModel
from baselines.stored_answers import read_answer, write_answer
from evals.errors import UsageError
from evals.example import Prompt
from evals.protocols import Choice, Generation, Limits
from evals.response_cache import ResponseCache
from tests.fake_model import FakeModel
from tests.tiny_models import save_tiny, tiny_module, tiny_tokenizer

LABELS = ("positive", "negative", "neutral")
LIMITS = Limits(6)
PROMPTS = [Prompt("Say whether the review is positive.", f"the food was {word}") for word in ("great", "cold", "hard")]


@pytest.fixture
def answers(tmp_path):
    return ResponseCache(tmp_path / "cache" / "answers.sqlite", 10**9)


@pytest.fixture
def folder(tmp_path):
    return save_tiny(tmp_path / "base")


def uncached(rows):
    """Return answers without what only says how and how fast they came."""
    return [replace(row, cached=False, ms=0.0) for row in rows]


def train_a_little(module):
    """Take one optimiser's step on every weight."""
    ids = torch.tensor([[5, 6, 7, 8, 9, 10]])
    optimiser = torch.optim.SGD([weight for weight in module.parameters() if weight.requires_grad], lr=0.5)
    module(input_ids=ids, labels=ids).loss.backward()
    optimiser.step()
    optimiser.zero_grad()


def save_adapter(base, folder, seed=0):
    """Save a LoRA adapter on the model in ``base`` whose matrices are drawn at random."""
    from peft import LoraConfig, get_peft_model

    module = load_model(str(base)).module
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = get_peft_model(module, LoraConfig(r=4, target_modules="all-linear", task_type="CAUSAL_LM"))
        for name, weight in module.named_parameters():
            if "lora_B" in name:
                weight.data.normal_(std=0.3)
    module.save_pretrained(folder)
    return folder


def test_answers_come_back_exactly_in_another_process_s_model(answers, folder):
    plain = load_model(str(folder))
    for turn in (False, True):
        model = CachedModel(load_model(str(folder)), answers)
        chosen, written = model.choose(PROMPTS, LABELS), model.generate(PROMPTS, LIMITS)
        assert [row.cached for row in chosen + written] == [turn] * 6
        assert uncached(chosen) == uncached(plain.choose(PROMPTS, LABELS))  # log-likelihoods to the last bit
        assert uncached(written) == uncached(plain.generate(PROMPTS, LIMITS))
        assert all(row.ms > 0 for row in chosen + written)


def test_the_time_of_a_kept_answer_is_what_it_took(answers, folder):
    model = CachedModel(load_model(str(folder)), answers)
    first, again = model.generate(PROMPTS, LIMITS), model.generate(PROMPTS, LIMITS)
    assert [row.ms for row in first] == [row.ms for row in again]


def test_a_run_s_own_answers_are_not_marked(answers, folder):
    base = load_model(str(folder))
    asked = [*PROMPTS, PROMPTS[0]]
    own = [CachedModel(base, answers, run="one") for _ in range(2)]
    first, again = (model.choose(asked, LABELS) for model in own)
    assert again == first  # times too: they are this run's
    assert not any(row.cached for row in first)
    assert all(row.cached for row in CachedModel(base, answers, run="two").choose(asked, LABELS))
    assert not any(row.cached for row in cached_like(own[0], base).choose(asked, LABELS))


def test_only_what_is_missing_is_asked_in_any_order(answers):
    inner = FakeModel()
    model = CachedModel(inner, answers)
    model.choose(PROMPTS[1:2], LABELS)
    inner.asked.clear()
    rows = model.choose([PROMPTS[2], PROMPTS[1], PROMPTS[0], PROMPTS[2]], LABELS)
    assert inner.asked == [PROMPTS[2], PROMPTS[0]]
    assert [row.cached for row in rows] == [False, True, False, True]
    assert uncached(rows) == uncached(FakeModel().choose([PROMPTS[2], PROMPTS[1], PROMPTS[0], PROMPTS[2]], LABELS))
    assert model.choose([], LABELS) == []


@pytest.mark.parametrize(
    "ask",
    [
        lambda model: model.choose(PROMPTS, LABELS[::-1]),
        lambda model: model.choose(PROMPTS, LABELS[:2]),
        lambda model: model.generate(PROMPTS, Limits(7)),
        lambda model: model.generate(PROMPTS, Limits(6, ("\n",))),
        lambda model: model.generate([replace(prompt, instruction="Say") for prompt in PROMPTS], LIMITS),
        lambda model: CachedModel(model.model, model.answers, repeat=1).generate(PROMPTS, LIMITS),
    ],
    ids=["order of labels", "fewer labels", "limit", "stop", "prompt", "repeat"],
)
def test_whatever_decides_an_answer_is_part_of_its_key(answers, ask):
    model = CachedModel(FakeModel(), answers)
    model.choose(PROMPTS, LABELS), model.generate(PROMPTS, LIMITS)
    assert not any(row.cached for row in ask(model))
    assert all(row.cached for row in ask(model))


def test_a_tuned_model_never_gets_its_base_s_answers(answers, folder, tmp_path):
    base = CachedModel(load_model(str(folder)), answers)
    before = base.choose(PROMPTS, LABELS)
    for seed in (0, 1):
        adapter = save_adapter(folder, tmp_path / f"adapter-{seed}", seed)
        tuned = cached_like(base, load_model(str(folder), adapter=adapter))
        rows = tuned.choose(PROMPTS, LABELS)
        assert not any(row.cached for row in rows)
        plain = load_model(str(folder), adapter=adapter).choose(PROMPTS, LABELS)
        assert uncached(rows) == uncached(plain)
        assert rows[0].loglikelihoods != before[0].loglikelihoods
        again = cached_like(base, load_model(str(folder), adapter=adapter)).choose(PROMPTS, LABELS)
        assert all(row.cached for row in again)
        assert uncached(again) == uncached(rows)
    assert uncached(base.choose(PROMPTS, LABELS)) == uncached(before)


def test_a_model_trained_further_in_memory_is_another_one(answers, folder):
    kept = CachedModel(load_model(str(folder)), answers)
    in_memory = LocalModel.from_module(tiny_module(), tiny_tokenizer(), name="tiny")
    for model in (kept, CachedModel(in_memory, answers)):
        seen = [model.choose(PROMPTS, LABELS)]
        for step in range(2):
            train_a_little(model.module)
            rows = model.choose(PROMPTS, LABELS)
            assert not any(row.cached for row in rows), step
            assert rows[0].loglikelihoods not in [other[0].loglikelihoods for other in seen]
            assert all(row.cached for row in model.choose(PROMPTS, LABELS))
            seen.append(rows)
    # The model as it was saved still has its own.
    assert all(row.cached for row in CachedModel(load_model(str(folder)), answers).choose(PROMPTS, LABELS))


def test_switching_merging_and_writing_behind_pytorch_s_back_are_noticed(answers, folder, tmp_path):
    adapter = save_adapter(folder, tmp_path / "adapter")
    model = CachedModel(load_model(str(folder), adapter=adapter), answers)
    tuned = model.choose(PROMPTS, LABELS)[0].loglikelihoods
    with model.module.disable_adapter():
        model.forget_prefix()
        (off, *_) = model.choose(PROMPTS, LABELS)
        assert not off.cached
        assert off.loglikelihoods != tuned
    model.forget_prefix()
    assert model.choose(PROMPTS, LABELS)[0].loglikelihoods == tuned
    for change in (
        model.module.merge_adapter,
        lambda: model.module.get_input_embeddings().weight.data.mul_(1.5),
    ):
        change()
        model.forget()
        assert not any(row.cached for row in model.choose(PROMPTS, LABELS))


def test_another_template_is_another_model(answers, tmp_path):
    from tests.tiny_models import CHAT_TEMPLATE

    plain, chat = save_tiny(tmp_path / "plain"), save_tiny(tmp_path / "chat", chat_template=CHAT_TEMPLATE)
    CachedModel(load_model(str(plain)), answers).generate(PROMPTS, LIMITS)
    assert not any(row.cached for row in CachedModel(load_model(str(chat)), answers).generate(PROMPTS, LIMITS))


def test_errors_are_not_kept_and_wrong_calls_raise_as_ever(answers):
    inner = FakeModel(context=14)
    model = CachedModel(inner, answers)
    long = Prompt("Say it.", "word " * 30)
    for _ in range(2):
        good, bad, twin = model.generate([PROMPTS[0], long, long], Limits(1))
        assert good.error is None
        assert "context is 14" in bad.error
        assert twin == bad
        assert not bad.cached
    assert inner.asked.count(long) == 2
    with pytest.raises(UsageError, match="give at least one"):
        CachedModel(LocalModel.from_module(tiny_module(), tiny_tokenizer(), name="t"), answers).choose(PROMPTS, [])


def test_odd_texts_and_likelihoods_survive(answers):
    odd = "a\ud800b\x00\n\u2028é"

    class Odd(FakeModel):
        def choose(self, prompts, labels):
            return [Choice("p", labels[1], labels[0], (float("-inf"), 0.1 + 0.2, -1e-308), 3, 1, 2.5) for _ in prompts]

    model = CachedModel(Odd(lambda prompt: odd), answers)
    prompt = [Prompt("Say it.", odd)]
    for kind in (lambda: model.generate(prompt, LIMITS)[0], lambda: model.choose(prompt, LABELS)[0]):
        made, kept = kind(), kind()
        assert kept.cached
        assert replace(kept, cached=False, prompt=made.prompt) == made
    assert model.generate(prompt, LIMITS)[0].text == odd


def test_a_choice_without_likelihoods_is_kept_as_it_is(answers):
    class Writer(FakeModel):
        def choose(self, prompts, labels):  # as a server that gives no likelihoods would
            return [Choice("p", "none of them", "", (), 3, 1, 2.5) for _ in prompts]

    made, kept = (CachedModel(Writer(), answers).choose(PROMPTS[:1], LABELS)[0] for _ in range(2))
    assert kept.cached
    assert replace(kept, cached=False, prompt="p") == made


def test_what_another_version_wrote_is_not_read():
    content = write_answer(Generation("p", "text", 1, 2, 3.0))
    assert read_answer(Generation, "p", content) == Generation("p", "text", 1, 2, 3.0, cached=True)
    for other in (content.replace(b"text", b"words", 1).replace(b'"cut"', b'"since"'), b"[1]\n", b"", b"{}\n"):
        assert read_answer(Generation, "p", other) is None
    assert read_answer(Choice, "p", content) is None


def test_while_requests_are_timed_the_model_answers_itself(answers, folder):
    model = CachedModel(load_model(str(folder)), answers)
    model.generate(PROMPTS[:1], LIMITS)
    serve(model, on=True)
    for _ in range(2):
        cool(model)
        assert not model.generate(PROMPTS[:1], LIMITS)[0].cached
        assert not model.generate(PROMPTS[1:2], LIMITS)[0].cached  # nor is it kept
    serve(model, on=False)
    assert [row.cached for row in model.generate(PROMPTS[:2], LIMITS)] == [True, False]


def test_what_else_a_local_model_offers_is_there(answers, folder):
    plain = load_model(str(folder))
    model = CachedModel(plain, answers)
    assert model.encode_prompt(PROMPTS[0]) == plain.encode_prompt(PROMPTS[0])
    assert (model.name, model.context, model.fingerprint) == (plain.name, plain.context, plain.fingerprint)
    assert model.module is plain.module
    assert model.labels_need_end(["1", "10"])
    assert not CachedModel(FakeModel(), answers).labels_need_end(["1", "10"])
    assert cached_like(plain, model) is model
    with pytest.raises(AttributeError):
        model.no_such_thing  # noqa: B018


def test_a_cache_that_can_t_be_used_changes_nothing(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    model = CachedModel(FakeModel(), ResponseCache(tmp_path / "file" / "answers.sqlite", 10**9))
    for _ in range(2):
        assert model.choose(PROMPTS, LABELS) == FakeModel().choose(PROMPTS, LABELS)
