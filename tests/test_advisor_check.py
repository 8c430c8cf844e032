"""``tuneworthy check`` and ``--gate``, as a user calls them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.small_task import rows, write_jsonl, write_task
from tests.test_advisor_run import tuneworthy

LEAKY = "gates: {near_duplicates: 0.0}\n"


@pytest.fixture
def leaky(tmp_path):
    """A task of which one of 20 eval rows nearly repeats a training row."""
    folder = write_task(tmp_path / "task")
    words = "a long remark about a lamp that glows like the sunset over the dunes of a far and silent desert"
    train, evals = rows(0, 24), rows(1000, 19)
    train.append({"id": "t", "input": words, "target": "warm"})
    evals.append({"id": "e", "input": words + " indeed", "target": "warm"})
    write_jsonl(folder / "train.jsonl", train)
    write_jsonl(folder / "eval.jsonl", evals)
    return folder


def test_a_check_tells_counts_balance_leakage_and_what_can_be_shown(leaky, capsys):
    code, out, err = tuneworthy(capsys, "check", leaky)
    assert (code, err) == (0, "")
    for told in (
        "25 training rows, 20 eval rows",
        "1 eval row (5.0%) nearly repeats a training row: e = t.",
        "No eval row has the input of a training row.",
        "would run: majority, nearest, logistic, zero_shot, few_shot, rag, qlora",
    ):
        assert told in out
    assert "20 eval rows show a difference of" in out.replace("\n", " ")
    assert not (leaky / "runs").exists()


def test_a_check_as_json(leaky, capsys):
    code, out, _ = tuneworthy(capsys, "check", leaky, "--json")
    told = json.loads(out)
    assert code == 0
    assert (told["train_rows"], told["eval_rows"], told["documents"]) == (25, 20, 0)
    assert told["labels"] == {"cold": [12, 9], "warm": [13, 11]}
    assert told["leaks"][1]["pairs"] == [["e", "t"]]
    assert told["detectable"]["rows"] == 20


def test_a_gate_that_is_not_met_exits_with_3_and_begins_no_run(leaky, tmp_path, capsys):
    code, out, err = tuneworthy(capsys, "check", leaky, "--gate", "near_duplicates=0.01")
    assert code == 3
    assert "gate: at most 1.0%, NOT MET" in " ".join(out.split())
    assert err == "tuneworthy: gate not met: near_duplicates: 1 of 20 eval rows (5.0%, allowed 1.0%), as e = t\n"
    assert tuneworthy(capsys, "check", leaky, "--gate", "near_duplicates=0.05")[0] == 0
    (leaky / "task.yaml").write_text((leaky / "task.yaml").read_text() + LEAKY)
    out_folder = tmp_path / "run"
    code, _, err = tuneworthy(capsys, "run", leaky, "--arms", "majority", "--out", out_folder)
    assert (code, out_folder.exists()) == (3, False)
    assert "gate not met" in err


def test_a_run_keeps_what_leaked(leaky, tmp_path, capsys):
    code, _, err = tuneworthy(capsys, "run", leaky, "--arms", "majority,logistic", "--out", tmp_path / "run")
    assert code == 0
    assert "note: 1 eval row (5.0%) nearly repeats a training row" in err
    assert "note: 20 eval rows show a difference of" in err
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    assert [leak["count"] for leak in results["leakage"]] == [0, 1, 0]
    assert results["detectable"]["too_coarse"] is True
    page = (tmp_path / "run" / "report.html").read_text()
    assert "nearly repeats a training row: e = t" in page
    assert results["detectable"]["sentence"] in page


@pytest.mark.parametrize(
    ("gate", "what"),
    [
        ("near=0.1", "give one of exact_duplicates, near_duplicates, within_eval, answers_in_documents and a share"),
        ("near_duplicates", "give one of"),
        ("near_duplicates=few", "'few' is no share from 0 to 1"),
        ("near_duplicates=2", "must be at most 1"),
    ],
)
def test_gates_that_cannot_be_read(leaky, capsys, gate, what):
    code, _, err = tuneworthy(capsys, "check", leaky, "--gate", gate)
    assert (code, err.count("\n")) == (2, 1)
    assert what in err


def test_a_check_loads_no_torch(leaky):
    code = (
        "import sys; sys.argv = ['tuneworthy', 'check', sys.argv[1]]\n"
        "from advisor.cli import main\n"
        "try: main()\n"
        "except SystemExit: print(sorted({'torch', 'transformers', 'sklearn', 'faiss'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, leaky], capture_output=True, text=True, cwd=Path(__file__).parents[1], check=True
    )
    assert done.stdout.strip().endswith("[]")


def test_exact_duplicates_stop_unless_a_gate_says_how_many_may_be(tmp_path, capsys):
    task = write_task(tmp_path / "task")
    evals = rows(1000, 18) + [dict(row, id=f"same-{row['id']}") for row in rows(0, 2)]
    write_jsonl(task / "eval.jsonl", evals)
    assert tuneworthy(capsys, "check", task)[0] == 2
    code, out, _ = tuneworthy(capsys, "check", task, "--gate", "exact_duplicates=0.05")
    assert code == 3
    assert "2 eval rows (10.0%) have the input of a training row" in " ".join(out.split())
    assert tuneworthy(capsys, "check", task, "--gate", "exact_duplicates=0.1")[0] == 0
