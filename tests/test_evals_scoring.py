from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.errors import ArmError
from evals.example import Example
from evals.protocols import Prediction, Retrieved
from evals.scored import ScoredPrediction
from evals.scoring import score
from evals.task import Task
from evals.task_file import METRICS, TaskFile


def task(answer, *, labels=(), train=(), same=False, **more):
    settings = TaskFile(instruction="x", answer=answer, data={"train": "t.jsonl"}, **more)
    rows = tuple(
        Example(f"t{number}", "in" if same else f"in {number}", (target,)) for number, target in enumerate(train)
    )
    return Task("t", settings, Path(), tuple(labels), rows, (), (), {})


def scored(answer, raw, *targets, labels=(), train=(), answer_part=None, choice_by_mean=None, error=None, **more):
    prediction = Prediction("1", raw, answer=answer_part, choice_by_mean=choice_by_mean, error=error)
    return score(task(answer, labels=labels, train=train, **more), Example("1", "in", targets), prediction)


def test_labels_are_read_in_both_ways():
    row = scored("label", "It's a cat.", "cat", labels=("cat", "dog"))
    assert (row.extracted, row.score, row.score_lenient, row.score_strict) == ("cat", 1, 1, 0)
    assert row.metrics == {"accuracy": 1}


def test_strict_extraction_counts_the_strict_reading():
    row = scored("label", "It's a cat.", "cat", labels=("cat", "dog"), extraction="strict")
    assert (row.extracted, row.score, row.score_lenient, row.score_strict) == (None, 0, 1, 0)


def test_a_label_chosen_by_likelihood_needs_no_reading():
    row = scored("label", "dog", "cat", labels=("cat", "dog"), choice_by_mean="cat", extraction="strict")
    assert (row.extracted, row.score, row.score_strict, row.choice_by_mean) == ("dog", 0, 0, "cat")


def test_macro_f1_has_accuracy_on_a_row():
    row = scored("label", "cat", "cat", labels=("cat", "dog"), metric="macro_f1")
    assert (row.score, row.metrics) == (1, {"accuracy": 1})


def test_the_best_of_the_accepted_answers_counts():
    row = scored("text", "the second one", "first", "second one")
    assert row.score == 1
    assert row.target == "first"


def test_an_answer_that_cannot_be_read_is_wrong_and_no_error():
    row = scored("number", "I don't know", "5")
    assert (row.extracted, row.score, row.score_strict, row.error) == (None, 0, 0, None)
    assert row.metrics == {"numeric": 0, "exact_match": 0}


def test_an_error_is_never_scored():
    row = scored("label", "", "cat", labels=("cat",), error="prompt is 9 tokens, the model's context is 8")
    assert (row.extracted, row.score, row.score_lenient, row.score_strict, row.metrics) == (None, None, None, None, {})
    assert row.error == "prompt is 9 tokens, the model's context is 8"


def test_only_the_answers_part_is_read():
    row = scored("number", "3 and 4 make 7. Answer: 7 (of 9)", "7", answer_part="7")
    assert (row.extracted, row.score, row.score_strict, row.answer) == ("7", 1, 1, "7")


def test_how_a_text_is_read_follows_the_training_answers_and_never_the_rows_own():
    text = "First paragraph.\n\nSecond paragraph."
    row = scored("text", text, text, train=["one\n\ntwo"])
    assert (row.score, row.score_strict, row.extracted) == (1, 1, text)
    for target in (text, "First paragraph."):
        row = scored("text", text, target, train=["one", "two"])
        assert row.extracted == "First paragraph."
        assert row.score == (1 if target == "First paragraph." else row.score)
    assert scored("text", text, text, train=["one"]).score < 1
    row = scored("text", "Paris\n\nInput: what else is there to ask?", "Paris")
    assert (row.score, row.extracted) == (1, "Paris")
    assert row.score_strict < 1


def test_json_training_answers_tell_what_to_look_for():
    answer = 'see [1]: {"a": 1}'
    assert scored("json", answer, '{"a": 1.0}', train=["{}"]).score == 1
    assert scored("json", answer, '{"a": 1.0}', train=["[]"]).score == 0
    assert scored("json", answer, "[1]", train=["{}"]).score == 0
    assert scored("json", '"x"', '"x"').score_strict == 1
    assert scored("json", '{"a": 1', '{"a": 1}').metrics == {"json_exact": 0, "json_f1": 0, "json_valid": 0}


def test_a_cut_answer_is_no_valid_json():
    row = scored("json", '{"intent":"x","slots":{"a":"b"}', '{"intent":"x","slots":{"a":"b"}}')
    assert (row.extracted, row.metrics["json_valid"]) == (None, 0)


def test_tolerance_is_the_tasks():
    assert scored("number", "101", "100", tolerance=0.02).score == 1
    assert scored("number", "101", "100").score == 0


def test_a_wrong_answer_that_a_training_row_has_is_told():
    asked_before = {"train": ["Two weeks after delivery.", "30 days", "It is not covered", "never"], "same": True}
    assert scored("text", "two weeks, after  delivery", "a month", **asked_before).in_train is True
    assert scored("text", "two weeks after", "a month", **asked_before).in_train is False
    assert scored("text", "30 days", "30 days", **asked_before).in_train is True
    assert scored("text", "", "30 days", **asked_before).in_train is False
    assert scored("text", "30 days", "x", **asked_before, error="out of memory").in_train is None
    assert scored("text", "30 days", "x", **asked_before | {"same": False}).in_train is False
    assert scored("json", '{"b": 2, "a": 1}', "[]", train=['{"a": 1, "b": 2}', "[3]"], same=True).in_train is True


@pytest.mark.parametrize(
    ("kind", "train"), [("label", ["a", "b"]), ("number", ["1", "2"]), ("text", ["yes", "no"] * 3), ("text", [])]
)
def test_where_answers_are_a_set_that_rows_share_nothing_is_told(kind, train):
    answer = train[0] if train else "a"
    assert scored(kind, answer, "2" if kind == "number" else "b", labels=("a", "b"), train=train).in_train is None


def test_everything_else_is_carried_over():
    prediction = Prediction("1", "x", "prompt", None, None, 5, 2, 1.5, (Retrieved("d#0", "d", 0.5),), cut=True)
    example = Example("1", "in", ("x",), "d", "g")
    row = score(task("text"), example, prediction)
    assert (row.input, row.prompt, row.prompt_tokens, row.completion_tokens, row.ms) == ("in", "prompt", 5, 2, 1.5)
    assert row.cut
    assert (row.retrieved, row.doc_id, row.group) == (prediction.retrieved, "d", "g")
    assert ScoredPrediction.from_line(row.to_line()) == row


def test_a_prediction_for_another_row_is_refused():
    with pytest.raises(ArmError, match="'2'"):
        score(task("text"), Example("1", "in", ("x",)), Prediction("2", "x"))


@given(
    st.sampled_from([(kind, metric) for kind, metrics in METRICS.items() for metric in metrics]),
    st.text(alphabet=st.sampled_from('ab1.\n {}[]":Answer'), max_size=30),
    st.sampled_from(["strict", "lenient"]),
)
def test_scores_are_shares_and_a_target_scores_fully(kind_and_metric, raw, extraction):
    kind, metric = kind_and_metric
    target = {"label": "a", "text": "a b", "json": '{"a": 1}', "number": "1"}[kind]
    row = scored(kind, raw, target, labels=("a", "b"), metric=metric, extraction=extraction)
    assert 0 <= row.score_strict <= 1
    assert 0 <= row.score_lenient <= 1
    assert kind == "text" or row.score_strict <= row.score_lenient
    assert row.score == (row.score_strict if extraction == "strict" else row.score_lenient)
    assert all(0 <= value <= 1 for value in row.metrics.values())
    again = scored(kind, target, target, labels=("a", "b"), metric=metric, extraction=extraction)
    assert again.score == again.score_strict == 1
