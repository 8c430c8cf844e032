"""Arms without a language model: they tell whether one is needed at all."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from baselines.answering import Facts
from baselines.embedding import BUILTIN
from baselines.index import PassageIndex, build_index, kept_facts, row_passages
from baselines.logistic import fit_logistic, word_and_character_features
from evals.example import Document, Example
from evals.protocols import ArmContext, Family, FitReport, Prediction
from evals.task import Task

SHOWN_CHARACTERS = 80
"""How much of the majority's answer the report shows."""


class _ClassicArm:
    """What the classic arms have in common: answers made from texts, timed, at no tokens."""

    family: ClassVar[Family] = "classic"
    seeded: ClassVar[bool] = False
    uses: ClassVar[tuple[str, ...]] = ()

    def __init__(self, context: ArmContext) -> None:
        self.context = context
        self.task = context.task

    @classmethod
    def unfit(cls, task: Task) -> str | None:
        """Return None: any kind of answer can be repeated."""
        return None


class Majority(_ClassicArm):
    """The most frequent training answer, whatever is asked; of equally frequent ones the first seen."""

    name: ClassVar[str] = "majority"

    def fit(self, train: Sequence[Example], documents: Sequence[Document]) -> FitReport:
        """Count the training answers."""
        start = time.perf_counter()
        self.target, count = Counter(row.target for row in train).most_common(1)[0]
        shown = self.target if len(self.target) <= SHOWN_CHARACTERS else f"{self.target[: SHOWN_CHARACTERS - 1]}…"
        return FitReport(
            seconds=time.perf_counter() - start,
            train_rows=len(train),
            facts={"answer": shown, "share of training rows": round(count / len(train), 4)},
        )

    def answer(self, examples: Sequence[Example]) -> list[Prediction]:
        """Give the same answer to each example."""
        return _timed(examples, lambda rows: [self.target] * len(rows))


class Nearest(_ClassicArm):
    """The answer of the nearest training row by embedding; of equally near ones the one with the smaller id."""

    name: ClassVar[str] = "nearest"
    uses: ClassVar[tuple[str, ...]] = ("embedder",)

    def fit(self, train: Sequence[Example], documents: Sequence[Document]) -> FitReport:
        """Embed and index the training inputs. Raises ``ModelError`` when the embedder can't be used."""
        embedder = self.context.embedder()
        start = time.perf_counter()
        self.targets = {row.id: row.target for row in train}
        self.index: PassageIndex = build_index(
            row_passages(train), embedder, self.context.cache, role="query", progress=self.context.progress
        )
        seconds = time.perf_counter() - start
        facts: Facts = {"embedder": embedder.name}
        return FitReport(seconds=seconds, train_rows=len(train), facts=facts | kept_facts(embedder))

    def answer(self, examples: Sequence[Example]) -> list[Prediction]:
        """Give each example the answer of its nearest training row."""
        return _timed(examples, self._nearest)

    def _nearest(self, examples: Sequence[Example]) -> list[str]:
        found = self.index.search([example.input for example in examples], 1)
        return [self.targets[hits[0].id] for hits in found]


class Logistic(_ClassicArm):
    """Logistic regression over embeddings, or over TF-IDF of words and characters with the built-in embedder."""

    name: ClassVar[str] = "logistic"
    uses: ClassVar[tuple[str, ...]] = ("embedder",)

    @classmethod
    def unfit(cls, task: Task) -> str | None:
        """Return why not, unless the answers are labels."""
        return None if task.answer == "label" else f"it chooses among labels, and the answers are {task.answer}"

    def fit(self, train: Sequence[Example], documents: Sequence[Document]) -> FitReport:
        """Fit on the training rows. Raises ``ModelError`` when the embedder can't be used."""
        builtin = self.task.settings.embedder == BUILTIN
        embedder = None if builtin else self.context.embedder()
        start = time.perf_counter()
        texts = [row.input for row in train]
        kept: Facts = {}
        if embedder is None:
            union = word_and_character_features()
            matrix = union.fit_transform(texts).tocsr()
            self.features: Callable[[Sequence[str]], Any] = union.transform
        else:
            index = build_index(
                row_passages(train), embedder, self.context.cache, role="query", progress=self.context.progress
            )
            matrix, self.features = index.vectors(), embedder.embed_queries
            kept = kept_facts(embedder)
        self.classifier = fit_logistic(matrix, [row.target for row in train])
        seconds = time.perf_counter() - start
        facts: Facts = kept | {
            "features": "TF-IDF of words and characters" if embedder is None else f"embeddings of {embedder.name}",
            "C": self.classifier.strength,
            "C chosen by": f"{self.classifier.folds} folds" if self.classifier.folds else "default: too few rows",
        }
        return FitReport(seconds=seconds, train_rows=len(train), facts=facts)

    def answer(self, examples: Sequence[Example]) -> list[Prediction]:
        """Give each example its likeliest label."""
        return _timed(examples, lambda rows: self.classifier.predict(self.features([row.input for row in rows])))


def _timed(examples: Sequence[Example], answer: Callable[[Sequence[Example]], list[str]]) -> list[Prediction]:
    """Return the answers as predictions, each with its share of the time."""
    if not examples:
        return []
    start = time.perf_counter()
    answers = answer(examples)
    share = (time.perf_counter() - start) * 1000 / len(examples)
    return [Prediction(id=row.id, raw=text, ms=share) for row, text in zip(examples, answers, strict=True)]
