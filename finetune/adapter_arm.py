"""The arm ``adapter``: the user's own LoRA adapter (``--adapter``) on the task's model; nothing is trained."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from baselines.local_model import LocalModel
from evals.errors import ArmError
from evals.example import Document, Example
from evals.protocols import FitReport
from evals.task import Task
from finetune.adapters import adapted_model, load_base
from finetune.checkpoint import read_card
from finetune.tune_arms import TunedArm


class AdapterArm(TunedArm):
    """The user's own adapter (``--adapter``) on the task's model; nothing is trained."""

    name: ClassVar[str] = "adapter"
    seeded: ClassVar[bool] = False

    @classmethod
    def unfit(cls, task: Task) -> str | None:
        """Nothing is trained, so any task will do."""
        return None

    def fit(self, train: Sequence[Example], documents: Sequence[Document]) -> FitReport:
        """Load the adapter, so that a wrong one is told before any row is answered.

        Raises ``ArmError`` when there is none or it was trained on another base, ``ModelError`` when it
        can't be loaded.
        """
        context, folder = self.context, self.folder
        card = read_card(folder)
        base = context.model()
        if card is not None and card.base_fingerprint != base.fingerprint:
            raise ArmError(
                f"the adapter in {folder} was trained on {card.base} (fingerprint {card.base_fingerprint[:12]}), "
                f"not on {base.name} ({base.fingerprint[:12]}): give --model {card.base}"
            )
        self._tuned = self.load()
        origin = (
            f"{card.method}, seed {card.seed}, on {card.base}" if card else "unknown (no tuneworthy.json beside it)"
        )
        return FitReport(
            facts={"adapter": str(folder), "trained_by": origin, "quantised": bool(card and card.quantised)}
        )

    @property
    def folder(self) -> Path:
        """The user's folder. Raises ``ArmError`` when none was given."""
        if self.context.adapter is None:
            raise ArmError("the arm `adapter` needs an adapter: give --adapter FOLDER, or leave the arm out")
        return self.context.adapter

    def load(self) -> LocalModel:
        """Put the adapter on a fresh base, in 4 bits if it was trained so."""
        ref, card = self.context.task.settings.model, read_card(self.folder)
        loaded = load_base(ref, quantised=card is not None and card.quantised)
        return adapted_model(loaded, self.folder, f"{ref} + {self.folder.name}")
