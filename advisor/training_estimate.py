"""What training takes in arithmetic, hours of a GPU and money, and what its examples cost to write.

Arithmetic a weight and token: 6 FLOPs in full training (Kaplan et al., arXiv 2001.08361); 4 where the base is
frozen, as its weights need no gradients; 2 more where checkpointing computes the forward pass again.
"""

import math
from dataclasses import dataclass

from advisor.memory_estimate import Method

FLOPS = {"full": 6, "lora": 4, "qlora": 4}
"""FLOPs for each weight and token."""
CHECKPOINTING_FLOPS = 2
QLORA_SLOWDOWN = 1.4
"""Time of QLoRA against LoRA. litgpt's resource tables (one A100) show 1.5 for 3B, 1.6 for 7B and 2.1 for 13B at
one row at a time, 1.3 where four rows share a matrix's unpacking (its finetune_lora page); ours is within those."""


@dataclass(frozen=True)
class TrainingEstimate:
    """One way of training: ``tokens`` and ``flops`` of one run, its hours on one GPU, and its cost."""

    method: Method
    tokens: float
    flops: float
    gpu_hours: float
    cost_per_run: float
    runs: int
    cost: float
    """Cost of all runs."""
    steps_per_epoch: int
    """Optimiser steps; the last, partial batch counts as one."""
    steps: int


@dataclass(frozen=True)
class Work:
    """What is to be trained on what: ``weights`` of the model; ``examples`` of ``tokens_per_example``."""

    weights: float
    examples: int
    tokens_per_example: float
    epochs: float
    batch: int
    checkpointing: bool = False

    def tokens(self) -> float:
        """Return the tokens that one run reads."""
        return self.examples * self.tokens_per_example * self.epochs


@dataclass(frozen=True)
class Machine:
    """One GPU: its peak in TFLOP/s, the share of it that training reaches, and its price per hour."""

    peak_tflops: float
    utilisation: float
    per_hour: float

    def hours(self, flops: float) -> float:
        """Return the hours that ``flops`` take."""
        return flops / (self.peak_tflops * 1e12 * self.utilisation * 3600)


def estimate_training(work: Work, method: Method, machine: Machine, runs: int) -> TrainingEstimate:
    """Return what ``runs`` trainings take on one GPU."""
    each = FLOPS[method] + (CHECKPOINTING_FLOPS if work.checkpointing else 0)
    flops = each * work.weights * work.tokens()
    hours = machine.hours(flops) * (QLORA_SLOWDOWN if method == "qlora" else 1)
    per_epoch = steps_per_epoch(work.examples, work.batch)
    return TrainingEstimate(
        method=method,
        tokens=work.tokens(),
        flops=flops,
        gpu_hours=hours,
        cost_per_run=hours * machine.per_hour,
        runs=runs,
        cost=runs * hours * machine.per_hour,
        steps_per_epoch=per_epoch,
        steps=math.ceil(work.epochs * per_epoch),
    )


def steps_per_epoch(examples: int, batch: int) -> int:
    """Return the optimiser steps of one pass over the examples; a last, partial batch is a step too."""
    return -(-examples // batch)


def labelling_cost(examples: float, minutes: float, wage_per_hour: float, review_share: float) -> float:
    """Return what writing ``examples`` costs, ``minutes`` each, with reviewing as a share of that work."""
    return examples * minutes / 60 * wage_per_hour * (1 + review_share)
