from collections import Counter
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from evals.example import Example
from evals.task import Task
from evals.task_file import Data, TaskFile, Tune
from finetune.encode import EncodedRow, EncodedRows
from finetune.holdout import MOST_ROWS, hold_out


def parts(count, *, share=0.1, budget=None, seed=0, answer="label", groups=None, length=20):
    examples = [
        Example(f"r{number}", f"row {number}", (("a", "b")[number % 2],), group=groups and f"g{number % groups}")
        for number in range(count)
    ]
    settings = TaskFile(instruction="Say.", answer=answer, data=Data(train="t.csv"), tune=Tune(validation_share=share))
    task = Task("t", settings, Path(), ("a", "b"), tuple(examples), (), (), {})
    encoded = EncodedRows(tuple(EncodedRow(row.id, (5,) * length, length - 2) for row in examples), 0)
    return examples, hold_out(task, examples, encoded, seed, budget)


@given(st.integers(1, 400), st.floats(0.01, 0.49), st.integers(0, 9), st.none() | st.integers(1, 10**5))
def test_every_row_is_on_one_side_and_the_limits_hold(count, share, seed, budget):
    examples, split = parts(count, share=share, seed=seed, budget=budget)
    assert sorted(row.id for row in split.train + split.validation) == sorted(row.id for row in examples)
    assert split.train
    assert (len(split.validation) == 0) == (count < 10)
    assert len(split.validation) <= MOST_ROWS
    assert parts(count, share=share, seed=seed, budget=budget)[1] == split


def test_the_share_is_kept_and_so_is_the_mix_of_labels():
    examples, split = parts(200)
    targets = {row.id: row.target for row in examples}
    assert len(split.validation) == 20
    assert Counter(targets[row.id] for row in split.validation) == {"a": 10, "b": 10}
    assert parts(200, seed=1)[1] != split


def test_large_sets_keep_two_hundred_and_small_budgets_fewer():
    assert len(parts(5000)[1].validation) == 200
    assert len(parts(5000, budget=20_000)[1].validation) == 100  # a tenth of the budget, in rows of 20 tokens


def test_rows_of_one_group_stay_together():
    examples, split = parts(120, groups=12, answer="text")
    groups = {row.id: row.group for row in examples}
    learnt, judged = ({groups[row.id] for row in side} for side in (split.train, split.validation))
    assert learnt
    assert judged
    assert not learnt & judged


def test_when_all_rows_belong_together_all_are_learnt():
    assert parts(50, groups=1, answer="text")[1].validation == ()
