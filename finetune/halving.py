"""A ``transformers.Trainer`` that goes on when memory runs out: the same optimiser step, in smaller forward passes.

A pass that fails may have left part of its gradients behind, so the whole step is learnt anew: all of its
micro-batches, each in twice as many parts. Since the loss is a sum over answer tokens divided by the tokens of the
step, the parts add up to the same gradient.
"""

import gc
from typing import TYPE_CHECKING

import torch
from transformers import Trainer

from baselines.device import is_out_of_memory
from finetune.encode import IGNORED

if TYPE_CHECKING:
    from transformers import PreTrainedModel

Inputs = dict[str, torch.Tensor]


class HalvingTrainer(Trainer):  # type: ignore[misc]  # transformers isn't typed
    """Learns a micro-batch in ``parts`` parts; there are twice as many from the first time that memory ran out."""

    parts = 1
    tokens_seen = 0
    _at_step = -1

    def training_step(
        self, model: "PreTrainedModel", inputs: Inputs, num_items_in_batch: "torch.Tensor | int | None" = None
    ) -> torch.Tensor:
        """Add the gradients of a micro-batch and return its loss. Raises when not even single rows fit."""
        if self._at_step != self.state.global_step:
            self._at_step, self._behind, self._tokens_before = self.state.global_step, [], self.tokens_seen
        wanted: list[Inputs] = [inputs]
        while True:
            failure: str | None = None
            try:
                losses = [self._learn(model, one, num_items_in_batch) for one in wanted]
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error) or self.parts >= len(inputs["input_ids"]):
                    raise
                failure = str(error)
            # Outside the handler: the error's traceback would keep the failed pass's tensors alive.
            if failure is None:
                self._behind.append(inputs)
                return losses[-1]
            self.parts *= 2
            self.tokens_seen = self._tokens_before
            model.zero_grad(set_to_none=True)
            free_memory()
            wanted = [*self._behind, inputs]

    def _learn(self, model: "PreTrainedModel", inputs: Inputs, count: "torch.Tensor | int | None") -> torch.Tensor:
        if count is None:
            count = int((inputs["labels"] != IGNORED).sum())
        losses = [super(HalvingTrainer, self).training_step(model, part, count) for part in split(inputs, self.parts)]
        return torch.stack(losses).sum() if len(losses) > 1 else losses[0]


def split(inputs: Inputs, parts: int) -> list[Inputs]:
    """Return the rows of a left-padded batch in ``parts`` batches, without the padding that all rows of one share."""
    if parts <= 1:
        return [inputs]
    rows = len(inputs["input_ids"])
    size = max(1, -(-rows // parts))
    cut = [{name: tensor[start : start + size] for name, tensor in inputs.items()} for start in range(0, rows, size)]
    return [{name: tensor[:, _padding(part) :] for name, tensor in part.items()} for part in cut]


def free_memory() -> None:
    """Give back what a failed or finished piece of work held."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _padding(part: Inputs) -> int:
    return int(part["attention_mask"].any(dim=0).int().argmax())
