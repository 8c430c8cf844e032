import random
from dataclasses import replace

import numpy as np
import pytest

from evals.errors import ArmError
from evals.task_file import Tune
from finetune.adapters import add_lora
from finetune.batches import validation_loss
from finetune.encode import EncodedRow
from finetune.schedule import plan_schedule
from finetune.trainer import TrainingRows, train_module
from tests.tiny_models import tiny_module


def copying_rows(count, seed):
    """Rows whose answer is told by their first token."""
    dice = random.Random(seed)
    rows = []
    for number in range(count):
        word, size = dice.choice([5, 9, 33]), dice.randint(3, 12)
        given = [word] + [dice.randrange(40, 400) for _ in range(size)]
        rows.append(EncodedRow(str(number), (*given, word + 100, 1), len(given)))
    return tuple(rows)


def train(tmp_path, *, rows=None, settings=None, seed=0, rate=5e-3, kind="llama", progress=None, module=None):
    rows = rows or TrainingRows(copying_rows(24, 0), copying_rows(6, 1), 8, 2)
    settings = settings or Tune(epochs=3, batch_size=rows.batch_size, rank=4)
    schedule = plan_schedule(
        settings,
        rows=len(rows.train),
        epoch_tokens=sum(len(row.ids) for row in rows.train),
        token_budget=settings.max_train_tokens,
        learning_rate=rate,
    )
    module = module or add_lora(tiny_module(kind, spread=0.05), settings, seed)
    extra = {"progress": progress} if progress else {}
    done = train_module(module, rows, schedule, seed=seed, folder=tmp_path / "training", **extra)
    return module, done


def weights(module):
    return {name: weight.detach().clone() for name, weight in module.named_parameters() if weight.requires_grad}


def test_training_lowers_the_loss_and_the_report_counts_right(tmp_path):
    calls = []
    rows = TrainingRows(copying_rows(27, 0), copying_rows(6, 1), 8, 2)
    _, done = train(tmp_path, rows=rows, progress=lambda *call: calls.append(call))
    assert (done.steps, done.epochs) == (12, 3.0)  # 27 rows in batches of 8: 4 steps an epoch
    assert done.tokens == 3 * sum(len(row.ids) for row in rows.train)
    assert calls == [("training", step, 12) for step in range(1, 13)]
    points = {point.step: point for point in done.losses}
    assert points[0].validation > points[12].validation
    assert points[1].train > points[12].train
    assert points[12].epoch == 3.0
    assert not (tmp_path / "training").exists()


def test_equal_seeds_give_equal_weights_and_others_dont(tmp_path):
    import torch

    first, second, third = (weights(train(tmp_path, seed=seed)[0]) for seed in (3, 3, 4))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert any(not torch.equal(first[name], third[name]) for name in first)


def test_the_global_random_state_stays(tmp_path):
    import torch

    torch.manual_seed(5), random.seed(5), np.random.seed(5)
    expected = torch.rand(1), random.random(), np.random.rand()
    torch.manual_seed(5), random.seed(5), np.random.seed(5)
    train(tmp_path, settings=Tune(epochs=0.1, batch_size=8))
    assert (torch.rand(1), random.random(), np.random.rand()) == expected


def test_micro_batches_change_nothing_but_memory(tmp_path, monkeypatch):
    import torch

    rows = TrainingRows(copying_rows(20, 0), (), 8, 2)
    whole = weights(train(tmp_path, rows=rows)[0])
    monkeypatch.setattr("finetune.trainer.FORWARD_TOKENS", 2 * max(len(row.ids) for row in rows.train))
    assert rows.micro_batch == 2
    cut = weights(train(tmp_path, rows=rows)[0])
    assert all(torch.allclose(whole[name], cut[name], atol=2e-4) for name in whole)


def test_the_best_weights_are_kept_not_the_last(tmp_path):
    noise = tuple(replace(row, ids=(*row.ids[:-2], 399, 1)) for row in copying_rows(6, 1))  # training can't help here
    rows = TrainingRows(copying_rows(24, 0), noise, 8, 2)
    module, done = train(tmp_path, rows=rows, settings=Tune(epochs=6, batch_size=8, rank=4), rate=3e-2)
    curve = {point.step: point.validation for point in done.losses if point.validation is not None and point.step}
    assert done.best_step == min(curve, key=curve.get) < done.steps
    assert validation_loss(module, noise, 2) == pytest.approx(curve[done.best_step], rel=1e-5)


def test_without_validation_rows_the_last_weights_stay(tmp_path):
    _, done = train(tmp_path, rows=TrainingRows(copying_rows(9, 0), (), 4, 2))
    assert done.best_step is None
    assert all(point.validation is None for point in done.losses)


def test_a_loss_that_isnt_a_number_names_the_step_and_the_rate(tmp_path):
    import torch

    module = add_lora(tiny_module(), Tune(rank=4), 0)
    with torch.no_grad():
        next(weight for name, weight in module.named_parameters() if "lora_A" in name).fill_(float("nan"))
    with pytest.raises(
        ArmError, match=r"training loss became nan at step 1 of \d+: set tune.learning_rate below 0.005"
    ):
        train(tmp_path, module=module, rows=TrainingRows(copying_rows(9, 0), (), 4, 2))
    assert not (tmp_path / "training").exists()


def test_the_token_budget_ends_the_run(tmp_path):
    _, done = train(tmp_path, settings=Tune(epochs=3, batch_size=8, max_train_tokens=200))
    assert done.epochs < 1
    assert done.tokens <= 250


def test_a_whole_model_trains_too_and_keeps_its_config(tmp_path):
    import torch

    module = tiny_module("gpt2", spread=0.05)
    before = {name: weight.detach().clone() for name, weight in module.named_parameters()}
    used = module.config.use_cache
    _, done = train(tmp_path, module=module, rate=1e-3)
    assert done.losses[-1].validation < done.losses[0].validation
    assert all(not torch.equal(before[name], weight) for name, weight in module.named_parameters())
    assert module.config.use_cache is used
    assert not module.training


@pytest.mark.parametrize("pays", [True, False])
def test_large_models_train_in_bf16_on_a_cpu_where_that_pays(tmp_path, monkeypatch, pays):
    import torch

    monkeypatch.setattr("finetune.trainer.AUTOCAST_PARAMETERS", 1)
    monkeypatch.setattr("finetune.trainer.bf16_pays", lambda: pays)
    module, formats = add_lora(tiny_module(), Tune(rank=4), 0), set()
    layer = next(layer for name, layer in module.named_modules() if name.endswith("q_proj.base_layer"))
    layer.register_forward_hook(lambda _, __, output: formats.add(output.dtype))
    _, done = train(tmp_path, module=module)
    assert formats == {torch.bfloat16 if pays else torch.float32}
    points = {point.step: point for point in done.losses}
    assert points[done.steps].validation < points[0].validation
    assert all(weight.dtype == torch.float32 for weight in weights(module).values())
