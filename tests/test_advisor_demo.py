"""The demo as a user would start it, on tiny tasks of which some are cut short."""

import errno
import json
import re
import signal
import subprocess
import sys
import time
import tomllib
from contextlib import contextmanager
from pathlib import Path

import pytest

from advisor.arms import ADAPTER, ARMS
from advisor.demo import resume_demo, run_demo, start_demo
from advisor.examples import DEMO, IN_WHEEL, choose_task, demo_tasks
from evals.errors import RunError, TuneworthyError, UsageError
from evals.row_order import BATCH_ROWS
from evals.watch import Silent
from tests.small_task import write_task
from tests.test_advisor_run import tuneworthy

ROOT = Path(__file__).parents[1]
NAMES = ("first", "second", "third")
PLAIN = "arms: [majority, nearest]\n"


class Recorder:
    """Keeps what it hears; stops as Ctrl-C does when the task ``until`` begins."""

    def __init__(self, until=None):
        self.until, self.heard, self.records = until, [], {}

    def kept(self, task, position, tasks):
        self.heard.append(("kept", task, position, tasks))

    @contextmanager
    def running(self, task, position, tasks, record):
        self.heard.append(("running", task, position, tasks))
        self.records[task] = record
        if task == self.until:
            raise KeyboardInterrupt
        yield Silent()


@pytest.fixture
def tasks(tmp_path):
    return {name: write_task(tmp_path / "tasks" / name, extra=PLAIN) for name in NAMES}


@pytest.fixture
def demo(tasks, capsys, monkeypatch):
    """Return a function that runs the demo command on the tiny tasks."""
    monkeypatch.setattr("advisor.examples.demo_tasks", lambda: tasks)
    return lambda *arguments: tuneworthy(capsys, "demo", *arguments)


def links(page):
    return re.findall(r'href="([^"#]+\.html)"', page)


def test_all_tasks_are_run_and_set_side_by_side(demo, tmp_path):
    out = tmp_path / "demo"
    code, text, err = demo("--out", out)
    assert code == 0, err
    page = (out / "index.html").read_text(encoding="utf-8")
    assert set(links(page)) == {f"{name}/report.html" for name in NAMES}
    for position, name in enumerate(NAMES, start=1):
        assert (out / name / "report.html").is_file()
        assert json.loads((out / name / "results.json").read_text())["verdict"]["outcome"] == "undecided"
        assert f"Report of {name}: {out / name / 'report.html'}\n" in text
        assert f"{name}: task {position} of 3, 20 eval rows\n" in err
    assert f"All of them: {out / 'index.html'}\n" in text
    assert re.search(r"^ +first +second +third *$", text, re.M)
    assert re.search(r"^verdict( +Undecided){3} *$", text, re.M)
    assert "no result yet" not in page


def test_each_run_can_be_done_again_by_its_own_command(demo, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert demo("second", "--out", "demo")[0] == 0
    record = json.loads(Path("demo/second/run.json").read_text())
    assert record["command"] == "tuneworthy run tasks/second --seeds=1"
    assert record["task"]["seeds"] == 1
    code, _, err = tuneworthy(capsys, *record["command"].split()[1:], "--out", "again")
    assert code == 0, err
    again = json.loads(Path("again/run.json").read_text())
    assert (again["arms"], again["task"], again["hashes"]) == (record["arms"], record["task"], record["hashes"])


def test_one_task_can_be_named(demo, tmp_path):
    code, text, _ = demo("second", "--out", tmp_path / "demo")
    assert code == 0
    assert sorted(path.name for path in (tmp_path / "demo").iterdir() if path.is_dir()) == ["second"]
    assert "first" not in text


def test_an_unknown_task_is_told_with_the_nearest_name(demo, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, text, err = demo("secnd")
    assert (code, text) == (2, "")
    assert err.count("\n") == 1
    assert "'secnd' (did you mean 'second'?)" in err
    assert not Path("runs").exists()


@pytest.mark.parametrize("option", [("second",), ("--full",), ("--out", "x"), ("--model", "builtin")])
def test_resume_takes_no_other_option(demo, tmp_path, option):
    code, _, err = demo("--resume", tmp_path, *option)
    assert code == 2
    assert err.count("\n") == 1


def test_the_folder_must_be_free(demo, tmp_path):
    out = tmp_path / "demo"
    assert demo("first", "--out", out)[0] == 0
    code, _, err = demo("first", "--out", out)
    assert code == 2
    assert f"--resume {out}" in err
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("someone's own")
    code, _, err = demo("first", "--out", tmp_path / "mine")
    assert code == 2
    assert (tmp_path / "mine" / "notes.txt").read_text() == "someone's own"


def test_a_model_that_cannot_be_had_leaves_nothing_behind(demo, tasks, tmp_path):
    (tasks["first"] / "task.yaml").write_text(
        (tasks["first"] / "task.yaml").read_text().replace("nearest", "zero_shot")
    )
    code, text, err = demo("--model", "./nowhere", "--out", tmp_path / "demo")
    assert (code, text) == (2, "")
    assert err.count("\n") == 1
    assert not (tmp_path / "demo").exists()


def test_a_stopped_demo_has_a_true_index_and_can_be_resumed(tasks, tmp_path):
    out = tmp_path / "demo"
    begun = start_demo(tasks, full=False, out=out)
    with pytest.raises(TuneworthyError, match=f"tuneworthy demo --resume {out}$") as stopped:
        run_demo(begun, Recorder(until="second"))
    assert "\n" not in str(stopped.value)
    page = (out / "index.html").read_text(encoding="utf-8")
    assert set(links(page)) == {"first/report.html"}
    assert page.count('<span class="mark">no result yet</span>') == 2
    before = {path: path.stat().st_mtime_ns for path in (out / "first").rglob("*") if path.is_file()}

    recorder = Recorder()
    outcomes = run_demo(resume_demo(out), recorder)
    assert recorder.heard == [("kept", "first", 1, 3), ("running", "second", 2, 3), ("running", "third", 3, 3)]
    assert [outcome.complete for outcome in outcomes] == [True] * 3
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert len(set(links((out / "index.html").read_text(encoding="utf-8")))) == 3


def test_a_resumed_demo_mends_what_is_not_whole(demo, tmp_path):
    out = tmp_path / "demo"
    assert demo("--out", out)[0] == 0
    (out / "first" / "report.html").unlink()
    (out / "second" / "results.json").write_text("{")
    (out / "second" / "cells/nearest-0/cost.json").unlink()
    (out / "index.html").unlink()
    code, text, err = demo("--resume", out)
    assert code == 0, err
    assert "third: task 3 of 3, complete already\n" in err
    assert err.count("complete already") == 1
    assert (out / "first" / "report.html").is_file()
    assert (out / "second" / "cells/nearest-0/cost.json").is_file()
    assert len(set(links((out / "index.html").read_text(encoding="utf-8")))) == 3
    assert re.search(r"^verdict( +Undecided){3} *$", text, re.M)


def test_an_arm_that_fails_is_exit_code_1_after_all_tasks(demo, tasks, tmp_path, monkeypatch):
    monkeypatch.setattr("finetune.scratch_arm.MOST_PARAMETERS", 1000)
    write_task(tasks["first"], extra="arms: [majority, scratch]\n")
    out = tmp_path / "demo"
    code, text, err = demo("--out", out)
    assert code == 1
    assert err.splitlines()[-1].startswith("tuneworthy: could not be completed: scratch of first (see ")
    assert str(out / "first" / "report.html") in err.splitlines()[-1]
    assert err.endswith(f"tuneworthy demo --resume {out}\n")
    assert (out / "third" / "report.html").is_file()
    assert re.search(r"^not complete +scratch", text, re.M)
    assert "not complete" in (out / "index.html").read_text(encoding="utf-8")


def test_full_means_every_arm_that_fits_on_three_seeds(tmp_path):
    recorder = Recorder(until="first")
    tasks = {"first": write_task(tmp_path / "first", extra=PLAIN)}
    with pytest.raises(TuneworthyError, match="stopped"):
        run_demo(start_demo(tasks, full=True, out=tmp_path / "demo"), recorder)
    record = recorder.records["first"]
    names = [arm.name for arm in record.arms]
    assert {"lora", "full", "scratch", "qlora"} <= set(names)
    assert set(names) | {arm.name for arm in record.skipped} == set(ARMS) - {ADAPTER}
    assert {arm.seeds for arm in record.arms if ARMS[arm.name].seeded} == {(0, 1, 2)}
    assert record.command.endswith(" --seeds=3 --arms=all")


def test_quick_means_the_default_arms_on_one_seed(tmp_path):
    recorder = Recorder(until="first")
    tasks = {"first": write_task(tmp_path / "first")}
    with pytest.raises(TuneworthyError, match="stopped"):
        run_demo(start_demo(tasks, full=False, out=tmp_path / "demo"), recorder)
    assert {arm.name: arm.seeds for arm in recorder.records["first"].arms}["qlora"] == (0,)
    assert len(recorder.records["first"].arms) == 7


def test_a_full_disk_says_how_to_go_on(tasks, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device", "index.html")

    monkeypatch.setattr("advisor.demo.write_index", full)
    out = tmp_path / "demo"
    with pytest.raises(RunError, match=f"index.html: No space left on device; .*demo --resume {out}$"):
        run_demo(start_demo(tasks, full=False, out=out), Recorder())


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"schema": 9}, "schema 9"),
        ({"tasks": []}, "tasks"),
        ({"tasks": [{"name": "../../x", "source": "."}]}, "tasks.0.name"),
        ({"full": "yes"}, "full"),
        ({"more": 1}, "more"),
    ],
)
def test_a_damaged_folder_is_one_line(demo, tmp_path, change, says):
    out = tmp_path / "demo"
    assert demo("first", "--out", out)[0] == 0
    (out / "demo.json").write_text(json.dumps(json.loads((out / "demo.json").read_text()) | change))
    code, _, err = demo("--resume", out)
    assert code == 1
    assert err.count("\n") == 1
    assert says in err
    code, _, err = demo("--resume", tmp_path / "nowhere")
    assert code == 2
    assert "there is no such folder" in err


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_demo_that_is_told_to_stop_says_how_to_go_on(sent, tmp_path):
    task = write_task(tmp_path / "task", eval_rows=10 * BATCH_ROWS, extra="arms: [zero_shot, rag]\n")
    out = tmp_path / "demo"
    code = (
        "import sys, pathlib, advisor.examples; from advisor.cli import main;"
        f"advisor.examples.demo_tasks = lambda: {{'mine': pathlib.Path({str(task)!r})}};"
        f"sys.argv = ['tuneworthy', 'demo', '--out', {str(out)!r}]; main()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    while not (out / "mine/cells/zero_shot-0/predictions.jsonl").exists() and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(sent)
    text, err = process.communicate(timeout=120)
    assert (process.returncode, text) == (1, ""), err
    first, last = err.splitlines()
    assert first == "mine: task 1 of 1, 640 eval rows"
    assert last.startswith("tuneworthy: stopped; ")
    assert last.endswith(f"tuneworthy demo --resume {out}")
    assert "no result yet" in (out / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("package", "home"), [("repo/advisor", "repo/examples"), ("site/advisor", f"site/advisor/{IN_WHEEL}")]
)
def test_the_examples_are_found_in_a_checkout_and_in_a_wheel(tmp_path, package, home):
    (tmp_path / package).mkdir(parents=True)
    folders = {name: write_task(tmp_path / home / name) for name in DEMO}
    assert demo_tasks(tmp_path / package) == folders
    (folders[DEMO[1]] / "task.yaml").unlink()
    with pytest.raises(TuneworthyError, match=f"lacks the example {DEMO[1]}"):
        demo_tasks(tmp_path / package)


def test_the_wheel_carries_the_examples_where_they_are_looked_for():
    build = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]["targets"]
    assert build["wheel"]["force-include"] == {"examples": f"advisor/{IN_WHEEL}"}
    assert "examples" in build["sdist"]["include"]  # a wheel may be built from it


def test_a_name_far_from_all_gets_no_guess():
    with pytest.raises(UsageError, match="has no task 'zzz'; its tasks are a-task"):
        choose_task({"a-task": Path()}, "zzz")
