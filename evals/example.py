"""Rows as the rest of the house sees them: examples, documents, shots and passages."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Example:
    """One row of a task. ``targets`` holds every accepted answer, the preferred one first."""

    id: str
    input: str
    targets: tuple[str, ...]
    doc_id: str | None = None
    group: str | None = None

    @property
    def target(self) -> str:
        """The preferred answer: what training and shots use."""
        return self.targets[0]


@dataclass(frozen=True, slots=True)
class Document:
    """One document of the task's corpus, or one training row that stands in for one."""

    id: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Shot:
    """A worked example that stands in a prompt."""

    input: str
    output: str


@dataclass(frozen=True, slots=True)
class Passage:
    """A retrieved piece of a document; ``score`` is the inner product of unit vectors (−1…1)."""

    id: str
    document_id: str
    title: str
    text: str
    score: float = 0.0


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is asked, before a model's template turns it into text.

    The order is fixed: instruction, shots, passages, input. Shots stand before the passages so that
    the part that all rows share is a prefix that can be cached.
    """

    instruction: str
    input: str
    shots: tuple[Shot, ...] = ()
    passages: tuple[Passage, ...] = ()
