"""run.json, cells and files: what is written is read back, and what can't be read is refused in one line."""

import dataclasses
import json
import os

import pytest

from evals.cell import CellCost, CellFolder
from evals.errors import RunError
from evals.files import write_json, write_text
from evals.protocols import FitReport, LossPoint, Retrieved, TrainingPlan
from evals.record import ModelRecord, PlannedArm, RunRecord, SkippedArm, read_record
from evals.scored import ScoredPrediction

RECORD = RunRecord(
    task_file="/data/task.yaml",
    task_name="t",
    task={"instruction": "Say it.", "answer": "label", "data": {"train": "t.jsonl"}},
    labels=("a", "b"),
    metric="accuracy",
    train_rows=3,
    documents=0,
    eval_ids=("1", "2"),
    hashes={"train": "00"},
    arms=(PlannedArm("qlora", "tune", (0, 1)),),
    skipped=(SkippedArm("logistic", "classic", "no labels"),),
    model=ModelRecord("builtin", "ff", 1024),
    embedder=None,
    adapter=None,
    limit=None,
    drop_overlap=False,
    notes=("a note",),
    versions={"python": "3.11"},
    machine={"cores": "2"},
    command="tuneworthy run t",
    created="2026-01-01T00:00:00+00:00",
)


def test_a_record_is_read_back_as_written(tmp_path):
    RECORD.write(tmp_path)
    assert read_record(tmp_path) == RECORD


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "is damaged: it's not JSON"),
        ("[]", "has schema None; .*; start a new run, or put back the file as it was"),
        ('{"schema": 99}', "has schema 99; this version of tuneworthy reads 1; update tuneworthy"),
        ('{"schema": 1}', "is damaged: adapter is missing"),
        ("[" * 100_000, "is damaged: it's not JSON"),
    ],
)
def test_a_record_that_this_version_does_not_know_is_refused(tmp_path, content, says):
    (tmp_path / "run.json").write_text(content)
    with pytest.raises(RunError, match=says):
        read_record(tmp_path)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"task": None}, "task: input should be"),
        ({"task": {"instruction": "x"}}, "task.data: "),
        ({"task": RECORD.task | {"answer": "foo"}}, "task.answer: "),
        ({"task": RECORD.task | {"seeds": "foo"}}, "task.seeds: "),
        ({"metric": "bleu"}, "metric: "),
        ({"metric": "rouge_l"}, "the metric rouge_l doesn't fit task.answer: label"),
        ({"hashes": None}, "hashes: "),
        ({"versions": None}, "versions: "),
        ({"task_file": None}, "task_file: "),
        ({"eval_ids": []}, "eval_ids: "),
        ({"eval_ids": "12"}, "eval_ids: "),
        ({"train_rows": "3"}, "train_rows: "),
        ({"model": {"name": "x"}}, "model.fingerprint: "),
        ({"arms": [{"name": "a", "family": "tune", "seeds": "foo"}]}, "arms.0.seeds: "),
        ({"arms": [{"name": "a", "family": "tune", "seeds": []}]}, "arms.0.seeds: "),
        ({"arms": [{"name": "a", "family": "zoo", "seeds": [0]}]}, "arms.0.family: "),
        ({"arms": [{"name": "../../x", "family": "tune", "seeds": [0]}]}, "arms.0.name: "),
        ({"arms": [{"name": "a..b", "family": "tune", "seeds": [0]}]}, "arms.0.name: "),
        ({"arms": [{"name": "..", "family": "tune", "seeds": [0]}]}, "arms.0.name: "),
        ({"arms": [{"name": "a\n", "family": "tune", "seeds": [0]}]}, "arms.0.name: "),
        ({"arms": ["a"]}, "arms.0: "),
        ({"more": 1}, "more is no field"),
    ],
)
def test_a_damaged_record_is_one_line_that_names_the_field(tmp_path, changes, says):
    RECORD.write(tmp_path)
    path = tmp_path / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    with pytest.raises(RunError) as caught:
        read_record(tmp_path)
    assert str(caught.value).startswith(f"{path} is damaged: {says}")
    assert "start a new run" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_record_gives_its_settings():
    assert RECORD.settings().answer == "label"
    assert RECORD.settings().seeds == 1


def test_a_folder_without_a_record_is_not_a_run(tmp_path):
    with pytest.raises(RunError, match="not a run folder"):
        read_record(tmp_path)


def row(**changes):
    values = {
        "id": "1",
        "input": "in \u2028 put",
        "targets": ("a", "b"),
        "prompt": "p\n",
        "raw": "a",
        "extracted": "a",
        "score": 1.0,
        "score_lenient": 1.0,
        "score_strict": 0.0,
        "metrics": {"accuracy": 1.0},
        "retrieved": (Retrieved("d#0", "d", 0.5),),
    }
    return ScoredPrediction(**(values | changes))


def test_a_prediction_line_is_one_line_and_read_back(tmp_path):
    line = row().to_line()
    assert "\n" not in line
    assert json.loads(line)["target"] == "a"
    assert ScoredPrediction.from_line(line) == row()


def test_half_a_surrogate_pair_is_written_as_a_question_mark():
    assert ScoredPrediction.from_line(row(raw="a\ud83d").to_line()).raw == "a?"


@pytest.mark.parametrize("line", ["", "null", "{}", "[1]", '{"id": "1"}', "[" * 100_000])
def test_a_line_that_is_no_prediction_is_an_error(line):
    with pytest.raises(RunError, match="not a prediction line"):
        ScoredPrediction.from_line(line)


@pytest.mark.parametrize(
    "changes",
    [{"score": "foo"}, {"score": 1.5}, {"targets": []}, {"metrics": None}, {"ms": None}, {"retrieved": [{"id": "d"}]}],
)
def test_a_line_with_a_wrong_value_is_an_error_that_names_it(changes):
    (name,) = changes
    with pytest.raises(RunError, match=rf"not a prediction line: .*\({name}"):
        ScoredPrediction.from_line(json.dumps(json.loads(row().to_line()) | changes))


def test_a_line_that_says_nothing_of_cut_answers_is_read():
    record = json.loads(row(cut=True).to_line())
    assert ScoredPrediction.from_line(json.dumps(record)).cut
    del record["cut"]
    assert not ScoredPrediction.from_line(json.dumps(record)).cut


def test_a_line_of_an_older_version_says_nothing_of_training_answers():
    record = json.loads(row(in_train=True).to_line())
    assert ScoredPrediction.from_line(json.dumps(record)).in_train is True
    del record["in_train"]
    assert ScoredPrediction.from_line(json.dumps(record)).in_train is None


def test_a_fit_of_an_older_version_is_read(tmp_path):
    folder = CellFolder(tmp_path, "qlora", "tune", 1)
    plan = TrainingPlan(8, 1.0, 1, 0.0, 3.0, None, 2, 2)
    fit = FitReport(seconds=1.0, losses=(LossPoint(1, 0.5, 2.0, 1.0, 0.5),), plan=plan)
    folder.keep([])
    folder.write_fit(fit)
    assert folder.read().fit == fit
    record = json.loads((folder.folder / "fit.json").read_text())
    del record["plan"], record["losses"][0]["score"]
    (folder.folder / "fit.json").write_text(json.dumps(record))
    assert folder.read().fit == FitReport(seconds=1.0, losses=(LossPoint(1, 0.5, 2.0, 1.0),))


def test_a_cell_is_read_back_as_written(tmp_path):
    folder = CellFolder(tmp_path, "qlora", "tune", 1)
    assert folder.read().predictions == ()
    fit = FitReport(seconds=1.0, losses=(LossPoint(1, 0.5, 2.0, None),), facts={"rank": 16})
    cost = CellCost(1.0, 2.0, 3, 4, 5, 6.0)
    folder.keep([row()])
    folder.append([row(id="2", error="too long", score=None)])
    folder.write_fit(fit)
    assert not folder.read().done
    folder.finish(cost)
    cell = folder.read()
    assert (cell.done, cell.fit, cell.cost) == (True, fit, cost)
    assert [prediction.id for prediction in cell.predictions] == ["1", "2"]


def test_a_damaged_line_in_the_middle_names_file_and_line(tmp_path):
    folder = CellFolder(tmp_path, "rag", "rag", 0)
    folder.keep([row()])
    with folder.predictions.open("a") as file:
        file.write("garbage\n" + row(id="3").to_line() + "\n")
    with pytest.raises(RunError, match=r"predictions.jsonl:2: "):
        folder.read()


def test_a_cell_from_before_requests_were_timed_alone_is_read(tmp_path):
    folder = CellFolder(tmp_path, "rag", "rag", 0)
    folder.keep([row()])
    counts = '"train_tokens": 0, "prompt_tokens": 9, "completion_tokens": 1'
    old = '{"schema": 1, "fit_seconds": 1.0, "answer_seconds": 2.0, %s, "peak_memory_mb": 50.0%s}'
    (folder.folder / "cost.json").write_text(old % (counts, ""))
    cost = folder.read().cost
    assert (cost.latency, cost.latency_problem, cost.artefact_mb) == (None, None, None)
    times = '"cold_ms_p50": 2.0, "cold_ms_p95": 3.0, "warm_ms_p50": 1.0, "warm_ms_p95": 1.5'
    (folder.folder / "cost.json").write_text(old % (counts, f', "latency": {{"rows": 4, {times}}}'))
    assert (folder.read().cost.latency.rows, folder.read().cost.latency.ids) == (4, ())


def test_a_cell_of_a_newer_schema_is_refused(tmp_path):
    folder = CellFolder(tmp_path, "rag", "rag", 0)
    folder.keep([])
    (folder.folder / "cost.json").write_text('{"schema": 2}')
    with pytest.raises(RunError, match="schema"):
        folder.read()


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("cost", {}, "answer_seconds is missing"),
        ("cost", dataclasses.asdict(CellCost(1.0, 2.0, 3, 4, 5, 6.0)) | {"fit_seconds": "long"}, "fit_seconds: "),
        ("cost", dataclasses.asdict(CellCost(1.0, 2.0, 3, 4, 5, 6.0)) | {"more": 1}, "more is no field"),
        ("fit", {}, "best_step is missing"),
        ("fit", dataclasses.asdict(FitReport()) | {"losses": [{"step": 1}]}, "losses.0.epoch: "),
        ("fit", dataclasses.asdict(FitReport()) | {"more": 1}, "more is no field"),
        ("failure", {}, "cause is missing"),
        ("failure", {"cause": None, "trace": None}, "cause: "),
    ],
)
def test_a_damaged_file_of_a_cell_is_one_line_that_says_what_to_do(tmp_path, name, content, says):
    folder = CellFolder(tmp_path, "rag", "rag", 0)
    folder.keep([])
    path = folder.folder / f"{name}.json"
    path.write_text(json.dumps({"schema": 1} | content))
    with pytest.raises(RunError) as caught:
        folder.read()
    assert str(caught.value).startswith(f"{path} is damaged: {says}")
    assert str(caught.value).endswith("; delete it to redo this step")
    assert "\n" not in str(caught.value)


def test_a_file_of_a_cell_that_the_system_does_not_give_is_not_to_be_deleted(tmp_path):
    folder = CellFolder(tmp_path, "echo", "prompt", 0)
    (folder.folder / "fit.json").mkdir(parents=True)
    with pytest.raises(RunError, match=r"fit.json can't be read: Is a directory$"):
        folder.read()


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path, monkeypatch):
    target = tmp_path / "results.json"
    write_text(target, "old")
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="No space left"):
        write_text(target, "new")
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_json_without_a_number_for_nan_is_refused(tmp_path):
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(tmp_path / "x.json", {"score": float("nan")})
    assert list(tmp_path.iterdir()) == []
