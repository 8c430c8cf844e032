"""The arms that train on the task's rows: ``qlora``, ``lora``, ``full``.

What is answered with is always what was saved: after training the module is dropped, and the base is
loaded again with the adapter from the cell's folder (or the saved model itself), as a user would. So a
resumed run answers as an uninterrupted one, and the artefact that is judged is the one that ships.
The base that other arms share is never touched.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from baselines.answering import answer_limits, answer_with_model, cool, serve
from baselines.cached_model import cached_like
from baselines.loading import LoadedModule, load_base, load_model, load_module
from baselines.local_model import LocalModel
from baselines.prompt_arms import Question
from baselines.tuned_card import TunedCard
from evals.errors import ArmError
from evals.example import Document, Example
from evals.model_ref import called
from evals.protocols import ArmContext, Family, FitReport, LanguageModel, Limits, Prediction
from evals.task import Task
from finetune.adapters import add_lora, save_adapter
from finetune.checkpoint import finished_fit, fit_key, save_model, write_fit
from finetune.encode import zero_shot_prompt
from finetune.pretrain_state import seconds_behind
from finetune.schedule import default_learning_rate
from finetune.training_folder import clear, training_folder
from finetune.tuning import count_parameters, free_memory, plan_lesson, tune_module, with_facts

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

FEWEST_ROWS = 4
"""With fewer training rows there is nothing to learn from."""


def not_here(task: Task) -> str | None:
    """Return why the task's model can't be tuned at all: it's behind an endpoint; None where it can."""
    if isinstance(task.settings.model, str):
        return None
    return f"{called(task.settings.model)} is an endpoint, and only a model on this machine can be trained"


class TunedArm(ABC):
    """An arm that answers with a tuned model of its own, asked in the words it was trained in."""

    name: ClassVar[str]
    family: ClassVar[Family] = "tune"
    seeded: ClassVar[bool] = True
    uses: ClassVar[tuple[str, ...]] = ("model",)

    def __init__(self, context: ArmContext) -> None:
        self.context = context
        self._tuned: LanguageModel | None = None
        self._limits: Limits | None = None

    @classmethod
    def unfit(cls, task: Task) -> str | None:
        """Say why the task can't be trained on, or None."""
        if (elsewhere := not_here(task)) is not None:
            return elsewhere
        if len(task.train) < FEWEST_ROWS:
            return f"{len(task.train)} training rows are too few to train on (at least {FEWEST_ROWS})"
        return None

    @abstractmethod
    def fit(self, train: Sequence[Example], documents: Sequence[Document]) -> FitReport:
        """Make the tuned model ready."""

    @abstractmethod
    def load(self) -> LocalModel:
        """Load what ``fit`` left. Raises ``ModelError`` when it can't be loaded."""

    def answer(self, examples: Sequence[Example]) -> list[Prediction]:
        """Answer each example; errors are recorded per row. Raises ``ModelError`` when the model can't be loaded."""
        task, tuned = self.context.task, self.loaded()
        if self._limits is None:
            self._limits = answer_limits(task, tuned.count_tokens)
        start = time.perf_counter()
        questions = self.ask(examples)
        share = (time.perf_counter() - start) * 1000 / max(1, len(examples))
        prompts = [question.prompt for question in questions]
        retrieved = [question.retrieved for question in questions]
        answers = answer_with_model(tuned, task, examples, prompts, self._limits, retrieved)
        return [
            replace(answer, ms=answer.ms + share + question.ms)
            for answer, question in zip(answers, questions, strict=True)
        ]

    def ask(self, examples: Sequence[Example]) -> list[Question]:
        """Return what is asked for each example, in training and afterwards."""
        return [Question(zero_shot_prompt(self.context.task, example)) for example in examples]

    def loaded(self) -> LanguageModel:
        """Return the model that answers, loaded once, behind the cache where the base has one."""
        if self._tuned is None:
            self._tuned = cached_like(self.context.model(), self.load())
        return self._tuned

    def tuned_model(self) -> LanguageModel | None:
        """Return the model that answers, a tuned copy of the base."""
        return self.loaded()

    def serve(self, *, on: bool) -> None:
        """Answer single requests as a server does, from what earlier ones have left, or not."""
        serve(self._tuned, on=on)

    def cool(self) -> None:
        """Drop what the model keeps between requests."""
        cool(self._tuned)


class TrainedArm(TunedArm):
    """An arm that trains: its artefact and its report are kept in the cell's folder."""

    artefact: ClassVar[str]
    quantised: ClassVar[bool] = False
    training: Path
    """Where the state of a training stands while it's under way."""

    def fit(self, train: Sequence[Example], documents: Sequence[Document]) -> FitReport:
        """Train and save; what an interrupted run finished is only read, what it began goes on.

        Raises ``ArmError`` when training can't go on, ``ModelError`` when the base can't be loaded.
        """
        context, task = self.context, self.context.task
        fingerprint = context.model().fingerprint
        card = TunedCard(
            base=task.settings.local_model,
            base_fingerprint=fingerprint,
            method=self.name,
            quantised=self.quantised,
            seed=context.seed,
            key=fit_key(task, train, method=self.learnt_from(documents), seed=context.seed, base=fingerprint),
        )
        report = finished_fit(context.folder, self.saved, card.key)
        if report is None:
            self.training = training_folder(context.folder, card.key)
            before = seconds_behind(self.training)
            (context.folder / "fit.json").unlink(missing_ok=True)
            started = time.monotonic()
            try:
                report = self.train(train, card)
            finally:
                free_memory()
            report = replace(report, seconds=round(before + time.monotonic() - started, 3))
            if task.settings.instructions:
                report = with_facts(report, {"instruction": "the task's first; the other wordings weren't trained on"})
            write_fit(context.folder, report)
            clear(self.training)
        return report

    def learnt_from(self, documents: Sequence[Document]) -> str:
        """Name the method, and what besides rows and settings decides what is learnt."""
        return self.name

    @property
    def saved(self) -> Path:
        """Where the artefact is."""
        return self.context.folder / self.artefact

    def learn(
        self,
        module: "PreTrainedModel",
        tokenizer: "PreTrainedTokenizerBase",
        train: Sequence[Example],
        *,
        low_rank: bool,
    ) -> FitReport:
        """Train the weights of ``module`` that require gradients, in place."""
        context = self.context
        lesson = plan_lesson(
            module,
            tokenizer,
            context.task,
            train,
            settings=context.task.settings.tune,
            learning_rate=default_learning_rate(count_parameters(module)[1], low_rank=low_rank),
            seed=context.seed,
            prompts=[question.prompt for question in self.ask(train)],
        )
        return tune_module(module, lesson, seed=context.seed, folder=self.training, progress=context.progress)

    @abstractmethod
    def train(self, train: Sequence[Example], card: TunedCard) -> FitReport:
        """Train on ``train`` and save the artefact with ``card``."""


class LoraArm(TrainedArm):
    """Low-rank matrices beside every linear layer of the base (Hu et al. 2021, arXiv 2106.09685)."""

    name: ClassVar[str] = "lora"
    artefact: ClassVar[str] = "adapter"

    def base(self) -> LoadedModule:
        """Load a base of the arm's own."""
        return load_base(self.context.task.settings.local_model, quantised=self.quantised)

    def train(self, train: Sequence[Example], card: TunedCard) -> FitReport:
        """Train the adapter and save it in PEFT's format."""
        context, settings = self.context, self.context.task.settings.tune
        loaded = self.base()
        sizes = {"base_memory_mb": round(loaded.module.get_memory_footprint() / 1e6, 1)}
        module = add_lora(loaded.module, settings, context.seed)
        report = self.learn(module, loaded.tokenizer, train, low_rank=True)
        sizes["adapter_mb"] = round(save_adapter(module, self.saved, card), 3)
        lora = {"rank": settings.rank, "alpha": settings.alpha, "dropout": settings.dropout}
        return with_facts(report, lora | sizes)

    def load(self) -> LocalModel:
        """Put the saved adapter on a fresh base."""
        context = self.context
        ref, fingerprint = context.task.settings.local_model, context.model().fingerprint
        return load_model(ref, adapter=self.saved, name=f"{ref} + {self.name}", base_fingerprint=fingerprint)


class QloraArm(LoraArm):
    """LoRA on a base in 4 bits (Dettmers et al. 2023, arXiv 2305.14314): NF4, double quantisation."""

    name: ClassVar[str] = "qlora"
    quantised: ClassVar[bool] = True

    def train(self, train: Sequence[Example], card: TunedCard) -> FitReport:
        """Train the adapter on the quantised base and save it in PEFT's format."""
        bits = {"quantisation": "NF4 with double quantisation; embeddings, norms and output head in full"}
        return with_facts(super().train(train, card), bits)


class FullArm(TrainedArm):
    """Every weight of the base, in fp32 (under bf16 autocast where that is faster)."""

    name: ClassVar[str] = "full"
    artefact: ClassVar[str] = "model"

    def train(self, train: Sequence[Example], card: TunedCard) -> FitReport:
        """Train all weights and save the whole model, loadable by its folder."""
        import torch

        context = self.context
        loaded = load_module(context.task.settings.local_model, dtype=torch.float32)
        if getattr(loaded.module, "is_quantized", False):
            raise ArmError(f"{loaded.ref} is stored quantised: its weights can't be trained, only adapters on them")
        report = self.learn(loaded.module.requires_grad_(True), loaded.tokenizer, train, low_rank=False)
        return with_facts(report, {"model_mb": save_model(loaded.module, loaded.tokenizer, self.saved, card)})

    def load(self) -> LocalModel:
        """Load the saved model."""
        return load_model(str(self.saved))
