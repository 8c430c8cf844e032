"""The whole main job on a small task, as a user would start it, with the built-in model."""

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from advisor.cli import main
from evals.row_order import BATCH_ROWS
from reports.wording import OUTCOMES
from tests.small_task import write_task
from tests.tiny_models import save_tiny

ROOT = Path(__file__).parents[1]
QUICK = "tune: {epochs: 1, batch_size: 8}\n"
NO_EXAM = "forgetting: off\n"
"""The built-in model's general questions cost more than the rest of a small run; the demo's test has them asked."""

FIXED = ("majority", "nearest", "logistic", "zero_shot", "few_shot", "rag", "qlora")


def tuneworthy(capsys, *arguments):
    """Run the command line in this process; return exit code, output and errors."""
    before = sys.argv
    sys.argv = ["tuneworthy", *map(str, arguments)]
    try:
        with pytest.raises(SystemExit) as exit_info:
            main()
    finally:
        sys.argv = before
    captured = capsys.readouterr()
    return exit_info.value.code or 0, captured.out, captured.err


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Return the folder of one complete run of the default arms."""
    base = tmp_path_factory.mktemp("main-job")
    task = write_task(base / "task", extra=QUICK + NO_EXAM)
    done = subprocess.run(
        [sys.executable, "-m", "advisor.cli", "run", task, "--out", base / "run", "--seeds", "2"],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    assert str(base / "run" / "report.html") in done.stdout.replace("\n", "")
    return base / "run"


def test_the_default_arms_answer_the_same_rows(finished):
    results = json.loads((finished / "results.json").read_text())
    assert results["schema"] == 1
    assert [arm["name"] for arm in results["arms"]] == list(FIXED)
    assert {arm["status"] for arm in results["arms"]} == {"done"}
    ids = {
        cell.name: [json.loads(line)["id"] for line in (cell / "predictions.jsonl").read_text().splitlines()]
        for cell in (finished / "cells").iterdir()
    }
    assert set(ids) == {f"{name}-0" for name in FIXED} | {"few_shot-1", "qlora-1"}
    assert {tuple(rows) for rows in ids.values()} == {tuple(f"r{n}" for n in range(1000, 1020))}


def test_results_hold_what_the_contract_names(finished):
    results = json.loads((finished / "results.json").read_text())
    assert {"schema", "task", "model", "arms", "comparisons", "verdict"} <= set(results)
    for arm in results["arms"]:
        assert set(arm["score"]) == {"mean", "low", "high", "n", "method"}
        assert arm["score"]["low"] <= arm["score"]["mean"] <= arm["score"]["high"]
        costs = "fit_seconds train_tokens prompt_tokens completion_tokens latency_ms_p50 latency_ms_p95 peak_memory_mb"
        assert set(costs.split()) <= set(arm["cost"])
        assert arm["trained"] == (arm["family"] == "tune")
        assert len(arm["per_seed"]) == (2 if arm["name"] in ("few_shot", "qlora") else 1)
    assert len(results["comparisons"]) == len(FIXED) * (len(FIXED) - 1) // 2
    assert set(results["comparisons"][0]) >= {"a", "b", "difference", "low", "high", "p_value", "method"}
    assert results["verdict"]["outcome"] in {"worth_it", "not_worth_it", "undecided"}
    assert {"best_arm", "cheapest_within_noise", "reason"} <= set(results["verdict"])


def test_the_run_folder_says_what_the_run_was_made_of(finished):
    record = json.loads((finished / "run.json").read_text())
    assert set(record["hashes"]) >= {"train", "eval"}
    assert len(record["model"]["fingerprint"]) >= 32
    assert record["versions"]["torch"]
    assert record["task"]["tune"]["epochs"] == 1
    assert record["command"].startswith("tuneworthy run ")
    fit = json.loads((finished / "cells/qlora-0/fit.json").read_text())
    assert fit["steps"] >= 1
    assert fit["train_tokens"] > 0
    assert (finished / "cells/qlora-0/adapter/adapter_config.json").exists()
    assert (finished / "cells/qlora-0/adapter/adapter_model.safetensors").exists()


def test_the_report_is_one_file_without_addresses(finished):
    page = (finished / "report.html").read_text(encoding="utf-8")
    outcome = json.loads((finished / "results.json").read_text())["verdict"]["outcome"]
    assert f"{OUTCOMES[outcome]}</p>" in page
    assert "Content-Security-Policy" in page
    assert 'src="http' not in page
    assert 'href="http' not in page


def test_report_redoes_results_and_page_without_a_model(finished, capsys):
    before = {name: (finished / name).read_bytes() for name in ("results.json", "report.html")}
    for name in before:
        (finished / name).unlink()
    code, out, err = tuneworthy(capsys, "report", finished, "--json")
    assert (code, err) == (0, "")
    assert json.loads(out) == json.loads(before["results.json"])
    assert (finished / "results.json").read_bytes() == before["results.json"]
    assert (finished / "report.html").read_bytes() == before["report.html"]


def test_a_trained_adapter_is_used_again(finished, tmp_path, capsys):
    task = write_task(tmp_path / "task", extra=NO_EXAM)
    adapter = finished / "cells/qlora-0/adapter"
    code, _, err = tuneworthy(
        capsys, "run", task, "--arms", "majority", "--adapter", adapter, "--out", tmp_path / "run"
    )
    assert code == 0, err

    def answers(run, arm):
        return [json.loads(line)["raw"] for line in (run / "cells" / arm / "predictions.jsonl").open(encoding="utf-8")]

    assert answers(tmp_path / "run", "adapter-0") == answers(finished, "qlora-0")


def test_an_adapter_is_checked_before_the_first_cell_and_again_on_resuming(finished, tmp_path, capsys):
    task = write_task(tmp_path / "task", extra=NO_EXAM)
    adapter = shutil.copytree(finished / "cells/qlora-0/adapter", tmp_path / "mine")
    save_tiny(tmp_path / "other", "llama")
    options = ("run", task, "--arms", "majority", "--adapter", adapter, "--out", tmp_path / "run")
    code, _, err = tuneworthy(capsys, *options, "--model", tmp_path / "other")
    assert code == 1
    assert "was trained on builtin" in err
    assert not (tmp_path / "run").exists()

    assert tuneworthy(capsys, *options)[0] == 0
    weights = adapter / "adapter_model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    code, _, err = tuneworthy(capsys, "run", "--resume", tmp_path / "run")
    assert code == 1
    assert f"the adapter {adapter} has changed since" in err
    weights.write_bytes(whole[:-1])
    assert f"{weights} is damaged or cut short" in tuneworthy(capsys, "run", "--resume", tmp_path / "run")[2]


@pytest.mark.parametrize("option", ["--model", "--embedder", "--adapter", "--prices", "--forgetting", "--advice"])
def test_what_is_named_and_is_not_there_is_exit_code_2(option, tmp_path, capsys):
    task, nowhere = write_task(tmp_path / "task"), tmp_path / "not" / "there"
    options = ("run", task, "--arms", "nearest,zero_shot", option, nowhere, "--out", tmp_path / "run")
    code, _, err = tuneworthy(capsys, *options)
    assert code == 2
    assert str(nowhere) in err
    assert err.count("\n") == 1
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("kind", ["gpt2", "qwen2"])
def test_a_model_of_another_architecture_runs_by_its_folder(kind, tmp_path, capsys):
    save_tiny(tmp_path / kind, kind)
    task = write_task(tmp_path / "task", eval_rows=6, extra=QUICK)
    arms = "zero_shot,few_shot,rag,qlora,lora,full"
    code, out, err = tuneworthy(
        capsys, "run", task, "--model", tmp_path / kind, "--arms", arms, "--out", tmp_path / "run", "--json"
    )
    assert code == 0, err
    results = json.loads(out)
    assert {arm["name"]: arm["reason"] for arm in results["arms"]} == dict.fromkeys(arms.split(","))
    assert {(arm["score"]["n"], arm["errors"]) for arm in results["arms"]} == {(6, 0)}
    assert results["model"]["name"] == str(tmp_path / kind)


def test_a_complete_run_is_not_overwritten(finished, tmp_path, capsys):
    task = write_task(tmp_path / "task")
    code, _, err = tuneworthy(capsys, "run", task, "--out", finished)
    assert code == 2
    assert f"--resume {finished}" in err


def complaints(err):
    """Return what was written to standard error but for the notes that a run begins with."""
    return "".join(line for line in err.splitlines(keepends=True) if not line.startswith("note: "))


def test_a_run_killed_at_random_moments_ends_as_one_that_was_not(tmp_path):
    """Twenty kills; ``python -m tests.killed_run DIR --kills N --seed S`` does it as often as one likes."""
    told = subprocess.run(
        [sys.executable, "-m", "tests.killed_run", tmp_path, "--kills=20", "--arms=few_shot,rag,qlora", "--epochs=20"],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert told.returncode == 0, told.stderr
    found = json.loads(told.stdout)
    assert found["differing"] == []
    assert found["kills"] == 20


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_told_to_stop_says_how_to_go_on(sent, tmp_path):
    task = write_task(tmp_path / "task", eval_rows=10 * BATCH_ROWS)
    process = subprocess.Popen(
        [sys.executable, "-m", "advisor.cli", "run", task, "--arms", "zero_shot,rag", "--out", tmp_path / "run"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not (tmp_path / "run/cells/zero_shot-0/predictions.jsonl").exists() and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(sent)
    out, err = process.communicate(timeout=120)
    assert (process.returncode, out) == (1, ""), err
    assert complaints(err).count("\n") == 1
    assert err.endswith(f"tuneworthy run --resume {tmp_path / 'run'}\n")


def test_an_arm_that_fails_is_exit_code_1_beside_a_whole_report(tmp_path, capsys, monkeypatch):
    task = write_task(tmp_path / "task", extra=QUICK)
    with monkeypatch.context() as patched:
        patched.setattr("finetune.scratch_arm.MOST_PARAMETERS", 1000)
        code, out, err = tuneworthy(capsys, "run", task, "--arms", "majority,scratch", "--out", tmp_path / "run")
    assert code == 1
    assert "Report: " in out
    assert complaints(err).startswith("tuneworthy: scratch could not be completed; the causes are in ")
    assert "at most 0 million" in (tmp_path / "run/report.html").read_text(encoding="utf-8")
    code, _, err = tuneworthy(capsys, "run", "--resume", tmp_path / "run")
    assert code == 0, err
    assert {arm["status"] for arm in json.loads((tmp_path / "run/results.json").read_text())["arms"]} == {"done"}


def test_resuming_refuses_data_that_changed(tmp_path, capsys):
    task = write_task(tmp_path / "task")
    assert tuneworthy(capsys, "run", task, "--arms", "majority", "--out", tmp_path / "run")[0] == 0
    with (task / "train.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"id": "new", "input": "One more thing", "target": "warm"}\n')
    code, _, err = tuneworthy(capsys, "run", "--resume", tmp_path / "run")
    assert code == 1
    assert "train" in err
    assert "changed" in err


def test_a_model_beside_the_task_file_is_found_and_resumed_from_anywhere(tmp_path, capsys, monkeypatch):
    task = write_task(tmp_path / "task", extra="model: ./own\n")
    save_tiny(task / "own", "llama")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    assert tuneworthy(capsys, "run", task, "--arms", "zero_shot", "--out", "run")[0] == 0
    (tmp_path / "run/cells/zero_shot-0/cost.json").unlink()
    monkeypatch.chdir(tmp_path / "elsewhere")
    code, _, err = tuneworthy(capsys, "run", "--resume", "../run")
    assert code == 0, err


def test_json_goes_to_standard_output_alone(tmp_path, capsys):
    task = write_task(tmp_path / "task")
    code, out, _ = tuneworthy(capsys, "run", task, "--arms", "majority", "--out", tmp_path / "run", "--json")
    assert code == 0
    assert json.loads(out)["verdict"]["outcome"] == "undecided"


def test_limit_takes_a_seeded_sample(tmp_path, capsys):
    task = write_task(tmp_path / "task")
    for out in ("one", "two"):
        code, _, err = tuneworthy(capsys, "run", task, "--arms", "majority", "--limit", "6", "--out", tmp_path / out)
        assert code == 0
        assert "6 of 20 eval rows" in err
    first, second = ((tmp_path / out / "cells/majority-0/predictions.jsonl").read_text() for out in ("one", "two"))
    ids = [json.loads(line)["id"] for line in first.splitlines()]
    assert len(ids) == 6
    assert ids == [json.loads(line)["id"] for line in second.splitlines()]


def test_prices_are_checked_before_anything_runs_and_kept_with_the_run(tmp_path, capsys):
    task, own = write_task(tmp_path / "task"), tmp_path / "mine.yaml"
    run = ("run", task, "--arms", "majority", "--out", tmp_path / "run", "--prices", own)
    code, _, err = tuneworthy(capsys, *run)
    assert (code, err.count("\n")) == (2, 1)
    assert "mine.yaml: can't be read" in err
    own.write_text("cpu: {per_hour: -1}\n")
    code, _, err = tuneworthy(capsys, *run)
    assert (code, err.count("\n")) == (2, 1)
    assert "mine.yaml:1: cpu.per_hour: must be at least 0" in err
    assert not (tmp_path / "run").exists()
    own.write_text("cpu: {per_hour: 3}\n")
    code, out, _ = tuneworthy(capsys, *run, "--json")
    assert code == 0
    used = {one["key"]: (one["value"], one["origin"]) for one in json.loads(out)["economics"]["assumptions"]}
    assert used["cpu.per_hour"] == (3.0, "prices file")
    assert used["gpu.per_hour"] == (2.5, "example prices")
    code, _, err = tuneworthy(capsys, "report", tmp_path / "nowhere", "--prices", own)
    assert (code, err.count("\n")) == (2, 1)
