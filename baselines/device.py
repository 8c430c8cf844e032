"""Where a model runs and in which number format, chosen by looking at the machine."""

import time
from functools import cache
from typing import TYPE_CHECKING

from evals.memory import says_out_of_memory

if TYPE_CHECKING:
    import torch

BF16_MUST_GAIN = 1.3
"""On a CPU, bf16 is used only when it's at least this much faster than fp32 (without AMX it's slower)."""

SMALL_BYTES = 400_000_000
"""Weights of less than this stay fp32 on a CPU: little time to gain, and exact results to lose."""


def pick_device() -> str:
    """Return ``cuda``, ``mps`` or ``cpu``: the first that this machine has."""
    import torch

    if torch.cuda.is_available():
        return "cuda"
    if torch.backends.mps.is_available():
        return "mps"
    return "cpu"


def pick_dtype(device: str, weight_bytes: int | None = None) -> "torch.dtype":
    """Return the number format for weights on ``device``; ``weight_bytes`` is the size of their files.

    CUDA: bf16, or fp16 where the card can't do bf16. CPU: fp32, unless the model is large enough for
    matrix products to be what takes the time and a probe shows bf16 clearly faster. MPS: fp32.
    """
    import torch

    kind = torch.device(device).type
    if kind == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
    small = weight_bytes is not None and weight_bytes < SMALL_BYTES
    if kind == "cpu" and not small and bf16_pays():
        return torch.bfloat16
    return torch.float32


@cache
def bf16_pays() -> bool:
    """Tell whether this CPU multiplies bf16 matrices at least ``BF16_MUST_GAIN`` times faster than fp32 ones.

    Takes some tens of milliseconds, once per process. The formats take turns and the shortest timing of
    each counts, so that other processes on the machine disturb both alike and little.
    """
    import torch

    shortest = {torch.float32: float("inf"), torch.bfloat16: float("inf")}
    with torch.inference_mode():
        squares = {dtype: torch.ones(512, 512, dtype=dtype) for dtype in shortest}
        for turn in range(8):
            for dtype, square in squares.items():
                start = time.perf_counter()
                torch.mm(square, square)
                if turn:  # the first turn warms up
                    shortest[dtype] = min(shortest[dtype], time.perf_counter() - start)
    return shortest[torch.float32] >= BF16_MUST_GAIN * shortest[torch.bfloat16]


def quiet_transformers() -> None:
    """Switch off transformers' progress bars and its notes below the rank of an error."""
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether ``error`` is a device or the machine running out of memory."""
    import torch

    return isinstance(error, torch.OutOfMemoryError) or says_out_of_memory(error)
