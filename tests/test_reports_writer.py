import dataclasses
import json

import pytest

from evals.cell import CellCost, CellFolder
from evals.errors import RunError
from evals.protocols import FitReport
from evals.record import ModelRecord, PlannedArm, RunRecord, SkippedArm
from evals.results import write_results
from evals.task_file import TaskFile
from reports.writer import read_predictions, write_report
from tests.report_fixtures import ARMS, TEAMS, make_run


@pytest.fixture
def run(tmp_path):
    """A run folder of three arms on twelve rows, one of them failed, as the runner leaves it."""
    results, predictions = make_run((ARMS[1], ARMS[4], ARMS[6]), rows=12)
    seeds = {"nearest": (0,), "few_shot": (3, 4), "qlora": (0,)}
    families = {"nearest": "classic", "few_shot": "prompt", "qlora": "tune"}
    settings = TaskFile(instruction="Route it.", answer="label", data={"train": "train.jsonl"}, seeds=2)
    RunRecord(
        task_file=str(tmp_path / "task.yaml"),
        task_name="ticket-coding",
        task=settings.model_dump(mode="json"),
        labels=TEAMS,
        metric="accuracy",
        train_rows=600,
        documents=0,
        eval_ids=tuple(row.id for row in predictions["nearest"]),
        hashes={"train": "ab" * 32},
        arms=tuple(PlannedArm(arm, families[arm], seeds[arm]) for arm in seeds),
        skipped=(SkippedArm("rag", "rag", "the task has no documents"),),
        model=ModelRecord("builtin", "c0ffee", 1024),
        embedder=None,
        adapter=None,
        limit=None,
        drop_overlap=False,
        notes=(),
        versions={"python": "3.11"},
        machine={"cpu": "2 cores"},
        command="tuneworthy run ticket-coding",
        created="2026-01-05T09:30:00+00:00",
    ).write(tmp_path)
    for arm, rows in predictions.items():
        for seed in seeds[arm]:
            cell = CellFolder(tmp_path, arm, families[arm], seed)
            cell.keep([dataclasses.replace(row, raw=f"{row.raw} [{seed}]") for row in reversed(rows)])
            if arm == "qlora":
                cell.fail("the adapter's weights became infinite")
            else:
                cell.write_fit(FitReport(seconds=1.5, train_rows=600))
                cell.finish(CellCost(1.5, 0.4, 0, 800, 36, 512.0))
    write_results(tmp_path)
    return tmp_path


def test_a_report_is_written_from_the_run_folder_alone(run):
    path = write_report(run)
    html = path.read_text(encoding="utf-8")
    assert path == run / "report.html"
    assert "the adapter&#39;s weights became infinite" in html
    assert "the task has no documents" in html
    assert html == write_report(run).read_text(encoding="utf-8")


def test_rows_are_those_of_the_first_seed_in_the_order_of_the_eval_rows(run):
    predictions = read_predictions(run)
    assert list(predictions) == ["nearest", "few_shot", "qlora"]
    assert [row.id for row in predictions["few_shot"]] == [f"t{number:05}" for number in range(12)]
    assert all(row.raw.endswith("[3]") for row in predictions["few_shot"])


def test_given_results_are_shown_instead_of_those_in_the_folder(run):
    results = json.loads((run / "results.json").read_text(encoding="utf-8"))
    results["task"]["name"] = "another-name"
    assert "another-name" in write_report(run, results).read_text(encoding="utf-8")


@pytest.mark.parametrize("damage", ["verdict", "arms", "settings", "per_label"])
def test_damaged_results_are_one_clear_line_and_leave_the_old_page(run, damage):
    write_report(run)
    before = (run / "report.html").read_bytes()
    results = json.loads((run / "results.json").read_text(encoding="utf-8"))
    del results[damage]
    (run / "results.json").write_text(json.dumps(results), encoding="utf-8")
    with pytest.raises(RunError, match=r"results\.json can't be shown.*tuneworthy report") as caught:
        write_report(run)
    assert "\n" not in str(caught.value)
    assert (run / "report.html").read_bytes() == before


def test_a_run_without_results_says_how_to_make_them(run):
    (run / "results.json").unlink()
    with pytest.raises(RunError, match="tuneworthy run --resume"):
        write_report(run)


def test_nothing_half_written_is_left_behind(run):
    write_report(run)
    assert not [path.name for path in run.iterdir() if path.name.startswith(".")]
