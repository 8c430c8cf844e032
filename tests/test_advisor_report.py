"""``tuneworthy report``: its formats, where they go, and what is refused."""

import csv
import io
import json
import os
import subprocess

import pytest

from reports.csv_rows import COLUMNS, harmless
from tests.test_advisor_run import tuneworthy
from tests.test_evals_results import whole_run


@pytest.fixture
def run(tmp_path):
    whole_run(tmp_path / "run")
    return tmp_path / "run"


def test_markdown_goes_to_the_screen_alone(run, capsys):
    code, out, _ = tuneworthy(capsys, "report", run, "--format", "md")
    assert code == 0
    assert out.startswith("### ")
    assert "Report:" not in out


def test_csv_has_a_line_for_every_answer(run, capsys):
    code, out, _ = tuneworthy(capsys, "report", run, "--format", "csv")
    assert code == 0
    rows = list(csv.DictReader(io.StringIO(out)))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == 4 * 40
    assert {(row["arm"], row["seed"]) for row in rows} >= {("qlora", "0"), ("qlora", "1"), ("rag", "0")}
    assert sum(float(row["score"]) for row in rows if row["arm"] == "rag") == 24


@pytest.mark.parametrize("name", ["a.md", "a.csv", "a.json", "a.html"])
def test_out_takes_the_format_from_the_name(run, tmp_path, capsys, name):
    code, out, _ = tuneworthy(capsys, "report", run, "--out", tmp_path / name)
    assert code == 0
    assert f"Written: {tmp_path / name}" in out
    text = (tmp_path / name).read_text(encoding="utf-8")
    begins = {"a.md": "### ", "a.csv": "arm,seed,", "a.json": "{", "a.html": "<!doctype html>"}
    assert text.startswith(begins[name])
    if name == "a.json":
        assert json.loads(text) == json.loads((run / "results.json").read_text(encoding="utf-8"))
    if name == "a.html":
        assert text == (run / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--out", "a.xls"], "can't tell the format"),
        (["--format", "csv", "--json"], "ask for two things"),
        (["--format", "pdf"], "pdf"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_any_work(run, capsys, arguments, says):
    code, _, err = tuneworthy(capsys, "report", run, *arguments)
    assert code == 2
    assert says in err
    assert err.count("\n") == 1
    assert not (run / "results.json").exists()


def test_a_folder_that_is_not_there_is_one_line(run, tmp_path, capsys):
    code, _, err = tuneworthy(capsys, "report", run, "--out", tmp_path / "no" / "a.md")
    assert code == 2
    assert f"there's no folder {tmp_path / 'no'}; make it first" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("name", ["run.json", "cells/rag-0/predictions.jsonl", "../link.json"])
def test_nothing_of_the_run_is_written_over(run, tmp_path, capsys, name):
    (tmp_path / "link.json").symlink_to(run / "run.json")
    before = (run / name).read_bytes()
    code, _, err = tuneworthy(capsys, "report", run, "--format", "md", "--out", run / name)
    assert (code, err.count("\n")) == (2, 1)
    assert "that's a file of the run; name another one" in err
    assert (run / name).read_bytes() == before
    assert tuneworthy(capsys, "report", run, "--out", run / "report.md")[0] == 0  # beside the page is fine, twice too
    assert tuneworthy(capsys, "report", run, "--out", run / "report.md")[0] == 0


def test_what_is_no_file_of_its_own_is_written_through(run, tmp_path, capsys):
    (tmp_path / "real.md").write_text("old")
    (tmp_path / "link.md").symlink_to("real.md")
    assert tuneworthy(capsys, "report", run, "--out", tmp_path / "link.md")[0] == 0
    assert (tmp_path / "link.md").is_symlink()
    assert (tmp_path / "real.md").read_text(encoding="utf-8").startswith("### ")
    os.mkfifo(tmp_path / "pipe.md")
    with subprocess.Popen(["cat", tmp_path / "pipe.md"], stdout=subprocess.PIPE, text=True) as reader:
        assert tuneworthy(capsys, "report", run, "--out", tmp_path / "pipe.md")[0] == 0
        assert reader.stdout.read().startswith("### ")
    assert (tmp_path / "pipe.md").is_fifo()
    code, _, err = tuneworthy(capsys, "report", run, "--format", "md", "--out", tmp_path)
    assert (code, err.count("\n")) == (2, 1)
    assert "that's a folder" in err


def test_open_starts_the_browser_with_the_page(run, tmp_path, capsys, monkeypatch):
    opened = []
    monkeypatch.setattr("advisor.report_options.typer.launch", lambda url: opened.append(url) or 0)
    assert tuneworthy(capsys, "report", run, "--open")[0] == 0
    assert opened == [str((run / "report.html").resolve())]
    monkeypatch.setattr("advisor.report_options.typer.launch", lambda url: 3)
    code, _, err = tuneworthy(capsys, "report", run, "--open")
    assert code == 1
    assert "no browser could be started" in err


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_no_cell_is_a_formula(text):
    assert harmless(text) == f"'{text}"


def test_other_cells_stay_as_they_are():
    assert [harmless(value) for value in ("a=b", "", None, 0.5, -3)] == ["a=b", "", "", 0.5, -3]
    assert harmless("\ud800") == "?"
