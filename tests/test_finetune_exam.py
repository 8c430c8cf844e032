import random
from dataclasses import replace

import pytest

from baselines.local_model import LocalModel
from evals.example import Example
from evals.protocols import Limits
from evals.task import Task
from evals.task_file import Data, TaskFile, Tune
from finetune.adapters import add_lora
from finetune.encode import EncodedRow, encode_rows, zero_shot_prompt
from finetune.exam import FEWEST_ROWS, MOST_ROWS, Exam, plan_exam
from finetune.schedule import Schedule
from finetune.trainer import TrainingRows, train_module
from tests.tiny_models import KINDS, tiny_module, tiny_tokenizer

LABELS = ("positive", "negative")


def make_task(folder, count=60, *, answer="label", metric=None, targets=LABELS):
    rows = tuple(
        Example(f"t{number}", f"the room was good {number}", (targets[number % len(targets)],))
        for number in range(count)
    )
    settings = TaskFile(instruction="Say how it was.", answer=answer, metric=metric, data=Data(train="t.csv"))
    return Task("reviews", settings, folder, LABELS if answer == "label" else (), rows, (), (), {})


def wrapped(module):
    return LocalModel.from_module(module, tiny_tokenizer(), name="tiny")


def exam_of(task, module, rows=8):
    return Exam(wrapped(module), task, task.train[:rows], Limits(6))


def planned(task, module, *, steps=300, step_tokens=800.0, validation=None, every=50, seed=0):
    engine = wrapped(module)
    rows = encode_rows(engine, task, task.train).rows[:validation]
    schedule = Schedule(1e-3, steps, steps, 1, every, cut_by_budget=False)
    return plan_exam(engine, task, rows, schedule=schedule, step_tokens=step_tokens, seed=seed)


def test_rows_are_drawn_by_the_seed_and_are_at_most_32(tmp_path):
    task, module = make_task(tmp_path), tiny_module()
    exam, same, other = (planned(task, module, seed=seed) for seed in (1, 1, 2))
    assert len(exam.examples) == len({row.id for row in exam.examples}) == MOST_ROWS
    assert exam.examples == same.examples != other.examples
    assert {row.target for row in exam.examples} == set(LABELS)
    assert {row.id for row in planned(task, module, validation=9).examples} == {f"t{number}" for number in range(9)}
    assert planned(task, module, validation=0) is None


def test_a_short_training_has_a_short_exam(tmp_path):
    task, module = make_task(tmp_path), tiny_module()
    counts = [len(planned(task, module, steps=steps, step_tokens=100).examples) for steps in (1, 60, 120, 300)]
    assert counts == sorted(counts)
    assert counts[0] == FEWEST_ROWS < counts[1] < MOST_ROWS
    assert (
        len(planned(task, module, steps=60, step_tokens=100, every=2).examples) < counts[1]
    )  # more exams, each of fewer rows
    text = make_task(tmp_path, answer="text", targets=("it was so good that it was so good",))
    assert (
        len(planned(text, module, steps=60, step_tokens=100).examples) < counts[1]
    )  # an answer that is written costs more


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("answer", ["label", "text"])
@pytest.mark.parametrize("training", [True, False])
def test_an_exam_leaves_no_trace(tmp_path, kind, answer, training):
    """Neither in weights and gradients, nor in the mode, nor in the random state: a step afterwards is the same."""
    import torch

    def gradients(sit):
        task = make_task(tmp_path, answer=answer)
        module = add_lora(tiny_module(kind, spread=0.05), Tune(rank=4, dropout=0.2), seed=0)
        exam = exam_of(task, module)
        module.train(training)
        torch.manual_seed(7)
        if sit:
            assert 0 <= exam.sit() <= 1
        assert all(part.training is training for part in module.modules())
        module.train()
        ids = torch.arange(12)[None]
        module(input_ids=ids, labels=ids).loss.backward()  # dropout draws from the global state
        return {name: weight.grad for name, weight in module.named_parameters() if weight.requires_grad}

    without, after = gradients(sit=False), gradients(sit=True)
    assert any(gradient.abs().max() > 0 for gradient in without.values())
    assert all(torch.equal(without[name], after[name]) for name in without)


@pytest.mark.parametrize("training", [True, False])
def test_no_inference_tensor_gets_into_a_model_that_is_trained_on(tmp_path, training):
    """Autograd would refuse such a tensor later, if an architecture kept it in a buffer."""
    import torch

    module, modes = tiny_module(), []
    exam = exam_of(make_task(tmp_path), module)
    module.train(training)
    module.register_forward_hook(lambda model, *_: modes.append((model.training, torch.is_inference_mode_enabled())))
    exam.sit()
    assert set(modes) == {(False, False)}


def test_nothing_is_kept_of_the_model_as_it_was(tmp_path):
    task, module = make_task(tmp_path), tiny_module()
    exam = exam_of(task, module)
    exam.sit()
    prompts = [zero_shot_prompt(task, row) for row in exam.examples]
    before = [choice.loglikelihoods for choice in exam.model.choose(prompts, LABELS)]
    exam.sit()
    module.model.layers[0].self_attn.v_proj.weight.data.mul_(-2)  # behind autograd's back: no version counts it
    after = [choice.loglikelihoods for choice in exam.model.choose(prompts, LABELS)]
    assert after == [choice.loglikelihoods for choice in wrapped(module).choose(prompts, LABELS)] != before


@pytest.mark.parametrize("metric", ["accuracy", "macro_f1"])
def test_the_score_is_the_tasks_own_metric(tmp_path, metric):
    from sklearn.metrics import accuracy_score, f1_score

    task, module = make_task(tmp_path, targets=("positive",) * 3 + ("negative",), metric=metric), tiny_module()
    exam = exam_of(task, module, rows=20)
    said = [c.by_sum for c in exam.model.choose([zero_shot_prompt(task, row) for row in exam.examples], LABELS)]
    true = [row.target for row in exam.examples]
    assert len(set(said)) == 2
    assert exam.sit() == pytest.approx(
        {
            "accuracy": accuracy_score(true, said),
            "macro_f1": f1_score(true, said, average="macro"),
        }[metric]
    )


def test_rows_that_cannot_be_asked_are_errors_not_wrong_answers(tmp_path):
    task, module = make_task(tmp_path, targets=("positive",)), tiny_module(context=64)
    long = replace(task.train[0], input="very " * 100)
    exam = exam_of(task, module)
    assert replace(exam, examples=(long,)).sit() is None
    assert replace(exam, examples=(long, *exam.examples)).sit() == exam.sit()


def test_a_training_with_exams_ends_with_the_weights_of_one_without(tmp_path):
    import torch

    dice = random.Random(0)
    rows = TrainingRows(
        tuple(EncodedRow(str(n), tuple(dice.randrange(40, 400) for _ in range(12)), 8) for n in range(24)),
        tuple(EncodedRow(f"v{n}", tuple(dice.randrange(40, 400) for _ in range(12)), 8) for n in range(6)),
        8,
        2,
    )
    schedule = Schedule(5e-3, 9, 3, 1, 2, cut_by_budget=False)
    ends = []
    for answer in (None, "label", "text"):
        module = add_lora(tiny_module(spread=0.05), Tune(rank=4, dropout=0.1), seed=0)
        sit = exam_of(make_task(tmp_path, answer=answer), module).sit if answer else None
        done = train_module(module, rows, schedule, seed=0, folder=tmp_path / "training", sit_exam=sit)
        looks = [point for point in done.losses if point.validation is not None]
        assert [point.step for point in looks] == [0, 2, 4, 6, 8, 9]
        assert all((point.score is None) == (answer is None) for point in looks)
        assert all(point.score is None for point in done.losses if point.validation is None)
        weights = {name: weight.detach() for name, weight in module.named_parameters() if weight.requires_grad}
        ends.append((weights, [replace(point, score=None) for point in done.losses], done.best_step))
    for weights, losses, best in ends[1:]:
        assert (losses, best) == ends[0][1:]
        assert all(torch.equal(weights[name], ends[0][0][name]) for name in weights)
