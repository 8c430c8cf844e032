"""Files and names that nobody plans for: folders, links, pipes, devices, odd names, endless rows, foreign bytes."""

import json
import os
import subprocess
import sys

import pytest

from advisor.unforeseen import unforeseen
from evals.cell_text import LONGEST
from tests.fuzzing import files_below, run_cli
from tests.small_task import write_task

BOMB = "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\ninstruction: *c\n"


@pytest.fixture
def task(tmp_path):
    return write_task(tmp_path / "task")


def refused(*arguments, code=2):
    """Run a command that must fail; return its one line."""
    found, out, err = run_cli(*arguments)
    assert (found, out) == (code, ""), err
    assert err.startswith("tuneworthy: ")
    assert err.count("\n") == 1, err
    assert "unforeseen" not in err
    return err.removesuffix("\n")


def readers(path, task):
    """Return every command that reads ``path``, in whatever role."""
    return {
        "task": ("check", path),
        "answers": ("advise", "--answers", path),
        "prices": ("advise", "--set", "task=sorting", "--prices", path),
        "advice": ("run", task, "--advice", path),
        "rows": ("advise", "--set", "task=sorting", "--data", path),
        "general": ("run", task, "--arms", "majority", "--forgetting", path),
        "run": ("report", path),
        "runs": ("index", path),
        "adapter": ("run", task, "--adapter", path),
    }


def test_a_folder_where_a_file_is_expected(task, tmp_path):
    folder = tmp_path / "folder.yaml"
    folder.mkdir()
    told = {role: command for role, command in readers(folder, task).items() if role not in ("general",)}
    for role, command in told.items():
        code = 1 if role == "adapter" else 2
        assert str(folder) in refused(*command, code=code), role


def test_links_that_lead_nowhere_or_in_circles(task, tmp_path):
    for name, target in (("circle.yaml", "circle.yaml"), ("nowhere.jsonl", "gone.jsonl")):
        link = tmp_path / name
        link.symlink_to(target)
        for role in ("task", "answers", "prices", "advice", "rows"):
            assert str(link) in refused(*readers(link, task)[role]), role
    assert "is a symbolic link that leads nowhere" in refused("check", tmp_path / "circle.yaml")
    data = tmp_path / "nowhere.jsonl"
    assert "is a symbolic link that leads nowhere" in refused("advise", "--set", "task=sorting", "--data", data)


def test_a_folder_of_documents_that_holds_itself_is_read_once(task, tmp_path):
    docs = task / "docs"
    docs.mkdir()
    (docs / "a.md").write_text("# Ember\n\nEmber is warm.\n")
    (docs / "again").symlink_to(docs)
    with (task / "task.yaml").open("a") as file:
        file.write("documents: {path: docs}\n")
    code, out, _ = run_cli("check", task)
    assert code == 0
    assert "1 document" in out
    (docs / "pipe.md").unlink(missing_ok=True)
    os.mkfifo(docs / "pipe.md")
    assert "pipe.md: is a pipe or a device" in refused("check", task)


def test_pipes_and_devices_are_not_read_without_end(task, tmp_path):
    os.mkfifo(tmp_path / "pipe.jsonl")
    assert "is a pipe or a device" in refused("advise", "--set", "task=sorting", "--data", tmp_path / "pipe.jsonl")
    for role in ("answers", "prices"):
        assert "/dev/zero: is larger than 512 KiB" in refused(*readers("/dev/zero", task)[role])
    assert "is a pipe or a device" in refused(*readers("/dev/zero", task)["advice"])


@pytest.mark.parametrize("name", ["two\nlines", "fuchs 🦊 größe", "-dash", "a'b\"c", "[bold]", "x" * 200])
def test_odd_names_are_names(task, tmp_path, name):
    odd = tmp_path / f"t{name}"
    task.rename(odd)
    run = tmp_path / "runs" / f"r{name}"
    assert run_cli("check", odd)[0] == 0
    assert run_cli("run", odd, "--arms", "majority", "--out", run)[0] == 0
    (run / "cells/majority-0/cost.json").unlink()
    assert run_cli("run", "--resume", run)[0] == 0
    code, out, _ = run_cli("index", tmp_path / "runs", "--json")
    assert code == 0
    assert [entry["run"] for entry in json.loads(out)] == [run.name]


def test_names_too_long_or_in_no_encoding_leave_nothing_behind(task, tmp_path):
    before = files_below(tmp_path)
    assert "File name too long" in refused("run", task, "--arms", "majority", "--out", tmp_path / ("y" * 300), code=1)
    foreign = tmp_path / os.fsdecode(b"out\xff")
    line = refused("run", task, "--arms", "majority", "--out", foreign)
    assert "out\\udcff: the name holds bytes that are no UTF-8; rename it" in line
    assert "null byte" in refused("run", task, "--out", "a\0b")
    assert files_below(tmp_path) == before


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (BOMB, "aliases (*name) can't be used here"),
        ("instruction: x\n" + "a: " + "[" * 100_000, "is nested too deeply"),
        ("instruction: !!python/object/apply:os.system [id]\n", "tags"),
        ("instruction: x\nanswer: label\ndata: {train: train.jsonl}\nseeds: 2024-01-01\n", "seeds"),
        ("instruction: x\nanswer: label\ndata: {train: train.jsonl}\ntolerance: .nan\n", "tolerance"),
        ("instruction: x\nanswer: label\ndata: {train: train.jsonl}\ntune: {learning_rate: .inf}\n", "learning_rate"),
        ("instruction: x\nanswer: label\ndata: {train: train.jsonl}\nseeds: 1e400\n", "seeds"),
        ("instruction: 'a\0b'\n", "U+0000"),
    ],
    ids=range(8),
)
def test_yaml_that_wants_too_much_names_its_line(task, text, says):
    (task / "task.yaml").write_text(text)
    line = refused("check", task)
    assert says in line
    assert "task.yaml:" in line


def test_a_byte_order_mark_is_nobodys_fault(task):
    for name in ("task.yaml", "train.jsonl", "eval.jsonl"):
        (task / name).write_bytes(b"\xef\xbb\xbf" + (task / name).read_bytes())
    assert run_cli("check", task)[0] == 0


def test_a_row_without_end_is_named_and_the_others_are_read(task):
    with (task / "train.jsonl").open("a") as file:
        file.write(json.dumps({"input": "word " * (LONGEST // 5 + 1), "target": "warm"}) + "\n")
        file.write("[" * 50_000 + "\n")
        file.write('{"input": "last", "target": "\0"}\n')
    code, _, err = run_cli("check", task)
    assert code == 2
    assert f"train.jsonl:25: 'input' holds {LONGEST + 5:,} characters (at most {LONGEST:,})" in err
    assert "train.jsonl:26: is not valid JSON: " in err
    assert "train.jsonl:27: is not valid JSON: " in err
    assert len(err) < 2000


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_files_that_may_not_be_read(task):
    for name in ("task.yaml", "train.jsonl"):
        (task / name).chmod(0)
        assert "ermission denied" in refused("check", task)
        (task / name).chmod(0o644)


def test_a_terminal_that_knows_few_signs_is_no_obstacle(task):
    (task / "train.jsonl").write_text((task / "train.jsonl").read_text().replace("warm", "größe 🦊"))
    (task / "eval.jsonl").write_text((task / "eval.jsonl").read_text().replace("warm", "größe 🦊"))
    done = subprocess.run(
        [sys.executable, "-m", "advisor.cli", "check", task],
        capture_output=True,
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
    )
    assert done.returncode == 0, done.stderr
    assert b"gr\\xf6\\xdfe \\U0001f98a" in done.stdout


def test_what_nobody_foresaw_is_one_line_that_says_how_to_see_more(task, monkeypatch):
    def broken(*_, **__):
        raise KeyError("a key\nthat isn't there")

    monkeypatch.setattr("advisor.check_options.gate_settings", broken)
    code, _, err = run_cli("check", task)
    assert code == 1
    assert err.count("\n") == 1
    assert "KeyError" in err
    assert "TUNEWORTHY_TRACE=1 shows where" in err
    monkeypatch.setenv("TUNEWORTHY_TRACE", "1")
    with pytest.raises(KeyError):
        run_cli("check", task)


def test_out_of_memory_says_what_to_do():
    assert unforeseen(MemoryError()) == "out of memory; give fewer or shorter rows, or a smaller model"
