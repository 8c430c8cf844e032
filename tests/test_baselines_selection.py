import re
from dataclasses import replace

import pytest

from baselines.prompt_arms import FewShot, ZeroShot
from baselines.selection import MOST_ROWS, candidates, choose, held_out
from evals.errors import TaskError
from evals.example import Example
from evals.load import load_task
from evals.protocols import ArmContext, FitReport, Prediction
from tests.small_task import rows, write_jsonl, write_task

TRAIN = [Example(row["id"], row["input"], (row["target"],)) for row in rows(0, 80)]


@pytest.fixture
def task(tmp_path):
    folder = write_task(
        tmp_path / "task", extra="few_shot: {k: 1, try_k: [1, 2, 4]}\ninstructions: [Another wording.]\n"
    )
    write_jsonl(folder / "train.jsonl", rows(0, 80))
    return load_task(folder)


class Rated:
    """An arm that is right on a share of rows that its settings decide; it keeps what it was fitted with."""

    right_by_k = {1: 0.2, 2: 0.9, 4: 0.9}
    fitted: list[list[str]] = []

    def __init__(self, context):
        self.task = context.task

    def fit(self, train, documents):
        Rated.fitted.append([row.id for row in train])
        return FitReport()

    def answer(self, examples):
        k = self.task.settings.few_shot.k
        right = round(self.right_by_k[k] * len(examples))
        other = {"warm": "cold", "cold": "warm"}
        return [
            Prediction(row.id, row.target if n < right else other[row.target], prompt_tokens=10 * k)
            for n, row in enumerate(examples)
        ]


def context(task, tmp_path, seed=0):
    return ArmContext(task, seed, tmp_path, tmp_path, lambda: None, lambda: None)


def test_every_choice_is_a_candidate_where_the_arm_has_a_use_for_it(task):
    named = [one.name for one in candidates(task, shots=True, passages=False)]
    assert named == [f"instruction {number}, {k} shots" for number in (1, 2) for k in (1, 2, 4)]
    assert [one.name for one in candidates(task, shots=False, passages=True)] == ["instruction 1", "instruction 2"]
    for one in candidates(task, shots=True, passages=False):
        assert one.task.settings.few_shot.try_k is None
        assert one.task.settings.instructions is None


def test_the_best_on_held_out_rows_wins_and_of_equal_ones_the_cheaper(task, tmp_path):
    Rated.fitted = []
    options = candidates(task, shots=True, passages=False)
    chosen, facts = choose(Rated, context(task, tmp_path), options, TRAIN, [])
    assert chosen.settings.few_shot.k == 2
    assert facts["chosen"] == "instruction 1, 2 shots"
    assert re.search(
        r"20 rows held out of train: instruction 1, 1 shots 20.0%; instruction 1, 2 shots 90", facts["chosen by"]
    )
    kept, rest = held_out(TRAIN, 0)
    assert all(fitted == [row.id for row in rest] for fitted in Rated.fitted)
    assert not {row.id for row in kept} & {row.id for row in rest}


def test_eval_rows_have_no_say(task, tmp_path):
    flip = {"warm": "cold", "cold": "warm"}
    turned = replace(task, eval=tuple(replace(row, targets=(flip[row.target],)) for row in task.eval))
    found = []
    for one in (task, turned):
        options = candidates(one, shots=True, passages=False)
        found.append(choose(Rated, context(one, tmp_path), options, TRAIN, []))
    assert found[0][1] == found[1][1]
    assert found[0][0].settings == found[1][0].settings


def test_held_out_rows_are_seeded_and_few():
    assert held_out(TRAIN, 1) == held_out(TRAIN, 1)
    assert held_out(TRAIN, 1) != held_out(TRAIN, 2)
    many = [replace(TRAIN[0], id=f"m{n}") for n in range(1000)]
    assert len(held_out(many, 0)[0]) == MOST_ROWS
    assert held_out(TRAIN[:20], 0) == ([], TRAIN[:20])


def test_a_small_train_takes_the_first_setting(task, tmp_path):
    options = candidates(task, shots=True, passages=False)
    chosen, facts = choose(Rated, context(task, tmp_path), options, TRAIN[:12], [])
    assert chosen.settings.few_shot.k == 1
    assert "too small to choose by" in facts["chosen"]


def test_too_many_settings_are_refused(tmp_path):
    folder = write_task(tmp_path / "task", extra="few_shot: {try_k: [1, 2, 3, 4, 5, 6, 7]}\ninstructions: [Another.]\n")
    with pytest.raises(TaskError, match="an arm would try 14 settings"):
        load_task(folder)


def test_the_arms_choose_by_themselves(task, tmp_path):
    from advisor.engine import lazy_embedder, lazy_model

    real = ArmContext(task, 0, tmp_path, tmp_path, lazy_model("builtin"), lambda: lazy_embedder("builtin")())
    few, zero = FewShot(real), ZeroShot(real)
    report = few.fit(task.train, ())
    assert report.facts["chosen"].startswith("instruction ")
    assert few.task.settings.few_shot.k in (1, 2, 4)
    assert report.facts["shots asked for"] == few.task.settings.few_shot.k
    assert zero.fit(task.train, ()).facts["chosen"] in ("instruction 1", "instruction 2")
    assert len(few.answer(task.eval[:3])) == 3
