import json

import pytest

from advisor.general_set import PER_ABILITY, general_set
from evals.errors import DataError, RunError, UsageError
from evals.example import Prompt
from evals.forgetting import (
    FILE,
    GeneralQuestion,
    GeneralSet,
    ask_general,
    base_file,
    forgetting_section,
    write_failure,
)
from evals.protocols import Generation
from reports.forgetting import forgetting_sentences
from tests.small_task import write_jsonl, write_task
from tests.test_advisor_run import tuneworthy

SET = GeneralSet(
    "ours", tuple(GeneralQuestion(f"q{n}", f"kind {n % 2}", Prompt("Say", f"{n}"), (f"{n}",)) for n in range(12))
)


class Says:
    """A model that answers the first ``right`` questions rightly and fails on the last."""

    def __init__(self, right, fails=False):
        self.right, self.fails, self.asked = right, fails, 0

    def count_tokens(self, text):
        return len(text.split())

    def generate(self, prompts, limits):
        self.asked += 1
        self.limits = limits
        texts = [f" {prompt.input}. " if n < self.right else "?" for n, prompt in enumerate(prompts)]
        errors = ["no" if self.fails and n == len(prompts) - 1 else None for n in range(len(prompts))]
        return [Generation("p", text, 1, 1, 1.0, error) for text, error in zip(texts, errors, strict=True)]


def test_what_was_lost_is_told_by_kind_and_with_an_interval(tmp_path):
    ask_general(Says(12), SET, tmp_path / FILE)
    for seed in (0, 1):
        (tmp_path / f"qlora-{seed}").mkdir()
        ask_general(Says(4), SET, tmp_path / f"qlora-{seed}" / FILE)
    told = forgetting_section(tmp_path, {"qlora": [tmp_path / "qlora-0", tmp_path / "qlora-1"], "lora": []}, 0.95)
    assert (told["set"], told["questions"], told["before"]) == ("ours", 12, 1.0)
    (arm,) = told["arms"]
    assert arm["after"] == pytest.approx(1 / 3, abs=1e-6)
    assert arm["difference"] == pytest.approx(-2 / 3, abs=1e-6)
    assert arm["low"] < arm["difference"] < arm["high"] < 0
    assert arm["kinds"] == [
        {"kind": "kind 0", "questions": 6, "before": 1.0, "after": pytest.approx(1 / 3, abs=1e-6)},
        {"kind": "kind 1", "questions": 6, "before": 1.0, "after": pytest.approx(1 / 3, abs=1e-6)},
    ]
    (sentence,) = forgetting_sentences({"forgetting": told})
    assert str(sentence).startswith("qlora forgot: 100.0% of 12 general questions right before training, 33.3% after")


def test_each_tuned_arm_is_set_against_its_own_base(tmp_path):
    cells = {}
    for alias, before, after in (("big", 12, 12), ("small", 6, 3)):
        ask_general(Says(before), SET, tmp_path / base_file(alias))
        cells[f"lora@{alias}"] = [tmp_path / f"lora@{alias}-0"]
        cells[f"lora@{alias}"][0].mkdir()
        ask_general(Says(after), SET, cells[f"lora@{alias}"][0] / FILE)
    told = forgetting_section(tmp_path, cells, 0.95)
    assert told["several"]
    found = {arm["name"]: (arm["before"], arm["after"], arm["difference"]) for arm in told["arms"]}
    assert found == {"lora@big": (1.0, 1.0, 0.0), "lora@small": (0.5, 0.25, -0.25)}
    sentence = forgetting_sentences({"forgetting": told})[1]
    assert "right before training, 25.0% after" in str(sentence)


def test_no_loss_is_claimed_where_none_is_shown(tmp_path):
    ask_general(Says(12), SET, tmp_path / FILE)
    (tmp_path / "c").mkdir()
    ask_general(Says(12, fails=True), SET, tmp_path / "c" / FILE)
    told = forgetting_section(tmp_path, {"lora": [tmp_path / "c"]}, 0.95)
    assert told["arms"][0]["difference"] == 0
    assert "shows no loss that these questions could prove" in str(forgetting_sentences({"forgetting": told})[0])


def test_questions_are_asked_once(tmp_path):
    model = Says(3)
    for _ in range(2):
        ask_general(model, SET, tmp_path / FILE)
    assert model.asked == 1


def test_without_questions_there_is_no_section(tmp_path):
    assert forgetting_section(tmp_path, {}, 0.95) is None
    (tmp_path / FILE).write_text('{"schema": 9}')
    with pytest.raises(RunError, match="delete it to redo"):
        forgetting_section(tmp_path, {}, 0.95)


def test_the_builtin_model_is_asked_its_abilities_and_no_other_is(tmp_path):
    found = general_set(None, "builtin", tmp_path)
    assert len(found.questions) == 8 * PER_ABILITY
    assert found == general_set("builtin", "other", tmp_path)
    assert general_set(None, "other", tmp_path) is None
    assert general_set("off", "builtin", tmp_path) is None
    with pytest.raises(UsageError, match="is no file; give builtin, off"):
        general_set("nowhere.jsonl", "builtin", tmp_path)


def test_a_run_asks_a_users_own_questions(tmp_path, capsys):
    task = write_task(tmp_path / "task", extra="tune: {epochs: 1, batch_size: 8}\n")
    rows = [{"input": f"What is {n} and {n}?", "target": str(2 * n)} for n in range(5)]
    write_jsonl(tmp_path / "general.jsonl", rows)
    out = tmp_path / "run"
    asked = ["--forgetting", tmp_path / "general.jsonl", "--out", out]
    assert tuneworthy(capsys, "run", task, "--arms", "majority,lora", *asked)[0] == 0
    told = json.loads((out / "results.json").read_text())["forgetting"]
    assert (told["set"], told["questions"]) == ("general.jsonl", 5)
    assert [arm["name"] for arm in told["arms"]] == ["lora"]
    assert "What training broke" in (out / "report.html").read_text()


def test_answers_are_kept_and_long_ones_have_room(tmp_path):
    long = GeneralSet("ours", (GeneralQuestion("q", "all", Prompt("Say", "5"), ("5", "word " * 200)),))
    model = Says(12)
    ask_general(model, long, tmp_path / FILE)
    assert model.limits.max_new_tokens == 220
    kept = json.loads((tmp_path / FILE).read_text())["answers"]["q"]
    assert (kept["prompt"], kept["raw"], kept["error"]) == ("p", " 5. ", None)
    ask_general(model, SET, tmp_path / "other.json")
    assert model.limits.max_new_tokens == 60


def test_what_could_not_be_asked_is_told_and_so_is_a_set_that_is_too_hard(tmp_path):
    ask_general(Says(0), SET, tmp_path / FILE)
    for name in ("lora", "full"):
        (tmp_path / name).mkdir()
    write_failure(SET, "RuntimeError: no memory", tmp_path / "lora" / FILE)
    ask_general(Says(0), SET, tmp_path / "full" / FILE)
    told = forgetting_section(tmp_path, {"lora": [tmp_path / "lora"], "full": [tmp_path / "full"]}, 0.95)
    assert [str(sentence) for sentence in forgetting_sentences({"forgetting": told})] == [
        "lora: the general questions couldn't be asked (RuntimeError: no memory).",
        "full had nothing to forget: before training too, none of 12 general questions was right.",
    ]


def test_a_long_file_is_sampled_and_an_empty_one_refused(tmp_path):
    write_jsonl(tmp_path / "long.jsonl", [{"input": f"a{n}", "target": "b"} for n in range(300)])
    found = general_set("long.jsonl", "other", tmp_path)
    assert (len(found.questions), found.name) == (200, "long.jsonl, 200 of 300 rows")
    assert found == general_set("long.jsonl", "other", tmp_path)
    assert found.questions[-1].prompt.input != "a199"
    for name, text in (("empty.jsonl", ""), ("heads.csv", "input,target\n")):
        (tmp_path / name).write_text(text)
        with pytest.raises(DataError, match=rf"{name}: (is empty|holds no)"):
            general_set(name, "other", tmp_path)


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """Return task and questions below the working directory, which isn't the task's folder."""
    monkeypatch.chdir(tmp_path)
    task = write_task(tmp_path / "task", extra="tune: {epochs: 1, batch_size: 8}\n")
    write_jsonl(tmp_path / "general.jsonl", [{"input": f"What is {n}?", "target": "x"} for n in range(3)])
    return task


def test_a_file_is_seen_from_where_the_command_is_given_and_must_not_change(asked, tmp_path, capsys):
    given = ["--forgetting", "general.jsonl", "--arms", "majority,lora", "--out", "run"]
    assert tuneworthy(capsys, "run", asked, *given)[0] == 0
    (tmp_path / "run/cells/lora-0/cost.json").unlink()
    (tmp_path / "run/cells/lora-0" / FILE).unlink()  # as a kill before the questions leaves it
    before = (tmp_path / "run" / FILE).stat().st_mtime_ns
    assert tuneworthy(capsys, "run", "--resume", "run")[0] == 0
    assert (tmp_path / "run/cells/lora-0" / FILE).exists()
    assert (tmp_path / "run" / FILE).stat().st_mtime_ns == before
    write_jsonl(tmp_path / "general.jsonl", [{"input": "Another?", "target": "y"}])
    code, _, err = tuneworthy(capsys, "run", "--resume", "run")
    assert code == 1
    assert "the forgetting data have changed" in err


def test_a_file_that_is_not_there_is_one_line(asked, tmp_path, capsys):
    code, _, err = tuneworthy(capsys, "run", asked, "--forgetting", "nowhere.jsonl", "--out", "run")
    assert (code, err.count("\n"), (tmp_path / "run").exists()) == (2, 1, False)
    assert "--forgetting nowhere.jsonl: there is no such file; give builtin, off, or a file" in err
    assert str(asked) not in err


def test_questions_that_nobody_is_asked_are_noted(asked, tmp_path, capsys):
    given = ["--forgetting", "general.jsonl", "--arms", "majority", "--out", "run"]
    code, _, err = tuneworthy(capsys, "run", asked, *given)
    assert code == 0
    assert f"`forgetting: {tmp_path / 'general.jsonl'}`) aren't asked: no arm of this run is trained" in err


def test_a_failing_check_costs_no_answers(asked, tmp_path, capsys, monkeypatch):
    def fail(*_):
        raise RuntimeError("no memory left")

    monkeypatch.setattr("evals.runner.ask_general", fail)
    given = ["--forgetting", "general.jsonl", "--arms", "majority,lora", "--out", "run"]
    assert tuneworthy(capsys, "run", asked, *given)[0] == 0
    assert "no memory left" in (tmp_path / "run/cells/lora-0" / FILE).read_text()
    results = json.loads((tmp_path / "run/results.json").read_text())
    assert results["forgetting"] is None
    assert {arm["status"] for arm in results["arms"]} == {"done"}
