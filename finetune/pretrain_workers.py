"""Loss and gradients of one batch, by one thread pool of replicas on a CPU or in one go on a GPU.

On a CPU a small model loses much of its time where the threads of one operation wait for each other, and most
of it when other programs run too. So each worker takes some of the rows through the whole model by itself, on
one thread, and they meet once a step: measured 1.8 times as fast on two busy cores.
"""

import copy
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

from baselines.device import is_out_of_memory
from finetune.pretrain_batch import Batch

if TYPE_CHECKING:
    import torch


T = TypeVar("T")

EAGER_LENGTH = 512
"""In bf16 on a CPU, rows up to this long attend faster by plain matrix products than by torch's fused kernel."""


class Workers:
    """``count`` copies of a module that share its weights but not its gradients; a context manager.

    With ``count`` 1, or on a GPU, the module itself does all the work.
    """

    def __init__(self, module: "torch.nn.Module", count: int, *, compiled: bool = False, bf16: bool = False) -> None:
        import torch

        self.module = module
        self.device = next(module.parameters()).device
        self.count = count if self.device.type == "cpu" else 1
        self.bf16 = bf16 or self.device.type == "cuda"
        self.loss = torch.compile(_weighted_loss) if compiled else _weighted_loss
        self.replicas = [module, *(_replica(module) for _ in range(self.count - 1))]
        self.attention = _attention(module)
        self.pool: ThreadPoolExecutor | None = None
        self.threads = torch.get_num_threads()
        self.parts = 1

    def __enter__(self) -> Self:
        """Start the threads."""
        import torch

        if self.count > 1:
            torch.set_num_threads(1)
            self.pool = ThreadPoolExecutor(self.count, "pretrain", initializer=torch.set_num_threads, initargs=(1,))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the threads and give the process its own number of threads back."""
        import torch

        if self.pool is not None:
            self.pool.shutdown()
            self.pool = None
            torch.set_num_threads(self.threads)
        self._attend(self.attention)

    def learn(self, batch: Batch) -> float:
        """Set the module's gradients to those of the batch's weighted mean loss; return that loss (nats).

        Where memory runs out, the batch is learnt again in twice as many parts, which add up to the same.
        """
        total = max(float(batch.weights.sum()), 1e-6)
        while True:
            try:
                return sum(self._learn(_rows(batch, part, self.parts), total) for part in range(self.parts))
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error) or self.parts * self.count >= len(batch.ids):
                    raise
            for replica in self.replicas:
                replica.zero_grad(set_to_none=True)
            self.parts *= 2

    def _learn(self, batch: Batch, total: float) -> float:
        if self.bf16 and self.device.type == "cpu":
            self._attend("eager" if batch.ids.shape[1] <= EAGER_LENGTH else self.attention)
        if self.pool is None:
            return self._run(self.module, batch, slice(None), total)
        # Every count-th row, so that each worker gets as many long ones as the others.
        parts = [slice(index, None, self.count) for index in range(min(self.count, len(batch.ids)))]
        jobs = [
            self.pool.submit(self._run, replica, batch, part, total)
            for replica, part in zip(self.replicas, parts, strict=False)
        ]
        loss = sum(job.result() for job in jobs)
        for replica in self.replicas[1 : len(parts)]:
            for mine, other in zip(self.module.parameters(), replica.parameters(), strict=True):
                if other.grad is not None:
                    mine.grad = other.grad if mine.grad is None else mine.grad.add_(other.grad)
                    other.grad = None
        return loss

    def each(self, things: Sequence[T], do: Callable[[T], object]) -> None:
        """Call ``do`` for each of ``things``, shared out over the workers; it must not depend on their order."""
        if self.pool is None:
            for thing in things:
                do(thing)
        else:
            list(self.pool.map(do, things))

    def _attend(self, implementation: str | None) -> None:
        """Let every replica attend by ``implementation``, where the architecture offers the choice."""
        for replica in self.replicas:
            choose: Callable[[str], None] | None = getattr(replica, "set_attn_implementation", None)
            if choose and implementation and _attention(replica) != implementation:
                choose(implementation)

    def _run(self, module: "torch.nn.Module", batch: Batch, rows: slice, total: float) -> float:
        import torch

        module.train()
        ids, targets, weights = (
            torch.from_numpy(array[rows]).to(self.device) for array in (batch.ids, batch.targets, batch.weights)
        )
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.bf16):
            loss = self.loss(module, ids, targets, weights) / total
        torch.autograd.backward(loss)
        return float(loss.detach())


def _rows(batch: Batch, part: int, parts: int) -> Batch:
    """Return every ``parts``-th row of a batch, from row ``part`` on."""
    if parts == 1:
        return batch
    rows = slice(part, None, parts)
    return Batch(batch.ids[rows], batch.targets[rows], batch.weights[rows], batch.tokens)


def _attention(module: "torch.nn.Module") -> str | None:
    """Return the name of the attention kernel that a transformers model uses."""
    name: str | None = getattr(getattr(module, "config", None), "_attn_implementation", None)
    return name


def _replica(module: "torch.nn.Module") -> "torch.nn.Module":
    """Return a copy of ``module`` whose parameters are views of the same memory, with gradients of their own."""
    twin = copy.deepcopy(module)
    for mine, other in zip(module.parameters(), twin.parameters(), strict=True):
        other.data = mine.data
    return twin


def _weighted_loss(
    module: "torch.nn.Module", ids: "torch.Tensor", targets: "torch.Tensor", weights: "torch.Tensor"
) -> "torch.Tensor":
    """Return the weighted sum of the cross-entropy (nats) over some rows."""
    import torch.nn.functional as F

    logits = module(input_ids=ids, use_cache=False).logits
    losses = F.cross_entropy(logits.flatten(0, 1).float(), targets.flatten(), reduction="none")
    return (losses * weights.flatten()).sum()
