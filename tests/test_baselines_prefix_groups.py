from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from baselines.batches import plan_batches
from baselines.local_model import LocalModel
from baselines.prefix_groups import WORTH_A_PASS, group_rows
from evals.example import Passage, Prompt
from evals.protocols import Limits
from tests.test_baselines_choose import LABELS, assert_exact, fed_tokens
from tests.test_baselines_generate import by_transformers, text_of, unending
from tests.tiny_models import KINDS, tiny_module, tiny_tokenizer


def passage(number):
    return Passage(str(number), str(number), "", f"{number} " + "the food was great and the staff kind " * 5)


# Two rows find the same two passages, two more the first of them, one other two and one nothing like them.
FOUND = [(1, 2), (3, 4), (1, 5), (1, 2), (6,), (4, 3), (1, 7), ()]
PROMPTS = [
    Prompt(
        "Answer the question from the passages.", f"what is number {row} of {row * row}", (), tuple(map(passage, ids))
    )
    for row, ids in enumerate(FOUND)
]


def model(kind="llama", attention="sdpa"):
    module = tiny_module(kind)
    module.set_attn_implementation(attention)
    return unending(LocalModel.from_module(module, tiny_tokenizer(bos=True), name=kind))


def check(group, rows, outer):
    for row in group.rows:
        assert len(rows[row]) > group.length
        assert rows[row][: group.length] == rows[group.rows[0]][: group.length]
    for inner in group.groups:
        assert len(inner.rows) > 1
        assert inner.length >= outer + WORTH_A_PASS
        check(inner, rows, inner.length)


stretches = st.lists(st.sampled_from([(1,) * 20, (1,) * 60, (2,) * 60, (3,) * 48, (4,) * 47]), min_size=1, max_size=6)


@given(st.lists(stretches, min_size=1, max_size=12))
def test_groups_hold_every_row_once_and_agree_as_far_as_they_say(parts):
    rows = [[token for part in row for token in part] for row in parts]
    group = group_rows(rows)
    assert sorted(group.rows) == list(range(len(rows)))
    assert group.length == 0
    check(group, rows, 0)


def test_what_few_rows_share_is_a_group_within_the_one_of_many():
    first, second = [1] * 60, [2] * 60
    rows = [[*first, *second, 7], [5] * 99, [*first, 8], [*first, *second, 9], [5] * 47]
    (group,) = group_rows(rows).groups
    assert (group.length, group.alone) == (60, (2,))
    assert [(inner.length, inner.alone) for inner in group.groups] == [(120, (0, 3))]


def test_rows_that_share_stay_side_by_side_in_a_batch():
    lengths = [9, 3, 8, 4, 9, 5]
    assert list(plan_batches(lengths, lambda rows, longest: rows <= 4, 99, [[3, 0]])) == [[3, 0, 4, 2], [5, 1]]


@pytest.mark.parametrize("way", ["tree", "cached"])
@pytest.mark.parametrize("kind", KINDS)
def test_answers_are_those_of_transformers_and_shared_passages_are_read_once(kind, way):
    asked = model(kind)
    asked._forward.way = way
    passes = fed_tokens(asked.module)
    rows = asked.generate(PROMPTS, Limits(8))
    assert [row.error for row in rows] == [None] * len(PROMPTS)
    read = sum(passes[:-7])
    assert passes[-7:] == [len(PROMPTS)] * 7  # all rows write together
    passage_tokens = asked.count_tokens(" " + passage(1).text)
    assert (
        read < sum(row.prompt_tokens for row in rows) - 3.5 * passage_tokens
    )  # of the four saved, and the instruction
    assert [row.text for row in rows] == [text_of(asked, by_transformers(asked, prompt, 8)) for prompt in PROMPTS]


def test_nothing_changes_where_batches_are_small_or_memory_is_short():
    asked = model()
    expected = [row.text for row in asked.generate(PROMPTS, Limits(6))]
    budget = asked._forward.budget
    asked._forward.budget = replace(budget, tokens=128, rows=3, enough=32)
    assert [row.text for row in asked.generate(PROMPTS, Limits(6))] == expected
    asked._forward.budget = budget

    def refuse(_, args, kwargs):
        if len(kwargs["input_ids"]) > 1:
            raise torch.OutOfMemoryError("too many rows")

    asked.module.register_forward_pre_hook(refuse, with_kwargs=True)
    assert [row.text for row in asked.generate(PROMPTS, Limits(6))] == expected


@pytest.mark.parametrize(("attention", "way"), [("sdpa", "tree"), ("eager", "tree"), ("sdpa", "cached")])
@pytest.mark.parametrize("kind", KINDS)
def test_labels_after_shared_passages_are_scored_as_alone(kind, attention, way):
    asked, together, alone = (model(kind, attention) for _ in range(3))
    asked._forward.way = together._forward.way = alone._forward.way = way
    assert_exact(asked, asked.choose(PROMPTS, LABELS), PROMPTS, LABELS)
    once, often = fed_tokens(together.module), fed_tokens(alone.module)
    together.choose(PROMPTS, LABELS)
    for prompt in PROMPTS:
        alone.choose([prompt], LABELS)
    assert sum(once) < sum(often) - 3.5 * asked.count_tokens(" " + passage(1).text)


def test_a_shared_stretch_that_memory_does_not_hold_is_read_by_each_row():
    asked = model()
    expected = [choice.loglikelihoods for choice in asked.choose(PROMPTS, LABELS)]
    extend = asked._forward.extend

    def refuse(prefix, ids):
        if prefix.ids:
            raise torch.OutOfMemoryError("no room for the stretch")
        return extend(prefix, ids)

    asked._forward.extend = refuse
    for choice, scores in zip(asked.choose(PROMPTS, LABELS), expected, strict=True):
        assert choice.loglikelihoods == pytest.approx(scores, abs=1e-4)
