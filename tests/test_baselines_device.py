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


@pytest.mark.parametrize(("seconds", "pays"), [((4.0, 1.0), True), ((1.0, 4.0), False), ((1.0, 1.0), False)])
def test_the_probe_goes_by_the_clock(monkeypatch, seconds, pays):
    """``seconds``: what a product takes in fp32 and in bf16, by a clock of our own."""
    now = 0.0

    def multiply(first, second):
        nonlocal now
        now += seconds[first.dtype == torch.bfloat16]
        return first

    monkeypatch.setattr(device.time, "perf_counter", lambda: now)
    monkeypatch.setattr(torch, "mm", multiply)
    assert device.bf16_pays.__wrapped__() is pays


def test_mps_stays_in_fp32():
    assert pick_dtype("mps") == torch.float32
