"""Wrong input at the front door: one clear line, the right exit code, nothing half-written, no traceback."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from finetune import private_rule
from tests.small_task import rows, write_jsonl, write_task
from tests.test_advisor_run import complaints, tuneworthy

ROOT = Path(__file__).parents[1]


@pytest.fixture
def task(tmp_path):
    return write_task(tmp_path / "task")


def broken(tmp_path, capsys, *arguments, code=2):
    """Run a command that must fail; return its message. Nothing but the task may be left on the disk."""
    before = sorted(tmp_path.rglob("*"))
    got, out, err = tuneworthy(capsys, *arguments)
    assert got == code, err
    assert out == ""
    assert "Traceback" not in err
    assert sorted(tmp_path.rglob("*")) == before
    return err


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("instrution: Say it.", ["task.yaml:5", "instrution", "instruction"]),
        ("metric: rouge_l", ["metric", "rouge_l", "accuracy"]),
        ("seeds: many", ["task.yaml:5", "seeds"]),
        ("decision: {minimum_gain: 2}", ["task.yaml:5", "minimum_gain"]),
        ("arms: [zero_shoot]", ["task.yaml:5", "zero_shoot", "zero_shot"]),
        ("arms: []", ["task.yaml:5", "arms"]),
        ("labels: [warm]", ["label"]),
        ("labels: [warm, hot]", ["cold"]),
        ("documents: {path: nowhere}", ["nowhere"]),
        ("\tx: [", ["task.yaml:5"]),
    ],
)
def test_a_wrong_line_in_the_task_file_is_named(task, tmp_path, capsys, line, says):
    with (task / "task.yaml").open("a", encoding="utf-8") as file:
        file.write(line + "\n")
    err = broken(tmp_path, capsys, "run", task, "--out", tmp_path / "run")
    for word in says:
        assert word in err


@pytest.mark.parametrize(
    ("record", "says"),
    [
        ('{"id": "x", "input": "a", "target": ', "JSON"),
        ('{"id": "x", "input": "  ", "target": "warm"}', "input"),
        ('{"id": "x", "input": "a", "target": ""}', "target"),
        ('{"id": "r3", "input": "a", "target": "warm"}', "r3"),
        ('["x"]', "object"),
    ],
)
def test_a_wrong_row_is_named_by_file_and_line(task, tmp_path, capsys, record, says):
    with (task / "train.jsonl").open("a", encoding="utf-8") as file:
        file.write(record + "\n")
    err = broken(tmp_path, capsys, "run", task, "--out", tmp_path / "run")
    assert "train.jsonl:25" in err
    assert says in err


def test_all_wrong_rows_are_collected_and_twenty_shown(task, tmp_path, capsys):
    write_jsonl(task / "train.jsonl", rows(0, 10) + [{"id": f"b{n}", "input": "", "target": "warm"} for n in range(30)])
    err = broken(tmp_path, capsys, "run", task, "--out", tmp_path / "run")
    assert "30 problems" in err
    assert err.count("train.jsonl:") == 20
    assert "10 more" in err


def test_wrong_encoding_is_named(task, tmp_path, capsys):
    (task / "train.jsonl").write_bytes(
        (task / "train.jsonl").read_bytes() + b'{"input": "caf\xe9", "target": "warm"}\n'
    )
    err = broken(tmp_path, capsys, "run", task, "--out", tmp_path / "run")
    assert "train.jsonl:25" in err
    assert "UTF-8" in err


def test_an_unknown_label_in_the_eval_rows_is_named(task, tmp_path, capsys):
    write_jsonl(task / "eval.jsonl", [*rows(1000, 3), {"id": "u", "input": "odd one", "target": "lukewarm"}])
    err = broken(tmp_path, capsys, "run", task, "--out", tmp_path / "run")
    assert "eval.jsonl:4" in err
    assert "lukewarm" in err


def test_rows_in_both_train_and_eval_stop_the_run_and_can_be_dropped(task, tmp_path, capsys):
    write_jsonl(task / "eval.jsonl", [*rows(1000, 5), {**rows(2, 1)[0], "id": "copy"}])
    err = broken(tmp_path, capsys, "run", task, "--out", tmp_path / "run")
    assert "--drop-overlap" in err
    code, _, err = tuneworthy(capsys, "run", task, "--arms", "majority", "--drop-overlap", "--out", tmp_path / "run")
    assert code == 0, err
    record = json.loads((tmp_path / "run/run.json").read_text())
    assert record["train_rows"] == 23
    assert record["notes"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--arms", "zero_shot,magic"], "magic"),
        (["--arms", "adapter"], "--adapter"),
        (["--arms", ","], "arm"),
        (["--adapter", "nowhere"], "nowhere"),
    ],
)
def test_wrong_options_are_usage_errors(task, tmp_path, capsys, arguments, says):
    assert says in broken(tmp_path, capsys, "run", task, "--out", tmp_path / "run", *arguments)


def test_the_out_folder_must_be_free(task, tmp_path, capsys):
    (tmp_path / "full" / "data").mkdir(parents=True)
    (tmp_path / "full" / "data" / "train.jsonl").write_text("someone's own")
    (tmp_path / "file").write_text("not a folder")
    for name, says in (("full", "holds other files"), ("file", "is a file")):
        err = broken(tmp_path, capsys, "run", task, "--arms", "majority", "--out", tmp_path / name)
        assert err.count("\n") == 1
        assert f"--out {tmp_path / name} {says}" in err
    (tmp_path / "empty").mkdir()
    assert tuneworthy(capsys, "run", task, "--arms", "majority", "--out", tmp_path / "empty")[0] == 0


@pytest.mark.parametrize(
    "change",
    [
        {"task": None},
        {"hashes": None},
        {"versions": None},
        {"task_file": None},
        {"metric": "bleu"},
        {"arms": [{"name": "future_arm", "family": "tune", "seeds": [0]}]},
        {"arms": [{"name": "../../x", "family": "tune", "seeds": [0]}]},
    ],
    ids=str,
)
def test_a_damaged_run_folder_is_one_line(task, tmp_path, capsys, change):
    assert tuneworthy(capsys, "run", task, "--arms", "majority", "--out", tmp_path / "run")[0] == 0
    path = tmp_path / "run" / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    code, _, err = tuneworthy(capsys, "run", "--resume", tmp_path / "run")
    assert code == 1
    assert complaints(err).count("\n") == 1
    assert "Traceback" not in err


def test_resume_takes_no_other_option(task, tmp_path, capsys):
    assert "--resume" in broken(tmp_path, capsys, "run", task, "--resume", tmp_path / "run")
    assert "not a run folder" in broken(tmp_path, capsys, "run", "--resume", tmp_path / "run")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run", "--seed", "2"], "--seed"),
        (["run", "--limit", "0"], "--limit"),
        (["runn"], "runn"),
        (["init"], "DIR"),
    ],
)
def test_a_wrong_command_line_is_one_line_that_names_the_help(tmp_path, capsys, arguments, says):
    err = broken(tmp_path, capsys, *arguments)
    assert err.count("\n") == 1
    assert says in err
    assert err.endswith(" --help\n")


def test_nothing_at_all_shows_the_commands(capsys):
    code, out, _ = tuneworthy(capsys)
    assert code == 2
    assert "advise" in out or "report" in out


def test_run_without_a_task_says_what_to_give(tmp_path, capsys):
    assert "tuneworthy init" in broken(tmp_path, capsys, "run")


def test_a_folder_without_a_task_file_says_how_to_make_one(tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    assert "tuneworthy init" in broken(tmp_path, capsys, "run", tmp_path / "empty")


@pytest.mark.parametrize(("model", "code"), [("./nowhere", 2), ("nobody/no-such-model", 1)])
def test_a_model_that_cannot_be_had_is_one_line(task, tmp_path, capsys, model, code):
    arguments = ["run", task, "--arms", "zero_shot", "--model", model, "--out", tmp_path / "run"]
    err = broken(tmp_path, capsys, *arguments, code=code)
    assert err.count("\n") == 1
    assert "builtin" in err


def test_an_embedder_that_cannot_be_had_names_the_builtin_one(task, tmp_path, capsys):
    arguments = ["run", task, "--arms", "nearest", "--embedder", "nobody/no-such-embedder", "--out", tmp_path / "run"]
    err = broken(tmp_path, capsys, *arguments, code=1)
    assert err.count("\n") == 1
    assert "builtin" in err


def test_report_on_a_folder_that_is_no_run(tmp_path, capsys):
    assert "not a run folder" in broken(tmp_path, capsys, "report", tmp_path)


def test_schema_is_json_schema_of_the_task_file(capsys):
    code, out, _ = tuneworthy(capsys, "schema")
    schema = json.loads(out)
    assert code == 0
    assert schema["additionalProperties"] is False
    assert set(schema["required"]) == {"instruction", "data"}


def test_arms_lists_every_arm_with_a_sentence(capsys):
    code, out, _ = tuneworthy(capsys, "arms")
    assert code == 0
    names = [line.split()[0] for line in out.splitlines()]
    assert {"majority", "nearest", "logistic", "zero_shot", "few_shot", "cot", "rag", "qlora", "lora", "full"} <= set(
        names
    )
    assert all(len(line.split()) > 4 for line in out.splitlines())


def test_builtin_measures_every_ability(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(private_rule, "EPOCHS", 0.1)
    code, out, err = tuneworthy(capsys, "builtin", "--abilities", "--rows", "1", "--json")
    assert code == 0, err
    abilities = json.loads(out)
    assert len({ability["name"] for ability in abilities}) == len(abilities) >= 7
    assert all(0 <= ability["score"] <= 1 and ability["rows"] == 1 for ability in abilities)
    code, out, _ = tuneworthy(capsys, "builtin")
    assert code == 0
    assert "context: " in out
    assert "nowhere" in broken(tmp_path, capsys, "builtin", "--model", "./nowhere")


def test_init_writes_a_task_that_runs(tmp_path, capsys):
    write_jsonl(tmp_path / "tickets.jsonl", [{"text": row["input"], "label": row["target"]} for row in rows(0, 40)])
    code, out, _ = tuneworthy(capsys, "init", tmp_path / "mine", "--data", tmp_path / "tickets.jsonl")
    assert code == 0
    assert "Input: 'text'; answer: 'label', of the kind label." in out
    assert "tuneworthy check" in out
    assert "tuneworthy run" in out
    code, _, err = tuneworthy(capsys, "run", tmp_path / "mine", "--arms", "majority", "--out", tmp_path / "run")
    assert code == 0, err
    assert (tmp_path / "run/data/eval.jsonl").exists()
    assert "no eval file" in err
    err = broken(tmp_path, capsys, "init", tmp_path / "mine", "--data", tmp_path / "tickets.jsonl")
    assert "task.yaml" in err


def test_help_needs_no_terminal():
    done = subprocess.run([sys.executable, "-m", "advisor.cli", "--help"], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0
    assert "run" in done.stdout
