import pytest
import torch

from baselines.batches import CACHE_BYTES, CPU_BUDGET, cpu_budget
from baselines.forward import Forward, _position_bytes
from tests.tiny_models import KINDS, tiny_module


def test_a_batch_holds_as_many_positions_as_two_gigabytes():
    assert cpu_budget(46_080).cached == CACHE_BYTES // 46_080  # 135M weights, 3 of 9 heads kept: 64 rows of 728 tokens
    assert cpu_budget(2**20).cached == 2_048  # 7B in fp32 without shared heads: one long prompt and no more
    assert cpu_budget(2**24).cached == 2_048
    assert cpu_budget(64).cached == 65_536
    assert cpu_budget(None) == cpu_budget(0) == CPU_BUDGET


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_position_takes_is_read_off_the_config(kind):
    module = tiny_module(kind)
    with torch.inference_mode():
        layers = module(torch.tensor([[5, 6, 7]]), use_cache=True).past_key_values.layers
    taken = sum(states.nbytes for layer in layers for states in (layer.keys, layer.values)) // 3
    assert _position_bytes(module.config, torch.float32) == taken
    assert _position_bytes(module.config, torch.bfloat16) == taken // 2
    assert Forward(module).budget == cpu_budget(taken)
