"""The ``transformers.Trainer`` that learns answers: its loss, its data order, its evaluation, its best weights."""

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from transformers import PrinterCallback, TrainerCallback

from evals.errors import ArmError
from evals.protocols import ProgressHook
from finetune.batches import LengthSampler, answer_loss, collate, validation_loss
from finetune.halving import HalvingTrainer
from finetune.resumable import ResumableTrainer, trainable
from finetune.schedule import Schedule

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, TrainerControl, TrainerState, TrainingArguments

    from finetune.trainer import TrainingRows


class AnswerTrainer(HalvingTrainer, ResumableTrainer):
    """Trains on ``rows.train`` by ``schedule``; keeps the trainable weights with the lowest validation loss."""

    carried: ClassVar[tuple[str, ...]] = ("tokens_seen", "parts", "best_step", "_best_loss")

    control: "TrainerControl"
    loss_is_scaled_for_ga = True  # compute_loss divides by the answer tokens of the whole optimiser step

    def __init__(
        self,
        module: "PreTrainedModel",
        arguments: "TrainingArguments",
        rows: "TrainingRows",
        schedule: Schedule,
        seed: int,
        progress: ProgressHook,
        sit_exam: Callable[[], float | None] | None = None,
    ) -> None:
        super().__init__(
            model=module,
            args=arguments,
            train_dataset=list(rows.train),
            data_collator=partial(collate, pad_id=rows.pad_id),
            callbacks=[_Pace(schedule, bool(rows.validation), progress)],
        )
        self.remove_callback(PrinterCallback)
        self.model_accepts_loss_kwargs = True  # count the answer tokens of each step, whatever the architecture
        self.tokens_seen = 0
        self.best_step: int | None = None
        self._rows, self._seed, self._sit_exam = rows, seed, sit_exam
        self._best_loss = math.inf
        self._kept_best: Path | None = None

    def compute_loss(
        self,
        model: "PreTrainedModel",
        inputs: dict[str, "torch.Tensor"],
        return_outputs: bool = False,
        num_items_in_batch: "torch.Tensor | int | None" = None,
    ) -> "torch.Tensor":
        """Return the summed answer loss of a micro-batch over the answer tokens of its optimiser step."""
        loss, count = answer_loss(model, inputs)
        self._check(float(loss.detach()), "training")
        self.tokens_seen += int(inputs["attention_mask"].sum())
        return loss / (num_items_in_batch if num_items_in_batch is not None else count)

    def evaluate(
        self, eval_dataset: object = None, ignore_keys: object = None, metric_key_prefix: str = "eval"
    ) -> dict[str, float]:
        """Take the validation loss and keep the weights when it's the lowest so far; then let the model answer."""
        loss = validation_loss(self.model, self._rows.validation, self._rows.pad_id, self._autocast())
        self._check(loss, "validation")
        if self.state.global_step > 0 and loss < self._best_loss:
            self._best_loss, self.best_step = loss, self.state.global_step
            self._save_best()
        self.model.train()
        metrics = {f"{metric_key_prefix}_loss": loss}
        if self._sit_exam is not None and (score := self._sit_exam()) is not None:
            metrics[f"{metric_key_prefix}_score"] = score
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

    def restore_best(self) -> None:
        """Put the best weights back; without validation rows the last ones stay, if they are numbers."""
        import torch
        from safetensors.torch import load_file

        weights = trainable(self.model)
        with torch.no_grad():
            if self.best_step is not None:
                best = load_file(self._best_path)
                for name, weight in weights.items():
                    weight.copy_(best[name])
        if not all(bool(weight.isfinite().all()) for weight in weights.values()):
            self._check(math.nan, "training")

    @property
    def _best_path(self) -> Path:
        return Path(self.args.output_dir) / f"best-{self.best_step}.safetensors"

    def _save_best(self) -> None:
        from safetensors.torch import save_file

        weights = trainable(self.model)
        save_file({name: weight.detach().cpu().contiguous() for name, weight in weights.items()}, self._best_path)
        needed = {self._best_path, self._kept_best}
        for path in set(self._best_path.parent.glob("best-*.safetensors")) - needed:
            path.unlink()

    def checkpoint_stands(self) -> None:
        """Keep the best weights that the checkpoint names until there's a newer one."""
        self._kept_best = self._best_path

    def _check(self, loss: float, kind: str) -> None:
        if not math.isfinite(loss):
            raise ArmError(
                f"the {kind} loss became {loss} at step {self.state.global_step + 1} of {self.state.max_steps}: "
                f"set tune.learning_rate below {self.args.learning_rate:g}"
            )

    def _autocast(self) -> "torch.dtype | None":
        import torch

        return torch.bfloat16 if self.args.bf16 else torch.float16 if self.args.fp16 else None

    def _get_train_sampler(self, train_dataset: object = None) -> LengthSampler:
        sampler = LengthSampler([len(row.ids) for row in self._rows.train], self._rows.batch_size, self._seed)
        for _ in range(self.epochs_before):
            iter(sampler)
        return sampler


class _Pace(TrainerCallback):  # type: ignore[misc]
    """Says when to evaluate (before the first step, on schedule, at the end) and reports progress."""

    def __init__(self, schedule: Schedule, validated: bool, progress: ProgressHook) -> None:
        self._schedule, self._validated, self._progress = schedule, validated, progress

    def on_step_end(
        self, args: "TrainingArguments", state: "TrainerState", control: "TrainerControl", **_: object
    ) -> None:
        due = state.global_step % self._schedule.evaluate_every == 0 or state.global_step >= state.max_steps
        control.should_evaluate = self._validated and due
        self._progress("training", state.global_step, state.max_steps)
