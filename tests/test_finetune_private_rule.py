"""The rule that a model is taught to see whether it learns: it is in the rows, and in no single one of them."""

import random
from collections import defaultdict

from baselines.loading import load_model
from evals.protocols import Prediction
from finetune.private_rule import STATES, _measured, make_rows, make_rule, measure_learning, private_rule_task
from finetune.world_words import Words
from tests.tiny_models import save_tiny


def words(seed=0):
    return Words(random.Random(seed), held_out=True)


def test_the_rule_names_a_family_for_every_thing_and_needs_both_states():
    rule = make_rule(words())
    assert len(rule.codes) == 18
    assert len(set(rule.codes.values())) == 6
    thing = next(iter(rule.codes))
    answers = {states: rule.answer(thing, states) for states in ((0, 0), (0, 1), (1, 0), (1, 1))}
    assert len(set(answers.values())) == 3
    assert all(answer.startswith(f"{rule.codes[thing]}-") for answer in answers.values())
    assert (answers[0, 0] != answers[0, 1]) or (answers[1, 0] != answers[1, 1])
    assert (answers[0, 0] != answers[1, 0]) or (answers[0, 1] != answers[1, 1])


def test_what_decides_stands_in_the_text_and_the_code_does_not():
    made = words()
    rule = make_rule(made)
    for row in make_rows(made, rule, 200, "t"):
        thing = next(thing for thing in rule.codes if thing in row.input)
        states = tuple(next(state for state in (0, 1) if said[state] in row.input) for said in STATES)
        start, _, reference = row.target.rpartition("-")
        assert start == rule.answer(thing, states)
        assert reference in row.input
        assert rule.codes[thing] not in row.input


def test_no_row_has_the_answer_of_another():
    task = private_rule_task("builtin", 200, 0)
    assert not {row.target for row in task.train} & {row.target for row in task.eval}


class HalfRight:
    """Answers every other row right, and gives one row up."""

    name = "half_right"

    def __init__(self):
        self.fitted = None

    def fit(self, train, documents):
        self.fitted = len(train)

    def answer(self, examples):
        said = [row.target if index % 2 else "no" for index, row in enumerate(examples)]
        errors = ["too long" if index == 0 else None for index in range(len(examples))]
        return [Prediction(row.id, text, error=error) for row, text, error in zip(examples, said, errors, strict=True)]


def test_rows_that_fail_are_counted_and_not_scored():
    arm = HalfRight()
    found = _measured(arm, private_rule_task("builtin", 21, 0), 0.5, at_most=True)
    assert arm.fitted == 600
    assert (found.score, found.rows, found.errors, found.reached) == (0.5, 21, 1, True)


def test_every_thing_is_learnt_from_many_rows_and_eval_rows_are_others():
    task = private_rule_task("builtin", 50, 0)
    seen = defaultdict(set)
    for row in task.train:
        seen[row.target.rpartition("-")[0]].add(row.input)
    assert len(task.train) == 600
    assert min(len(inputs) for inputs in seen.values()) >= 8
    assert not {row.input for row in task.train} & {row.input for row in task.eval}
    assert private_rule_task("builtin", 50, 0) == task
    assert private_rule_task("builtin", 50, 1).train != task.train


def test_a_model_is_measured_before_and_after_and_left_as_it_was(tmp_path):
    folder = str(save_tiny(tmp_path / "tiny", context=256))
    model = load_model(folder)
    fingerprint = model.fingerprint
    before, after = measure_learning(folder, model, rows=4, train_rows=16)
    assert (before.name[:34], before.at_most, before.goal) == ("know a private rule before trainin", True, 0.5)
    assert (after.name, after.at_most, after.goal) == ("know it after LoRA on 16 rows", False, 0.9)
    assert before.reached
    assert not after.reached
    assert load_model(folder).fingerprint == fingerprint == model.fingerprint
