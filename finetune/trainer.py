"""Trains a causal language model on encoded rows, on ``transformers.Trainer``: the loop of every tune arm but scratch.

Only answer tokens are learnt; the loss is their mean over the whole optimiser step, however it's cut into
micro-batches. AdamW without weight decay, linear warm-up, cosine decay to zero, gradients clipped to norm 1.
Held-out rows of the training set are looked at as the run goes: the (teacher-forced) loss of their answer tokens,
and the score of the answers that the model gives by itself. The weights with the lowest such loss are kept.
"""

import math
import shutil
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from baselines.device import bf16_pays, is_out_of_memory, pick_dtype
from baselines.quantised import quiet_bitsandbytes
from evals.errors import ArmError
from evals.protocols import LossPoint, ProgressHook, no_progress
from finetune.activations import plan_forward
from finetune.batches import FORWARD_TOKENS
from finetune.computation import Computation, keep_computation
from finetune.encode import EncodedRow
from finetune.schedule import Schedule

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, TrainingArguments

AUTOCAST_PARAMETERS = 10_000_000
"""On a CPU that multiplies bf16 clearly faster, models from this size on are trained under bf16 autocast."""


@dataclass(frozen=True, slots=True)
class TrainingRows:
    """What is learnt, what chooses the checkpoint, how many rows make a step, and the padding token."""

    train: tuple[EncodedRow, ...]
    validation: tuple[EncodedRow, ...]
    batch_size: int
    pad_id: int

    @property
    def micro_batch(self) -> int:
        """Rows of one forward pass: the largest divisor of ``batch_size`` that keeps to ``FORWARD_TOKENS``."""
        sizes = [size for size in range(1, self.batch_size + 1) if self.batch_size % size == 0]
        return max([size for size in sizes if size * self.longest <= FORWARD_TOKENS], default=1)

    @property
    def longest(self) -> int:
        """Tokens of the longest row."""
        return max(len(row.ids) for row in self.train + self.validation)


@dataclass(frozen=True)
class Training:
    """How a training went. ``tokens`` counts prompts and answers as often as they were seen, padding left out.

    ``best_step`` is None when there were no validation rows; the last weights are kept then. ``memory`` says that it
    ran out, and what was done about it.
    """

    seconds: float
    steps: int
    epochs: float
    tokens: int
    best_step: int | None
    losses: tuple[LossPoint, ...]
    memory: str | None = None


def train_module(
    module: "PreTrainedModel",
    rows: TrainingRows,
    schedule: Schedule,
    *,
    seed: int,
    folder: Path,
    progress: ProgressHook = no_progress,
    sit_exam: Callable[[], float | None] | None = None,
    resumable: bool = False,
) -> Training:
    """Train the weights of ``module`` that require gradients, in place, and leave it in eval mode.

    ``sit_exam`` is called at each evaluation for the score of the model as it stands (``finetune.exam``).
    ``folder`` is used for the best weights while training and removed afterwards. With ``resumable`` it's taken as
    it is: checkpoints are kept there, a training that stands there goes on, and the folder is left (but for a
    training that can't end well), so that nothing is lost until the caller has saved the result. The global random
    state is left as it was. Raises ``ArmError`` when the loss stops being a number, or when memory doesn't hold
    a single row.
    """
    quiet_bitsandbytes()
    started = time.monotonic()
    config = module.config
    used_cache = config.use_cache
    if not resumable:
        shutil.rmtree(folder, ignore_errors=True)
    try:
        with _kept_random_state(), warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # transformers 5 renames settings between its versions
            from finetune.answer_trainer import AnswerTrainer

            computation = _decide(module, rows)
            if resumable:
                computation = keep_computation(folder, computation)
            arguments = _arguments(computation, rows, schedule, seed, folder)
            trainer = AnswerTrainer(module, arguments, rows, schedule, seed, progress, sit_exam)
            if resumable:
                trainer.keep_checkpoints()
            trainer.train_through()
            trainer.restore_best()
    except ArmError:
        shutil.rmtree(folder, ignore_errors=True)  # the same steps would end in the same way
        raise
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise out_of_memory("one row") from error
    finally:
        config.use_cache = used_cache
        if not resumable:
            shutil.rmtree(folder, ignore_errors=True)
    module.eval()
    return Training(
        seconds=trainer.spent + time.monotonic() - started,
        steps=trainer.state.global_step,
        epochs=trainer.state.global_step / schedule.steps_per_epoch,
        tokens=trainer.tokens_seen,
        best_step=trainer.best_step,
        losses=_losses(trainer.state.log_history),
        memory=_halved(arguments.per_device_train_batch_size, trainer.parts),
    )


def _halved(rows: int, parts: int) -> str | None:
    if parts == 1:
        return None
    return f"ran out at {rows} rows a forward pass; the same steps were taken {-(-rows // parts)} at a time"


def out_of_memory(what: str) -> ArmError:
    """Return the error of a training whose memory doesn't hold a forward and a backward pass of ``what``."""
    return ArmError(
        f"training ran out of memory with {what} at a time: take a smaller model, shorter rows, or a machine with more"
    )


def _decide(module: "PreTrainedModel", rows: TrainingRows) -> Computation:
    half = _autocast_format(module)
    plan = plan_forward(module, rows.longest, rows.micro_batch, rows.batch_size)
    weights = list(module.parameters())
    return Computation(
        device=weights[0].device.type,
        weights=tuple(sorted({str(weight.dtype) for weight in weights})),
        autocast=None if half is None else str(half),
        rows=plan.rows,
        recompute=plan.recompute,
    )


def _arguments(
    computation: Computation, rows: TrainingRows, schedule: Schedule, seed: int, folder: Path
) -> "TrainingArguments":
    import torch
    from transformers import TrainingArguments

    recompute: dict[str, Any] = {}
    if computation.recompute:
        recompute = {"gradient_checkpointing": True, "gradient_checkpointing_kwargs": {"use_reentrant": False}}
    arguments = TrainingArguments(
        output_dir=str(folder),
        per_device_train_batch_size=computation.rows,
        gradient_accumulation_steps=rows.batch_size // computation.rows,
        max_steps=schedule.steps,
        learning_rate=schedule.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=schedule.warmup_steps,
        weight_decay=0.0,
        max_grad_norm=1.0,
        optim="adamw_torch_fused",
        seed=seed,
        data_seed=seed,
        use_cpu=computation.device == "cpu",
        bf16=computation.autocast == str(torch.bfloat16),
        fp16=computation.autocast == str(torch.float16),
        **recompute,
        eval_strategy="no",
        eval_on_start=bool(rows.validation),
        save_strategy="no",
        logging_strategy="steps",
        logging_steps=max(1, math.ceil(schedule.steps / 100)),
        logging_nan_inf_filter=False,
        remove_unused_columns=False,
        dataloader_pin_memory=computation.device == "cuda",
        report_to="none",
        disable_tqdm=True,
        log_level="error",
    )
    _ = arguments.device  # sets n_gpu, which would spread batches over every GPU and change their size
    arguments._n_gpu = min(1, arguments.n_gpu)
    return arguments


def _autocast_format(module: "PreTrainedModel") -> "torch.dtype | None":
    """Return the 16-bit format that matrix products are done in while training, or None for that of the weights."""
    kind = next(module.parameters()).device.type
    if kind == "cuda":
        return pick_dtype("cuda")
    large = kind == "cpu" and sum(weight.numel() for weight in module.parameters()) >= AUTOCAST_PARAMETERS
    import torch

    return torch.bfloat16 if large and bf16_pays() else None


@contextmanager
def _kept_random_state() -> Iterator[None]:
    """Give back the states of the global generators, which ``Trainer`` seeds."""
    import random

    import numpy as np
    import torch

    python, numpy = random.getstate(), np.random.get_state()
    with torch.random.fork_rng():
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)


def _losses(history: Sequence[dict[str, Any]]) -> tuple[LossPoint, ...]:
    """Return the curve, one point a step: training loss (mean since the point before), validation loss with score."""
    merged: dict[int, dict[str, Any]] = {}
    for entry in history:
        if "loss" in entry or "eval_loss" in entry:
            merged.setdefault(int(entry["step"]), {}).update(entry)
    return tuple(
        LossPoint(
            step=step,
            epoch=round(float(point.get("epoch") or 0.0), 4),
            train=point.get("loss"),
            validation=point.get("eval_loss"),
            score=point.get("eval_score"),
        )
        for step, point in sorted(merged.items())
    )
