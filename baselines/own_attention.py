"""Attention of our own in place of a module's for the length of a pass, by transformers' ``AttentionInterface``."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from transformers import PreTrainedConfig

Attend = Callable[..., tuple[torch.Tensor, None]]
"""What a module calls: (module, query, key, value, mask, dropout, scaling, ...) to (rows, queries, heads, width)."""


@contextmanager
def attending(config: "PreTrainedConfig", name: str, attend: Attend) -> Iterator[None]:
    """Let modules of ``config`` attend by ``attend``, known as ``name``."""
    from transformers import AttentionInterface

    AttentionInterface.register(name, attend)
    before = config._attn_implementation
    config._attn_implementation = name
    try:
        yield
    finally:
        config._attn_implementation = before


def refuse_strange(dropout: float, kwargs: Mapping[str, object]) -> None:
    """Raise ``NotImplementedError`` for what changes attention and isn't done here."""
    strange = [name for name in ("softcap", "position_bias", "s_aux") if kwargs.get(name) is not None]
    if strange or dropout:
        raise NotImplementedError(f"attention of our own knows no {', '.join(strange) or 'dropout'}")


def attend(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: torch.Tensor | None, scaling: float | None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Attend under ``mask``, which is added to the scores, or to all keys, by the fused kernel of a CPU.

    Returns the output, (rows, heads, queries, width), and the logarithms of the normalisers, without width.
    """
    output, log_sum = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(
        query, key, value, 0.0, False, attn_mask=mask, scale=scaling
    )
    return output, log_sum
