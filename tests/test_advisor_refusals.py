"""What every command says of something named that isn't there, and of a command line that can't be used."""

import os
import threading

import pytest

from evals.prices import load_prices
from tests.small_task import write_task
from tests.test_advisor_run import tuneworthy


@pytest.fixture
def task(tmp_path, monkeypatch):
    """Work in a folder that holds a task and nothing else."""
    monkeypatch.chdir(tmp_path)
    return write_task(tmp_path / "task")


@pytest.mark.parametrize(
    "line",
    [
        "run nowhere",
        "run --resume nowhere",
        "run --resume task",
        "run task --model ./nowhere",
        "run task --arms nearest --embedder ./nowhere",
        "run task --adapter nowhere",
        "run task --prices nowhere",
        "run task --advice nowhere",
        "run task --forgetting nowhere",
        "report nowhere",
        "report task",
        "index nowhere",
        "index task",
        "index",
        "compare nowhere task",
        "check nowhere",
        "advise --data nowhere --set task=sorting",
        "advise --answers nowhere",
        "advise --resume nowhere",
        "advise --prices nowhere --set task=sorting",
        "demo nowhere",
        "demo --resume nowhere",
        "demo --resume task",
        "builtin --model ./nowhere",
        "builtin --abilities --model ./nowhere",
        "init new --data nowhere",
        "init new --data task/train.jsonl --documents nowhere",
        "cache nowhere",
        "nowhere",
    ],
)
def test_what_is_named_and_not_there_is_wrong_usage_everywhere(task, tmp_path, capsys, line):
    before = sorted(tmp_path.rglob("*"))
    code, out, err = tuneworthy(capsys, *line.split())
    assert (code, out) == (2, "")
    assert err.startswith("tuneworthy: ")
    assert any(name in err for name in ("nowhere", "task", "runs"))
    assert err.count("\n") == 1
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("run task --limit 0", "--limit 0: give at least 1. See: "),
        ("run task --limit 1.5", "--limit 1.5: give a whole number. See: "),
        ("run task --seeds 101", "--seeds 101: give at most 100. See: "),
        ("run task --max-cost much", "--max-cost much: give a number. See: "),
        ("run task --limit", "--limit needs a value behind it. See: "),
        ("run task --curve=3", "--curve takes no value. See: "),
        ("run task --sheets 3", "there is no option --sheets"),
        ("report task --format pdf", "--format pdf: give html, md, json or csv. See: "),
        ("init", "DIR is missing. See: "),
        ("init new", "--data is missing. See: "),
        ("schema more", "one argument too many: more. See: "),
        ("runn", "there is no command 'runn'; did you mean 'run'? See: "),
        ("frobnicate", "there is no command 'frobnicate'. See: "),
    ],
)
def test_a_wrong_command_line_is_told_in_our_words(task, capsys, line, told):
    code, out, err = tuneworthy(capsys, *line.split())
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"tuneworthy: {told}")


def test_prices_may_come_through_a_pipe(task, tmp_path, capsys):
    def piped(text):
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        # Opened once by the writer: whoever opens it a second time to read would wait for ever.
        threading.Thread(target=pipe.write_text, args=(text,), daemon=True).start()
        return pipe

    pipe = piped("cpu: {per_hour: 9}\n")
    code, _, err = tuneworthy(capsys, "run", task, "--arms", "majority", "--out", "run", "--prices", pipe)
    assert code == 0, err
    assert load_prices(tmp_path / "run" / "prices.yaml").cpu.per_hour == 9
    pipe.unlink()
    code, _, err = tuneworthy(capsys, "report", "run", "--prices", piped("cpu: {per_hour: 8}\n"))
    assert code == 0, err
    assert load_prices(tmp_path / "run" / "prices.yaml").cpu.per_hour == 8


def test_a_file_of_general_questions_is_told_of_by_its_name(task, tmp_path, capsys):
    (tmp_path / "general.jsonl").write_text('{"question": "a", "target": "b"}\n')
    code, _, err = tuneworthy(capsys, "run", task, "--forgetting", "general.jsonl", "--arms", "majority")
    assert code == 2
    assert f"{tmp_path / 'general.jsonl'}: there is no column 'input'; there are 'question', 'target'" in err
    assert "whatever the task's are called" in err
    code, _, err = tuneworthy(capsys, "run", task, "--forgetting", "task", "--arms", "majority")
    assert (code, err.count("\n")) == (2, 1)
    assert err.startswith("tuneworthy: --forgetting task: that is no file of rows")
