"""Memory that runs out while training: smaller forward passes, the same steps."""

import pytest
import torch

from evals.errors import ArmError
from evals.task_file import Tune
from finetune.adapters import add_lora
from finetune.batches import validation_loss
from finetune.pretrain import train_from_scratch
from finetune.pretrain_plan import PretrainPlan
from finetune.trainer import TrainingRows
from tests.test_finetune_pretrain import batches, tiny, weights_of
from tests.test_finetune_trainer import copying_rows, train, weights
from tests.tiny_models import tiny_module

ROWS = TrainingRows(copying_rows(24, 0), copying_rows(6, 1), 8, 2)
ERRORS = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    RuntimeError("[enforce fail at alloc_cpu.cpp:121] DefaultCPUAllocator: can't allocate memory: you tried"),
    MemoryError(),
]


class Narrow:
    """A hook that lets a module fail on more than ``rows`` rows: at once, or in the backward pass of its last layer."""

    def __init__(self, module, rows, error, *, backward=False, training_only=True):
        self.rows, self.error, self.backward, self.training_only = rows, error, backward, training_only
        self.failed, self.passes = 0, 0
        module.register_forward_pre_hook(self.enter, with_kwargs=True)
        head = module.get_output_embeddings() if hasattr(module, "get_output_embeddings") else None
        if backward:
            (head or module).register_forward_hook(self.leave)

    def enter(self, module, args, kwargs):
        ids = kwargs["input_ids"]
        self.too_many = len(ids) > self.rows and (module.training or not self.training_only)
        self.passes += 1
        if self.too_many and not self.backward:
            self.failed += 1
            raise self.error

    def leave(self, module, args, output):
        if self.too_many and output.requires_grad:
            output.register_hook(self.fail)

    def fail(self, gradient):
        self.failed += 1
        raise self.error


def lora():
    return add_lora(tiny_module(spread=0.05), Tune(rank=4), 0)


def curve(training):
    return [point.train for point in training.losses if point.train is not None]


@pytest.mark.parametrize(
    ("error", "backward"),
    zip(ERRORS, (True, False, True), strict=True),
    ids=["cuda, backward", "cpu, forward", "python, backward"],
)
def test_a_step_that_does_not_fit_is_taken_in_parts(tmp_path, error, backward):
    expected, whole = train(tmp_path / "whole", rows=ROWS)
    module = lora()
    narrow = Narrow(module.get_base_model(), 3, error, backward=backward)
    module, cut = train(tmp_path / "cut", rows=ROWS, module=module)
    assert narrow.failed == 2  # 8 rows, 4 rows; from then on 2 at a time without trying again
    assert whole.memory is None
    assert cut.memory == "ran out at 8 rows a forward pass; the same steps were taken 2 at a time"
    assert (cut.tokens, cut.steps) == (whole.tokens, whole.steps)
    assert curve(cut) == pytest.approx(curve(whole), rel=1e-3)
    assert all(torch.allclose(weights(expected)[name], weights(module)[name], atol=2e-4) for name in weights(module))


def test_memory_that_runs_out_in_a_later_micro_batch_loses_no_gradient(tmp_path, monkeypatch):
    expected, whole = train(tmp_path / "whole", rows=ROWS)
    monkeypatch.setattr("finetune.trainer.FORWARD_TOKENS", 4 * max(map(len, (row.ids for row in ROWS.train))))
    assert ROWS.micro_batch == 4
    module = lora()
    narrow = Narrow(module.get_base_model(), 4, ERRORS[0], backward=True)

    def tighter(*_):
        if narrow.passes == 6:  # the second micro-batch of a step
            narrow.rows = 2

    module.get_base_model().register_forward_pre_hook(tighter, prepend=True)
    module, cut = train(tmp_path / "cut", rows=ROWS, module=module)
    assert (narrow.failed, cut.tokens) == (1, whole.tokens)
    assert cut.memory == "ran out at 4 rows a forward pass; the same steps were taken 2 at a time"
    assert curve(cut) == pytest.approx(curve(whole), rel=1e-3)
    assert all(torch.allclose(weights(expected)[name], weights(module)[name], atol=2e-4) for name in weights(module))


def test_a_row_that_never_fits_is_one_line(tmp_path):
    module = lora()
    Narrow(module.get_base_model(), 0, ERRORS[1])
    with pytest.raises(ArmError, match=r"^training ran out of memory with one row at a time: take a smaller model"):
        train(tmp_path, rows=ROWS, module=module)


def test_another_error_is_not_tried_again(tmp_path):
    module = lora()
    narrow = Narrow(module.get_base_model(), 3, RuntimeError("a bad shape"))
    with pytest.raises(RuntimeError, match="a bad shape"):
        train(tmp_path, rows=ROWS, module=module)
    assert narrow.failed == 1


def test_validation_goes_on_in_smaller_batches():
    module = lora()
    rows = copying_rows(20, 4)
    expected = validation_loss(module, rows, 2)
    narrow = Narrow(module.get_base_model(), 5, ERRORS[0], training_only=False)
    assert validation_loss(module, rows, 2) == pytest.approx(expected, rel=1e-5)
    assert narrow.failed == 2
    narrow.rows = 0
    with pytest.raises(torch.OutOfMemoryError):
        validation_loss(module, rows, 2)


@pytest.mark.parametrize("workers", [1, 2])
def test_training_from_scratch_goes_on_too(workers):
    plan = PretrainPlan(steps=4, workers=workers)
    whole, cut = tiny(), tiny()
    expected = train_from_scratch(whole, batches(), plan)
    narrow = Narrow(cut, 2, ERRORS[1])
    report = train_from_scratch(cut, batches(), plan)
    assert narrow.failed
    assert report.tokens == expected.tokens
    assert [point.loss for point in report.points] == pytest.approx([point.loss for point in expected.points], rel=1e-4)
    assert torch.allclose(weights_of(whole), weights_of(cut), atol=2e-3)
