import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from baselines.batches import CPU_BUDGET, Budget, plan_batches
from baselines.choose import find_way, score_labels
from baselines.forward import Forward
from baselines.local_model import LocalModel
from evals.errors import UsageError
from evals.example import Prompt, Shot
from tests.tiny_models import CHAT_TEMPLATE, KINDS, tiny_module, tiny_tokenizer

SHOTS = tuple(Shot(f"the food number {number} was great", "positive") for number in range(4))
PROMPTS = [Prompt("Say what the review is.", "the staff " * count + str(count), SHOTS) for count in (1, 30, 3, 12, 2)]
NESTED = ["1", "10", "card payment", "numeric value", "card", "100", "1"]
LABELS = ["positive", "negative", "neutral", "pos", "numeric value", "abbreviation one two three", "positive"]


def model(kind="llama", attention="sdpa", **options):
    module = tiny_module(kind)
    module.set_attn_implementation(attention)
    return LocalModel.from_module(module, tiny_tokenizer(**options), name=kind)


def naive(module, prompt, label, ends=()):
    """The log-likelihood of ``label`` by one full forward pass, without cache, padding or batch.

    With ``ends``, that of the label and then any one of them.
    """
    with torch.no_grad():
        logprobs = module(torch.tensor([[*prompt, *label]])).logits[0].double().log_softmax(-1)
    total = sum(logprobs[len(prompt) - 1 + place, token].item() for place, token in enumerate(label))
    return total + (logprobs[-1, list(ends)].exp().sum().log().item() if ends else 0.0)


def assert_exact(asked, choices, prompts, labels, ends=()):
    for choice, prompt in zip(choices, prompts, strict=True):
        assert choice.error is None
        ids, tokens = asked.encode_prompt(prompt), [asked.encode_answer(label) for label in labels]
        alone = [naive(asked.module, ids, label, ends) for label in tokens]
        assert choice.loglikelihoods == pytest.approx(alone, abs=1e-4)
        means = [total / (len(label) + bool(ends)) for total, label in zip(alone, tokens, strict=True)]
        assert choice.by_sum == labels[alone.index(max(alone))]
        assert choice.by_mean == labels[means.index(max(means))]
        assert (choice.prompt, choice.prompt_tokens) == (asked.render(prompt), len(ids))
        assert choice.completion_tokens == len(asked.encode_answer(choice.by_sum))
        assert choice.ms > 0


@pytest.mark.parametrize("way", ["tree", "cached", "plain"])
@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("kind", KINDS)
def test_scores_are_those_of_the_naive_computation(kind, attention, way):
    asked = model(kind, attention, bos=True)
    asked._forward.way = way
    assert_exact(asked, asked.choose(PROMPTS, LABELS), PROMPTS, LABELS)


def line_break(asked):
    (first, second, *_) = asked.tokenizer("\n\nInput:", add_special_tokens=False)["input_ids"]
    assert first == second
    return first


@pytest.mark.parametrize("way", ["tree", "cached", "plain"])
@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("kind", KINDS)
def test_where_one_label_begins_another_each_is_scored_with_its_end(kind, attention, way):
    asked = model(kind, attention, bos=True)
    asked._forward.way = way
    assert asked.labels_need_end(NESTED)
    choices = asked.choose(PROMPTS, NESTED)
    assert_exact(asked, choices, PROMPTS, NESTED, ends=(1, line_break(asked)))
    assert all(choice.loglikelihoods[0] == choice.loglikelihoods[-1] for choice in choices)


def test_labels_of_which_none_begins_another_are_scored_without_their_end():
    asked = model()
    assert not asked.labels_need_end(LABELS)
    assert not asked.labels_need_end(["1", "1"])
    assert not asked.labels_need_end([])


def test_in_a_chat_a_label_ends_with_the_turn_and_at_no_line_break():
    asked = model(chat_template=CHAT_TEMPLATE)
    assert_exact(asked, asked.choose(PROMPTS, NESTED), PROMPTS, NESTED, ends=(1, asked.answer_end_id))
    assert asked.answer_end_id != 1


def test_without_an_end_token_a_label_ends_where_the_next_input_begins():
    module = tiny_module()
    module.config.eos_token_id = module.generation_config.eos_token_id = None
    asked = LocalModel.from_module(module, tiny_tokenizer(eos=False), name="unending")
    assert_exact(asked, asked.choose(PROMPTS, NESTED), PROMPTS, NESTED, ends=(line_break(asked),))


def test_an_end_token_that_the_model_does_not_know_is_left_out():
    tokenizer = tiny_tokenizer()
    tokenizer.add_tokens([f"<|{n}|>" for n in range(10)])
    tokenizer.eos_token = "<|9|>"
    asked = LocalModel.from_module(tiny_module(), tokenizer, name="small")
    assert asked.answer_end_id >= 424
    assert_exact(asked, asked.choose(PROMPTS, NESTED), PROMPTS, NESTED, ends=(1, line_break(asked)))


@pytest.mark.parametrize("kind", KINDS)
def test_the_fast_way_is_found_to_fit_where_it_is_taken_for_granted(kind):
    forward = model(kind)._forward
    assert forward.way == "tree"
    with forward.scoring():
        assert find_way(forward) == "tree"


@pytest.mark.parametrize("labels", [["positive"], ["a", "b", "c"], [f"class {n} of {n % 7}" for n in range(77)]])
def test_one_label_single_tokens_and_seventy_seven_labels(labels):
    asked = model()
    assert_exact(asked, asked.choose(PROMPTS[:2], labels), PROMPTS[:2], labels)


def test_chat_prompts():
    asked, labels = model(chat_template=CHAT_TEMPLATE), ["positive", "negative", "numeric value"]
    assert_exact(asked, asked.choose(PROMPTS, labels), PROMPTS, labels)


def test_equal_likelihoods_go_to_the_label_named_first():
    choice = model().choose(PROMPTS[:1], ["negative", "negative"])[0]
    assert choice.loglikelihoods[0] == choice.loglikelihoods[1]


tokens = st.integers(3, 40)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    start=st.lists(tokens, max_size=24),
    ends=st.lists(st.lists(tokens, min_size=1, max_size=30), min_size=1, max_size=4),
    labels=st.lists(st.lists(st.integers(3, 6), min_size=1, max_size=4), min_size=1, max_size=6),
    columns=st.integers(2, 12),
    rows=st.integers(1, 3),
    ways_to_end=st.sets(st.integers(3, 6)),
    way=st.sampled_from(["tree", "cached", "plain"]),
)
def test_any_prompts_and_labels_in_any_batches(start, ends, labels, columns, rows, ways_to_end, way):
    module = tiny_module("llama", layers=1)
    forward = Forward(module)
    forward.way = way
    # So tight that the labels need several trees and the prompts several batches.
    logits = columns * forward.vocabulary
    forward.budget = Budget(tokens=64, cached=256, scores=2**14, logits=logits, rows=rows, enough=32)
    prompts = [[*start, *end] for end in ends]
    found = score_labels(forward, prompts, start, labels, sorted(ways_to_end))
    for prompt, scores in zip(prompts, found, strict=True):
        assert list(scores) == pytest.approx([naive(module, prompt, label, ways_to_end) for label in labels], abs=1e-4)


def fed_tokens(module):
    """Count the token positions that go through the module, in a list that grows by one entry per pass."""
    passes = []
    module.register_forward_pre_hook(
        lambda _, args, kwargs: passes.append(kwargs["input_ids"].numel()), with_kwargs=True
    )
    return passes


def test_the_shared_prefix_and_the_labels_are_computed_once():
    asked = model()
    prompts = [Prompt("Say what the review is.", f"the staff {number}", SHOTS) for number in range(6)]
    labels = [f"negative {first} one" for first in "abcdefghij"] + [f"positive {first} one" for first in "abcdefghij"]
    passes = fed_tokens(asked.module)
    asked.choose(prompts, labels)
    rows = [asked.encode_prompt(prompt) for prompt in prompts]
    ends = [asked.encode_answer(label) for label in labels]
    shared = passes[0]
    assert all(row[:shared] == rows[0][:shared] for row in rows)
    nodes = {tuple(end[:depth]) for end in ends for depth in range(1, len(end))}
    longest = max(map(len, rows))
    assert passes == [shared, len(rows) * (longest - shared + len(nodes))]
    assert sum(passes) * 20 < sum(len(row) + len(end) for row in rows for end in ends)
    asked.choose(prompts[:3], labels)
    assert passes[2:] == [3 * (longest - shared + len(nodes))]  # the prefix was kept since the last call


def test_a_call_gives_the_same_whatever_was_asked_before():
    used, fresh = model(), model()
    used.choose([Prompt("Say something else.", text, SHOTS) for text in ("a", "b")], ["one", "two"])
    used.choose(PROMPTS[:3], ["negative"])
    assert [c.loglikelihoods for c in used.choose(PROMPTS, LABELS)] == [
        c.loglikelihoods for c in fresh.choose(PROMPTS, LABELS)
    ]


def test_training_between_two_calls_is_noticed():
    asked = model()
    before = asked.choose(PROMPTS, LABELS)
    optimiser = torch.optim.SGD(asked.module.parameters(), lr=1.0)
    asked.module.train()
    batch = torch.tensor([asked.encode_prompt(PROMPTS[0])])
    asked.module(input_ids=batch, labels=batch).loss.backward()
    optimiser.step()
    after = asked.choose(PROMPTS, LABELS)
    assert asked.module.training
    asked.module.eval()
    assert before[0].loglikelihoods != pytest.approx(after[0].loglikelihoods, abs=1e-2)
    assert_exact(asked, after, PROMPTS, LABELS)


def test_a_row_too_long_fails_alone():
    long = Prompt("Say what it is.", "word " * 600)
    choices = model().choose([PROMPTS[0], long, PROMPTS[2]], LABELS)
    assert [choice.error is None for choice in choices] == [True, False, True]
    told = f"prompt is {choices[1].prompt_tokens} tokens and its answer needs up to 14, the model's context is 512"
    assert choices[1].error == told
    assert (choices[1].by_sum, choices[1].loglikelihoods) == ("", ())


def test_the_longest_label_must_fit_behind_the_prompt():
    asked = model()
    used = len(asked.encode_prompt(PROMPTS[0]))
    room = Forward(asked.module).config.max_position_embeddings - used
    filler = Prompt(PROMPTS[0].instruction, PROMPTS[0].input + " a" * (room - 2), SHOTS)
    assert len(asked.encode_prompt(filler)) == 510
    assert asked.choose([filler], ["a"])[0].error is None
    told = "prompt is 510 tokens and its answer needs up to 3, the model's context is 512"
    assert asked.choose([filler], ["a a a"])[0].error == told


def test_a_token_that_the_model_has_no_embedding_for_is_an_error_of_its_row():
    asked = LocalModel.from_module(tiny_module(vocab_size=300), tiny_tokenizer(), name="small")
    good, bad = asked.choose([Prompt("5", "6"), Prompt("5", "the staff")], ["7"])
    assert good.error is None
    assert "the model knows 300" in bad.error


def test_nan_is_an_error_of_its_row():
    asked = model()
    poisoned = Prompt("Say.", "~")
    poison = set(asked.encode_prompt(poisoned)) - set(asked.encode_prompt(Prompt("Say.", "a")))
    with torch.no_grad():
        asked.module.get_input_embeddings().weight[list(poison)] = float("nan")
    good, bad = asked.choose([Prompt("Say.", "a"), poisoned], ["a"])
    assert good.error is None
    assert "NaN" in bad.error


class ShortOfMemory(torch.nn.Module):
    """A module that can't hold more than so many rows."""

    def __init__(self, inner, rows):
        super().__init__()
        self.inner, self.rows = inner, rows
        self.batches = []

    def get_base_model(self):
        return self.inner

    def forward(self, input_ids, **kwargs):
        if len(input_ids) > self.rows:
            raise torch.OutOfMemoryError(f"can't hold {len(input_ids)} rows")
        self.batches.append(len(input_ids))
        return self.inner(input_ids=input_ids, **kwargs)


def test_a_batch_that_does_not_fit_into_memory_is_halved():
    small = LocalModel.from_module(ShortOfMemory(tiny_module(), 2), tiny_tokenizer(), name="small")
    choices = small.choose(PROMPTS, LABELS)
    for choice, other in zip(choices, model().choose(PROMPTS, LABELS), strict=True):
        assert choice.loglikelihoods == pytest.approx(other.loglikelihoods, abs=1e-4)
    assert max(small.module.batches) == 2


def test_what_never_fits_into_memory_is_an_error_of_its_row():
    none = LocalModel.from_module(ShortOfMemory(tiny_module(), 0), tiny_tokenizer(), name="none")
    assert {choice.error for choice in none.choose(PROMPTS, LABELS)} == {"out of memory with this row alone"}


class Broken(ShortOfMemory):
    def forward(self, input_ids, **kwargs):
        raise RuntimeError("wires crossed\nat a place nobody knows")


def test_a_module_that_fails_is_an_error_of_its_rows():
    broken = LocalModel.from_module(Broken(tiny_module(), 0), tiny_tokenizer(), name="broken")
    assert [c.error for c in broken.choose(PROMPTS, LABELS)] == ["the model failed: RuntimeError: wires crossed"] * 5


def test_nothing_asked_and_nothing_to_choose_from():
    asked = model()
    assert asked.choose([], LABELS) == []
    for labels in ([], ["positive", " "]):
        with pytest.raises(UsageError, match="labels"):
            asked.choose(PROMPTS, labels)


def other_module(kind):
    import transformers as t

    small = {
        "vocab_size": 424,
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 64,
        "initializer_range": 0.15,
    }
    makers = {
        "mistral": lambda: t.MistralForCausalLM(t.MistralConfig(sliding_window=40, num_key_value_heads=2, **small)),
        "neox": lambda: t.GPTNeoXForCausalLM(t.GPTNeoXConfig(**small)),
        "bloom": lambda: t.BloomForCausalLM(
            t.BloomConfig(vocab_size=424, hidden_size=32, n_layer=2, n_head=4, initializer_range=0.15)
        ),
        "mamba": lambda: t.MambaForCausalLM(
            t.MambaConfig(vocab_size=424, hidden_size=32, num_hidden_layers=2, state_size=8)
        ),
    }
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return makers[kind]().eval()


@pytest.mark.parametrize(
    ("kind", "way"), [("mistral", "tree"), ("neox", "tree"), ("bloom", "plain"), ("mamba", "plain")]
)
def test_architectures_that_were_never_tried_are_tried_and_exact(kind, way):
    """Mistral's window is shorter than these prompts: it must fall back by itself."""
    asked = LocalModel.from_module(other_module(kind), tiny_tokenizer(), name=kind)
    assert_exact(asked, asked.choose(PROMPTS, LABELS), PROMPTS, LABELS)
    assert asked._forward.way == way


def test_a_lora_model_is_scored_with_its_adapter():
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(r=4, target_modules="all-linear", task_type="CAUSAL_LM", init_lora_weights=False)
    asked = LocalModel.from_module(get_peft_model(tiny_module(), config), tiny_tokenizer(), name="lora")
    choices = asked.choose(PROMPTS, LABELS)
    assert_exact(asked, choices, PROMPTS, LABELS)
    assert choices[0].loglikelihoods != pytest.approx(model().choose(PROMPTS, LABELS)[0].loglikelihoods, abs=1e-2)


def test_budgets_leave_room_for_a_batch():
    assert CPU_BUDGET.logits // 150_000 > 100  # a large vocabulary still gets a tree of a hundred nodes


def test_rows_much_shorter_than_the_batch_get_one_of_their_own():
    assert list(plan_batches([3, 90, 4, 80, 50], lambda rows, longest: True, enough=150)) == [[1, 3, 4], [2, 0]]
    assert list(plan_batches([3, 90, 4], lambda rows, longest: True, enough=1000)) == [[1, 2, 0]]
