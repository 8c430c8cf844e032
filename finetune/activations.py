"""How many tokens a GPU can hold for the backward pass, so that nothing is recomputed that needn't be.

Recomputing activations (gradient checkpointing) costs a second forward pass, a third of the time of training
an adapter. It's only worth that where even a small batch doesn't fit.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transformers import PreTrainedModel

SHARE = 0.75
"""Share of the free memory that activations may take; the rest is for gradients, buffers and fragments."""

SMALLEST_PART = 4
"""A micro-batch may shrink to this fraction of the wanted one before recomputing is the better choice."""

LOGIT_BYTES = 10
"""Bytes of a logit: 16 bits, its 32-bit copy, its gradient."""


@dataclass(frozen=True, slots=True)
class ForwardPlan:
    """Rows of one forward pass, and whether the backward pass computes the activations again."""

    rows: int
    recompute: bool


def plan_forward(module: "PreTrainedModel", longest: int, wanted: int, batch_size: int) -> ForwardPlan:
    """Return how a batch of rows of up to ``longest`` tokens is cut; ``wanted`` rows at once would be welcome.

    On a CPU, nothing is recomputed and ``wanted`` is taken.
    """
    device = next(module.parameters()).device
    if device.type != "cuda":
        return ForwardPlan(wanted, recompute=False)
    import torch

    free = torch.cuda.mem_get_info(device)[0]
    free += torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return fit_forward(SHARE * free / token_bytes(module), longest, wanted, batch_size)


def fit_forward(room: float, longest: int, wanted: int, batch_size: int) -> ForwardPlan:
    """Return the largest divisor of ``batch_size`` up to ``wanted`` whose tokens fit into ``room`` tokens."""
    fitting = [size for size in _divisors(batch_size) if size <= wanted and size * longest <= room]
    if not fitting or max(fitting) * SMALLEST_PART < wanted:
        return ForwardPlan(wanted, recompute=True)
    return ForwardPlan(max(fitting), recompute=False)


def token_bytes(module: "PreTrainedModel") -> float:
    """Return the bytes that a decoder with adapters keeps for each token of a batch, counted generously.

    Each layer keeps in 16 bits, and its norms and the adapters' inputs in 32, about 24 numbers of the hidden width
    and 8 of the inner one (``advisor.memory_estimate`` counts them apart); every token may have logits.
    """
    hidden = _size(module, 4096, "hidden_size", "n_embd")
    layers = _size(module, 32, "num_hidden_layers", "n_layer")
    inner = _size(module, 4 * hidden, "intermediate_size", "n_inner")
    vocabulary = _size(module, 32_000, "vocab_size")
    return float(layers * 2 * (24 * hidden + 8 * inner) + LOGIT_BYTES * vocabulary)


def _size(module: "PreTrainedModel", otherwise: int, *names: str) -> int:
    config = module.config.get_text_config()
    found = [value for name in names if isinstance(value := getattr(config, name, None), int)]
    return found[0] if found else otherwise


def _divisors(number: int) -> "Sequence[int]":
    return [size for size in range(1, number + 1) if number % size == 0]
