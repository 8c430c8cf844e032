"""The physical limit beside a figure: how fast this machine multiplies matrices, and how many products a call takes."""

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

SIZES = {"cpu": 1024, "cuda": 8192}
REPEATS = 8


def matmul_peak(device: str, dtype: "torch.dtype") -> float:
    """Return the best floating-point operations a second of a large square product on ``device``."""
    import torch

    size = SIZES[device]
    left, right = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))
    best = float("inf")
    with torch.inference_mode():
        for turn in range(REPEATS + 1):
            started = time.perf_counter()
            torch.mm(left, right)
            if device == "cuda":
                torch.cuda.synchronize()
            if turn:
                best = min(best, time.perf_counter() - started)
    return 2 * size**3 / best


def counted_flops(work: Callable[[], object]) -> int:
    """Return the floating-point operations of the matrix products and attention in ``work``."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    fused = [
        packet
        for name in ("flash_attention", "flash_attention_for_cpu", "efficient_attention", "cudnn_attention")
        if (packet := getattr(torch.ops.aten, f"_scaled_dot_product_{name}", None)) is not None
    ]
    with FlopCounterMode(display=False, custom_mapping=dict.fromkeys(fused, _attention_flops)) as counter:
        work()
    return int(counter.get_total_flops())


def _attention_flops(query: Sequence[int], key: Sequence[int], *_: object, **__: object) -> int:
    """Return the operations of attention where several query heads share a key, which torch's own count refuses."""
    rows, heads, new, width = query
    return 4 * rows * heads * new * key[2] * width
