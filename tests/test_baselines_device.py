"""The number format follows the machine and the size of the model."""

import pytest
import torch

from baselines import device
from baselines.device import SMALL_BYTES, pick_dtype


@pytest.mark.parametrize(
    ("pays", "weight_bytes", "dtype"),
    [
        (True, SMALL_BYTES, torch.bfloat16),
        (True, None, torch.bfloat16),
        (True, SMALL_BYTES - 1, torch.float32),
        (False, SMALL_BYTES, torch.float32),
    ],
)
def test_a_cpu_takes_bf16_only_for_large_models_where_a_probe_shows_it_pays(monkeypatch, pays, weight_bytes, dtype):
    monkeypatch.setattr(device, "bf16_pays", lambda: pays)
    assert pick_dtype("cpu", weight_bytes) == dtype


def test_the_probe_answers_the_same_twice():
    assert device.bf16_pays() is device.bf16_pays()


def test_mps_stays_in_fp32():
    assert pick_dtype("mps") == torch.float32
