import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.errors import UsageError
from evals.example import Example
from evals.overlap import find_overlap, normalise_text
from evals.split import limit_examples, split_train


def rows(targets, inputs=None, groups=None):
    return [
        Example(
            id=str(number),
            input=inputs[number] if inputs else f"text {number}",
            targets=(target,),
            group=groups[number] if groups else None,
        )
        for number, target in enumerate(targets)
    ]


def ids(examples):
    return [example.id for example in examples]


some_rows = st.lists(
    st.builds(
        lambda number, text, target, group: (text or f"text {number}", target, group),
        st.integers(0, 10**6),
        st.sampled_from([None, None, "twice", "Twice!", "thrice"]),
        st.sampled_from("abc"),
        st.sampled_from([None, None, None, "g1", "g2"]),
    ),
    min_size=1,
    max_size=60,
).map(lambda cells: rows([c[1] for c in cells], [c[0] for c in cells], [c[2] for c in cells]))


@given(some_rows, st.floats(0.01, 0.99), st.integers(0, 5), st.booleans())
def test_a_split_is_a_partition_in_order_that_tears_nothing_apart(examples, share, seed, stratify):
    try:
        split = split_train(examples, share, seed, stratify)
    except UsageError:
        same_input = len({normalise_text(e.input) for e in examples}) == 1
        assert same_input or len(examples) == 1 or any(e.group for e in examples)
        return
    assert split.train
    assert split.eval
    assert sorted(ids(split.train) + ids(split.eval), key=int) == ids(examples)
    assert ids(split.train) == sorted(ids(split.train), key=int)
    assert ids(split.eval) == sorted(ids(split.eval), key=int)
    assert not find_overlap(split.train, split.eval).pairs
    assert not {e.group for e in split.train if e.group} & {e.group for e in split.eval}


@given(st.integers(2, 200), st.floats(0.01, 0.99), st.integers(0, 9), st.booleans())
def test_the_share_is_exact_when_no_rows_belong_together(n, share, seed, stratify):
    # Of each label one row stays in train, unless every row has a label of its own.
    split = split_train(rows(["ab"[number % 2] for number in range(n)]), share, seed, stratify)
    wanted = min(max(1, round(share * n)), n - 1)
    most = n - 2 if stratify and n > 2 else n - 1
    assert len(split.eval) == min(wanted, most)


def test_a_stratified_split_keeps_the_mix_and_leaves_rare_labels_to_train():
    examples = rows(["common"] * 80 + ["rare"] * 20 + ["single"])
    split = split_train(examples, 0.2, seed=3, stratify=True)
    assert Counter(e.target for e in split.eval) == {"common": 16, "rare": 4}


def test_a_label_keeps_a_row_in_train_even_at_a_large_share():
    split = split_train(rows(list("aabbccddee")), 0.9, seed=0, stratify=True)
    assert {e.target for e in split.train} == set("abcde")


def test_targets_that_all_differ_are_split_without_a_mix():
    split = split_train(rows([f"answer {number}" for number in range(10)]), 0.3, seed=0, stratify=True)
    assert len(split.eval) == 3


def test_seeds_decide_and_the_global_generator_does_not():
    examples = rows("ab" * 50)
    random.seed(1)
    first = split_train(examples, 0.2, 0, True)
    random.seed(2)
    state = random.getstate()
    assert split_train(examples, 0.2, 0, True) == first
    assert random.getstate() == state
    assert split_train(examples, 0.2, 1, True) != first
    assert limit_examples(examples, 9, 0, True) == limit_examples(examples, 9, 0, True)
    assert limit_examples(examples, 9, 0, True) != limit_examples(examples, 9, 1, True)


def test_groups_larger_than_the_share_still_leave_two_sides():
    split = split_train(rows("x" * 10, groups=["g1"] * 6 + ["g2"] * 4), 0.1, 0, False)
    assert len(split.eval) == 4


@pytest.mark.parametrize("examples", [rows("x"), rows("ab", groups=["g", "g"]), rows("ab", inputs=["Same?", "same"])])
def test_rows_that_all_belong_together_cannot_be_split(examples):
    with pytest.raises(UsageError, match=r"no eval rows can be split off.*data\.eval"):
        split_train(examples, 0.2, 0, True)


def test_rows_linked_through_group_and_input_stay_together():
    examples = rows("xxxxx", inputs=["one", "two", "TWO", "three", "four"], groups=["g", "g", "h", "h", None])
    split = split_train(examples, 0.2, 0, False)
    assert ids(split.eval) == ["4"]


@given(st.lists(st.sampled_from("aaab"), min_size=1, max_size=80), st.integers(1, 90), st.integers(0, 9))
def test_a_sample_has_its_size_its_order_and_its_mix(targets, n, seed):
    examples = rows(targets)
    sample = limit_examples(examples, n, seed, True)
    assert len(sample) == min(n, len(examples))
    assert ids(sample) == sorted(set(ids(sample)), key=int)
    for target, count in Counter(targets).items():
        share = len(sample) * count / len(examples)
        assert abs(sum(e.target == target for e in sample) - share) < 1


def test_a_sample_of_no_rows_is_refused():
    with pytest.raises(UsageError, match="at least 1, not 0"):
        limit_examples(rows("ab"), 0, 0, False)
