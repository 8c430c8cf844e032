"""Arithmetic, hours and money of training, by hand-computed numbers."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.memory_estimate import METHODS
from advisor.training_estimate import Machine, Work, estimate_training, labelling_cost, steps_per_epoch

H100 = Machine(peak_tflops=989, utilisation=0.35, per_hour=2.50)
WORK = Work(weights=8e9, examples=10_000, tokens_per_example=500, epochs=3, batch=32)


@pytest.mark.parametrize(("method", "hours"), [("full", 0.58), ("lora", 0.385), ("qlora", 0.54)])
def test_hours_by_hand(method, hours):
    # 6 x 8e9 x 15e6 = 7.2e17 FLOPs; 989e12 x 0.35 x 3600 = 1.246e18 an hour. LoRA 4/6 of it; QLoRA 1.4 x LoRA.
    estimate = estimate_training(WORK, method, H100, runs=5)
    assert estimate.gpu_hours == pytest.approx(hours, abs=0.005)
    assert estimate.cost == pytest.approx(5 * 2.50 * estimate.gpu_hours)
    assert estimate.cost == pytest.approx(5 * estimate.cost_per_run)


@pytest.mark.parametrize(("method", "flops"), [("full", 9.6e17), ("lora", 7.2e17)])
def test_checkpointing_computes_one_more_forward_pass(method, flops):
    assert estimate_training(replace(WORK, checkpointing=True), method, H100, 1).flops == pytest.approx(flops)


def test_the_last_partial_batch_is_a_step():
    assert steps_per_epoch(10_000, 32) == 313  # 312.5
    assert steps_per_epoch(9_984, 32) == 312
    assert steps_per_epoch(3, 32) == 1
    assert estimate_training(WORK, "lora", H100, 1).steps == 939
    assert estimate_training(replace(WORK, epochs=0.5), "lora", H100, 1).steps == 157


def test_labelling_by_hand():
    # 1,000 x 3 minutes = 50 hours at 40, and a fifth on top for reviewing
    assert labelling_cost(1000, 3, 40, 0.2) == pytest.approx(2400)


@given(st.sampled_from(METHODS), st.integers(1, 10**6), st.floats(1, 1e5), st.floats(0.1, 20), st.floats(1e6, 1e12))
def test_more_of_anything_never_takes_less(method, examples, tokens, epochs, weights):
    work = Work(weights, examples, tokens, epochs, 16)
    least = estimate_training(work, method, H100, 1)
    for more in (
        replace(work, examples=examples * 2),
        replace(work, tokens_per_example=tokens * 2),
        replace(work, epochs=epochs * 2),
        replace(work, weights=weights * 2),
        replace(work, checkpointing=True),
    ):
        assert estimate_training(more, method, H100, 1).gpu_hours > least.gpu_hours


@given(st.integers(1, 10**6), st.integers(1, 4096))
def test_steps_cover_every_example_and_no_step_is_empty(examples, batch):
    steps = steps_per_epoch(examples, batch)
    assert (steps - 1) * batch < examples <= steps * batch
