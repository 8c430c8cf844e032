import dataclasses

import pytest
from fake_model import FakeModel, make_rows, make_task

from baselines.answering import (
    answer_limits,
    answer_room,
    answer_with_model,
    answering_facts,
    fits_context,
    generate_with_model,
    task_instruction,
)
from baselines.local_model import LocalModel
from evals.example import Prompt
from evals.protocols import Generation, Limits, Retrieved
from tests.tiny_models import tiny_module, tiny_tokenizer

ROWS = make_rows(("good food", "positive"), ("bad food", "negative"), ("cold room", "negative"))


def words(text):
    return len(text.split())


def prompts_for(examples):
    return [Prompt("Do the task.", example.input) for example in examples]


def test_labels_are_listed_unless_the_instruction_names_each():
    assert task_instruction(make_task(ROWS)) == "Do the task.\nLabels: negative, positive"
    named = make_task(ROWS, instruction="Say positive or negative.")
    assert task_instruction(named) == "Say positive or negative."
    half = make_task(ROWS, instruction="Say positive or not.")
    assert task_instruction(half).endswith("\nLabels: negative, positive")


def test_a_label_inside_a_longer_word_is_not_named():
    rows = make_rows(("x", "art"), ("y", "c++"))
    listed = make_task(rows, instruction="Start with c++ or the like.")
    assert task_instruction(listed).endswith("\nLabels: art, c++")
    assert task_instruction(make_task(rows, instruction="art or c++?")) == "art or c++?"


def test_an_arms_sentence_stands_before_the_labels():
    assert task_instruction(make_task(ROWS), "Think.") == "Do the task. Think.\nLabels: negative, positive"
    assert task_instruction(make_task(ROWS, answer="text"), "Think.") == "Do the task. Think."


def test_limits_follow_the_longest_training_answer():
    rows = make_rows(("a", "one two three"), ("b", " ".join(["word"] * 100)))
    assert answer_limits(make_task(rows, answer="text"), words) == Limits(110)
    assert answer_limits(make_task(rows[:1], answer="text"), words) == Limits(7)


def test_the_cap_bounds_the_default_and_the_users_limit_wins():
    rows = make_rows(("a", " ".join(["word"] * 1000)))
    assert answer_limits(make_task(rows, answer="text"), words).max_new_tokens == 256
    capped = make_task(rows, answer="text", generate={"max_new_tokens_cap": 50})
    assert answer_limits(capped, words).max_new_tokens == 50
    own = make_task(rows, answer="text", generate={"max_new_tokens": 700, "max_new_tokens_cap": 50})
    assert answer_limits(own, words).max_new_tokens == 700


def test_of_many_answers_a_sample_with_the_longest_is_counted():
    rows = make_rows(*((f"q{n}", f"answer {n}") for n in range(5000)), ("last", "a b c d e f g h i j k l"))
    counted = []

    def count(text):
        counted.append(text)
        return words(text)

    assert answer_limits(make_task(rows, answer="text"), count).max_new_tokens == 16
    assert len(counted) == 2000
    first = list(counted)
    counted.clear()
    answer_limits(make_task(rows, answer="text"), count)
    assert counted == first


def test_training_answers_that_would_be_cut_are_told_with_the_setting_to_raise():
    rows = make_rows(*((f"q{n}", " ".join(["word"] * (40 if n < 3 else 20))) for n in range(8)))

    def facts(**settings):
        task = make_task(rows, answer="text", generate=settings)
        return answering_facts(FakeModel(), task, answer_limits(task, words))

    told = "3 of 8 training answers are longer than the 30 tokens an answer may have; raise generate."
    assert facts(max_new_tokens_cap=30) == {"answers_cut": told + "max_new_tokens_cap"}
    assert facts(max_new_tokens=30) == {"answers_cut": told + "max_new_tokens"}
    assert facts(max_new_tokens=40) == facts() == {}


def test_of_very_many_long_answers_a_sample_is_counted():
    rows = make_rows(*((f"q{n}", "word " * (20 if n % 4 else 40)) for n in range(6000)))
    counted = []
    model = FakeModel()
    model.count_tokens = lambda text: counted.append(text) or words(text)
    told = answering_facts(model, make_task(rows, answer="text"), Limits(30))["answers_cut"]
    assert len(counted) == 2000
    assert 1400 < int(told.removeprefix("about ").split()[0]) < 1600


def test_scoring_labels_with_their_end_is_told():
    model = LocalModel.from_module(tiny_module(), tiny_tokenizer(), name="tiny")
    nested = make_task(make_rows(("a", "1"), ("b", "10")))
    assert answering_facts(model, nested, Limits(5)) == {"label_end": "scored, since one label begins another"}
    assert answering_facts(model, make_task(ROWS), Limits(5)) == {}
    assert answering_facts(FakeModel(), nested, Limits(5)) == {}


def test_a_cut_answer_is_marked():
    model = FakeModel()
    model.generate = lambda prompts, limits: [Generation("", "x", 1, 5, 1.0, cut=n == 1) for n in range(len(prompts))]
    task = make_task(ROWS, answer="text")
    predictions = answer_with_model(model, task, ROWS, prompts_for(ROWS), Limits(5))
    assert [prediction.cut for prediction in predictions] == [False, True, False]


def test_label_tasks_choose_and_keep_both_choices():
    task, model = make_task(ROWS), FakeModel(lambda prompt: "negative")
    predictions = answer_with_model(model, task, ROWS, prompts_for(ROWS), Limits(5))
    assert [prediction.raw for prediction in predictions] == ["negative"] * 3
    assert [prediction.choice_by_mean for prediction in predictions] == ["positive"] * 3
    assert [prediction.id for prediction in predictions] == ["t0", "t1", "t2"]
    assert predictions[0].prompt == "Do the task.\n\nInput: good food\nOutput:"
    assert (predictions[0].prompt_tokens, predictions[0].completion_tokens) == (7, 1)
    assert model.limits == []


def test_other_tasks_generate_within_the_limits():
    task, model = make_task(ROWS, answer="text"), FakeModel(lambda prompt: prompt.input.upper())
    predictions = answer_with_model(model, task, ROWS, prompts_for(ROWS), Limits(5))
    assert [prediction.raw for prediction in predictions] == ["GOOD FOOD", "BAD FOOD", "COLD ROOM"]
    assert all(prediction.choice_by_mean is None and prediction.answer is None for prediction in predictions)
    assert model.limits == [Limits(5)]


@pytest.mark.parametrize("answer", ["label", "text"])
def test_a_rows_error_is_its_own(answer):
    task, model = make_task(ROWS, answer=answer), FakeModel(context=20)
    long = dataclasses.replace(ROWS[1], input="word " * 40)
    examples = [ROWS[0], long, ROWS[2]]
    predictions = answer_with_model(model, task, examples, prompts_for(examples), Limits(1))
    assert [prediction.error is None for prediction in predictions] == [True, False, True]
    assert "context is 20" in predictions[1].error
    assert (predictions[1].raw, predictions[1].choice_by_mean) == ("", None)


@pytest.mark.parametrize("answer", ["label", "text"])
def test_retrieved_passages_are_carried(answer):
    found = [(Retrieved(f"d{n}#0", f"d{n}", 0.5),) for n in range(3)]
    task = make_task(ROWS, answer=answer)
    predictions = answer_with_model(FakeModel(), task, ROWS, prompts_for(ROWS), Limits(5), found)
    assert [prediction.retrieved for prediction in predictions] == found
    with pytest.raises(ValueError, match="zip"):
        answer_with_model(FakeModel(), task, ROWS, prompts_for(ROWS), Limits(5), found[:2])


def test_the_answers_part_is_cut_out_but_not_of_an_error():
    model = FakeModel(lambda prompt: f"{prompt.input} => done", context=20)
    examples = [ROWS[0], dataclasses.replace(ROWS[1], input="word " * 40)]
    right, wrong = generate_with_model(
        model, examples, prompts_for(examples), Limits(5), answer_part=lambda text: text.partition("=> ")[2]
    )
    assert (right.raw, right.answer) == ("good food => done", "done")
    assert wrong.answer is None
    assert wrong.error is not None


def test_the_answer_has_its_room_in_the_context():
    rows = make_rows(("a", "very long label"), ("b", "short"))
    task, model = make_task(rows), FakeModel(context=10)
    assert answer_room(model, task, Limits(99)) == 3
    assert answer_room(model, make_task(rows, answer="text"), Limits(99)) == 99
    prompt = Prompt("Do it.", "x")  # five words and two special tokens leave three
    assert fits_context(model, prompt, 3)
    assert not fits_context(model, prompt, 4)
