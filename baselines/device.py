"""Where a model runs and in which number format, chosen by looking at the machine."""

import time
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

BF16_MUST_GAIN = 1.3
"""On a CPU, bf16 is used only when it's at least this much faster than fp32 (without AMX it's slower)."""


def pick_device() -> str:
    """Return ``cuda``, ``mps`` or ``cpu``: the first that this machine has."""
    import torch

    if torch.cuda.is_available():
        return "cuda"
    if torch.backends.mps.is_available():
        return "mps"
    return "cpu"


def pick_dtype(device: str) -> "torch.dtype":
    """Return the number format for weights on ``device``.

    CUDA: bf16, or fp16 where the card can't do bf16. CPU: fp32 unless a probe shows bf16 clearly
    faster. MPS: fp32.
    """
    import torch

    kind = torch.device(device).type
    if kind == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
    if kind == "cpu" and bf16_pays():
        return torch.bfloat16
    return torch.float32


@cache
def bf16_pays() -> bool:
    """Tell whether this CPU multiplies bf16 matrices at least ``BF16_MUST_GAIN`` times faster than fp32 ones.

    Takes some tens of milliseconds, once per process.
    """
    import torch

    return _matmul_seconds(torch.float32) >= BF16_MUST_GAIN * _matmul_seconds(torch.bfloat16)


def _matmul_seconds(dtype: "torch.dtype", size: int = 512, repeats: int = 5) -> float:
    """Return the shortest of some timings, which is the one that other processes disturbed least."""
    import torch

    with torch.inference_mode():
        left = torch.ones(size, size, dtype=dtype)
        timings = []
        for _ in range(repeats + 1):  # the first one warms up
            start = time.perf_counter()
            torch.mm(left, left)
            timings.append(time.perf_counter() - start)
    return min(timings[1:])


def quiet_transformers() -> None:
    """Switch off transformers' progress bars and its notes below the rank of an error."""
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether ``error`` is a device or the machine running out of memory."""
    import torch

    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and ("out of memory" in text or "can't allocate memory" in text)
