"""The arm ``scratch``: the base's architecture with random weights, trained on the task's rows alone.

It measures what the base's pretraining is worth on the task. The loop is the one that makes the
built-in model (``finetune.pretrain``).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from baselines.answering import Facts
from baselines.device import is_out_of_memory
from baselines.loading import load_model, load_module
from baselines.local_model import LocalModel
from baselines.tuned_card import TunedCard
from evals.errors import ArmError
from evals.example import Example
from evals.protocols import FitReport, LossPoint
from finetune.batches import LengthSampler, validation_loss
from finetune.checkpoint import save_model
from finetune.encode import EncodedRow
from finetune.exam import Exam
from finetune.pretrain import Validate, train_from_scratch
from finetune.pretrain_batch import Batch, Row, pack_rows
from finetune.pretrain_plan import PretrainPlan, PretrainReport, Validation
from finetune.schedule import Schedule
from finetune.trainer import Training, TrainingRows, out_of_memory
from finetune.training_folder import SHORTEST_WAIT, clear
from finetune.tune_arms import TrainedArm
from finetune.tuning import plan_lesson, report_training, with_facts

if TYPE_CHECKING:
    from transformers import PreTrainedModel

MOST_PARAMETERS = 200_000_000
"""Above this, a task's rows can't teach a model from nothing in any sensible time."""

EPOCHS = 10.0
"""Passes when the task file names no number: random weights need more of them than trained ones."""

LEARNING_RATE = 3e-3
FINAL_SHARE = 0.02
"""The learning rate ends at this share of its peak."""

SCORE = "score"
"""The name of the task's metric among the scores of a look at held-out rows."""

PROMPT_WEIGHT = 0.3
"""A prompt's tokens count this much: from nothing, a model has the language of the rows to learn as well."""


class ScratchArm(TrainedArm):
    """The base's architecture and tokenizer, none of its weights."""

    name: ClassVar[str] = "scratch"
    artefact: ClassVar[str] = "model"

    def train(self, train: Sequence[Example], card: TunedCard) -> FitReport:
        """Train a model from random weights and save it whole, loadable by its folder."""
        import torch

        context, settings = self.context, self.context.task.settings.tune
        if settings.epochs is None:
            settings = settings.model_copy(update={"epochs": EPOCHS})
        loaded = load_module(context.task.settings.local_model)
        module, tokenizer = random_module(loaded.module, context.seed), loaded.tokenizer
        del loaded
        lesson = plan_lesson(
            module,
            tokenizer,
            context.task,
            train,
            settings=settings,
            learning_rate=LEARNING_RATE,
            seed=context.seed,
            final_share=FINAL_SHARE,
        )
        rows, schedule = lesson.rows, lesson.schedule
        look = _validation(rows, lesson.exam) if rows.validation else None
        before = look(module, 0) if look is not None else None
        plan = PretrainPlan(
            steps=schedule.steps,
            learning_rate=schedule.learning_rate,
            final_share=FINAL_SHARE,
            warmup_steps=schedule.warmup_steps,
            validate_every=schedule.evaluate_every,
            keep_best=bool(rows.validation),
            checkpoint_seconds=SHORTEST_WAIT,
        )
        with _ends_told(self.training), torch.random.fork_rng():
            torch.manual_seed(context.seed)  # dropout, where the architecture has any
            report = train_from_scratch(
                module,
                endless_batches(rows, context.seed),
                plan,
                folder=self.training,
                resume=True,
                progress=lambda _, done, total: context.progress("training", done, total),
                validate=look,
            )
        facts: Facts = {
            "weights": "random at the start",
            "optimiser": "Muon on matrices, AdamW on the rest",
            "loss": f"answer tokens 1, prompt tokens {PROMPT_WEIGHT:g}",
            "model_mb": save_model(module, tokenizer, self.saved, card),
        }
        return with_facts(report_training(module, lesson, as_training(report, schedule, before)), facts)

    def tuned_model(self) -> None:
        """Return none: it begins with random weights, so there is nothing that it could have forgotten."""

    def load(self) -> LocalModel:
        """Load the saved model."""
        return load_model(str(self.saved))


@contextmanager
def _ends_told(folder: Path) -> Iterator[None]:
    """Say in one line that memory ran out; clear ``folder`` when the loss is no number, since it would be so again."""
    try:
        yield
    except ArmError:
        clear(folder)
        raise
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise out_of_memory("one row") from error


def random_module(base: "PreTrainedModel", seed: int) -> "PreTrainedModel":
    """Return a module of ``base``'s architecture on its device, in fp32, with random weights drawn from ``seed``.

    Raises ``ArmError`` above 200 million weights.
    """
    import torch
    from transformers import AutoModelForCausalLM

    size = int(base.num_parameters())
    if size > MOST_PARAMETERS:
        raise ArmError(
            f"a model of {size / 1e6:,.0f} million weights can't be trained from scratch on a task's rows "
            f"(at most {MOST_PARAMETERS / 1e6:.0f} million): choose a smaller model or leave the arm out"
        )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        module = AutoModelForCausalLM.from_config(base.config, dtype=torch.float32)
    return module.to(base.device)


def endless_batches(rows: TrainingRows, seed: int) -> Iterator[Batch]:
    """Yield batches of the training rows, epoch after epoch, each in another order."""
    sampler = LengthSampler([len(row.ids) for row in rows.train], rows.batch_size, seed)
    while True:
        order = list(sampler)
        for start in range(0, len(order), rows.batch_size):
            yield pack_rows(
                [as_row(rows.train[index]) for index in order[start : start + rows.batch_size]], rows.pad_id
            )


def as_row(row: EncodedRow) -> Row:
    """Return ``row`` as the pretraining loop reads it: each token is asked for the next one."""
    given = row.prompt_tokens - 1
    weights = [PROMPT_WEIGHT] * given + [1.0] * (len(row.ids) - 1 - given)
    return Row(row.ids[:-1], row.ids[1:], weights)


def as_training(report: PretrainReport, schedule: Schedule, before: Validation | None) -> Training:
    """Return the pretraining loop's report in the words of the other arms; ``before`` is the look at step 0."""

    def point(step: int, train: float | None, seen: Validation | None) -> LossPoint:
        epoch = round(step / schedule.steps_per_epoch, 4)
        return LossPoint(step, epoch, train, seen.loss if seen else None, seen.scores.get(SCORE) if seen else None)

    points = {found.step: point(found.step, found.loss, found.validation) for found in report.points}
    if before is not None:
        points = {0: point(0, None, before)} | points
    return Training(
        seconds=report.seconds,
        steps=report.steps,
        epochs=report.steps / schedule.steps_per_epoch,
        tokens=report.tokens,
        best_step=report.best_step,
        losses=tuple(points.values()),
    )


def _validation(rows: TrainingRows, exam: Exam | None) -> Validate:
    """Return what the pretraining loop calls to look at the held-out rows: their loss, and the score of ``exam``."""

    def look(module: "PreTrainedModel", step: int) -> Validation:
        score = exam.sit() if exam is not None else None
        loss = validation_loss(module, rows.validation, rows.pad_id)
        return Validation(loss, {} if score is None else {SCORE: score})

    return look
