import dataclasses
from collections import Counter

import pytest
from fake_model import FakeEmbedder, FakeModel, make_context, make_rows, make_task

from baselines.arms import ARMS
from baselines.prompt_arms import STEPS, after_answer
from evals.example import Shot

ROWS = make_rows(*((f"{label} thing number {n}", label) for label in ("cold", "warm", "wet") for n in range(10)))
ASKED = make_rows(("cold thing number 77", "cold"), ("wet thing number 88", "wet"), prefix="e")


def run(name, task, folder, examples=ASKED, model=None, embedder=None, seed=0):
    """Return the fit report, the predictions and the prompts asked."""
    model = model or FakeModel()
    arm = ARMS[name](make_context(task, folder, model=model, embedder=embedder, seed=seed))
    report = arm.fit(task.train, ())
    predictions = arm.answer(examples)
    return report, predictions, model.asked


@pytest.mark.parametrize("name", ["zero_shot", "few_shot", "few_shot_nearest"])
@pytest.mark.parametrize("answer", ["label", "text"])
def test_each_row_is_asked_in_order_with_the_tasks_instruction(tmp_path, name, answer):
    task = make_task(ROWS, answer=answer)
    _, predictions, asked = run(name, task, tmp_path)
    assert [prompt.input for prompt in asked] == [example.input for example in ASKED]
    wanted = "Do the task.\nLabels: cold, warm, wet" if answer == "label" else "Do the task."
    assert {prompt.instruction for prompt in asked} == {wanted}
    assert [prediction.id for prediction in predictions] == ["e0", "e1"]
    assert all(prediction.ms >= 1 for prediction in predictions)


def test_zero_shot_shows_nothing(tmp_path):
    _, predictions, asked = run("zero_shot", make_task(ROWS), tmp_path)
    assert all(prompt.shots == () and prompt.passages == () for prompt in asked)
    assert all(prediction.choice_by_mean == "wet" for prediction in predictions)


def test_few_shot_shows_the_same_balanced_shots_to_every_row(tmp_path):
    report, _, asked = run("few_shot", make_task(ROWS, few_shot={"k": 6}), tmp_path)
    assert asked[0].shots == asked[1].shots
    assert Counter(shot.output for shot in asked[0].shots) == {"cold": 2, "warm": 2, "wet": 2}
    assert report.facts == {"shots": 6, "shots asked for": 6, "selection": "balanced over the labels"}


def test_few_shot_depends_on_its_seed_alone(tmp_path):
    def shots(seed):
        _, _, asked = run("few_shot", make_task(ROWS), tmp_path, seed=seed)
        return asked[0].shots

    assert shots(1) == shots(1)
    assert len({shots(seed) for seed in range(4)}) == 4


def test_few_shot_shows_what_there_is(tmp_path):
    task = make_task(ROWS[:2], answer="text")
    report, _, asked = run("few_shot", task, tmp_path)
    assert set(asked[0].shots) == {Shot(row.input, row.target) for row in ROWS[:2]}
    assert report.facts["selection"] == "random"


@pytest.mark.parametrize("name", ["few_shot", "few_shot_nearest"])
def test_a_row_never_sees_itself(tmp_path, name):
    task = make_task(ROWS[:5], answer="text")
    asked_rows = [dataclasses.replace(row, input=f" {row.input.upper()}!") for row in ROWS[:5]]
    _, _, asked = run(name, task, tmp_path, examples=asked_rows)
    for row, prompt in zip(ROWS, asked, strict=False):
        assert len(prompt.shots) == 4
        assert row.input not in [shot.input for shot in prompt.shots]


def test_few_shot_leaves_room_for_a_long_row_and_its_answer(tmp_path):
    # A prompt of no shots is 7 + 6 words, a shot 7; two special tokens and one answer token are kept free.
    task = make_task(ROWS, few_shot={"k": 6})
    report, predictions, asked = run("few_shot", task, tmp_path, model=FakeModel(context=37))
    assert report.facts["shots"] == 3
    assert Counter(shot.output for shot in asked[0].shots) == {"cold": 1, "warm": 1, "wet": 1}
    assert all(prediction.error is None for prediction in predictions)


def test_few_shot_drops_more_shots_for_a_longer_row_only(tmp_path):
    task = make_task(ROWS, few_shot={"k": 6})
    long = dataclasses.replace(ASKED[1], input="wet " * 10)
    hopeless = dataclasses.replace(ASKED[1], id="e2", input="wet " * 50)
    examples = [ASKED[0], long, hopeless]
    _, predictions, asked = run("few_shot", task, tmp_path, examples=examples, model=FakeModel(context=37))
    assert [len(prompt.shots) for prompt in asked] == [3, 2, 0]
    assert set(asked[1].shots) < set(asked[0].shots)
    assert [prediction.error is None for prediction in predictions] == [True, True, False]


def test_nearest_shots_are_those_of_the_row_with_the_nearest_last(tmp_path):
    rows = make_rows(("one two three four", "x"), ("one two three zebra", "y"), ("quite other text", "z"))
    task = make_task(rows, answer="text", few_shot={"k": 2})
    report, predictions, asked = run(
        "few_shot_nearest", task, tmp_path, examples=make_rows(("one two three four five", "x"), prefix="e")
    )
    assert [shot.output for shot in asked[0].shots] == ["y", "x"]
    assert predictions[0].raw == "x"
    assert predictions[0].retrieved == ()
    assert report.facts["embedder"] == "fake"


def test_nearest_shots_leave_from_the_farthest(tmp_path):
    rows = make_rows(("one two three four", "x"), ("one two three zebra", "y"), ("quite other text", "z"))
    task = make_task(rows, answer="text", few_shot={"k": 3})
    asked_rows = make_rows(("one two three four five", "x"), prefix="e")
    # 3 + 7 words without shots, 7 more for each of the nearer ones; 5 for the answer, 2 special.
    _, _, asked = run("few_shot_nearest", task, tmp_path, examples=asked_rows, model=FakeModel(context=33))
    assert [shot.output for shot in asked[0].shots] == ["y", "x"]


def test_nearest_shots_show_a_repeated_row_once(tmp_path):
    rows = make_rows(*[("one two three", "x")] * 5, ("one two zebra", "y"))
    task = make_task(rows, answer="text", few_shot={"k": 3})
    _, _, asked = run("few_shot_nearest", task, tmp_path, examples=make_rows(("one two", "x"), prefix="e"))
    assert [shot.output for shot in asked[0].shots] == ["y", "x"]


def test_the_index_of_the_rows_serves_later_arms(tmp_path):
    task, first, second = make_task(ROWS), FakeEmbedder(), FakeEmbedder()
    run("few_shot_nearest", task, tmp_path, embedder=first)
    run("nearest", task, tmp_path, embedder=second)
    assert (first.embedded, second.embedded) == (32, 2)


@pytest.mark.parametrize("answer", ["label", "text"])
def test_step_by_step_generates_and_keeps_the_part_after_answer(tmp_path, answer):
    model = FakeModel(lambda prompt: f"It is a {prompt.input.split()[0]} thing.\nAnswer: {prompt.input.split()[0]}")
    report, predictions, asked = run("cot", make_task(ROWS, answer=answer), tmp_path, model=model)
    assert asked[0].instruction.startswith(f"Do the task. {STEPS}")
    assert asked[0].instruction.endswith("\nLabels: cold, warm, wet") is (answer == "label")
    assert predictions[0].raw == "It is a cold thing.\nAnswer: cold"
    assert [prediction.answer for prediction in predictions] == ["cold", "wet"]
    assert model.limits[0].max_new_tokens == report.facts["max_new_tokens"] == 261


@pytest.mark.parametrize("name", ["zero_shot", "few_shot", "cot"])
def test_an_arm_that_writes_says_which_training_answers_are_too_long(tmp_path, name):
    task = make_task(make_rows(("a", "word " * 40), ("b", "word")), answer="text", generate={"max_new_tokens_cap": 30})
    report, _, _ = run(name, task, tmp_path)
    assert report.facts["answers_cut"].startswith("1 of 2 training answers are longer than the 30 tokens")


def test_an_arm_that_chooses_says_when_it_scores_the_labels_end(tmp_path):
    model = FakeModel()
    model.labels_need_end = lambda labels: True
    for name, told in (("zero_shot", True), ("few_shot", True), ("cot", False)):
        report, _, _ = run(name, make_task(ROWS), tmp_path, model=model)
        assert ("label_end" in report.facts) is told


def test_step_by_step_leaves_half_of_a_small_context_to_the_prompt(tmp_path):
    model = FakeModel(context=100)
    run("cot", make_task(ROWS), tmp_path, model=model)
    assert model.limits[0].max_new_tokens == 50


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("no mark at all", "no mark at all"),
        ("Answer: one. No, Answer: two", "two"),
        ("so\n**Answer:** Paris", "Paris"),
        ("so\n**Answer**: Paris", "Paris"),
        ("so\n**Answer: Paris**", "Paris"),
        ('answer:\n{"a": 1,\n "b": 2}', '{"a": 1,\n "b": 2}'),
        ("The answers: many", "The answers: many"),
        ("Answer:", ""),
    ],
)
def test_the_answer_is_what_stands_after_the_last_mark(text, answer):
    assert after_answer(text) == answer
