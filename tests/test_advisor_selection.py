"""Settings that an arm chooses among, from the command line to the report."""

import json

import pytest

from tests.small_task import rows, write_jsonl, write_task
from tests.test_advisor_run import tuneworthy
from tests.tiny_models import save_tiny

SEVERAL = "few_shot: {try_k: [1, 4]}\ninstructions: ['Warm or cold?']\ntune: {epochs: 1, batch_size: 8}\n"


def several(folder):
    """Write the task with enough training rows to choose by."""
    task = write_task(folder, extra=SEVERAL)
    write_jsonl(task / "train.jsonl", rows(0, 60))
    return task


@pytest.fixture(scope="module")
def chosen(tmp_path_factory):
    """Return a task's folder, that of its run, which the first test makes, and that of a tiny model."""
    base = tmp_path_factory.mktemp("selection")
    return several(base / "task"), base / "run", save_tiny(base / "model")


def test_a_run_chooses_on_training_rows_and_says_so(chosen, capsys):
    task, run, model = chosen
    arms = "majority,zero_shot,few_shot,lora"
    options = ("--model", model, "--arms", arms, "--seeds", "2", "--out", run)
    code, _, err = tuneworthy(capsys, "run", task, *options)
    assert code == 0, err
    results = json.loads((run / "results.json").read_text())
    fits = {arm["name"]: arm["fit"] for arm in results["arms"]}
    assert [fit["selection"] for fit in fits["majority"]] == [None]
    assert [len(fit["selection"]["tried"]) for name in ("zero_shot", "few_shot") for fit in fits[name]] == [2, 4, 4]
    asked = {json.loads(line)["id"] for line in (run / "cells/few_shot-0/predictions.jsonl").read_text().splitlines()}
    for fit in (*fits["zero_shot"], *fits["few_shot"]):
        kept = set(fit["selection"]["validation_ids"])
        assert kept <= {row["id"] for row in rows(0, 60)}
        assert not kept & asked
    assert "other wordings weren't trained on" in fits["lora"][0]["facts"]["instruction"]
    page = (run / "report.html").read_text(encoding="utf-8")
    assert "few_shot, seed 1: mean scores on 15 held-out rows" in page


def test_eval_rows_with_flipped_answers_give_the_same_choice(chosen, tmp_path, capsys):
    task = several(tmp_path / "task")
    other = {"warm": "cold", "cold": "warm"}
    write_jsonl(task / "eval.jsonl", [row | {"target": other[row["target"]]} for row in rows(1000, 20)])
    options = ("--model", chosen[2], "--arms", "few_shot", "--out", tmp_path / "run")
    code, _, err = tuneworthy(capsys, "run", task, *options)
    assert code == 0, err
    fits = [json.loads((run / "cells/few_shot-0/fit.json").read_text()) for run in (chosen[1], tmp_path / "run")]
    assert fits[0]["selection"] == fits[1]["selection"]


def test_a_curve_over_a_number_that_is_chosen_is_refused_before_anything_is_written(tmp_path, capsys):
    task = several(tmp_path / "task")
    code, _, err = tuneworthy(capsys, "run", task, "--arms", "few_shot,logistic", "--curve", "--out", tmp_path / "run")
    assert code == 2
    assert err.count("\n") == 1
    assert "--curve: few_shot.try_k leaves k to be chosen" in err
    assert not (tmp_path / "run").exists()
