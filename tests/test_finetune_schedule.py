import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.task_file import Tune
from finetune.schedule import default_learning_rate, plan_schedule, token_budget


def plan(settings, rows, tokens=None, budget=None):
    return plan_schedule(settings, rows=rows, epoch_tokens=tokens or 10 * rows, token_budget=budget, learning_rate=1e-3)


def test_an_epoch_ends_with_a_smaller_batch():
    made = plan(Tune(epochs=3, batch_size=16), rows=100)
    assert (made.steps_per_epoch, made.steps, made.epochs, made.cut_by_budget) == (7, 21, 3.0, False)


def test_the_token_budget_shortens_the_run():
    made = plan(Tune(epochs=3, batch_size=10), rows=1000, tokens=100_000, budget=40_000)
    assert made.cut_by_budget
    assert made.epochs == pytest.approx(0.4)


def test_even_a_tiny_budget_gives_one_step():
    assert plan(Tune(), rows=1000, tokens=1_000_000, budget=1).steps == 1


def test_the_budget_is_the_users_or_the_devices():
    assert token_budget(Tune(max_train_tokens=5), "cpu") == 5
    assert token_budget(Tune(), "cpu") == 300_000
    assert token_budget(Tune(), "cuda") is None


@given(
    st.floats(0.01, 30),
    st.integers(1, 64),
    st.integers(1, 5000),
    st.integers(2, 900),
    st.none() | st.integers(1, 10**6),
)
def test_any_schedule_holds_together(epochs, batch, rows, length, budget):
    made = plan(Tune(epochs=epochs, batch_size=batch), rows, tokens=rows * length, budget=budget)
    assert 1 <= made.steps <= math.ceil(epochs * made.steps_per_epoch)
    assert 0 <= made.warmup_steps < made.steps
    assert 1 <= made.evaluate_every <= made.steps_per_epoch
    if budget is not None and made.steps > 1:
        assert made.steps / made.steps_per_epoch * rows * length <= budget * 1.001


@given(st.integers(1000, 10**12), st.integers(1000, 10**12), st.booleans())
def test_bigger_models_learn_more_slowly(one, other, low_rank):
    small, big = sorted((one, other))
    assert default_learning_rate(small, low_rank=low_rank) >= default_learning_rate(big, low_rank=low_rank)


@given(st.integers(1000, 10**12))
def test_all_weights_learn_more_slowly_than_an_adapter(size):
    ratio = default_learning_rate(size, low_rank=True) / default_learning_rate(size, low_rank=False)
    assert 4.9 < ratio < 10.1


@pytest.mark.parametrize(
    ("size", "lora", "full"), [(7_000_000_000, 2e-4, 2e-5), (500_000_000, 3e-4, 3.2e-5), (3_000_000, 5e-3, 1e-3)]
)
def test_rates_of_known_sizes(size, lora, full):
    assert default_learning_rate(size, low_rank=True) == pytest.approx(lora, rel=0.05)
    assert default_learning_rate(size, low_rank=False) == pytest.approx(full, rel=0.05)
