"""``tuneworthy run --curve`` on a small task, with arms that cost next to nothing."""

import json
from dataclasses import replace

import pytest

from evals.results import build_results
from evals.watch import Silent
from tests.small_task import rows, write_jsonl, write_task
from tests.test_advisor_run import tuneworthy


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    base = tmp_path_factory.mktemp("curve")
    task = write_task(base / "task", extra="few_shot: {k: 2}\n")
    return task, base / "run"


def test_a_curve_is_run_shown_and_resumed(finished, capsys):
    task, out = finished
    arms = "logistic,zero_shot,few_shot"
    code, shown, _ = tuneworthy(capsys, "run", task, "--arms", arms, "--seeds", 2, "--curve", "--out", out)
    assert code == 0
    cells = {cell.name for cell in (out / "cells").iterdir()}
    # 24 training rows: a half is 12; an eighth and a quarter are too few to learn from
    assert {
        "logistic-0",
        "logistic-0-labels12",
        "few_shot-0-shots1",
        "few_shot-1-shots4",
        "few_shot-1-shots16",
    } <= cells
    results = json.loads((out / "results.json").read_text())
    labels, shots = results["curve"]
    assert [point["value"] for point in labels["points"]] == [12, 24]
    assert labels["reason"] == "fewer than 3 training sizes were completed"
    assert [point["value"] for point in shots["points"]] == [0, 1, 2, 4, 8, 16]
    assert shots["own"] == 2
    assert {arm["name"] for arm in results["arms"]} == set(arms.split(","))
    assert "can't be told" in " ".join(shown.split())
    page = (out / "report.html").read_text()
    assert "logistic</bdi> by training rows" in page
    before = {name: (out / "cells" / name / "cost.json").stat().st_mtime_ns for name in cells}
    (out / "cells" / "few_shot-0-shots1" / "cost.json").unlink()
    assert tuneworthy(capsys, "run", "--resume", out)[0] == 0
    after = {name: (out / "cells" / name / "cost.json").stat().st_mtime_ns for name in cells}
    assert {name for name in cells if before[name] != after[name]} == {"few_shot-0-shots1"}


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["--curve-axes", "lables"], "lables is no curve; give labels, shots or passages"),
        (["--curve-axes", "passages"], "no arm of this run has a curve on passages"),
    ],
)
def test_a_curve_that_cannot_be_drawn(finished, tmp_path, capsys, arguments, what):
    task, _ = finished
    out = tmp_path / "run"
    code, _, err = tuneworthy(capsys, "run", task, "--arms", "majority", *arguments, "--out", out)
    assert (code, err.count("\n"), out.exists()) == (2, 1, False)
    assert what in err


def test_a_run_without_a_curve_says_how_to_have_one(finished, tmp_path, capsys):
    task, _ = finished
    assert tuneworthy(capsys, "run", task, "--arms", "majority", "--out", tmp_path / "run")[0] == 0
    assert json.loads((tmp_path / "run" / "results.json").read_text())["curve"] is None
    assert "<code>tuneworthy run TASK --curve</code>" in (tmp_path / "run" / "report.html").read_text()


class Stopper(Silent):
    """Stops the run, as Ctrl-C does, when cell number ``at`` (from 1) begins; keeps the names of those that began."""

    def __init__(self, at=10**9):
        self.at, self.begun = at, []

    def cell_started(self, cell, position, cells):
        if position >= self.at:
            raise KeyboardInterrupt
        self.begun.append(cell)


def test_a_run_stopped_between_any_two_cells_goes_on_with_the_next(tmp_path, capsys):
    from advisor.run_command import RunRequest, execute_run, prepare_run, reopen_run

    task = write_task(tmp_path / "task")
    write_jsonl(task / "train.jsonl", rows(0, 64))
    request = RunRequest(task, {"seeds": 2}, ["logistic", "nearest"], out=tmp_path / "run", curve=("labels",))
    prepared = prepare_run(request, ["run"])
    done = []
    for at in range(2, 15):
        watcher = Stopper(at)
        with pytest.raises(KeyboardInterrupt):
            execute_run(prepared, watcher)
        done += watcher.begun
        prepared = reopen_run(tmp_path / "run")
    last = Stopper()
    results = execute_run(prepared, last)
    done += last.begun
    sizes = (8, 16, 32)
    parts = [f"{arm}-{seed} {size} labels" for arm in ("logistic", "nearest") for size in sizes for seed in (0, 1)]
    assert sorted(done) == sorted(["logistic", "nearest", *parts])
    whole = execute_run(prepare_run(replace(request, out=tmp_path / "whole"), ["run"]), Silent())
    assert results["curve"] == whole["curve"]
    assert [point["value"] for point in results["curve"][0]["points"]] == [8, 16, 32, 64]


def test_a_run_of_an_older_version_is_read(finished, tmp_path, capsys):
    task, _ = finished
    out = tmp_path / "run"
    assert tuneworthy(capsys, "run", task, "--arms", "majority,logistic", "--out", out)[0] == 0
    record = json.loads((out / "run.json").read_text())
    del record["curve"], record["task"]["forgetting"], record["leaks"]
    (out / "run.json").write_text(json.dumps(record))
    results = build_results(out)
    assert (results["curve"], results["forgetting"]) == (None, None)
    assert tuneworthy(capsys, "run", "--resume", out)[0] == 0
    assert tuneworthy(capsys, "report", out)[0] == 0
