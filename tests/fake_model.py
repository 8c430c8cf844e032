"""A rule-based language model and embedder that implement the protocols and keep what they were asked."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from baselines.render import render_plain
from evals.example import Document, Example, Prompt
from evals.protocols import ArmContext, Choice, Embedder, Generation, LanguageModel, Limits
from evals.task import Task
from evals.task_file import TaskFile


def last_output(prompt: Prompt) -> str:
    """Answer like the last shot, else with the first word of the best passage, else with the input's first word."""
    if prompt.shots:
        return prompt.shots[-1].output
    text = prompt.passages[0].text if prompt.passages else prompt.input
    return text.split()[0]


class FakeModel:
    """Words are its tokens; ``rule`` gives its answer; prompts that leave no room for it are errors."""

    def __init__(self, rule: Callable[[Prompt], str] = last_output, context: int = 10_000) -> None:
        self.rule = rule
        self.context = context
        self.name = "fake"
        self.fingerprint = "fake-1"
        self.asked: list[Prompt] = []
        self.limits: list[Limits] = []

    def render(self, prompt: Prompt) -> str:
        return render_plain(prompt)

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    def choose(self, prompts: Sequence[Prompt], labels: Sequence[str]) -> list[Choice]:
        self.asked += prompts
        return [self._choose(prompt, labels) for prompt in prompts]

    def generate(self, prompts: Sequence[Prompt], limits: Limits) -> list[Generation]:
        self.asked += prompts
        self.limits.append(limits)
        return [self._generate(prompt, limits) for prompt in prompts]

    def _choose(self, prompt: Prompt, labels: Sequence[str]) -> Choice:
        text, tokens = self.render(prompt), self.count_tokens(self.render(prompt))
        longest = max(self.count_tokens(label) for label in labels)
        if error := self._error(tokens, longest):
            return Choice(text, "", "", (), tokens, 0, 1.0, error)
        answer = self.rule(prompt)
        scores = tuple(0.0 if label == answer else -1.0 - place for place, label in enumerate(labels))
        by_sum = labels[scores.index(max(scores))]
        return Choice(text, by_sum, labels[-1], scores, tokens, longest, 1.0)

    def _generate(self, prompt: Prompt, limits: Limits) -> Generation:
        text, tokens = self.render(prompt), self.count_tokens(self.render(prompt))
        if error := self._error(tokens, limits.max_new_tokens):
            return Generation(text, "", tokens, 0, 1.0, error)
        answer = self.rule(prompt)
        return Generation(text, answer, tokens, self.count_tokens(answer), 1.0)

    def _error(self, tokens: int, answer: int) -> str | None:
        if tokens + answer <= self.context:
            return None
        return f"prompt is {tokens} tokens and its answer needs up to {answer}, the model's context is {self.context}"


class FakeEmbedder:
    """A bag of words hashed into 64 places; it learns nothing but remembers what it was fitted on."""

    def __init__(self) -> None:
        self.name = "fake"
        self.fingerprint = "fake-embedder-1"
        self.fitted: list[list[str]] = []
        self.embedded = 0

    def fit(self, texts: Sequence[str]) -> None:
        self.fitted.append(list(texts))

    def embed_queries(self, texts: Sequence[str]) -> np.ndarray:
        return self._embed(texts)

    def embed_passages(self, texts: Sequence[str]) -> np.ndarray:
        return self._embed(texts)

    def _embed(self, texts: Sequence[str]) -> np.ndarray:
        self.embedded += len(texts)
        vectors = np.zeros((len(texts), 64), dtype=np.float32)
        for row, text in enumerate(texts):
            for word in text.lower().split():
                vectors[row, hashlib.sha256(word.strip(".,:?!").encode("utf-8", "surrogatepass")).digest()[0] % 64] += 1
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors / np.where(norms == 0, 1, norms)


def make_rows(*pairs: tuple[str, str], prefix: str = "t") -> tuple[Example, ...]:
    """Return examples ``t0``, ``t1``, … of (input, target) pairs."""
    return tuple(Example(f"{prefix}{number}", text, (target,)) for number, (text, target) in enumerate(pairs))


def make_task(
    train: Sequence[Example],
    *,
    answer: str = "label",
    labels: Sequence[str] | None = None,
    documents: Sequence[Document] = (),
    instruction: str = "Do the task.",
    **settings: object,
) -> Task:
    """Return a task of ``train`` in memory; ``settings`` are further keys of the task file."""
    if labels is None:
        labels = sorted({row.target for row in train}) if answer == "label" else ()
    file = {"instruction": instruction, "answer": answer, "data": {"train": "train.jsonl"}, **settings}
    return Task(
        name="fake",
        settings=TaskFile.model_validate(file),
        folder=Path(),
        labels=tuple(labels),
        train=tuple(train),
        eval=(),
        documents=tuple(documents),
        hashes={},
    )


def make_context(
    task: Task, folder: Path, *, model: LanguageModel | None = None, embedder: Embedder | None = None, seed: int = 0
) -> ArmContext:
    """Return a context whose engine is ``model`` and ``embedder``, fakes unless given."""
    chosen_model, chosen_embedder = model or FakeModel(), embedder or FakeEmbedder()
    return ArmContext(
        task=task,
        seed=seed,
        folder=folder / "cell",
        cache=folder / "cache",
        model=lambda: chosen_model,
        embedder=lambda: chosen_embedder,
    )
