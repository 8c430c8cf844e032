"""The arm ``adapter``: the user's own LoRA adapter (``--adapter``) on the task's model; nothing is trained."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from baselines.answering import Facts, answer_limits, answering_facts
from baselines.loading import load_model
from baselines.local_model import LocalModel
from baselines.tuned_card import read_card
from evals.errors import ArmError
from evals.example import Document, Example
from evals.protocols import TUNED_WITH_PASSAGES, FitReport
from evals.task import Task
from finetune.tune_arms import TunedArm, not_here


class AdapterArm(TunedArm):
    """The user's own adapter (``--adapter``) on the task's model; nothing is trained."""

    name: ClassVar[str] = "adapter"
    seeded: ClassVar[bool] = False

    @classmethod
    def unfit(cls, task: Task) -> str | None:
        """Nothing is trained, so any task will do whose model is on this machine."""
        return not_here(task)

    def fit(self, train: Sequence[Example], documents: Sequence[Document]) -> FitReport:
        """Load the adapter, so that a wrong one is told before any row is answered.

        Raises ``ArmError`` when there is none, ``ModelError`` when it can't be loaded or was trained on
        another base.
        """
        task, folder = self.context.task, self.folder
        tuned = self.loaded()
        card = read_card(folder)
        origin = (
            f"{card.method}, seed {card.seed}, on {card.base}" if card else "unknown (no tuneworthy.json beside it)"
        )
        facts: Facts = {"adapter": str(folder), "trained_by": origin, "quantised": bool(card and card.quantised)}
        if card and card.method in TUNED_WITH_PASSAGES:
            facts["warning"] = "it was trained with passages in its prompts, and is asked without them here"
        return FitReport(facts=facts | answering_facts(tuned, task, answer_limits(task, tuned.count_tokens)))

    @property
    def folder(self) -> Path:
        """The user's folder. Raises ``ArmError`` when none was given."""
        if self.context.adapter is None:
            raise ArmError("the arm `adapter` needs an adapter: give --adapter FOLDER, or leave the arm out")
        return self.context.adapter

    def load(self) -> LocalModel:
        """Put the adapter on a fresh base, in 4 bits if it was trained so."""
        context = self.context
        return load_model(
            context.task.settings.local_model, adapter=self.folder, base_fingerprint=context.model().fingerprint
        )
