"""The arms that retrieve and are trained at once: ``rag_qlora``, ``rag_lora``.

A row's passages are found as ``rag`` finds them, and stand in the prompt when the model is trained and when it's
asked: it learns to answer from passages, useless ones among them. After RAFT (Zhang et al. 2024, arXiv 2403.10131),
without its share of prompts from which the right passage was taken out: here each prompt holds what retrieval finds.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from baselines.prompt_arms import Question
from baselines.rag_arms import Rag
from evals.example import Document, Example
from evals.protocols import FitReport
from finetune.tune_arms import LoraArm, QloraArm


class RagLoraArm(LoraArm):
    """`rag` and LoRA together: trained and asked with passages, on the base as it is."""

    name: ClassVar[str] = "rag_lora"
    uses: ClassVar[tuple[str, ...]] = ("model", "embedder")

    def fit(self, train: Sequence[Example], documents: Sequence[Document]) -> FitReport:
        """Index the documents, choose settings as ``rag`` does where there are several, then train.

        Raises what ``rag`` and ``lora`` raise.
        """
        self._finder = Rag(self.context)
        found = self._finder.fit(train, documents)
        report = super().fit(train, documents)
        facts = report.facts | found.facts
        if self.context.task.settings.instructions:
            facts["instruction"] = "the wording that was chosen with the passages"
        return replace(report, facts=facts, selection=found.selection)

    def ask(self, examples: Sequence[Example]) -> list[Question]:
        """Return the question that ``rag`` asks for each example, passages and all."""
        return self._finder.questions(examples)

    def order(self, examples: Sequence[Example]) -> list[int]:
        """Return the places of ``examples`` in the order in which ``rag`` would ask them."""
        return self._finder.order(examples)

    def cool(self) -> None:
        """Drop what the model keeps between requests, and what was found beforehand."""
        self._finder.forget_found()
        super().cool()

    def learnt_from(self, documents: Sequence[Document]) -> str:
        """Name the method with a digest of all that decides which passages a prompt holds."""
        settings = self._finder.task.settings
        decisive = [
            settings.rag.model_dump(mode="json"),
            settings.instruction,
            self.context.embedder().fingerprint,
            [(document.id, document.title, document.text) for document in documents],
        ]
        return f"{self.name} {hashlib.sha256(json.dumps(decisive).encode()).hexdigest()}"


class RagQloraArm(RagLoraArm, QloraArm):
    """`rag` and `qlora` together: trained and asked with passages, on a base in 4 bits."""

    name: ClassVar[str] = "rag_qlora"
