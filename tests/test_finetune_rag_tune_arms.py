import json
from dataclasses import replace

import pytest

from baselines.loading import load_model
from baselines.rag_arms import FROM_PASSAGES, STAND_IN
from baselines.tuned_card import read_card
from evals.example import Document, Example, Passage, Prompt
from evals.protocols import ArmContext
from evals.task import Task
from evals.task_file import Data, Rag, TaskFile, Tune
from finetune.adapter_arm import AdapterArm
from finetune.encode import encode_rows
from finetune.exam import plan_exam
from finetune.rag_tune_arms import RagLoraArm, RagQloraArm
from finetune.schedule import plan_schedule
from tests.fake_model import FakeEmbedder
from tests.tiny_models import save_tiny

VALUES = ("red", "blue")


def documents(shift=0):
    """Each thing's colour stands in a document of its own; nothing else tells it."""
    return tuple(
        Document(f"d{number}", "", f"thing{number} is {VALUES[(number * 7 // 3 + shift) % 2]}") for number in range(60)
    )


def rows(found, prefix="t"):
    return tuple(
        Example(f"{prefix}{document.id}", document.text.split()[0], (document.text.split()[-1],), doc_id=document.id)
        for document in found
    )


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return save_tiny(tmp_path_factory.mktemp("base"), "llama")


def make_task(model, found, **tune):
    settings = TaskFile(
        instruction="Say the colour.",
        answer="label",
        data=Data(train="t.csv"),
        model=str(model),
        rag=Rag(k=2),
        tune=Tune(**({"epochs": 1, "batch_size": 8, "rank": 4} | tune)),
    )
    return Task("things", settings, model, VALUES, rows(found[:40]), rows(found[40:], "e"), found, {})


def fitted(arm_class, task, folder, calls=None):
    shared = load_model(task.settings.model)
    context = ArmContext(
        task=task,
        seed=0,
        folder=folder,
        cache=folder / "cache",
        model=lambda: shared,
        embedder=FakeEmbedder,
        progress=lambda *call: calls.append(call) if calls is not None else None,
    )
    arm = arm_class(context)
    return arm, arm.fit(task.train, task.documents)


@pytest.mark.parametrize("arm_class", [RagQloraArm, RagLoraArm])
def test_it_is_trained_and_asked_with_passages_and_says_which(tmp_path, base, arm_class):
    task = make_task(base, documents())
    arm, report = fitted(arm_class, task, tmp_path)
    answers = arm.answer(task.eval)
    assert all(answer.error is None and answer.raw in VALUES for answer in answers)
    for row, answer in zip(task.eval, answers, strict=True):
        assert [hit.shown for hit in answer.retrieved] == [True, True]
        assert FROM_PASSAGES in answer.prompt
        assert f"Passage 1: {task.documents[int(answer.retrieved[0].document_id[1:])].text}" in answer.prompt
        assert answer.prompt.rstrip().endswith(f"Input: {row.input}\nOutput:")
    assert report.facts["documents"] == 60
    card = read_card(tmp_path / "adapter")
    assert (card.method, card.quantised) == (arm_class.name, arm_class is RagQloraArm)
    # what a step learns from is as long as what is asked: the passages are in it
    plain = sum(len(arm._finder.model.encode_prompt(question.prompt)) for question in arm.ask(task.train))
    assert report.train_tokens > 0.8 * plain
    json.dumps(report.facts)


def test_a_finished_fit_is_taken_up_unless_the_documents_changed(tmp_path, base):
    task, calls = make_task(base, documents()), []
    _, report = fitted(RagLoraArm, task, tmp_path)
    arm, again = fitted(RagLoraArm, task, tmp_path, calls)
    assert again == report
    assert "training" not in {phase for phase, *_ in calls}
    assert len(arm.answer(task.eval)) == 20
    changed = replace(task, documents=documents(shift=1))
    fitted(RagLoraArm, changed, tmp_path, calls)
    assert "training" in {phase for phase, *_ in calls}


def test_its_adapter_brought_along_is_asked_without_passages_and_that_is_told(tmp_path, base):
    task = make_task(base, documents())
    trained, _ = fitted(RagLoraArm, task, tmp_path)
    brought = AdapterArm(replace(trained.context, adapter=tmp_path / "adapter", folder=tmp_path / "new"))
    assert "asked without them here" in brought.fit(task.train, task.documents).facts["warning"]


def test_without_documents_training_rows_stand_in_but_no_row_finds_itself(tmp_path, base):
    task = replace(make_task(base, documents()), documents=())
    arm, report = fitted(RagLoraArm, task, tmp_path)
    assert report.facts["note"] == STAND_IN
    for row, question in zip(task.train, arm.ask(task.train), strict=True):
        assert question.prompt.passages
        assert row.id not in {hit.document_id for hit in question.retrieved}


def test_an_exam_asks_what_the_rows_are_trained_on(base):
    task = make_task(base, documents())
    engine = load_model(str(base))
    prompts = [Prompt("Say.", row.input, passages=(Passage("p", "d", "", "a thing"),)) for row in task.train]
    encoded = encode_rows(engine, task, task.train, prompts)
    assert encoded.rows[0].ids[: encoded.rows[0].prompt_tokens] == tuple(engine.encode_prompt(prompts[0]))
    asked = dict(zip((row.id for row in task.train), prompts, strict=True))
    schedule = plan_schedule(Tune(), rows=30, epoch_tokens=900, token_budget=None, learning_rate=1e-3)
    exam = plan_exam(engine, task, encoded.rows[:5], schedule=schedule, step_tokens=200, seed=0, prompts=asked)
    assert exam.prompts == tuple(asked[row.id] for row in exam.examples)
    assert 0 <= exam.sit() <= 1
