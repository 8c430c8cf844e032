"""The regression that QLoRA on CPUs with AVX512-BF16 fell to: an evaluation must not change later gradients."""

import pytest

from baselines.loading import load_base, load_model
from baselines.local_model import LocalModel
from baselines.quantised import four_bits, guard_quantised, prepare_quantised
from baselines.tuned_card import TunedCard
from evals.example import Example
from evals.protocols import Limits
from evals.task import Task
from evals.task_file import Data, TaskFile, Tune
from finetune.adapters import add_lora, save_adapter
from finetune.batches import answer_loss, collate, validation_loss
from finetune.encode import EncodedRow
from finetune.exam import Exam
from finetune.schedule import Schedule
from finetune.trainer import TrainingRows, train_module
from tests.tiny_models import save_tiny, tiny_tokenizer

ROWS = [EncodedRow(str(number), tuple(range(10 + number, 40 + number)) + (5 + number, 1), 30) for number in range(6)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_tiny(tmp_path_factory.mktemp("tiny"), "llama")


def quantised(folder):
    import torch
    from transformers import AutoModelForCausalLM

    module = AutoModelForCausalLM.from_pretrained(folder, quantization_config=four_bits("cpu"), dtype=torch.float32)
    for layer in linear4bit(module):
        layer.support_avx512bf16_for_cpu = True  # as bitsandbytes sets it on such a CPU, whatever this one is
    return module


def linear4bit(module):
    from bitsandbytes.nn import Linear4bit

    return [layer for layer in module.modules() if isinstance(layer, Linear4bit)]


def adapted(folder):
    """A guarded 4-bit model whose LoRA matrices all matter: with B at zero no gradient would reach A."""
    import torch

    model = add_lora(prepare_quantised(quantised(folder)), Tune(rank=4), seed=0)
    draw = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora_B" in name:
                weight.copy_(0.1 * torch.randn(weight.shape, generator=draw))
    return model


def gradients(model):
    model.train()
    model.zero_grad()
    answer_loss(model, collate(ROWS, 2))[0].backward()
    return {name: weight.grad.clone() for name, weight in model.named_parameters() if weight.grad is not None}


def test_gradients_after_an_evaluation_equal_those_without_one(folder):
    import torch

    never = gradients(adapted(folder))
    model = adapted(folder)
    validation_loss(model, ROWS, 2)
    after = gradients(model)
    assert len(never) == 2 * 2 * 7  # A and B on the seven linear layers of two blocks
    assert never.keys() == after.keys()
    for name, gradient in never.items():
        assert gradient.abs().max() > 0
        assert torch.allclose(gradient, after[name], rtol=1e-4, atol=1e-6), name


@pytest.mark.parametrize("answer", ["label", "text"])
def test_a_training_whose_model_answers_in_between_ends_with_the_same_weights(folder, tmp_path, answer):
    """Answering goes through the engine: other kernels and shapes than the loss, but no layer may be repacked."""
    import torch

    examples = tuple(Example(f"e{number}", f"question {number}", (("yes", "no")[number % 2],)) for number in range(6))
    settings = TaskFile(instruction="Say.", answer=answer, data=Data(train="t.csv"))
    task = Task("t", settings, folder, ("yes", "no") if answer == "label" else (), examples, (), (), {})
    rows = TrainingRows(tuple(ROWS) * 4, tuple(ROWS), 8, 2)
    schedule = Schedule(5e-3, 6, 3, 1, 1, cut_by_budget=False)
    ends = []
    for scored in (False, True):
        model = adapted(folder)
        exam = Exam(LocalModel.from_module(model, tiny_tokenizer(), name="tiny"), task, examples, Limits(8))
        sit = exam.sit if scored else None
        done = train_module(model, rows, schedule, seed=0, folder=tmp_path / "training", sit_exam=sit)
        assert [point.score is not None for point in done.losses] == [scored] * 7
        assert not any(
            getattr(layer.weight.quant_state, "packing_format_for_cpu", False) for layer in linear4bit(model)
        )
        trained = {name: weight.detach().clone() for name, weight in model.named_parameters() if weight.requires_grad}
        ends.append((trained, [(point.train, point.validation) for point in done.losses]))
    (never, losses), (after, same) = ends
    assert losses == same
    assert all(torch.equal(never[name], after[name]) for name in never)


def test_an_evaluation_repacks_no_layer(folder):
    model = adapted(folder)
    validation_loss(model, ROWS, 2)
    states = [layer.weight.quant_state for layer in linear4bit(model)]
    assert len(states) == 14
    assert not any(getattr(state, "packing_format_for_cpu", False) for state in states)
    assert all(state.nested for state in states)  # repacking would also have undone the double quantisation


def test_the_guard_is_on_every_quantised_layer(folder):
    module = quantised(folder)
    assert all(layer.support_avx512bf16_for_cpu for layer in linear4bit(module))
    assert guard_quantised(module) == len(linear4bit(module)) == 14
    assert not any(layer.support_avx512bf16_for_cpu for layer in linear4bit(module))
    assert not any(layer.support_avx512bf16_for_cpu for layer in linear4bit(adapted(folder)))


def test_both_ways_to_load_a_base_are_guarded(folder, tmp_path):
    """A base may also have been published in 4 bits; LoRA on it needs the guard as well."""
    module = load_base(str(folder), quantised=True).module
    assert len(linear4bit(module)) == 14
    assert not any(layer.support_avx512bf16_for_cpu for layer in linear4bit(module))
    module.save_pretrained(tmp_path)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    published = load_base(str(tmp_path), quantised=False).module
    assert len(linear4bit(published)) == 14
    assert not any(layer.support_avx512bf16_for_cpu for layer in linear4bit(published))


@pytest.mark.parametrize("fingerprint", [None, "f" * 64])
def test_a_saved_adapter_is_asked_on_a_guarded_base_prepared_as_in_training(folder, tmp_path, fingerprint):
    import torch

    card = TunedCard(str(folder), fingerprint or load_model(str(folder)).fingerprint, "qlora", True, 0)
    trained = adapted(folder)
    save_adapter(trained, tmp_path / "adapter", card)
    asked = load_model(str(folder), adapter=tmp_path / "adapter", base_fingerprint=fingerprint).module
    assert len(linear4bit(asked)) == 14
    assert not any(layer.support_avx512bf16_for_cpu for layer in linear4bit(asked))
    ids = torch.tensor([[5, 17, 30, 41, 90]])
    with torch.no_grad():
        assert torch.equal(asked(input_ids=ids).logits, trained.eval()(input_ids=ids).logits)
    states = [layer.weight.quant_state for layer in linear4bit(asked)]
    assert all(state.nested for state in states)


def test_preparing_a_model_without_quantised_layers_is_refused():
    from evals.errors import ArmError
    from tests.tiny_models import tiny_module

    with pytest.raises(ArmError, match="4 bits.*`lora`"):
        prepare_quantised(tiny_module())
