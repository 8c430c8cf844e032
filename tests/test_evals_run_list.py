"""Runs under a folder, and the page that lists them."""

import json

import pytest

from evals.errors import RunError
from evals.results import write_results
from evals.run_list import list_runs
from tests.test_advisor_run import tuneworthy
from tests.test_evals_results import whole_run


@pytest.fixture
def runs(tmp_path):
    folder = tmp_path / "runs"
    (folder / "demo").mkdir(parents=True)
    for name in ("one", "demo/two"):
        whole_run(folder / name)
        write_results(folder / name)
    whole_run(folder / "begun")
    (folder / "broken").mkdir()
    (folder / "broken" / "run.json").write_text("{", encoding="utf-8")
    (folder / "notes").mkdir()
    return folder


def test_runs_are_found_below_and_damaged_ones_come_last_with_the_cause(runs):
    found = list_runs(runs)
    assert {run.name for run in found} == {"one", "demo/two", "begun", "broken"}
    by_name = {run.name: run for run in found}
    assert by_name["one"].results is not None
    assert "tuneworthy run --resume" in by_name["begun"].why
    assert "not JSON" in by_name["broken"].why
    assert found[-1].name == "broken"


def test_nothing_to_list_is_an_error(tmp_path):
    with pytest.raises(RunError, match=r"no folder there holds a run\.json; `tuneworthy run TASK` makes"):
        list_runs(tmp_path)
    with pytest.raises(RunError, match="there's no folder"):
        list_runs(tmp_path / "nowhere")


def test_the_command_lists_and_writes_a_page_with_links_that_lead_somewhere(runs, capsys):
    (runs / "one" / "report.html").write_text("<!doctype html>", encoding="utf-8")
    code, out, _ = tuneworthy(capsys, "index", runs)
    assert code == 0
    assert "4 runs" in out
    assert "no results: " in out
    page = (runs / "runs.html").read_text(encoding="utf-8")
    assert 'href="one/report.html"' in page
    assert 'href="demo/two/report.html"' not in page
    assert page.count("no report yet") == 1
    assert "tuneworthy run --resume" in page
    assert "not JSON" in page
    assert "<script" not in page
    code, out, _ = tuneworthy(capsys, "index", runs, "--json")
    assert code == 0
    told = {run["run"]: run for run in json.loads(out)}
    stored = json.loads((runs / "one" / "results.json").read_text(encoding="utf-8"))
    assert told["one"]["outcome"] == stored["verdict"]["outcome"]
    assert told["one"]["gain"] == stored["verdict"]["gain"]
    assert told["begun"]["outcome"] is None


def test_results_of_the_wrong_kind_are_one_line(runs, capsys):
    path = runs / "one" / "results.json"
    stored = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(stored | {"verdict": None}), encoding="utf-8")
    code, _, err = tuneworthy(capsys, "index", runs)
    assert code == 1
    assert err.count("\n") == 1
