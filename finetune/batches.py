"""Batches of encoded rows: padded on the left, rows of like length together, in an order that a seed decides."""

import inspect
import random
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from baselines.device import is_out_of_memory
from finetune.encode import IGNORED, EncodedRow

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

MEGABATCH = 8
"""Rows are sorted by length within this many shuffled batches: little padding, yet a fresh mix each epoch."""

FORWARD_TOKENS = 16_384
"""A forward pass holds at most this many tokens, padding included, unless one row alone is longer."""

EVALUATION_ROWS = 16
"""Rows of one forward pass without gradients, at most."""


def collate(rows: Sequence[EncodedRow], pad_id: int) -> dict[str, "torch.Tensor"]:
    """Return ``input_ids``, ``attention_mask``, ``position_ids`` and ``labels``, each (len(rows), longest), int64.

    Padding stands on the left, so that all answers end at the last position and only the positions
    before it need logits.
    """
    import torch

    width = max(len(row.ids) for row in rows)
    gaps = [width - len(row.ids) for row in rows]
    return {
        "input_ids": torch.tensor([[pad_id] * gap + list(row.ids) for gap, row in zip(gaps, rows, strict=True)]),
        "attention_mask": torch.tensor([[0] * gap + [1] * len(row.ids) for gap, row in zip(gaps, rows, strict=True)]),
        "position_ids": torch.tensor(
            [[0] * gap + list(range(len(row.ids))) for gap, row in zip(gaps, rows, strict=True)]
        ),
        "labels": torch.tensor([[IGNORED] * gap + list(row.labels) for gap, row in zip(gaps, rows, strict=True)]),
    }


def answer_loss(module: "PreTrainedModel", batch: dict[str, "torch.Tensor"]) -> tuple["torch.Tensor", int]:
    """Return the summed cross-entropy (nats) of the answer tokens of ``batch``, and how many those are.

    The output head runs only where an answer token is predicted, if the architecture lets it: on a short
    answer after a long prompt that is most of a large vocabulary's work.
    """
    import torch

    labels = batch["labels"]
    first = int((labels != IGNORED).any(dim=0).int().argmax())
    kept = labels.shape[1] - first + 1  # the logits of a position predict the next token
    optional = {"position_ids": batch["position_ids"], "logits_to_keep": kept, "use_cache": False}
    known = _forward_parameters(module)
    logits = module(
        input_ids=batch["input_ids"],
        attention_mask=batch["attention_mask"],
        **{name: value for name, value in optional.items() if name in known},
    ).logits
    wanted = labels[:, first:]
    loss = torch.nn.functional.cross_entropy(
        logits[:, -kept:-1].flatten(0, 1).float(), wanted.flatten(), ignore_index=IGNORED, reduction="sum"
    )
    return loss, int((wanted != IGNORED).sum())


def validation_loss(
    module: "PreTrainedModel", rows: Sequence[EncodedRow], pad_id: int, autocast: "torch.dtype | None" = None
) -> float:
    """Return the mean cross-entropy (nats) of the answer tokens of ``rows``, in eval mode; batches don't matter.

    A batch that doesn't fit into memory is halved, and those after it are no larger.
    """
    import torch

    module.eval()
    device = next(module.parameters()).device
    ordered = sorted(rows, key=lambda row: len(row.ids))
    size = max(1, min(EVALUATION_ROWS, FORWARD_TOKENS // len(ordered[-1].ids)))
    total, tokens, start = 0.0, 0, 0
    with torch.no_grad(), torch.autocast(device.type, dtype=autocast, enabled=autocast is not None):
        while start < len(ordered):
            batch = collate(ordered[start : start + size], pad_id)
            try:
                loss, count = answer_loss(module, {name: tensor.to(device) for name, tensor in batch.items()})
            except (RuntimeError, MemoryError) as error:
                if size == 1 or not is_out_of_memory(error):
                    raise
                size //= 2
                continue
            total, tokens, start = total + float(loss), tokens + count, start + size
    return total / tokens


def _forward_parameters(module: "PreTrainedModel") -> Iterable[str]:
    """Return what the causal LM's own ``forward`` takes, under PEFT's wrapping too."""
    base = module.get_base_model() if hasattr(module, "get_base_model") else module
    return inspect.signature(base.forward).parameters


class LengthSampler:
    """Row numbers of one epoch after another: each call of ``iter`` gives the next epoch's order.

    Within ``MEGABATCH`` batches rows are sorted by length; the batches are then shuffled, so that length
    doesn't follow the learning rate.
    """

    def __init__(self, lengths: Sequence[int], batch_size: int, seed: int) -> None:
        self._lengths, self._batch = lengths, batch_size
        self._random = random.Random(seed)

    def __len__(self) -> int:
        return len(self._lengths)

    def __iter__(self) -> Iterator[int]:
        order = list(range(len(self._lengths)))
        self._random.shuffle(order)
        size = self._batch * MEGABATCH
        batches: list[list[int]] = []
        for start in range(0, len(order), size):
            chunk = sorted(order[start : start + size], key=lambda row: self._lengths[row])
            batches += [chunk[place : place + self._batch] for place in range(0, len(chunk), self._batch)]
        full = [batch for batch in batches if len(batch) == self._batch]
        rest = [batch for batch in batches if len(batch) < self._batch]  # at most one: the last, so batches stay whole
        self._random.shuffle(full)
        return iter([row for batch in full + rest for row in batch])
