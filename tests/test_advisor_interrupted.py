"""What stops a run in the middle: a full disk, a folder that can't be written to, another run, other versions."""

import json
import os
import resource
import subprocess

import pytest

from advisor.versions import versions_note
from evals.runner import locked
from tests.fuzzing import run_cli
from tests.small_task import write_task
from tests.tiny_models import save_tiny

ARMS = ("--arms", "majority,zero_shot,qlora")


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    """Return the folders of a small task and of a tiny model."""
    base = tmp_path_factory.mktemp("parts")
    task = write_task(base / "task", extra="tune: {epochs: 1, batch_size: 8, rank: 4}\n")
    return task, save_tiny(base / "model")


def mounted(*arguments):
    return subprocess.run(["mount", *map(str, arguments)], capture_output=True, check=False).returncode == 0


class Disk:
    """A disk of few kilobytes that can be made larger or read-only; without root, a limit on the size of files."""

    def __init__(self, folder, kilobytes):
        self.folder, self.kilobytes = folder, kilobytes
        self.limit = resource.getrlimit(resource.RLIMIT_FSIZE)

    def __enter__(self):
        self.folder.mkdir()
        options = f"size={self.kilobytes}k"
        self.real = os.geteuid() == 0 and mounted("-t", "tmpfs", "-o", options, "none", self.folder)
        if not self.real:
            resource.setrlimit(resource.RLIMIT_FSIZE, (self.kilobytes * 250, self.limit[1]))
        return self

    def grow(self):
        if self.real:
            assert mounted("-o", "remount,size=100m", "none", self.folder)
        else:
            resource.setrlimit(resource.RLIMIT_FSIZE, self.limit)

    def lock(self):
        self.grow()
        if self.real:
            assert mounted("-o", "remount,ro", "none", self.folder)
        else:
            (self.folder / "run").chmod(0o555)

    def __exit__(self, *_):
        self.grow()
        if self.real:
            subprocess.run(["umount", self.folder], check=True)
        elif (self.folder / "run").exists():
            (self.folder / "run").chmod(0o755)


def told(err):
    return [line for line in err.splitlines() if not line.startswith("note: ")]


def statuses(run):
    return {arm["status"] for arm in json.loads((run / "results.json").read_text())["arms"]}


@pytest.mark.parametrize("kilobytes", [24, 96])  # full in the first cell, and in a later one
def test_a_full_disk_stops_a_run_which_goes_on_when_there_is_room(parts, tmp_path, kilobytes):
    task, model = parts
    with Disk(tmp_path / "disk", kilobytes) as disk:
        run = disk.folder / "run"
        code, out, err = run_cli("run", task, "--model", model, *ARMS, "--out", run)
        assert (code, out) == (1, "")
        (line,) = told(err)
        assert line.startswith(f"tuneworthy: can't write to {run}: ")
        assert line.endswith(f"; mend that, then: tuneworthy run --resume {run}")
        assert not (run / "results.json").exists()
        disk.grow()
        assert run_cli("run", "--resume", run)[0] == 0
        assert statuses(run) == {"done"}
        left = [path for path in run.rglob("*") if "tmp" in path.name or "partial" in path.name]
        assert left == []


def test_a_disk_without_room_for_a_run_folder_gets_none(tmp_path):
    task = write_task(tmp_path / "task", eval_rows=400)
    with Disk(tmp_path / "disk", 4) as disk:
        code, _, err = run_cli("run", task, "--arms", "majority", "--out", disk.folder / "run")
        (line,) = told(err)
        assert code == 1
        assert line.startswith(f"tuneworthy: can't make the run folder {disk.folder / 'run'}: ")
        assert list(disk.folder.iterdir()) == []


def test_a_folder_that_is_read_only_is_one_line(parts, tmp_path):
    task, _ = parts
    with Disk(tmp_path / "disk", 4000) as disk:
        run = disk.folder / "run"
        assert run_cli("run", task, "--arms", "majority", "--out", run)[0] == 0
        (run / "cells/majority-0/cost.json").unlink()
        disk.lock()
        if os.geteuid() == 0 and not disk.real:
            pytest.skip("root writes to read-only folders, and nothing could be mounted")
        for arguments in (
            ("run", "--resume", run),
            ("report", run),
            ("report", run, "--out", run / "page.html"),
            ("run", task, "--arms", "majority", "--out", run / "new"),
            ("init", run / "new", "--data", task / "train.jsonl"),
            ("advise", "--set", "task=sorting", "--out", run / "new"),
            ("advise", "--set", "task=sorting", "--save", run / "answers.yaml"),
            ("index", run),
        ):
            code, _, err = run_cli(*arguments)
            (line,) = told(err)
            assert code in (1, 2), arguments
            assert str(run) in line
            assert "ead-only" in line or "ermission denied" in line


def test_two_runs_do_not_share_a_folder(parts, tmp_path):
    task, _ = parts
    run = tmp_path / "run"
    assert run_cli("run", task, "--arms", "majority", "--out", run)[0] == 0
    with locked(run):
        code, _, err = run_cli("run", "--resume", run)
    assert code == 1
    assert told(err) == [f"tuneworthy: another tuneworthy is working in {run}; wait until it has ended"]
    assert run_cli("run", "--resume", run)[0] == 0


def test_a_run_of_a_newer_schema_is_refused_in_one_line(parts, tmp_path):
    task, _ = parts
    run = tmp_path / "run"
    assert run_cli("run", task, "--arms", "majority", "--out", run)[0] == 0
    record = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps(record | {"schema": 2}))
    for arguments in (("run", "--resume", run), ("report", run), ("compare", run, run)):
        code, _, err = run_cli(*arguments)
        assert (code, told(err)) == (
            1,
            [f"tuneworthy: {run / 'run.json'} has schema 2; this version of tuneworthy reads 1; update tuneworthy"],
        )


def test_an_update_in_the_middle_is_told_on_the_screen_and_in_the_report(parts, tmp_path):
    task, _ = parts
    run = tmp_path / "run"
    assert run_cli("run", task, "--arms", "majority", "--out", run)[0] == 0
    record = json.loads((run / "run.json").read_text())
    record["versions"] |= {"torch": "2.0.1", "python": record["versions"]["python"] + ".9"}
    (run / "run.json").write_text(json.dumps(record))
    code, _, err = run_cli("run", "--resume", run)
    assert "torch" not in err, "nothing is left to be done, so nothing differs"
    (run / "cells/majority-0/cost.json").unlink()
    for _ in range(2):
        code, _, err = run_cli("run", "--resume", run)
        assert code == 0
        assert err.count("note: other versions than the run began with (torch 2.0.1, now ") == 1
    notes = json.loads((run / "results.json").read_text())["task"]["notes"]
    assert [note.partition(" (torch 2.0.1, now ")[0] for note in notes] == ["other versions than the run began with"]
    assert "Other versions than the run began with" in (run / "report.html").read_text()


def test_versions_that_did_not_change_are_not_told():
    assert versions_note({"torch": "2.9", "python": "3.11.2"}, {"torch": "2.9", "python": "3.11.9", "new": "1"}) is None
    assert "python 3.11.2, now 3.12.0" in versions_note({"python": "3.11.2"}, {"python": "3.12.0"})


def test_a_stop_before_the_first_arm_leaves_no_folder(parts, tmp_path, monkeypatch):
    task, _ = parts

    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("advisor.run_command.find_leaks", stopped)
    code, _, err = run_cli("run", task, "--arms", "majority", "--out", tmp_path / "run")
    assert (code, told(err)) == (1, ["tuneworthy: stopped before the first arm; no run was begun"])
    assert not (tmp_path / "run").exists()
