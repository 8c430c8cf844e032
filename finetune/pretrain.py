"""Trains a causal language model from random weights: the loop behind the built-in model and the ``scratch`` arm.

The loop knows tokens and weights, not where they come from::

    from finetune.pretrain_batch import answer_row, pack_rows
    from finetune.pretrain_plan import PretrainPlan

    module = AutoModelForCausalLM.from_config(config)
    rows = [answer_row(prompt_ids, answer_ids, end_id) for ...]
    batches = itertools.cycle(pack_rows(chunk, pad_id) for chunk in chunks)
    report = train_from_scratch(module, batches, PretrainPlan(tokens=500_000), validate=look)

Method: Muon on the matrices (Jordan et al. 2024; scaled as in Liu et al. 2025, arXiv 2502.16982, so that one
learning rate serves both optimisers), AdamW on embeddings, norms and biases, linear warm-up, cosine decay.
fp32 on a CPU unless the plan says bf16, bf16 autocast on CUDA. Checkpoints are written beside the old one and
renamed over it; a run that goes on from one sees the same batches as a run that was never stopped.
"""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from evals.errors import ArmError, RunError
from evals.protocols import ProgressHook, no_progress
from finetune.pretrain_batch import Batch
from finetune.pretrain_plan import PretrainPlan, PretrainReport, TrainPoint, Validation
from finetune.pretrain_state import load_checkpoint, save_checkpoint
from finetune.pretrain_workers import Workers
from finetune.training_folder import COST_SHARE

if TYPE_CHECKING:
    import torch


Validate = Callable[["torch.nn.Module", int], Validation]
"""``validate(module, step)``; the module is in eval mode, gradients are off."""


@runtime_checkable
class Resumable(Protocol):
    """A stream of batches that can be put back to a place; others are read again from the start."""

    def state(self) -> dict[str, Any]:
        """Return the place in plain numbers, strings, lists and dicts."""
        ...

    def restore(self, state: dict[str, Any]) -> None:
        """Go to a place that ``state`` returned."""
        ...


@dataclass
class _Course:
    """The moving part of a training run; what a checkpoint holds beside weights and optimisers."""

    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    losses: list[float] = field(default_factory=list)
    points: list[TrainPoint] = field(default_factory=list)
    best_loss: float = math.inf
    best_step: int | None = None


def train_from_scratch(
    module: "torch.nn.Module",
    batches: Iterator[Batch],
    plan: PretrainPlan,
    *,
    folder: Path | None = None,
    resume: bool = False,
    progress: ProgressHook = no_progress,
    validate: Validate | None = None,
) -> PretrainReport:
    """Train ``module`` (any transformers causal LM, on the device it stands on) in place.

    ``batches`` may end early; training then ends too. With ``folder`` a checkpoint is kept there
    (``checkpoint.pt``) and ``resume`` goes on from it. ``progress`` is called with phase ``"train"`` and per
    mille of the plan. ``plan.keep_best`` leaves the weights that had the lowest validation loss.

    Memory: weights, gradients, Muon's one and AdamW's two copies; with ``plan.workers`` one more set of
    gradients for each further worker.

    Raises ``ArmError`` when the loss stops being a number, ``RunError`` for a checkpoint of another number of workers.
    """
    optimizers = _optimizers(module, plan)
    course, best = _Course(), None
    if folder is not None and resume and (state := load_checkpoint(folder)) is not None:
        course, best = _take_up(state, module, optimizers, batches)
    with Workers(module, plan.workers, compiled=plan.compile, bf16=plan.bf16) as workers:
        best = _run(workers, batches, optimizers, plan, course, best, folder, progress, validate)
    if plan.keep_best and best is not None:
        module.load_state_dict(best)
    module.eval()
    kept = course.best_step if plan.keep_best else None
    return PretrainReport(course.step, course.tokens, course.seconds, tuple(course.points), kept)


def _run(
    workers: Workers,
    batches: Iterator[Batch],
    optimizers: Sequence["torch.optim.Optimizer"],
    plan: PretrainPlan,
    course: _Course,
    best: dict[str, Any] | None,
    folder: Path | None,
    progress: ProgressHook,
    validate: Validate | None,
) -> dict[str, Any] | None:
    """Go through the plan from where ``course`` stands; return the best weights, if any were kept."""
    module = workers.module
    started, saved, wait = time.monotonic() - course.seconds, time.monotonic(), 0.0
    share = plan.share_done(course.step, course.tokens, course.seconds)
    while share < 1.0 and (batch := next(batches, None)) is not None:
        rate = plan.rate_at(course.step, share)
        course.losses.append(_step(workers, batch, optimizers, rate, plan.clip, course.step))
        course.step += 1
        course.tokens += batch.tokens
        course.seconds = time.monotonic() - started
        share = plan.share_done(course.step, course.tokens, course.seconds)
        progress("train", round(1000 * share), 1000)
        if course.step % plan.validate_every == 0 or share >= 1.0:
            best = _look(module, course, rate, validate, plan, best)
        if folder is not None and (share >= 1.0 or time.monotonic() - saved > max(plan.checkpoint_seconds, wait)):
            began = time.monotonic()
            save_checkpoint(folder, _hand_over(course, module, optimizers, batches, best))
            saved = time.monotonic()
            wait = (saved - began) / COST_SHARE
    return _look(module, course, plan.rate_at(course.step, share), validate, plan, best)


def _optimizers(module: "torch.nn.Module", plan: PretrainPlan) -> list["torch.optim.Optimizer"]:
    """Return Muon for the matrices between embeddings, one for each worker to step, and AdamW for the rest."""
    import torch

    outer = {
        id(parameter)
        for layer in module.modules()
        if isinstance(layer, torch.nn.Embedding)
        for parameter in layer.parameters()
    }
    head = getattr(module, "get_output_embeddings", lambda: None)()
    outer |= {id(parameter) for parameter in head.parameters()} if head is not None else set()
    trained = [parameter for parameter in module.parameters() if parameter.requires_grad]
    matrices = [parameter for parameter in trained if parameter.ndim == 2 and id(parameter) not in outer]
    chosen = {id(parameter) for parameter in matrices}
    others = [parameter for parameter in trained if id(parameter) not in chosen]
    made: list[torch.optim.Optimizer] = []
    for part in (matrices[start :: plan.workers] for start in range(min(plan.workers, len(matrices)))):
        made.append(
            torch.optim.Muon(
                part, lr=plan.learning_rate, weight_decay=plan.weight_decay, adjust_lr_fn="match_rms_adamw"
            )
        )
    if others:
        made.append(torch.optim.AdamW(others, lr=plan.learning_rate, betas=(0.9, 0.98), weight_decay=0.0))
    return made


def _step(
    workers: Workers, batch: Batch, optimizers: Sequence["torch.optim.Optimizer"], rate: float, clip: float, step: int
) -> float:
    """Learn from one batch; return its loss."""
    import torch

    value = workers.learn(batch)
    if not math.isfinite(value):
        raise ArmError(f"the training loss is {value} at step {step + 1}: lower the learning rate")
    torch.nn.utils.clip_grad_norm_(workers.module.parameters(), clip)
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = rate
    workers.each(optimizers, lambda optimizer: optimizer.step())
    for optimizer in optimizers:
        optimizer.zero_grad(set_to_none=True)
    return value


def _look(
    module: "torch.nn.Module",
    course: _Course,
    rate: float,
    validate: Validate | None,
    plan: PretrainPlan,
    best: dict[str, Any] | None,
) -> dict[str, Any] | None:
    """Close a point of the curve, with a validation if there is one; return the best weights so far."""
    import torch

    if not course.losses:
        return best
    seen: Validation | None = None
    if validate is not None:
        module.eval()
        with torch.no_grad():
            seen = validate(module, course.step)
    mean = sum(course.losses) / len(course.losses)
    course.points.append(TrainPoint(course.step, course.tokens, rate, mean, seen))
    course.losses = []
    if plan.keep_best and seen is not None and seen.loss < course.best_loss:
        course.best_loss, course.best_step = seen.loss, course.step
        return {name: tensor.detach().clone() for name, tensor in module.state_dict().items()}
    return best


def _hand_over(
    course: _Course,
    module: "torch.nn.Module",
    optimizers: Sequence["torch.optim.Optimizer"],
    batches: Iterator[Batch],
    best: dict[str, Any] | None,
) -> dict[str, Any]:
    """Return all that a later process needs to go on."""
    import torch

    return {
        "course": asdict(course),
        "seconds": course.seconds,
        "random": torch.get_rng_state(),
        "module": module.state_dict(),
        "optimizers": [optimizer.state_dict() for optimizer in optimizers],
        "stream": batches.state() if isinstance(batches, Resumable) else None,
        "best": best,
    }


def _take_up(
    state: dict[str, Any],
    module: "torch.nn.Module",
    optimizers: Sequence["torch.optim.Optimizer"],
    batches: Iterator[Batch],
) -> tuple[_Course, dict[str, Any] | None]:
    """Put module, optimisers and stream back to where a checkpoint was written."""
    import torch

    module.load_state_dict(state["module"])
    if "random" in state:  # dropout draws from it
        torch.set_rng_state(state["random"])
    try:
        for optimizer, kept in zip(optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(kept)
    except ValueError as error:
        raise RunError(
            "the checkpoint was made with another number of workers (CPU cores): go on with that number, or start anew"
        ) from error
    values = dict(state["course"])
    values["points"] = [
        TrainPoint(**{**point, "validation": Validation(**point["validation"]) if point["validation"] else None})
        for point in values["points"]
    ]
    course = _Course(**values)
    if isinstance(batches, Resumable) and state["stream"] is not None:
        batches.restore(state["stream"])
    else:
        for _ in range(course.step):
            next(batches, None)
    return course, state["best"]
