"""``tuneworthy compare`` and ``--require``, as a user and as a pipeline call them."""

import json

import pytest

from evals.errors import GateError, UsageError
from evals.requirement import check_requirements, parse_requirements
from tests.fuzzing import run_cli
from tests.small_task import write_task
from tests.test_advisor_run import tuneworthy

ARMS = "majority,nearest,logistic"


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two runs of the same task: the second with fewer arms and another name for its instruction."""
    base = tmp_path_factory.mktemp("runs")
    task = write_task(base / "task")
    for name, arms in (("a", ARMS), ("b", "majority,logistic")):
        assert run_cli("run", task, "--arms", arms, "--out", base / name)[0] == 0
    return base


def results(**scores):
    arms = [
        {"name": name, "score": {"mean": mean, "low": mean - 0.05, "high": mean + 0.05}}
        for name, mean in scores.items()
    ]
    return {
        "verdict": {"outcome": "undecided"},
        "economics": {"decision": "undecided", "requests_per_month": None},
        "arms": [*arms, {"name": "failed", "score": None}],
    }


def test_the_bound_that_counts_is_the_intervals():
    told = results(rag=0.84, qlora=0.9)
    check_requirements(parse_requirements(["qlora>=0.8", "rag <= 90%"], ["rag", "qlora"]), told)
    with pytest.raises(GateError, match=r"rag>=0.8 is not met: it scores 0.840, and its interval's lower end is 0.790"):
        check_requirements(parse_requirements(["rag>=80%"], ["rag"]), told)
    with pytest.raises(GateError, match="failed has no score; worth_it is not met: the verdict is undecided"):
        check_requirements(parse_requirements(["failed>=0", "worth_it"], ["failed"]), told)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("worth", "give worth_it, not_worth_it, or an arm's bound"),
        ("rag>0.8", "give worth_it"),
        ("rug>=0.8", "the run has no arm 'rug'; it has rag"),
        ("rag>=80", "from 0 to 1"),
    ],
)
def test_requirements_that_cannot_be_read(text, what):
    with pytest.raises(UsageError, match=what):
        parse_requirements([text], ["rag"])


def test_a_run_whose_requirement_is_not_met_exits_with_3(runs, capsys):
    code, out, err = tuneworthy(capsys, "report", runs / "a", "--require", "worth_it", "--require", "logistic>=0.1")
    assert code == 3
    assert "Report:" in out
    assert err == "tuneworthy: worth_it is not met: the verdict is undecided\n"
    assert tuneworthy(capsys, "run", "--resume", runs / "a", "--require", "logistic>=0.1")[0] == 0
    assert tuneworthy(capsys, "run", "--resume", runs / "a", "--require", "majority>=0.99")[0] == 3


def test_a_wrong_requirement_makes_no_folder(tmp_path, capsys):
    task = write_task(tmp_path / "task")
    out = tmp_path / "run"
    code, _, err = tuneworthy(capsys, "run", task, "--arms", "majority", "--out", out, "--require", "rag>=0.5")
    assert (code, out.exists()) == (2, False)
    assert "the run has no arm 'rag'" in err


def test_two_runs_are_compared_arm_by_arm_and_best_by_best(runs, capsys):
    code, out, _ = tuneworthy(capsys, "compare", runs / "a", runs / "b", "--json")
    told = json.loads(out)
    assert code == 0
    assert [(entry["a"], entry["b"]) for entry in told["arms"]] == [("majority", "majority"), ("logistic", "logistic")]
    assert [entry["difference"] for entry in told["arms"]] == [0, 0]
    assert all(entry["p_holm"] == 1 for entry in told["arms"])
    assert (told["only_a"], told["only_b"]) == (["nearest"], [])
    assert told["best"]["a"] in ARMS.split(",")
    code, out, _ = tuneworthy(capsys, "compare", runs / "a", runs / "b")
    assert "Only in the first run: nearest." in out
    assert "best:" in out


def test_runs_of_other_rows_are_refused(runs, tmp_path, capsys):
    task = write_task(tmp_path / "task", eval_rows=16)
    assert tuneworthy(capsys, "run", task, "--arms", "majority", "--out", tmp_path / "other")[0] == 0
    code, _, err = tuneworthy(capsys, "compare", runs / "a", tmp_path / "other")
    assert code == 1
    assert "judge different eval data (their hashes differ)" in err
    limited = tmp_path / "limited"
    assert tuneworthy(capsys, "run", runs / "task", "--arms", "majority", "--limit", 10, "--out", limited)[0] == 0
    code, _, err = tuneworthy(capsys, "compare", runs / "a", limited)
    assert (code, "different rows" in err) == (1, True)
    code, _, err = tuneworthy(capsys, "compare", runs / "a", tmp_path)
    assert code == 2
    assert "is not a run folder" in err


@pytest.mark.parametrize(
    ("decision", "volume", "met"),
    [("worth_it", 1000, True), ("gain_only", None, True), ("gain_only", 1000, False), ("not_repaid", 1000, False)],
)
def test_a_gain_has_to_be_repaid_where_the_volume_is_known(decision, volume, met):
    told = results() | {"economics": {"decision": decision, "requests_per_month": volume}}
    told["verdict"] = {"outcome": "worth_it"}
    (asked,) = parse_requirements(["worth_it"], [])
    assert (asked.unmet(told) is None) == met
