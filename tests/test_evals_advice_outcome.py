"""Whether a run bears out the advice that was given before it."""

import json

import pytest

from advisor.advice import advise
from evals.advice_outcome import GivenAdvice, advice_outcome, read_given_advice
from evals.documents import hash_file
from evals.errors import UsageError
from evals.files import write_json
from evals.record import read_record
from reports.advice_check import advice_sentences
from tests.small_task import write_task
from tests.test_advisor_run import tuneworthy


def given(approach, meanwhile="prompt"):
    return GivenAdvice(approach, 0.7, meanwhile, "0" * 64)


def arm(name, family, mean=0.5, status="done"):
    return {"name": name, "family": family, "trained": family == "tune", "status": status, "score": {"mean": mean}}


def results(outcome="not_worth_it", cheapest="few_shot", trained="qlora", **means):
    arms = [
        arm("majority", "classic", means.get("majority", 0.1)),
        arm("few_shot", "prompt", means.get("few_shot", 0.5)),
        arm("rag", "rag", means.get("rag", 0.5), means.get("rag_status", "done")),
        *([arm(trained, "tune", means.get("qlora", 0.5))] if trained else []),
    ]
    verdict = {
        "outcome": outcome,
        "gain": {"trained": trained},
        "best_trained": trained,
        "best_untrained": cheapest,
        "best_arm": cheapest,
        "cheapest_within_noise": cheapest,
    }
    return {"arms": arms, "verdict": verdict}


@pytest.mark.parametrize(
    ("approach", "run", "agreed", "measured"),
    [
        ("prompt", results(), True, "prompt"),
        ("rag", results(), False, "prompt"),
        ("tune", results("worth_it"), True, "tune"),
        ("prompt", results("worth_it"), False, "tune"),
        ("tune", results(), False, "prompt"),
        ("tune", results("undecided"), "undecided", "prompt"),
        ("prompt", results("undecided"), True, "prompt"),
        ("classic", results(cheapest="majority"), True, "classic"),
        ("rag", results(rag_status="failed"), "undecided", "prompt"),
        ("rag_tune", results("worth_it"), "undecided", "tune"),
        ("rag_tune", results("worth_it", trained="rag_qlora"), True, "tune"),
        ("rag_tune", results("not_worth_it", trained="rag_qlora"), False, "prompt"),
        ("rag_tune", results("undecided", trained="rag_qlora"), "undecided", "prompt"),
        ("tune", results("worth_it", trained="rag_qlora"), "undecided", "tune"),
        ("rag", results("worth_it", trained="rag_qlora"), False, "tune"),
        ("not_ready", results("worth_it"), False, "tune"),
        ("not_ready", results("not_worth_it"), True, "prompt"),
        ("not_ready", results("undecided"), "undecided", "prompt"),
        ("not_ready", results("undecided", trained=None), "undecided", "prompt"),
        ("prompt", results(majority=0, few_shot=0, rag=0, qlora=0), "undecided", None),
    ],
)
def test_agreed(approach, run, agreed, measured):
    found = advice_outcome(given(approach), run)
    assert (found["agreed"], found["measured"]) == (agreed, measured)
    assert (found["recommended"], found["probability"]) == (approach, 0.7)
    said = advice_sentences({"advice": found})
    assert "70%" in said[0]
    held = {True: "The advice held.", False: "The advice didn't hold.", "undecided": "Undecided"}[agreed]
    assert said[1].startswith(held)


def test_without_advice_the_report_names_the_command():
    assert advice_outcome(None, results()) is None
    assert "--advice advice/advice.json" in str(advice_sentences({"advice": None})[0])
    assert advice_sentences({}) == advice_sentences({"advice": None})


@pytest.fixture
def advice(tmp_path):
    path = tmp_path / "advice.json"
    write_json(path, advise({"task": "tabular"}))
    return path


def test_a_run_carries_the_advice_into_results_and_report(tmp_path, advice, capsys):
    task = write_task(tmp_path / "task")
    out = tmp_path / "run"
    code, text, err = tuneworthy(capsys, "run", task, "--arms", "majority,nearest", "--advice", advice, "--out", out)
    assert code == 0, err
    kept = read_record(out).advice
    assert (kept.recommended, kept) == ("classic", read_given_advice(advice))
    stored = json.loads((out / "results.json").read_text(encoding="utf-8"))["advice"]
    assert stored["agreed"] is True
    assert "The advice held." in " ".join(text.split())
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "The advice before the run" in page
    assert "a classic method, no language model" in page
    advice.unlink()
    (out / "report.html").unlink()
    assert tuneworthy(capsys, "run", "--resume", out)[0] == 0
    assert "The advice held." in (out / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("same", [True, False])
def test_advice_that_counted_other_rows_is_told(tmp_path, advice, capsys, same):
    task, out = write_task(tmp_path / "task"), tmp_path / "run"
    digest = hash_file(task / "train.jsonl") if same else "0" * 64
    write_json(advice, json.loads(advice.read_text(encoding="utf-8")) | {"data": {"train": digest}})
    code, text, err = tuneworthy(capsys, "run", task, "--arms", "majority,nearest", "--advice", advice, "--out", out)
    assert code == 0
    assert ("was it made for another task?" in text + err) is not same
    assert json.loads((out / "results.json").read_text(encoding="utf-8"))["advice"]["same_data"] is same
    page = (out / "report.html").read_text(encoding="utf-8")
    assert ("counted other rows than those" in page) is not same


@pytest.mark.parametrize(("content", "said"), [("{", "not JSON"), ('{"schema": 9}', "schema"), ("[]", "object")])
def test_a_file_that_is_no_advice_is_refused_before_any_work(tmp_path, capsys, content, said):
    path = tmp_path / "odd.json"
    path.write_text(content, encoding="utf-8")
    task = write_task(tmp_path / "task")
    code, _, err = tuneworthy(capsys, "run", task, "--advice", path, "--out", tmp_path / "run")
    assert code == 2
    assert err.count("\n") == 1
    assert said in err
    assert not (tmp_path / "run").exists()
    with pytest.raises(UsageError):
        read_given_advice(tmp_path / "none.json")
