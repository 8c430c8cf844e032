from dataclasses import replace

import pytest
import torch

from baselines.generate import LEAVE
from baselines.local_model import LocalModel
from evals.errors import UsageError
from evals.example import Prompt, Shot
from evals.protocols import Limits
from tests.tiny_models import CHAT_TEMPLATE, KINDS, tiny_module, tiny_tokenizer

SHOTS = tuple(Shot(f"the food number {number} was great", "positive") for number in range(4))
PROMPTS = [Prompt("Say what the review is.", "the staff " * count + str(count), SHOTS) for count in (1, 30, 3, 12, 2)]


def model(kind="llama", attention="sdpa", module=None, **options):
    module = module or tiny_module(kind)
    module.set_attn_implementation(attention)
    return LocalModel.from_module(module, tiny_tokenizer(**options), name=kind)


def by_transformers(asked, prompt, count):
    """The new tokens of transformers' own greedy generation, one prompt at a time."""
    ids = torch.tensor([asked.encode_prompt(prompt)])
    settings = {"max_new_tokens": count, "do_sample": False, "eos_token_id": None, "pad_token_id": 0}
    new = asked.module.generate(input_ids=ids, attention_mask=torch.ones_like(ids), **settings)
    return new[0, ids.shape[1] :].tolist()


def text_of(asked, tokens):
    return asked.tokenizer.decode(tokens, skip_special_tokens=True).strip()


def unending(asked):
    """Let the tokenizer and the config of ``asked`` name no end token, so that rows go on to their limit."""
    asked.tokenizer.eos_token = None
    asked.module.config.eos_token_id = asked.module.generation_config.eos_token_id = None
    return LocalModel.from_module(asked.module, asked.tokenizer, name="unending")


@pytest.mark.parametrize("way", ["tree", "plain"])
@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("kind", KINDS)
def test_batched_is_single_and_is_what_transformers_gives(kind, attention, way):
    asked = unending(model(kind, attention, bos=True))
    asked._forward.way = way
    together = asked.generate(PROMPTS, Limits(12))
    alone = [asked.generate([prompt], Limits(12))[0] for prompt in PROMPTS]
    true = [text_of(asked, by_transformers(asked, prompt, 12)) for prompt in PROMPTS]
    assert [row.text for row in together] == [row.text for row in alone] == true
    assert len(set(true)) > 1
    for row, prompt in zip(together, PROMPTS, strict=True):
        assert (row.completion_tokens, row.error) == (12, None)
        assert row.prompt_tokens == len(asked.encode_prompt(prompt))
        assert row.prompt == asked.render(prompt)
        assert row.ms > 0


@pytest.mark.parametrize("shots", [SHOTS, ()])
@pytest.mark.parametrize("kind", KINDS)
def test_long_prompts_are_read_a_few_at_a_time_and_answered_together(kind, shots):
    asked = unending(model(kind, bos=True))
    prompts = [replace(prompt, shots=shots) for prompt in PROMPTS]
    true = [text_of(asked, by_transformers(asked, prompt, 12)) for prompt in prompts]
    longest = max(len(asked.encode_prompt(prompt)) for prompt in prompts)
    asked._forward.budget = replace(asked._forward.budget, tokens=longest, enough=8)
    counts = row_counts(asked.module)
    assert [row.text for row in asked.generate(prompts, Limits(12))] == true
    assert counts[-11:] == [5] * 11  # all rows write together
    assert max(counts[:-11]) < 5  # though they were read in parts


def test_chat_prompts():
    asked = unending(model(chat_template=CHAT_TEMPLATE.replace("<|end|>", "\n\n")))
    rows = asked.generate(PROMPTS, Limits(8))
    assert [row.text for row in rows] == [text_of(asked, by_transformers(asked, prompt, 8)) for prompt in PROMPTS]


def row_counts(module):
    """How many rows each pass had."""
    counts = []

    def count(_, args, kwargs):
        counts.append(len(kwargs["input_ids"]))

    module.register_forward_pre_hook(count, with_kwargs=True)
    return counts


@pytest.mark.parametrize("kind", KINDS)
def test_rows_end_at_the_end_token_and_leave_the_batch(kind):
    asked = unending(model(kind))
    true = [by_transformers(asked, prompt, 20) for prompt in PROMPTS]
    # A token that comes early in one row and late or never in another serves as the end token.
    end = max(true[0][:6], key=lambda token: len({row.index(token) if token in row else 99 for row in true}))
    asked.tokenizer.eos_token = asked.tokenizer.convert_ids_to_tokens(end)
    ending = LocalModel.from_module(asked.module, asked.tokenizer, name="ending")
    assert ending.answer_end_id == end
    counts = row_counts(asked.module)
    rows = ending.generate(PROMPTS, Limits(20))
    lengths = [row.index(end) + 1 if end in row else 20 for row in true]
    assert [row.completion_tokens for row in rows] == lengths
    for row, tokens, length in zip(rows, true, lengths, strict=True):
        assert row.text == text_of(asked, [token for token in tokens[:length] if token != end])
    assert len(set(lengths)) > 1
    decoding = counts[-(max(lengths) - 1) :]
    assert len(PROMPTS) < LEAVE  # so that every row leaves as soon as it's done
    assert decoding == [sum(length > step for length in lengths) for step in range(1, max(lengths))]


def test_an_answer_ends_before_the_stop_string():
    asked = unending(model())
    (whole,) = asked.generate(PROMPTS[:1], Limits(20))
    stop = whole.text[6:9]
    (cut,) = asked.generate(PROMPTS[:1], Limits(20, (stop, "never seen")))
    assert cut.text == whole.text[: whole.text.index(stop)].strip()
    assert cut.completion_tokens < whole.completion_tokens


def scripted(tokens):
    """A tiny model whose logits are replaced, so that it writes ``tokens`` whatever it's asked."""
    module = tiny_module()
    start = {}

    def script(_, args, kwargs, output):
        positions = kwargs["position_ids"][:, -1]
        start.setdefault("at", positions)
        output.logits[:] = 0.0
        for row, step in enumerate((positions - start["at"]).tolist()):
            output.logits[row, :, tokens[step]] = 1.0
        return output

    module.register_forward_hook(script, with_kwargs=True)
    return module


def test_a_plain_answer_ends_where_the_next_input_begins():
    tokenizer = tiny_tokenizer()
    tokens = tokenizer(" Paris\n\nInput: next", add_special_tokens=False)["input_ids"]
    asked = LocalModel.from_module(scripted(tokens), tokenizer, name="scripted")
    (row,) = asked.generate([Prompt("Do.", "a")], Limits(len(tokens)))
    assert (row.text, row.error) == ("Paris", None)
    assert row.completion_tokens < len(tokens)


def test_a_chat_answer_may_hold_the_words_of_the_plain_rendering():
    tokenizer = tiny_tokenizer(chat_template=CHAT_TEMPLATE)
    tokens = tokenizer("Paris\n\nInput: next", add_special_tokens=False)["input_ids"]
    asked = LocalModel.from_module(scripted(tokens), tokenizer, name="scripted")
    (row,) = asked.generate([Prompt("Do.", "a")], Limits(len(tokens)))
    assert row.text == "Paris\n\nInput: next"


def test_a_stop_string_over_many_tokens_and_within_letters_of_several_bytes():
    tokenizer = tiny_tokenizer()
    tokens = tokenizer(" Zürich–日本語—и ещё", add_special_tokens=False)["input_ids"]
    for stop, text in (("日本", "Zürich–"), ("語—и е", "Zürich–日本"), ("ü", "Z")):
        asked = LocalModel.from_module(scripted(tokens), tokenizer, name="scripted")
        (row,) = asked.generate([Prompt("Do.", "a")], Limits(len(tokens), (stop,)))
        assert row.text == text


def test_an_answer_that_is_only_an_end_is_empty_and_no_error():
    asked = LocalModel.from_module(scripted([1]), tiny_tokenizer(), name="scripted")
    (row,) = asked.generate([Prompt("Do.", "a")], Limits(5))
    assert (row.text, row.completion_tokens, row.error) == ("", 1, None)


def test_a_row_too_long_fails_alone():
    long = Prompt("Say what it is.", "word " * 600)
    good, bad = model().generate([PROMPTS[0], long], Limits(5))
    assert (good.error, bad.text) == (None, "")
    told = f"prompt is {bad.prompt_tokens} tokens and its answer needs up to 5, the model's context is 512"
    assert bad.error == told


def filler(asked, tokens):
    """A prompt of exactly so many tokens."""
    used = len(asked.encode_prompt(Prompt("Do.", "a")))
    prompt = Prompt("Do.", "a" + " a" * (tokens - used))
    assert len(asked.encode_prompt(prompt)) == tokens
    return prompt


@pytest.mark.parametrize("way", ["tree", "plain"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_long_prompt_leaves_its_answer_less_room_and_no_other(kind, way):
    asked = unending(model(kind))
    asked._forward.way = way
    prompts = [filler(asked, tokens) for tokens in (400, 497, 60, 496, 512, 490)]
    rows = asked.generate(prompts, Limits(40))
    assert [row.completion_tokens for row in rows] == [40, 0, 40, 16, 0, 22]
    assert rows[1].error == "prompt is 497 tokens and its answer needs up to 40, the model's context is 512"
    assert [row.error is None for row in rows] == [True, False, True, True, False, True]
    for row, prompt in zip(rows, prompts, strict=True):
        if row.error is None:
            assert row.text == text_of(asked, by_transformers(asked, prompt, row.completion_tokens))
            assert row.text == asked.generate([prompt], Limits(40))[0].text


def test_an_answer_allowed_fewer_tokens_than_the_least_room_needs_no_more():
    asked = unending(model())
    prompts = [filler(asked, tokens) for tokens in (507, 508)]
    assert [row.completion_tokens for row in asked.generate(prompts, Limits(5))] == [5, 0]


@pytest.mark.parametrize("way", ["tree", "plain"])
def test_an_answer_still_going_on_at_its_limit_is_cut(way):
    tokenizer = tiny_tokenizer()
    tokens = [*tokenizer(" Paris", add_special_tokens=False)["input_ids"], 1]

    def cut(limits):
        asked = LocalModel.from_module(scripted(tokens), tokenizer, name="scripted")
        asked._forward.way = way
        (row,) = asked.generate([Prompt("Do.", "a")], limits)
        return row.cut

    assert cut(Limits(len(tokens) - 1))
    assert not cut(Limits(len(tokens)))
    assert not cut(Limits(len(tokens) - 1, ("is",)))


def test_nan_is_an_error_of_its_row():
    asked = model()
    poisoned = Prompt("Say.", "~")
    poison = set(asked.encode_prompt(poisoned)) - set(asked.encode_prompt(Prompt("Say.", "a")))
    with torch.no_grad():
        asked.module.get_input_embeddings().weight[list(poison)] = float("nan")
    good, bad = asked.generate([Prompt("Say.", "a"), poisoned], Limits(1))
    assert (good.error, bad.text) == (None, "")
    assert "NaN" in bad.error


def test_a_batch_that_does_not_fit_into_memory_is_halved():
    asked = unending(model())
    expected = [row.text for row in asked.generate(PROMPTS, Limits(6))]
    largest = []

    def refuse(_, args, kwargs):
        if len(kwargs["input_ids"]) > 2:
            raise torch.OutOfMemoryError("too many rows")
        largest.append(len(kwargs["input_ids"]))

    asked.module.register_forward_pre_hook(refuse, with_kwargs=True)
    assert [row.text for row in asked.generate(PROMPTS, Limits(6))] == expected
    assert max(largest) == 2


def test_a_kept_prefix_is_left_as_it_was():
    asked = unending(model())
    first = asked.generate(PROMPTS, Limits(9))
    asked.choose(PROMPTS, ["positive", "negative one"])
    again = asked.generate(PROMPTS, Limits(9))
    assert [row.text for row in first] == [row.text for row in again]


def test_nothing_asked_and_nothing_allowed():
    assert model().generate([], Limits(5)) == []
    with pytest.raises(UsageError, match="max_new_tokens must be at least 1"):
        model().generate(PROMPTS, Limits(0))


def test_the_milliseconds_of_a_call_add_up_to_its_duration():
    import time

    asked = model()
    started = time.perf_counter()
    rows = asked.generate(PROMPTS, Limits(5))
    took = 1e3 * (time.perf_counter() - started)
    assert 0.5 * took < sum(row.ms for row in rows) <= took


def test_a_row_that_ends_at_the_context_stays_there_while_others_go_on(monkeypatch):
    monkeypatch.setattr("baselines.batches._release_memory", lambda: pytest.fail("a batch failed and was halved"))
    asked = unending(model("gpt2"))
    shared = filler(asked, 440).input  # computed once, so that all rows are in one batch
    start = len(asked.encode_prompt(Prompt(shared, "a")))
    prompts = [Prompt(shared, "a" + " a" * (tokens - start)) for tokens in (490, *[470] * 15)]
    rows = asked.generate(prompts, Limits(40))
    assert [row.error for row in rows] == [None] * 16
    assert [row.completion_tokens for row in rows] == [22] + [40] * 15
    assert rows[0].text == text_of(asked, by_transformers(asked, prompts[0], 22))
    assert rows[1].text == text_of(asked, by_transformers(asked, prompts[1], 40))
