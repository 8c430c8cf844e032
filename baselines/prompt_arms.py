"""Arms that ask the model as it is: zero-shot, few-shot with fixed or with near shots, and step by step.

Sources: few-shot prompting, Brown et al. 2020 (arXiv 2005.14165); nearest rows as shots, Liu et al. 2021
(arXiv 2101.06804); zero-shot chain of thought, Kojima et al. 2022 (arXiv 2205.11916).
"""

import re
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from baselines.answering import (
    WRITTEN_LABEL_TOKENS,
    AnswersFromAfar,
    Facts,
    answer_limits,
    answer_room,
    answer_with_model,
    answering_facts,
    cool,
    cut_facts,
    fits_context,
    generate_with_model,
    serve,
    task_instruction,
    writes_labels,
)
from baselines.index import PassageIndex, build_index, kept_facts, row_passages
from baselines.selection import Candidate, Choice, candidates, choose
from baselines.shots import ShotSet, as_shot, balanced_order, choose_shots, first_fitting, probe_input, shot_pool
from evals.example import Document, Example, Passage, Prompt
from evals.overlap import normalise_text
from evals.protocols import ArmContext, Family, FitReport, LanguageModel, Limits, Prediction, Retrieved
from evals.task import Task

REASONING_TOKENS = 256
"""What a step-by-step answer may take before its answer proper, where the context allows."""

STEPS = "Think step by step, then write the answer after 'Answer:' on a line of its own."
_ANSWER = re.compile(r"\banswer[ \t]*(?:\*\*|__)?[ \t]*:", re.IGNORECASE)


@dataclass(frozen=True)
class Question:
    """What is asked for one row, and which passages were found for it; ``ms`` is what finding took beforehand."""

    prompt: Prompt
    retrieved: tuple[Retrieved, ...] = ()
    ms: float = 0.0


class PromptArm(ABC):
    """What the arms that ask a model have in common: one prompt per row, answered as the task wants it."""

    name: ClassVar[str]
    family: ClassVar[Family] = "prompt"
    seeded: ClassVar[bool] = False
    uses: ClassVar[tuple[str, ...]] = ("model",)
    addition: ClassVar[str] = ""
    shows_shots: ClassVar[bool] = False
    """Whether ``few_shot.k`` decides how many worked examples a prompt shows."""

    def __init__(self, context: ArmContext) -> None:
        self.context = context
        self.task = context.task
        self.model: LanguageModel
        self.limits: Limits

    @classmethod
    def unfit(cls, task: Task) -> str | None:
        """Return None: any task can be asked."""
        return None

    @property
    def instruction(self) -> str:
        """What the model is told to do, the same for every row; ``addition`` is the arm's own sentence."""
        return task_instruction(self.task, self.addition)

    def fit(self, train: Sequence[Example], documents: Sequence[Document]) -> FitReport:
        """Load the model and choose what every prompt shows; nothing is trained."""
        self.model = self.context.model()
        start = time.perf_counter()
        choice = Choice(self.task, None, {})
        options = self._options()
        if len(options) > 1:
            choice = choose(type(self), self.context, options, train, documents)
            self.task = choice.task
            self.context = replace(self.context, task=self.task)
        self.limits = self._limits()
        facts = choice.facts | self._prepare(train, documents) | self._answering_facts()
        seconds = time.perf_counter() - start
        return FitReport(seconds=seconds, train_rows=len(train), facts=facts, selection=choice.selection)

    def answer(self, examples: Sequence[Example]) -> list[Prediction]:
        """Answer each example; its milliseconds include its share of finding shots and passages."""
        if not examples:
            return []
        if isinstance(self.model, AnswersFromAfar):
            self.model.draw(self.context.seed)
        start = time.perf_counter()
        questions = self._ask(examples)
        share = (time.perf_counter() - start) * 1000 / len(examples)
        predictions = self._reply(examples, questions)
        return [
            replace(prediction, ms=prediction.ms + share + question.ms)
            for prediction, question in zip(predictions, questions, strict=True)
        ]

    def questions(self, examples: Sequence[Example]) -> list[Question]:
        """Return what would be asked for each example, once fitted; no model answers."""
        return self._ask(examples)

    def serve(self, *, on: bool) -> None:
        """Answer single requests as a server does, from what earlier ones have left, or not."""
        serve(self.model, on=on)

    def cool(self) -> None:
        """Drop what the model keeps between requests."""
        cool(self.model)

    def fits(self, prompt: Prompt) -> bool:
        """Tell whether ``prompt`` and an answer stay inside the model's context."""
        return fits_context(self.model, prompt, answer_room(self.model, self.task, self.limits))

    def _options(self) -> list[Candidate]:
        """Return the settings to choose among."""
        return candidates(self.task, shots=self.shows_shots, passages=self.family == "rag")

    @abstractmethod
    def _prepare(self, train: Sequence[Example], documents: Sequence[Document]) -> Facts:
        """Get ready to ask; return what the report should say about it."""

    @abstractmethod
    def _ask(self, examples: Sequence[Example]) -> list[Question]:
        """Return the question for each example, each from its own row alone."""

    def _limits(self) -> Limits:
        least = WRITTEN_LABEL_TOKENS if writes_labels(self.model, self.task) else 0
        return answer_limits(self.task, self.model.count_tokens, least)

    def _answering_facts(self) -> Facts:
        return answering_facts(self.model, self.task, self.limits)

    def _reply(self, examples: Sequence[Example], questions: Sequence[Question]) -> list[Prediction]:
        prompts = [question.prompt for question in questions]
        retrieved = [question.retrieved for question in questions]
        return answer_with_model(self.model, self.task, examples, prompts, self.limits, retrieved)


class ZeroShot(PromptArm):
    """The instruction and the input, nothing else."""

    name: ClassVar[str] = "zero_shot"

    def _prepare(self, train: Sequence[Example], documents: Sequence[Document]) -> Facts:
        return {} if self.task.answer == "label" else {"max_new_tokens": self.limits.max_new_tokens}

    def _ask(self, examples: Sequence[Example]) -> list[Question]:
        return [Question(Prompt(self.instruction, example.input)) for example in examples]


class FewShot(PromptArm):
    """The same shots for every row: chosen by seed, the labels in equal parts, as many as the context holds."""

    name: ClassVar[str] = "few_shot"
    shows_shots: ClassVar[bool] = True
    seeded: ClassVar[bool] = True

    def _prepare(self, train: Sequence[Example], documents: Sequence[Document]) -> Facts:
        k = self.task.settings.few_shot.k
        order = balanced_order(shot_pool(train), self.task.labels, self.context.seed)
        probe = Prompt(self.instruction, probe_input(train))
        self.shown = choose_shots(order, k, self.context.seed, lambda shots: self.fits(replace(probe, shots=shots)))
        return shot_facts(self.shown, k, self.task)

    def _ask(self, examples: Sequence[Example]) -> list[Question]:
        return [Question(self._prompt(example.input)) for example in examples]

    def _prompt(self, asked: str) -> Prompt:
        counts = range(len(self.shown.rows), -1, -1)
        variants = (Prompt(self.instruction, asked, self.shown.shots(asked, count)) for count in counts)
        return first_fitting(variants, self.fits)


class FewShotNearest(PromptArm):
    """Shots of each row's own: the training rows nearest to it by embedding, the nearest last."""

    name: ClassVar[str] = "few_shot_nearest"
    shows_shots: ClassVar[bool] = True
    uses: ClassVar[tuple[str, ...]] = ("model", "embedder")

    def _prepare(self, train: Sequence[Example], documents: Sequence[Document]) -> Facts:
        self.k = self.task.settings.few_shot.k
        pool = shot_pool(train)
        self.rows = {row.id: row for row in pool}
        embedder = self.context.embedder()
        self.index: PassageIndex = build_index(
            row_passages(pool), embedder, self.context.cache, role="query", progress=self.context.progress
        )
        facts: Facts = {"shots": min(self.k, len(pool)), "selection": "nearest, at most", "embedder": embedder.name}
        return facts | kept_facts(embedder)

    def _ask(self, examples: Sequence[Example]) -> list[Question]:
        found = self.index.search([example.input for example in examples], self.k + 1)
        return [Question(self._prompt(example.input, hits)) for example, hits in zip(examples, found, strict=True)]

    def _prompt(self, asked: str, hits: Sequence[Passage]) -> Prompt:
        same = normalise_text(asked)
        near = [self.rows[hit.id] for hit in hits if normalise_text(hit.text) != same][: self.k]
        shots = tuple(as_shot(row) for row in reversed(near))
        variants = (Prompt(self.instruction, asked, shots[left:]) for left in range(len(shots) + 1))
        return first_fitting(variants, self.fits)


class StepByStep(PromptArm):
    """Zero-shot, but the model writes its reasoning first; labels are generated too, not chosen."""

    name: ClassVar[str] = "cot"
    addition: ClassVar[str] = STEPS

    def _prepare(self, train: Sequence[Example], documents: Sequence[Document]) -> Facts:
        return {"max_new_tokens": self.limits.max_new_tokens}

    def _ask(self, examples: Sequence[Example]) -> list[Question]:
        return [Question(Prompt(self.instruction, example.input)) for example in examples]

    def _limits(self) -> Limits:
        wanted = answer_limits(self.task, self.model.count_tokens).max_new_tokens + REASONING_TOKENS
        return Limits(max(1, min(wanted, self.model.context // 2)))

    def _answering_facts(self) -> Facts:
        return cut_facts(self.task, self.model.count_tokens, answer_limits(self.task, self.model.count_tokens))

    def _reply(self, examples: Sequence[Example], questions: Sequence[Question]) -> list[Prediction]:
        prompts = [question.prompt for question in questions]
        return generate_with_model(self.model, examples, prompts, self.limits, answer_part=after_answer)


def shot_facts(shown: ShotSet, k: int, task: Task) -> Facts:
    """Return what a report says about fixed shots: how many of those asked for fit, and how they were chosen."""
    selection = "balanced over the labels" if task.labels else "random"
    return {"shots": len(shown.rows), "shots asked for": k, "selection": selection}


def after_answer(text: str) -> str:
    """Return what stands after the last ``Answer:`` of ``text`` (in bold or not), or all of it."""
    marks = list(_ANSWER.finditer(text))
    if not marks:
        return text
    answer = text[marks[-1].end() :].strip()
    for mark in ("**", "__"):
        answer = answer.removeprefix(mark).removesuffix(mark)
    return answer.strip()
