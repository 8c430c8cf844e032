import json

import pytest

from advisor.general_set import PER_ABILITY, general_set
from evals.errors import RunError, UsageError
from evals.example import Prompt
from evals.forgetting import FILE, GeneralQuestion, GeneralSet, ask_general, forgetting_section
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

    def generate(self, prompts, limits):
        self.asked += 1
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
    assert str(sentence).startswith("qlora forgot: of 12 general questions right 100.0% before training, 33.3% after")


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
