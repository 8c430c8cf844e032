"""An advice with all its parts: from data, with a probe, with prices, as files that other commands read."""

import json
from pathlib import Path

import pytest

from advisor.advice import caveats
from advisor.advice_details import costs, needs, routes, steps
from advisor.advice_parts import Sources, look_into, whole_advice
from advisor.recommend import Recommendation
from evals.advice_file import check_advice, read_advice
from evals.errors import UsageError
from evals.load import load_task
from tests.small_task import write_jsonl
from tests.test_advisor_run import tuneworthy

ANSWERS = {"task": "sorting", "labels_meaning": "own", "base": "small", "volume": "high"}


@pytest.fixture
def rows(tmp_path):
    made = [
        {"input": f"ticket {number} about {word}", "target": word}
        for number in range(60)
        for word in ("billing", "delivery")
    ]
    write_jsonl(tmp_path / "rows.jsonl", made)
    return tmp_path / "rows.jsonl"


def test_without_data_all_parts_are_there():
    advice = whole_advice(ANSWERS, look_into(Sources()), Sources())
    check_advice(json.loads(json.dumps(advice)))
    assert advice["estimates"]["training"]
    assert advice["readiness"]
    assert advice["plan"][0]["step"].startswith("Write the limits down")
    assert {entry["origin"] for entry in advice["answers"].values()} <= {"said", "unknown", "skipped"}
    titles, commands, stops = zip(*steps(advice), strict=True)
    assert titles[0] == "Day 1: Write the limits down."
    assert any(command and command.startswith("tuneworthy run") for command in commands)
    assert all(stops)
    assert [line.split(":")[0] for line in routes(advice)] == ["From scratch", "On preferences (DPO, RLHF)"]
    assert any(line.startswith("Training (") for line in costs(advice))


def test_what_is_counted_is_marked_and_goes_before_estimates(rows):
    found = look_into(Sources(data=rows))
    assert found.answers["examples"] == "fifty"
    advice = whole_advice({**ANSWERS, **found.answers}, found, Sources(data=rows))
    entry = advice["answers"]["examples"]
    assert entry["origin"] == "measured"
    assert "120" in entry["note"]
    [examples] = [one for one in advice["estimates"]["assumptions"] if one["name"] == "examples"]
    assert (examples["value"], examples["origin"]) == (120, "measured")
    assert any(line.startswith("Examples to learn from") for line in needs(advice))


def test_an_answer_that_goes_against_what_was_counted_counts_as_said(rows):
    found = look_into(Sources(data=rows))
    advice = whole_advice({**ANSWERS, "examples": "thousands"}, found, Sources(data=rows))
    assert advice["answers"]["examples"]["origin"] == "said"
    assert advice["answers"]["examples"]["note"] is None


def test_documents_and_a_probe_need_rows():
    with pytest.raises(UsageError, match="need --data"):
        look_into(Sources(documents=Path("docs")))


def test_the_folder_holds_what_other_commands_read(rows, tmp_path, capsys):
    out = tmp_path / "advice"
    pairs = [f"--set={key}={value}" for key, value in ANSWERS.items()]
    code, text, err = tuneworthy(capsys, "advise", *pairs, "--data", rows, "--out", out, "--budget", "200 euros")
    assert code == 0, err
    assert f"Page: {out / 'advice.html'}" in text
    advice = read_advice(out / "advice.json")
    assert "200 euros" in advice["plan"][0]["step"]
    page = (out / "advice.html").read_text(encoding="utf-8")
    assert "200 euros" in page
    assert load_task(out).train
    kept = (out / "task.yaml").read_text(encoding="utf-8")
    (out / "task.yaml").write_text(kept + "# mine\n", encoding="utf-8")
    assert tuneworthy(capsys, "advise", *pairs, "--out", out)[0] == 0
    assert (out / "task.yaml").read_text(encoding="utf-8").endswith("# mine\n")


def test_wrong_prices_are_one_line(tmp_path, capsys):
    prices = tmp_path / "prices.yaml"
    prices.write_text("gpu:\n  per_hours: 2\n", encoding="utf-8")
    code, _, err = tuneworthy(capsys, "advise", "--set", "task=sorting", "--prices", prices)
    assert code == 2
    assert err.count("\n") == 1
    assert "prices.yaml:2" in err
    assert "per_hour" in err


@pytest.mark.parametrize(
    ("even", "said"),
    [
        (None, "training never repays, since a request to the trained model costs no less; put in your own figures."),
        (("no", None), "training never repays at 1,000 requests a month; put in your own figures."),
        (("unclear", None), "training may never repay at 1,000 requests a month; put in your own figures."),
        (
            ("no", 30.4),
            "training isn't sure to repay in time: it takes about 30 months at 1,000 requests a month; "
            "put in your own figures.",
        ),
    ],
    ids=["dearer", "never", "unclear", "late"],
)
def test_a_cost_that_stands_in_the_way_of_training_is_told_in_one_sentence(even, said):
    requests = None if even is None else {"middle": 1e6}
    months = even and even[1] and {"middle": even[1]}
    found = {"trained": "tune", "status": even[0] if even else "no", "requests": requests, "months": months}
    volume = {"name": "requests_per_month", "value": 1000, "origin": "answer"}
    told = caveats(Recommendation("tune", "prompt", (), ()), {}, {"break_even": [found], "assumptions": [volume]})
    assert told[-1] == f"By cost alone {said}"
