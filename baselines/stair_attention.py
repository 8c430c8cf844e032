"""Causal attention of a long stretch in steps: queries look at the keys up to the last of their step, and no further.

Under one mask over all keys, half of the scores are computed to be thrown away. It stands in for the module's own
attention for the length of one pass (``baselines.own_attention``).
"""

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

import torch

from baselines.own_attention import attend, attending, refuse_strange

if TYPE_CHECKING:
    from transformers import PreTrainedConfig

STEP = 96
"""Queries of a step: fewer leave the kernel less to do at once than it needs, more look at keys in vain."""


def stair_attention(config: "PreTrainedConfig") -> AbstractContextManager[None]:
    """Let modules of ``config`` attend in steps, under the mask they're given: (rows, 1, queries, keys), added."""
    return attending(config, "tuneworthy_stairs", _attend)


def _attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor,
    dropout: float = 0.0,
    scaling: float | None = None,
    **kwargs: object,
) -> tuple[torch.Tensor, None]:
    """Return attention as transformers wants it, (rows, queries, heads, width); the last queries are the last keys."""
    refuse_strange(dropout, kwargs)
    rows, heads, queries, _ = query.shape
    before = key.shape[2] - queries
    output = query.new_empty((rows, queries, heads, value.shape[3]))
    for start in range(0, queries, STEP):
        end = min(start + STEP, queries)
        seen = before + end
        mask = attention_mask[:, :, start:end, :seen]
        found, _ = attend(query[:, :, start:end], key[:, :, :seen], value[:, :, :seen], mask, scaling)
        output[:, start:end] = found.transpose(1, 2)
    return output, None
