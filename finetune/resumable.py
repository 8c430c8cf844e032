"""A ``transformers.Trainer`` that can be killed: its state in one file, and a continuation that is equal bit by bit.

The file holds trained weights, optimiser, schedule, gradient scaler, the states of all random generators, the step,
the curve so far, and what a subclass names in ``carried``. transformers' own checkpoints are folders of several
files, which a kill can leave half written; its way back in (``resume_from_checkpoint``) is used as it is.
"""

import dataclasses
import random
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from transformers import Trainer, TrainerCallback

from evals.errors import RunError
from evals.files import write_json
from finetune.pretrain_state import CHECKPOINT, load_checkpoint, save_checkpoint
from finetune.training_folder import Pace

if TYPE_CHECKING:
    from transformers import PreTrainedModel, TrainerControl, TrainerState, TrainingArguments

TRAINER_STATE = "trainer_state.json"
"""Where transformers looks for the step and the curve of a training that goes on."""

_SUMS = ("_total_loss_scalar", "_globalstep_last_logged")


class ResumableTrainer(Trainer):  # type: ignore[misc]  # transformers isn't typed
    """Keeps a checkpoint in ``args.output_dir`` once ``keep_checkpoints`` was called, and goes on from one."""

    carried: ClassVar[tuple[str, ...]] = ()
    """Attributes of a subclass that belong to the state: plain numbers or None."""

    epochs_before = 0
    """Whole epochs that lie behind a training that goes on: so many orders of the rows are drawn and left."""

    spent = 0.0
    """Seconds that were trained before this process took over."""

    _taken_up: dict[str, Any] | None = None
    _started = 0.0

    def keep_checkpoints(self) -> None:
        """Write the state down as the training goes, not later than 2% of the time allows."""
        trained = sum(weight.numel() * weight.element_size() for weight in trainable(self.model).values())
        self._pace = Pace(3.0 * trained)  # weights, and two moments of them
        self.add_callback(_Saver(self._pace))

    def train_through(self) -> None:
        """Train from the checkpoint in ``args.output_dir``, or from the start where there's none that can be read."""
        self._started = time.monotonic()
        folder = Path(self.args.output_dir)
        try:
            self._taken_up = load_checkpoint(folder)
        except RunError:
            self._taken_up = None
        if self._taken_up is None:
            self.train()
            return
        self.args.eval_on_start = False
        write_json(folder / TRAINER_STATE, self._taken_up["trainer"])
        for name, value in self._taken_up["carried"].items():
            setattr(self, name, value)
        self.checkpoint_stands()
        self.spent = self._taken_up["seconds"]
        self.epochs_before = int(self._taken_up["trainer"]["epoch"] + 1e-6)
        self.add_callback(_Sums(self))
        self.train(resume_from_checkpoint=str(folder))

    def _save_checkpoint(self, model: "PreTrainedModel", trial: object = None) -> None:
        started = time.monotonic()
        scaler = getattr(self.accelerator, "scaler", None)
        state = {
            "weights": {name: weight.detach() for name, weight in trainable(self.model).items()},
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.lr_scheduler.state_dict(),
            "scaler": scaler.state_dict() if scaler is not None else None,
            "random": random_states(),
            "trainer": dataclasses.asdict(self.state),
            "carried": {name: getattr(self, name) for name in self.carried},
            "sums": {name: getattr(self, name) for name in _SUMS} | {"_tr_loss": self._tr_loss},
            "seconds": self.spent + started - self._started,
        }
        save_checkpoint(Path(self.args.output_dir), state)
        self.checkpoint_stands()
        self._pace.wrote(started)

    def checkpoint_stands(self) -> None:
        """Note that the checkpoint in the folder is of the state as it is now: just written, or just taken up."""

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: "PreTrainedModel | None" = None) -> None:
        with torch.no_grad():
            for name, weight in trainable(self.model).items():
                weight.copy_(self._state["weights"][name])

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        if checkpoint is not None:
            self.optimizer.load_state_dict(self._state["optimizer"])
            self.lr_scheduler.load_state_dict(self._state["schedule"])

    def _load_scaler(self, checkpoint: str | None) -> None:
        if checkpoint is not None and self._state["scaler"] is not None:
            self.accelerator.scaler.load_state_dict(self._state["scaler"])

    def _load_rng_state(self, checkpoint: str | None) -> None:
        if checkpoint is not None:
            restore_random(self._state["random"])

    @property
    def _state(self) -> dict[str, Any]:
        if self._taken_up is None:
            raise RunError(f"{self.args.output_dir} holds no {CHECKPOINT} to go on from")
        return self._taken_up


class _Saver(TrainerCallback):  # type: ignore[misc]
    """Asks for a checkpoint after a step when one is due; never after the last step, which has nothing behind it."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace

    def on_step_end(
        self, args: "TrainingArguments", state: "TrainerState", control: "TrainerControl", **_: object
    ) -> None:
        if state.global_step < state.max_steps and self._pace.due():
            control.should_save = True


class _Sums(TrainerCallback):  # type: ignore[misc]
    """Puts back the sums of the losses since the last point of the curve, which ``train`` sets to nought."""

    def __init__(self, trainer: ResumableTrainer) -> None:
        self._trainer = trainer

    def on_train_begin(self, args: "TrainingArguments", *_: object, **__: object) -> None:
        sums = self._trainer._state["sums"]
        for name in _SUMS:
            setattr(self._trainer, name, sums[name])
        self._trainer._tr_loss.copy_(sums["_tr_loss"])


def trainable(module: "torch.nn.Module") -> dict[str, "torch.nn.Parameter"]:
    """Return the weights of ``module`` that are trained, by name."""
    return {name: weight for name, weight in module.named_parameters() if weight.requires_grad}


def random_states() -> dict[str, Any]:
    """Return the states of the global random generators in plain values and tensors."""
    kind, keys, *rest = np.random.get_state(legacy=True)
    states: dict[str, Any] = {
        "python": random.getstate(),
        "numpy": [kind, torch.from_numpy(np.asarray(keys, dtype=np.int64)), *rest],
        "torch": torch.get_rng_state(),
    }
    if torch.cuda.is_available():
        states["cuda"] = torch.cuda.get_rng_state_all()
    return states


def restore_random(states: dict[str, Any]) -> None:
    """Put the global random generators back to what ``random_states`` returned."""
    version, numbers, gauss = states["python"]
    random.setstate((version, tuple(numbers), gauss))
    kind, keys, *rest = states["numpy"]
    np.random.set_state((kind, keys.numpy().astype(np.uint32), *rest))
    torch.set_rng_state(states["torch"])
    if torch.cuda.is_available() and "cuda" in states:
        torch.cuda.set_rng_state_all(states["cuda"])
