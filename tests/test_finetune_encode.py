from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.errors import ArmError
from evals.example import Example
from evals.task import Task
from evals.task_file import Data, TaskFile
from finetune.encode import IGNORED, encode_rows, zero_shot_prompt


class Letters:
    """One token a character; 1 begins a prompt, 2 ends an answer."""

    def __init__(self, context=200, end=2):
        self.context, self.answer_end_id = context, end

    def encode_prompt(self, prompt):
        return [1] + [ord(letter) for letter in f"{prompt.instruction}|{prompt.input}|"]

    def encode_answer(self, answer):
        return [ord(letter) for letter in " " + answer]


def task(answer="label", labels=("yes", "no")):
    settings = TaskFile(instruction="Say it.", answer=answer, data=Data(train="t.csv"))
    return Task("t", settings, Path(), labels if answer == "label" else (), (), (), (), {})


def example(text="hello", *targets):
    return Example("r1", text, targets or ("yes",))


def test_only_the_answer_and_the_end_are_learnt():
    row = encode_rows(Letters(), task(), [example("hello", "yes")]).rows[0]
    prompt = Letters().encode_prompt(zero_shot_prompt(task(), example()))
    assert list(row.ids) == prompt + [ord(letter) for letter in " yes"] + [2]
    assert list(row.labels) == [IGNORED] * len(prompt) + [ord(letter) for letter in " yes"] + [2]


def test_label_tasks_name_their_labels_as_they_do_at_inference():
    assert "yes, no" in zero_shot_prompt(task(), example()).instruction
    assert zero_shot_prompt(task("text"), example()).instruction == "Say it."


def test_only_the_preferred_answer_is_trained_on():
    both = encode_rows(Letters(), task("text"), [example("q", "first", "second")])
    one = encode_rows(Letters(), task("text"), [example("q", "first")])
    assert both == one


def test_spaces_around_an_answer_are_not_learnt():
    assert encode_rows(Letters(), task("text"), [example("q", "  a  ")]) == encode_rows(
        Letters(), task("text"), [example("q", "a")]
    )


def test_without_an_end_token_the_stop_string_is_learnt():
    row = encode_rows(Letters(end=None), task("text"), [example("q", "a")]).rows[0]
    assert "".join(map(chr, row.ids)).endswith(" a\n\nInput:")


def test_long_rows_are_left_out_whole_and_counted():
    encoded = encode_rows(Letters(context=60), task(), [example("x" * size) for size in (5, 500, 6)])
    assert [len(row.ids) for row in encoded.rows] == sorted(len(row.ids) for row in encoded.rows)
    assert len(encoded.rows) == 2
    assert encoded.left_out == 1


def test_a_row_that_just_fits_stays():
    size = len(encode_rows(Letters(), task(), [example()]).rows[0].ids)
    assert encode_rows(Letters(context=size), task(), [example()]).left_out == 0
    with pytest.raises(ArmError, match=f"context of {size - 1} tokens.*{size}"):
        encode_rows(Letters(context=size - 1), task(), [example()])


@given(st.lists(st.tuples(st.text(min_size=1, max_size=80), st.text(min_size=1, max_size=20)), max_size=12))
def test_every_row_is_either_kept_or_counted(pairs):
    examples = [example(text, answer) for text, answer in pairs] + [example("a", "b")]
    encoded = encode_rows(Letters(context=80), task("text"), examples)
    assert len(encoded.rows) + encoded.left_out == len(examples)
    assert encoded.tokens == sum(len(row.ids) for row in encoded.rows)
    for row in encoded.rows:
        assert len(row.labels) == len(row.ids) <= 80
        assert 0 < row.labels.count(IGNORED) == row.prompt_tokens < len(row.ids)
