"""The cache as a user meets it: the second run is answered from it, reports no time of it, and can do without."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from evals.cache_folder import cache_place
from evals.errors import UsageError
from tests.killed_run import without_times
from tests.small_task import write_task
from tests.test_advisor_run import tuneworthy
from tests.tiny_models import save_tiny

ARMS = ("--arms", "majority,zero_shot")


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Return the cache's folder, which isn't there yet."""
    monkeypatch.setenv("TUNEWORTHY_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return save_tiny(tmp_path_factory.mktemp("model"))


@pytest.fixture
def run(tmp_path, capsys, model):
    """Return a function that runs the small task with a tiny model and returns its results."""
    task = write_task(tmp_path / "task", extra="tune: {epochs: 1, batch_size: 8}\nforgetting: off\n")

    def start(name, *options):
        code, out, err = tuneworthy(capsys, "run", task, "--model", model, "--out", tmp_path / name, "--json", *options)
        assert code == 0, err
        return json.loads(out)

    return start


def costs(results, key):
    return {arm["name"]: arm["cost"][key] for arm in results["arms"]}


def rows_of(cache):
    """Return all that the cache's database holds."""
    with closing(sqlite3.connect(cache / "answers.sqlite")) as connection:
        return connection.execute("SELECT * FROM answers").fetchall()


def comparable(results):
    """Return results without times, and without what says where answers came from."""
    told = without_times(results)
    for arm in told["arms"]:
        del arm["cost"]["cached_rows"]
    return told


def test_the_second_run_is_answered_from_the_cache_and_reports_no_time_of_it(cache, run, capsys, tmp_path):
    first, second = run("first", *ARMS), run("second", *ARMS)
    assert costs(first, "cached_rows") == {"majority": 0, "zero_shot": 0}
    assert costs(second, "cached_rows") == {"majority": 0, "zero_shot": 20}
    assert comparable(second) == comparable(first)
    assert costs(first, "latency_ms_p50")["zero_shot"] > 0
    assert costs(second, "latency_ms_p50")["zero_shot"] is None
    assert costs(second, "answer_seconds")["zero_shot"] == 0
    assert costs(second, "single")["zero_shot"]["cold_ms_p50"] > 0  # timed in this run, past the cache
    page = (tmp_path / "second" / "report.html").read_text(encoding="utf-8")
    told = " ".join(page.partition("From the cache")[2].partition("</p>")[0].split())
    assert '20 answers of <bdi class="name">zero_shot</bdi>' in told
    assert "From the cache" not in (tmp_path / "first" / "report.html").read_text(encoding="utf-8")
    # The run folder holds its answers itself.
    assert tuneworthy(capsys, "cache", "clear")[0] == 0
    code, out, err = tuneworthy(capsys, "report", tmp_path / "second", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out) == second
    rows = tuneworthy(capsys, "report", tmp_path / "second", "--format", "csv")[1].splitlines()
    place = rows[0].split(",").index("ms")
    assert {row.split(",")[place] == "" for row in rows if row.startswith("zero_shot")} == {True}


def test_a_resumed_run_reports_what_one_does_that_nobody_stopped(cache, run, capsys, tmp_path):
    arms = ("--arms", "zero_shot,qlora")
    whole = {"first": run("first", *arms), "second": run("second", *arms)}
    assert costs(whole["second"], "cached_rows")["zero_shot"] == 20
    for name, expected in whole.items():
        for cell in (tmp_path / name / "cells").iterdir():
            rows = (cell / "predictions.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
            (cell / "predictions.jsonl").write_text("".join(rows[:7]), encoding="utf-8")  # as a kill leaves it
            (cell / "cost.json").unlink()
        (tmp_path / name).rename(tmp_path / f"{name}-moved")
        code, out, err = tuneworthy(capsys, "run", "--resume", tmp_path / f"{name}-moved", "--json")
        assert code == 0, err
        found = json.loads(out)
        assert without_times(found) == without_times(expected)
        assert costs(found, "cached_rows") == costs(expected, "cached_rows")
        kept = costs(found, "cached_rows")["zero_shot"] > 0
        assert (costs(found, "latency_ms_p50")["zero_shot"] is None) is kept
        page = (tmp_path / f"{name}-moved" / "report.html").read_text(encoding="utf-8")
        assert ("computed by an earlier run" in page) is kept


def test_without_the_cache_nothing_is_read_or_written(cache, run):
    assert costs(run("one", *ARMS, "--no-cache"), "cached_rows")["zero_shot"] == 0
    assert not cache.exists()
    kept = run("two", *ARMS)
    before = rows_of(cache)
    assert len(before) == 20
    anew = run("three", *ARMS, "--no-cache")
    assert costs(anew, "cached_rows")["zero_shot"] == 0
    assert comparable(anew) == comparable(kept)
    assert rows_of(cache) == before


def test_a_tuned_arm_has_answers_of_its_own(cache, run, tmp_path):
    first = run("first", "--arms", "zero_shot,qlora")
    adapter = tmp_path / "first/cells/qlora-0/adapter"
    second = run("second", "--arms", "zero_shot,adapter", "--adapter", adapter)
    assert costs(first, "cached_rows") == {"zero_shot": 0, "qlora": 0}  # the same prompts, another model
    assert costs(second, "cached_rows") == {"zero_shot": 20, "adapter": 20}  # what qlora saved is what adapter loads

    def raw(path):
        return [json.loads(line)["raw"] for line in (tmp_path / path / "predictions.jsonl").open(encoding="utf-8")]

    assert raw("second/cells/adapter-0") == raw("first/cells/qlora-0")
    assert raw("second/cells/zero_shot-0") == raw("first/cells/zero_shot-0")


@pytest.mark.parametrize("damage", ["no database", "no place"])
def test_a_cache_that_can_t_be_used_is_told_once_and_changes_nothing(cache, run, caplog, damage):
    whole = run("whole", *ARMS, "--no-cache")
    if damage == "no place":
        cache.write_text("a file where the folder should be", encoding="utf-8")
    else:
        cache.mkdir()
        (cache / "answers.sqlite").write_bytes(b"nonsense " * 1000)
    caplog.clear()
    found = run("damaged", *ARMS)
    assert comparable(found) == comparable(whole)
    told = [message for message in caplog.messages if "cache" in message]
    assert len(told) == 1
    assert told[0].startswith("note: going on without the cache")


def test_info_and_clear(cache, run, capsys):
    code, out, err = tuneworthy(capsys, "cache", "info", "--json")
    assert (code, err) == (0, "")
    empty = {"schema": 1, "folder": str(cache), "bytes": 0, "limit_bytes": 4 * 10**9, "entries": 0, "kinds": {}}
    assert json.loads(out) == empty
    assert not cache.exists()
    run("first", *ARMS)
    (cache / "mine.txt").write_text("not the cache's", encoding="utf-8")
    found = json.loads(tuneworthy(capsys, "cache", "info", "--json")[1])
    assert (found["entries"], found["kinds"]["choose"]["entries"]) == (20, 20)
    assert found["bytes"] >= found["kinds"]["choose"]["bytes"] > 20 * 10
    text = tuneworthy(capsys, "cache", "info")[1]
    assert str(cache) in text
    assert "choose: 20" in text
    code, out, err = tuneworthy(capsys, "cache", "clear")
    assert (code, out, err) == (0, f"Emptied {cache}.\n", "")
    assert json.loads(tuneworthy(capsys, "cache", "info", "--json")[1])["entries"] == 0
    assert (cache / "mine.txt").exists()


def test_a_damaged_cache_says_how_to_mend_it_and_clear_does(cache, capsys):
    cache.mkdir()
    (cache / "answers.sqlite").write_bytes(b"nonsense " * 1000)
    code, out, err = tuneworthy(capsys, "cache", "info")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "empty it by: tuneworthy cache clear" in err
    assert tuneworthy(capsys, "cache", "clear")[0] == 0
    assert json.loads(tuneworthy(capsys, "cache", "info", "--json")[1])["entries"] == 0


def test_a_file_in_the_cache_s_place_is_told(cache, capsys):
    cache.write_text("mine", encoding="utf-8")
    for command in ("info", "clear"):
        told = f"tuneworthy: the cache's folder {cache} is a file; name another one by TUNEWORTHY_CACHE\n"
        assert tuneworthy(capsys, "cache", command) == (2, "", told)
    assert cache.read_text(encoding="utf-8") == "mine"


def test_the_demo_s_figures_never_come_from_the_cache(cache, capsys, tmp_path, monkeypatch, model):
    task = write_task(tmp_path / "tasks" / "one", extra="arms: [majority, zero_shot]\n")
    monkeypatch.setattr("advisor.examples.demo_tasks", lambda: {"one": task})
    assert tuneworthy(capsys, "demo", "--out", tmp_path / "demo", "--model", model)[0] == 0
    results = json.loads((tmp_path / "demo" / "one" / "results.json").read_text(encoding="utf-8"))
    assert costs(results, "cached_rows")["zero_shot"] == 0
    assert not cache.exists()


def test_a_probe_uses_the_cache_too_unless_told_not_to(cache, capsys, tmp_path, model):
    task = write_task(tmp_path / "task")
    line = ("advise", "--set", "task=sorting", "--data", task / "train.jsonl", "--eval", task / "eval.jsonl")
    line += ("--probe", "--model", model)
    assert tuneworthy(capsys, *line, "--no-cache")[0] == 0
    assert not cache.exists()
    first = tuneworthy(capsys, *line, "--json")
    assert json.loads(tuneworthy(capsys, "cache", "info", "--json")[1])["entries"] > 20
    assert tuneworthy(capsys, *line, "--json") == first


def test_where_the_cache_is(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_place({}).folder == tmp_path / ".cache" / "tuneworthy"
    assert cache_place({"XDG_CACHE_HOME": "/var/x"}).folder == Path("/var/x/tuneworthy")
    assert cache_place({"XDG_CACHE_HOME": "relative"}).folder == tmp_path / ".cache" / "tuneworthy"
    assert cache_place({"XDG_CACHE_HOME": "/x", "TUNEWORTHY_CACHE": "~/mine"}).folder == tmp_path / "mine"
    assert cache_place({"TUNEWORTHY_CACHE": "mine"}).folder == Path.cwd() / "mine"
    assert cache_place({"TUNEWORTHY_CACHE_GB": "0.5"}).half == 250_000_000
    assert cache_place({"TUNEWORTHY_CACHE": "off"}) is None
    assert cache_place({"TUNEWORTHY_CACHE_GB": "0"}) is None
    for wrong in ("-1", "much", "nan", "inf"):
        with pytest.raises(UsageError, match=f"TUNEWORTHY_CACHE_GB={wrong}"):
            cache_place({"TUNEWORTHY_CACHE_GB": wrong})


def test_a_cache_that_is_off_has_nothing_to_show(monkeypatch, capsys):
    monkeypatch.setenv("TUNEWORTHY_CACHE", "off")
    code, out, err = tuneworthy(capsys, "cache", "info")
    assert (code, out) == (2, "")
    assert "switched off" in err
