import dataclasses
import json
import random
import re
from dataclasses import replace

import pytest
from fake_model import FakeModel, make_context, make_rows, make_task
from hypothesis import given
from hypothesis import strategies as st

from baselines.arms import ARMS
from baselines.prompt_arms import FewShot, ZeroShot
from baselines.selection import MOST_ROWS, candidates, choose, held_out
from evals.errors import TaskError
from evals.example import Document, Example
from evals.load import load_task
from evals.protocols import ArmContext, FitReport, Prediction
from evals.selection import Trial, best_trial
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
    choice = choose(Rated, context(task, tmp_path), options, TRAIN, [])
    assert choice.task.settings.few_shot.k == 2
    assert choice.facts["chosen"] == "instruction 1, 2 shots"
    assert re.search(
        r"20 rows held out of train: instruction 1, 1 shots 20.0%; instruction 1, 2 shots 90", choice.facts["chosen by"]
    )
    kept, rest = held_out(TRAIN, 0, by_label=True)
    assert choice.selection.validation_ids == tuple(row.id for row in kept)
    assert not set(choice.selection.validation_ids) & {row.id for row in task.eval}
    assert all(fitted == [row.id for row in rest] for fitted in Rated.fitted)
    assert not {row.id for row in kept} & {row.id for row in rest}


def test_eval_rows_have_no_say(task, tmp_path):
    flip = {"warm": "cold", "cold": "warm"}
    turned = replace(task, eval=tuple(replace(row, targets=(flip[row.target],)) for row in task.eval))
    found = []
    for one in (task, turned):
        options = candidates(one, shots=True, passages=False)
        found.append(choose(Rated, context(one, tmp_path), options, TRAIN, []))
    assert (found[0].selection, found[0].facts) == (found[1].selection, found[1].facts)
    assert found[0].task.settings == found[1].task.settings


def test_no_candidate_is_given_an_eval_row(task, tmp_path):
    seen = []

    class Looking(Rated):
        def __init__(self, context):
            super().__init__(context)
            seen.append(context.task.eval)

    choice = choose(Looking, context(task, tmp_path), candidates(task, shots=True, passages=False), TRAIN, [])
    assert seen == [()] * 6
    assert choice.task.eval == task.eval


def test_held_out_rows_are_seeded_and_few():
    assert held_out(TRAIN, 1) == held_out(TRAIN, 1)
    assert held_out(TRAIN, 1) != held_out(TRAIN, 2)
    many = [replace(TRAIN[0], id=f"m{n}", input=f"text {n}") for n in range(1000)]
    assert len(held_out(many, 0)[0]) == MOST_ROWS
    assert held_out(TRAIN[:20], 0) == ([], TRAIN[:20])


def test_a_small_train_takes_the_first_setting(task, tmp_path):
    options = candidates(task, shots=True, passages=False)
    choice = choose(Rated, context(task, tmp_path), options, TRAIN[:12], [])
    assert choice.task.settings.few_shot.k == 1
    assert "too small to choose by" in choice.facts["chosen"]
    assert choice.selection is None


@given(st.integers(32, 400), st.none() | st.integers(1, 30), st.integers(0, 99))
def test_held_out_rows_share_no_group_and_no_input_with_the_rest(number, groups, seed):
    draw = random.Random(seed)
    train = [
        Example(f"t{n}", f"text {draw.randrange(number)}", (draw.choice("abc"),), group=groups and str(n % groups))
        for n in range(number)
    ]
    kept, rest = held_out(train, seed, by_label=True)
    assert {row.id for row in kept} | {row.id for row in rest} <= {row.id for row in train}
    assert not {row.id for row in kept} & {row.id for row in rest}
    assert len(kept) <= MOST_ROWS
    assert not {row.input for row in kept} & {row.input for row in rest}
    assert not {row.group for row in kept if row.group} & {row.group for row in rest if row.group}


def test_held_out_rows_keep_the_mix_of_labels():
    train = [Example(f"t{n}", f"text {n}", ("rare" if n < 8 else "common",)) for n in range(64)]
    assert {sum(row.target == "rare" for row in held_out(train, seed, by_label=True)[0]) for seed in range(8)} == {2}


def trial(score, tokens=10.0):
    return Trial("", score, 0, tokens)


@pytest.mark.parametrize(
    ("trials", "best"),
    [
        ([trial(0.5), trial(0.7), trial(0.6)], 1),
        ([trial(0.7, 20), trial(0.7, 5), trial(0.7, 9)], 1),
        ([trial(0.7), trial(0.7)], 0),
        ([trial(None, 1), trial(0.0, 9)], 1),
    ],
)
def test_the_best_score_wins_then_the_cheapest_then_the_first(trials, best):
    assert best_trial(trials) == best


PARITY = make_rows(*((f"text number {n}", ("yes", "no")[n % 2]) for n in range(64)))


def right_when(holds):
    """Return a rule that answers rows "… number n" rightly where the prompt ``holds``, else wrongly."""
    return lambda prompt: ("yes", "no")[(int(prompt.input.split()[-1]) + (not holds(prompt))) % 2]


def fitted(name, folder, holds, *, train=PARITY, context=10_000, **file):
    """Return a real arm on a fake model, its report and the model."""
    model = FakeModel(right_when(holds), context)
    arm = ARMS[name](make_context(make_task(train, **file), folder, model=model))
    return arm, arm.fit(train, file.get("documents", ())), model


def test_a_setting_on_which_most_rows_fail_is_not_chosen(tmp_path):
    # Seven rows of eight are too long for the second wording, and it's right on the others.
    train = make_rows(*((("" if n % 8 == 0 else "w " * 30) + f"number {n}", ("yes", "no")[n % 2]) for n in range(64)))
    long = "word " * 40
    _, report, _ = fitted(
        "zero_shot", tmp_path, lambda p: p.instruction.startswith("word"), train=train, context=62, instructions=[long]
    )
    first, second = report.selection.tried
    assert (first.score, first.errors, second.score) == (0.0, 0, None)
    assert 0 < second.errors < 16
    assert report.facts["chosen"] == "instruction 1"
    assert f"instruction 2 failed on {second.errors} rows" in report.facts["chosen by"]


def test_rag_shots_choose_their_number_unless_rag_gives_it(tmp_path):
    few = {"k": 8, "try_k": [3, 5]}
    arm, report, model = fitted("rag_shots", tmp_path, lambda p: len(p.shots) == 5, few_shot=few)
    assert report.facts["chosen"] == "5 shots"
    model.asked.clear()
    arm.answer(PARITY[:1])
    assert len(model.asked[0].shots) == 5
    assert fitted("rag_shots", tmp_path, lambda p: True, few_shot=few, rag={"shots": 2})[1].selection is None
    told = ARMS["rag_shots"].unfit(make_task(PARITY, few_shot={"try_k": [1, 2, 3, 4]}, rag={"try_k": [1, 2, 3, 4]}))
    assert told.startswith("it would try 16 settings")


def test_sizes_of_passages_are_a_choice_where_there_are_documents(tmp_path):
    text = "Text number {} says one thing. It says another thing too."
    documents = tuple(Document(f"d{n}", "", text.format(n)) for n in range(9))
    rag = {"k": 1, "chunk_tokens": 40, "try_chunk_tokens": [8, 40], "overlap_tokens": 0}
    long = lambda p: len(p.passages[0].text.split()) > 8  # noqa: E731
    _, report, _ = fitted("rag", tmp_path, long, documents=documents, rag=rag)
    assert report.facts["chosen"] == "40 tokens a passage"
    assert fitted("rag", tmp_path, long, rag=rag)[1].selection is None


def test_shots_come_from_the_rest_while_choosing_and_from_all_of_train_afterwards(tmp_path):
    arm, report, model = fitted("few_shot", tmp_path, lambda p: len(p.shots) > 5, few_shot={"try_k": [2, 64]})
    kept = {row.input for row in PARITY if row.id in report.selection.validation_ids}
    assert {prompt.input for prompt in model.asked} == kept
    assert not kept & {shot.input for prompt in model.asked for shot in prompt.shots}
    model.asked.clear()
    arm.answer(make_rows(("asked number 1", "no"), prefix="e"))
    assert {shot.input for shot in model.asked[0].shots} == {row.input for row in PARITY}


def test_a_resumed_cell_takes_its_choice_over(tmp_path):
    _, report, _ = fitted("few_shot", tmp_path, lambda p: len(p.shots) == 4, few_shot={"try_k": [1, 4]})
    (tmp_path / "cell").mkdir()
    (tmp_path / "cell/fit.json").write_text(json.dumps({"schema": 1} | dataclasses.asdict(report)))
    _, again, model = fitted("few_shot", tmp_path, lambda p: True, few_shot={"try_k": [1, 4]})
    assert (again.selection, model.asked) == (report.selection, [])
    _, other, model = fitted("few_shot", tmp_path, lambda p: True, few_shot={"try_k": [1, 5]})
    assert [trial.name for trial in other.selection.tried] == ["1 shots", "5 shots"]


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
