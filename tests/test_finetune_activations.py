from finetune.activations import ForwardPlan, fit_forward, plan_forward, token_bytes
from tests.tiny_models import tiny_module


def test_on_a_cpu_the_wanted_rows_are_taken_and_nothing_is_recomputed():
    assert plan_forward(tiny_module(), 100_000, 8, 16) == ForwardPlan(8, recompute=False)


def test_the_largest_divisor_that_fits_is_taken():
    assert fit_forward(10_000, longest=1000, wanted=16, batch_size=16) == ForwardPlan(8, recompute=False)
    assert fit_forward(16_000, longest=1000, wanted=16, batch_size=16) == ForwardPlan(16, recompute=False)
    assert fit_forward(7_000, longest=1000, wanted=12, batch_size=12) == ForwardPlan(6, recompute=False)


def test_where_only_a_sliver_fits_the_whole_is_recomputed():
    assert fit_forward(2_000, longest=1000, wanted=16, batch_size=16) == ForwardPlan(16, recompute=True)
    assert fit_forward(999, longest=1000, wanted=1, batch_size=16) == ForwardPlan(1, recompute=True)


def test_a_token_takes_more_in_a_deeper_model_whatever_its_config_calls_things():
    for kind in ("llama", "gpt2"):
        assert token_bytes(tiny_module(kind, layers=4)) > token_bytes(tiny_module(kind, layers=2)) > 0
