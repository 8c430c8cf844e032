"""Retrieval-augmented arms: find passages for each row, then answer from them.

Source: retrieval-augmented generation, Lewis et al. 2020 (arXiv 2005.11401), in its plain form: a dense
retriever that isn't trained, and the passages in the prompt.
"""

import math
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from baselines.answering import Facts
from baselines.chunking import chunk_documents
from baselines.index import PassageIndex, build_index, kept_facts
from baselines.prompt_arms import PromptArm, Question, shot_facts
from baselines.selection import Candidate, candidates
from baselines.shots import ShotSet, balanced_order, choose_shots, first_fitting, probe_input, shot_pool
from evals.errors import ArmError
from evals.example import Document, Example, Passage, Prompt
from evals.overlap import normalise_text
from evals.protocols import Family, Retrieved
from evals.task import Task
from evals.task_check import MOST_CANDIDATES

FROM_PASSAGES = "Answer from the passages."
STAND_IN = "no documents: retrieved training rows stand in for them"

PROBE_SHARE = 0.95
"""Shots leave room for passages as long as this share of all passages."""


class Rag(PromptArm):
    """Passages of the documents nearest to the row, best first, after ``rag.shots`` shots (default: none).

    Without documents every training row is a passage with its answer; a row never finds itself. The
    shots are those of seed 0, since this arm doesn't depend on chance. Where a prompt is too long for
    the context, passages leave from the end, then shots; never the instruction or the input.
    """

    name: ClassVar[str] = "rag"
    family: ClassVar[Family] = "rag"
    uses: ClassVar[tuple[str, ...]] = ("model", "embedder")
    addition: ClassVar[str] = FROM_PASSAGES

    def _prepare(self, train: Sequence[Example], documents: Sequence[Document]) -> Facts:
        self.forget_found()
        self.own_inputs: dict[str, str] = {}
        self.copies: Counter[str] = Counter()
        embedder = self.context.embedder()
        facts: Facts = {"passages asked for": self.task.settings.rag.k, "embedder": embedder.name}
        if documents:
            passages, facts["documents"] = self._chunks(documents), len(documents)
        else:
            passages, facts["note"] = self._stand_ins(train), STAND_IN
        # Row to row, the inputs are compared; what the passage says beyond them is no part of the question.
        texts = None if documents else [row.input for row in train]
        self.index: PassageIndex = build_index(
            passages,
            embedder,
            self.context.cache,
            role="passage" if documents else "query",
            texts=texts,
            progress=self.context.progress,
        )
        facts |= {"passages": len(passages)} | kept_facts(embedder)
        self.shown = self._choose_shots(train, passages)
        if asked_for := self._shots_asked_for():
            facts |= shot_facts(self.shown, asked_for, self.task)
        return facts

    def _shots_asked_for(self) -> int:
        return self.task.settings.rag.shots

    def _shot_seed(self) -> int:
        return 0

    def _chunks(self, documents: Sequence[Document]) -> list[Passage]:
        settings = self.task.settings.rag
        passages = chunk_documents(
            documents,
            self.model.count_tokens,
            size=settings.chunk_tokens,
            overlap=settings.overlap_tokens,
            progress=self.context.progress,
        )
        if not passages:
            raise ArmError("the documents hold no text to retrieve; give documents with text, or none at all")
        return passages

    def _stand_ins(self, train: Sequence[Example]) -> list[Passage]:
        passages = []
        for row in train:
            passage = Passage(f"{row.id}#0", row.id, "", f"Input: {row.input.strip()}\nOutput: {row.target.strip()}")
            self.own_inputs[passage.id] = normalise_text(row.input)
            self.copies[self.own_inputs[passage.id]] += 1
            passages.append(passage)
        return passages

    def _choose_shots(self, train: Sequence[Example], passages: Sequence[Passage]) -> ShotSet:
        """Choose shots that leave room for a long input and the passages asked for, if those are long ones."""
        k, seed = self._shots_asked_for(), self._shot_seed()
        by_length = sorted(passages, key=lambda passage: (len(passage.text), passage.id))
        probed = by_length[: math.ceil(PROBE_SHARE * len(by_length))][-self.task.settings.rag.k :]
        probe = Prompt(self.instruction, probe_input(train), passages=tuple(probed))
        order = balanced_order(shot_pool(train), self.task.labels, seed) if k else []
        return choose_shots(order, k, seed, lambda shots: self.fits(replace(probe, shots=shots)))

    def order(self, examples: Sequence[Example]) -> list[int]:
        """Return the places of ``examples`` so that rows which find the same passages stand side by side.

        What such rows' prompts begin with is then read once. What is found is kept until a row is asked, and what
        that took counts in the row's time.
        """
        started = time.perf_counter()
        hits = self._find(examples)
        ms = (time.perf_counter() - started) * 1000 / max(1, len(examples))
        self._found = {example.id: (found, ms) for example, found in zip(examples, hits, strict=True)}
        return sorted(range(len(examples)), key=lambda row: [hit.id for hit in hits[row]])

    def cool(self) -> None:
        """Drop what the model keeps between requests, and what was found beforehand."""
        self.forget_found()
        super().cool()

    def forget_found(self) -> None:
        """Drop what ``order`` found: the next request looks for its passages itself."""
        self._found = {}

    def _ask(self, examples: Sequence[Example]) -> list[Question]:
        missing = [example for example in examples if example.id not in self._found]
        found = dict(zip((example.id for example in missing), self._find(missing), strict=True))
        return [
            self._question(example.input, *self._found.pop(example.id, (found.get(example.id, []), 0.0)))
            for example in examples
        ]

    def _find(self, examples: Sequence[Example]) -> list[list[Passage]]:
        """Return the passages for each example, best first, without a row's own."""
        k = self.task.settings.rag.k
        own = [normalise_text(example.input) for example in examples]
        spare = max((self.copies[text] for text in own), default=0)
        found = self.index.search([example.input for example in examples], k + spare)
        return [
            [hit for hit in hits if self.own_inputs.get(hit.id) != same][:k]
            for hits, same in zip(found, own, strict=True)
        ]

    def _question(self, asked: str, hits: Sequence[Passage], ms: float) -> Question:
        shots = len(self.shown.rows)
        sizes = [(shots, kept) for kept in range(len(hits), -1, -1)] + [(left, 0) for left in range(shots - 1, -1, -1)]
        variants = (Prompt(self.instruction, asked, self.shown.shots(asked, s), tuple(hits[:p])) for s, p in sizes)
        prompt = first_fitting(variants, self.fits)
        shown = len(prompt.passages)
        return Question(
            prompt,
            tuple(Retrieved(hit.id, hit.document_id, hit.score, rank < shown) for rank, hit in enumerate(hits)),
            ms,
        )


class RagShots(Rag):
    """``rag`` with worked examples before the passages: ``rag.shots`` of them, else ``few_shot.k``; seeded."""

    name: ClassVar[str] = "rag_shots"
    seeded: ClassVar[bool] = True

    @classmethod
    def unfit(cls, task: Task) -> str | None:
        """Say when shots and passages together leave too much to choose; else it's as for ``rag``."""
        number = len(candidates(task, shots=not task.settings.rag.shots, passages=True))
        if number > MOST_CANDIDATES:
            keys = "instructions, few_shot.try_k, rag.try_k, rag.try_chunk_tokens"
            return f"it would try {number} settings ({keys} multiply); at most {MOST_CANDIDATES}"
        return super().unfit(task)

    def _options(self) -> list[Candidate]:
        return candidates(self.task, shots=not self.task.settings.rag.shots, passages=True)

    def _shots_asked_for(self) -> int:
        return self.task.settings.rag.shots or self.task.settings.few_shot.k

    def _shot_seed(self) -> int:
        return self.context.seed
