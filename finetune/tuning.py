"""One training on a task's rows, from encoding to the report: what the arms that train share."""

import gc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from baselines.answering import Facts, answer_limits, answering_facts
from baselines.local_model import LocalModel
from evals.errors import ArmError
from evals.example import Example, Prompt
from evals.protocols import FitReport, ProgressHook, TrainingPlan
from evals.task import Task
from evals.task_file import Tune
from finetune.encode import encode_rows
from finetune.exam import Exam, plan_exam
from finetune.holdout import hold_out
from finetune.schedule import EPOCHS, Schedule, plan_schedule, token_budget
from finetune.trainer import Training, TrainingRows, train_module

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


@dataclass(frozen=True)
class Lesson:
    """A training that is about to begin: its rows, its pace, its exam, and what the report will say of them."""

    rows: TrainingRows
    schedule: Schedule
    exam: Exam | None
    plan: TrainingPlan
    facts: Facts


def plan_lesson(
    module: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    task: Task,
    train: Sequence[Example],
    *,
    settings: Tune,
    learning_rate: float,
    seed: int,
    final_share: float = 0.0,
    prompts: Sequence[Prompt] | None = None,
) -> Lesson:
    """Encode ``train``, hold out validation rows, and plan the steps; ``learning_rate`` is the default one.

    ``prompts`` are what is asked for each row of ``train``, the zero-shot ones where none are given.
    ``final_share`` is the share of the learning rate that is left at the last step.
    Raises ``ArmError`` when no row fits the context or the tokenizer knows tokens that the model doesn't.
    """
    engine = LocalModel.from_module(module, tokenizer, name=task.settings.local_model)
    encoded = encode_rows(engine, task, train, prompts)
    known = int(module.get_input_embeddings().num_embeddings)
    if (highest := max(max(row.ids) for row in encoded.rows)) >= known:
        raise ArmError(
            f"the tokenizer of {engine.name} writes token {highest}, its model knows {known}: they don't match"
        )
    budget = token_budget(settings, module.device.type)
    split = hold_out(task, train, encoded, seed, budget)
    epoch_tokens = sum(len(row.ids) for row in split.train)
    schedule = plan_schedule(
        settings,
        rows=len(split.train),
        epoch_tokens=epoch_tokens,
        token_budget=budget,
        learning_rate=settings.learning_rate or learning_rate,
    )
    step_tokens = epoch_tokens / schedule.steps_per_epoch
    asked = None if prompts is None else {row.id: prompt for row, prompt in zip(train, prompts, strict=True)}
    exam = plan_exam(
        engine, task, split.validation, schedule=schedule, step_tokens=step_tokens, seed=seed, prompts=asked
    )
    plan = TrainingPlan(
        batch_size=settings.batch_size,
        learning_rate=schedule.learning_rate,
        warmup_steps=schedule.warmup_steps,
        final_share=final_share,
        epochs=settings.epochs or EPOCHS,
        ended_by_budget=budget if schedule.cut_by_budget else None,
        validation_rows=len(split.validation),
        scored_rows=len(exam.examples) if exam is not None else 0,
    )
    facts: Facts = {
        "learning_rate": schedule.learning_rate,
        "learning_rate_from": "tune.learning_rate" if settings.learning_rate else "default for method and model size",
        "schedule": f"cosine, {schedule.steps} steps of {settings.batch_size} rows, {schedule.warmup_steps} of warm-up",
        "validation_rows": plan.validation_rows,
        "validation_rows_scored": plan.scored_rows,
        "rows_left_out": encoded.left_out,
    }
    if 0 < plan.scored_rows < plan.validation_rows:
        facts["scored_fewer"] = "at most 32, and no more than keeps the scoring at a tenth of the training's cost"
    if schedule.cut_by_budget and budget is not None:
        facts["stopped"] = f"at the token budget of {budget:,} after {schedule.epochs:.2g} of {plan.epochs:g} epochs"
    if engine.answer_end_id is None:
        facts["end_of_answer"] = "the tokenizer has no end token: answers end at a blank line and 'Input:'"
    facts |= answering_facts(engine, task, answer_limits(task, engine.count_tokens))
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else 0
    return Lesson(TrainingRows(split.train, split.validation, settings.batch_size, pad), schedule, exam, plan, facts)


def tune_module(
    module: "PreTrainedModel", lesson: Lesson, *, seed: int, folder: Path, progress: ProgressHook
) -> FitReport:
    """Train the weights of ``module`` that require gradients, in place, and report.

    ``folder`` keeps the state of the training (``finetune.training_folder``); one that stands there goes on.
    Raises ``ArmError`` when the loss stops being a number or memory runs out.
    """
    import torch

    if module.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    training = train_module(
        module,
        lesson.rows,
        lesson.schedule,
        seed=seed,
        folder=folder,
        progress=progress,
        sit_exam=lesson.exam.sit if lesson.exam is not None else None,
        resumable=True,
    )
    return report_training(module, lesson, training)


def report_training(module: "PreTrainedModel", lesson: Lesson, training: Training) -> FitReport:
    """Return the report of a finished training."""
    trainable, total = count_parameters(module)
    return FitReport(
        seconds=round(training.seconds, 3),
        train_rows=len(lesson.rows.train),
        train_tokens=training.tokens,
        steps=training.steps,
        steps_per_epoch=lesson.schedule.steps_per_epoch,
        epochs=training.epochs,
        best_step=training.best_step,
        peak_memory_mb=_peak_device_memory(module),
        losses=training.losses,
        facts=lesson.facts
        | {"trainable_parameters": trainable, "total_parameters": total}
        | {"training_seconds": round(training.seconds, 3)}
        | ({"memory": training.memory} if training.memory else {})
        | _checkpoint_facts(training),
        plan=lesson.plan,
    )


def with_facts(report: FitReport, facts: Mapping[str, str | int | float | bool | None]) -> FitReport:
    """Return ``report`` with ``facts`` added to its own."""
    return replace(report, facts=report.facts | dict(facts))


def count_parameters(module: "PreTrainedModel") -> tuple[int, int]:
    """Return the trainable weights and all weights, counting 4-bit ones as weights, not as bytes."""
    if hasattr(module, "get_nb_trainable_parameters"):
        trainable, total = module.get_nb_trainable_parameters()
        return int(trainable), int(total)
    return int(module.num_parameters(only_trainable=True)), int(module.num_parameters())


def free_memory() -> None:
    """Give back what a dropped module held."""
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _checkpoint_facts(training: Training) -> Facts:
    """Say which weights were kept, and warn when training never lowered the validation loss."""
    if training.best_step is None:
        return {"checkpoint": "the last weights (no validation rows)"}
    facts: Facts = {"checkpoint": f"lowest validation loss, at step {training.best_step} of {training.steps}"}
    curve = {point.step: point.validation for point in training.losses if point.validation is not None}
    start, best = curve.get(0), curve.get(training.best_step)
    if start is not None and best is not None and best >= start:
        facts["warning"] = "training never lowered the validation loss; the learning rate may be too high"
    return facts


def _peak_device_memory(module: "PreTrainedModel") -> float | None:
    """Return the GPU's peak while training, in MB of 10⁶ bytes; None on a CPU, where the runner samples it."""
    import torch

    return round(torch.cuda.max_memory_allocated() / 1e6, 1) if module.device.type == "cuda" else None
