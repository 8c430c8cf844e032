"""What makes a comparison fair: every prompt is in the log, training and asking share one rendering, two readings."""

import json

import pytest

from baselines.loading import load_model
from baselines.render import render_plain
from evals.load import load_task
from evals.protocols import Limits
from finetune.encode import zero_shot_prompt
from finetune.tuning import plan_lesson
from tests.small_task import rows, write_jsonl, write_task
from tests.test_advisor_run import tuneworthy
from tests.tiny_models import CHAT_TEMPLATE, CHAT_TEMPLATE_NO_SYSTEM, save_tiny

ARMS = ("zero_shot", "few_shot", "cot", "rag", "lora")
TOO_LONG = 3
"""The place of the eval row that no context holds."""


@pytest.fixture(scope="module", params=["label", "text"])
def answered(request, tmp_path_factory):
    """Return the task, its rows by arm as the log has them, and the run's folder."""
    base = tmp_path_factory.mktemp("fair")
    extra = "tune: {epochs: 1, batch_size: 8}\nforgetting: off\n"
    folder = write_task(base / "task", extra=extra)
    if request.param == "text":
        file = folder / "task.yaml"
        file.write_text(file.read_text().replace("answer: label", "answer: text"))
    asked = rows(1000, 20)
    asked[TOO_LONG]["input"] = "hot or cold? " * 2000
    write_jsonl(folder / "eval.jsonl", asked)
    return folder, base / "run"


def logged(run):
    return {
        arm: [json.loads(line) for line in (run / f"cells/{arm}-0/predictions.jsonl").read_text().splitlines()]
        for arm in ARMS
    }


def test_the_log_holds_every_prompt_as_rendered_and_both_readings(answered, capsys):
    folder, run = answered
    assert tuneworthy(capsys, "run", folder, "--arms", ",".join(ARMS), "--out", run)[0] == 0
    task, engine, log = load_task(folder), load_model("builtin"), logged(run)
    for arm, lines in log.items():
        assert [line["id"] for line in lines] == [row.id for row in task.eval]
        for place, (line, row) in enumerate(zip(lines, task.eval, strict=True)):
            assert line["prompt"].startswith(task.instruction), arm
            assert line["prompt"].endswith(f"Input: {row.input.strip()}\nOutput:")
            assert line["prompt_tokens"] >= engine.count_tokens(line["prompt"])  # and a begin token, maybe
            assert (line["error"] is not None) == (place == TOO_LONG)
            readings = (line["score_strict"], line["score_lenient"])
            assert (None not in readings) == (place != TOO_LONG)
    # the tuned arm is asked what the untrained one is asked, word for word, and that is what it was trained on
    for tuned, untrained, row in zip(log["lora"], log["zero_shot"], task.eval, strict=True):
        assert tuned["prompt"] == untrained["prompt"] == render_plain(zero_shot_prompt(task, row))
        assert tuned["prompt_tokens"] == untrained["prompt_tokens"]
    results = json.loads((run / "results.json").read_text())
    for arm in results["arms"]:
        assert 0 <= arm["score_strict"] <= arm["score_lenient"] <= 1
    page = (run / "report.html").read_text()
    assert ">Strict</th>" in page
    assert ">Lenient</th>" in page


@pytest.mark.parametrize("template", [None, CHAT_TEMPLATE, CHAT_TEMPLATE_NO_SYSTEM])
@pytest.mark.parametrize("answer", ["label", "text"])
def test_training_reads_the_tokens_that_asking_reads(tmp_path, template, answer):
    folder = write_task(tmp_path / "task")
    file = folder / "task.yaml"
    file.write_text(file.read_text().replace("answer: label", f"answer: {answer}"))
    task = load_task(folder, overrides={"model": str(save_tiny(tmp_path / "model", "llama", chat_template=template))})
    engine = load_model(task.settings.model)
    lesson = plan_lesson(
        engine.module,
        engine.tokenizer,
        task,
        task.train,
        settings=task.settings.tune,
        learning_rate=1e-3,
        seed=0,
    )
    learnt = {row.id: row for row in (*lesson.rows.train, *lesson.rows.validation)}
    assert set(learnt) == {row.id for row in task.train}
    prompts = [zero_shot_prompt(task, row) for row in task.train]
    answers = engine.generate(prompts, Limits(1))
    for row, prompt, asked in zip(task.train, prompts, answers, strict=True):
        given = learnt[row.id].ids[: learnt[row.id].prompt_tokens]
        assert list(given) == engine.encode_prompt(prompt)
        assert (asked.prompt, asked.prompt_tokens) == (engine.render(prompt), len(given))
        assert row.input in asked.prompt
