"""The seams of the house: what a language model, an embedder and an arm must offer.

The runner knows an arm by ``Arm`` alone, and an arm knows its model by ``LanguageModel`` alone, so
tests put tiny fakes in their place and an endpoint can stand where a local model stood.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from evals.example import Document, Example, Prompt
from evals.fit_report import FitReport as FitReport
from evals.fit_report import LossPoint as LossPoint
from evals.fit_report import TrainingPlan as TrainingPlan

if TYPE_CHECKING:
    from evals.task import Task

Family = Literal["classic", "prompt", "rag", "tune"]
FloatMatrix = NDArray[np.float32]

TUNED_WITH_PASSAGES = ("rag_qlora", "rag_lora")
"""Arms of the family ``tune`` that retrieve, too: they cost what both cost, and an advice of both is about them."""


@dataclass(frozen=True, slots=True)
class Limits:
    """When a generation ends: after ``max_new_tokens``, at a stop string, or at the end-of-sequence token."""

    max_new_tokens: int
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Generation:
    """What ``generate`` gives for one prompt; on ``error`` the text is empty.

    ``cut`` says that the answer was still going on at its limit. ``cached`` says that it was computed by an earlier
    run; ``ms`` is then what it took there. ``cached_tokens`` are those of ``prompt_tokens`` that a server counted as
    read from its own cache; None where no server counted.
    """

    prompt: str
    text: str
    prompt_tokens: int
    completion_tokens: int
    ms: float
    error: str | None = None
    cut: bool = False
    cached: bool = False
    cached_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """What ``choose`` gives for one prompt.

    ``loglikelihoods`` are sums over a label's tokens, in the order of the labels asked, with its end where
    one label begins another; ``by_sum`` is the label with the largest sum, ``by_mean`` the one with the
    largest sum per token. ``cached`` and ``cached_tokens`` as in ``Generation``.
    """

    prompt: str
    by_sum: str
    by_mean: str
    loglikelihoods: tuple[float, ...]
    prompt_tokens: int
    completion_tokens: int
    ms: float
    error: str | None = None
    cached: bool = False
    cached_tokens: int | None = None


class LanguageModel(Protocol):
    """A causal language model that can score labels and write answers."""

    @property
    def name(self) -> str:
        """How the user called it."""
        ...

    @property
    def context(self) -> int:
        """The longest prompt plus answer, in tokens."""
        ...

    @property
    def fingerprint(self) -> str:
        """Hex digest over weights, adapter, tokenizer and template: equal models have equal ones."""
        ...

    def render(self, prompt: Prompt) -> str:
        """The very text that the model reads for ``prompt``."""
        ...

    def count_tokens(self, text: str) -> int:
        """Tokens of ``text`` as this model counts them, without special tokens."""
        ...

    def choose(self, prompts: Sequence[Prompt], labels: Sequence[str]) -> list[Choice]:
        """Score every label after every prompt; one result per prompt, in order."""
        ...

    def generate(self, prompts: Sequence[Prompt], limits: Limits) -> list[Generation]:
        """Write an answer to every prompt, greedily; one result per prompt, in order."""
        ...


class Embedder(Protocol):
    """Texts to unit vectors."""

    @property
    def name(self) -> str:
        """How the user called it."""
        ...

    @property
    def fingerprint(self) -> str:
        """Hex digest over all that decides its vectors."""
        ...

    def fit(self, texts: Sequence[str]) -> None:
        """Learn from a corpus where the method needs one (TF-IDF); otherwise nothing."""
        ...

    def embed_queries(self, texts: Sequence[str]) -> FloatMatrix:
        """Unit vectors of shape (len(texts), width)."""
        ...

    def embed_passages(self, texts: Sequence[str]) -> FloatMatrix:
        """Unit vectors of shape (len(texts), width)."""
        ...


@dataclass(frozen=True, slots=True)
class Retrieved:
    """A passage found for a row, by id, with its document and similarity.

    ``shown`` is False where the context left no room for it in the prompt.
    """

    id: str
    document_id: str
    score: float
    shown: bool = True


@dataclass(frozen=True, slots=True)
class Prediction:
    """What an arm answers to one example, before it is scored.

    ``answer`` is the part of ``raw`` that extraction reads (None: all of it). ``choice_by_mean`` is
    set where a label was chosen by likelihood: what the length-normalised rule would have chosen.
    ``ms`` is the row's share of its batch's wall time. ``cut`` says that a generated answer was still going
    on at its limit. ``cached`` says that the model's answer was computed by an earlier run, and its ``ms`` there.
    ``cached_tokens`` as in ``Generation``.
    """

    id: str
    raw: str
    prompt: str = ""
    answer: str | None = None
    choice_by_mean: str | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    ms: float = 0.0
    retrieved: tuple[Retrieved, ...] = ()
    error: str | None = None
    cut: bool = False
    cached: bool = False
    cached_tokens: int | None = None


ProgressHook = Callable[[str, int, int], None]
"""``hook(phase, done, total)``: what an arm calls to show how far a long step has come."""


def no_progress(phase: str, done: int, total: int) -> None:
    """Show nothing: the hook for tests and quiet runs."""


@dataclass(frozen=True)
class ArmContext:
    """All that an arm may use: the task, its seed, a folder of its own, and the shared engine.

    ``model`` and ``embedder`` load on first call and are shared between arms. ``folder`` is the
    cell's folder: what an arm leaves there (an adapter) is found again when a run is resumed.
    ``cache`` is a folder for what may be shared between cells, keyed by content (an index).
    ``adapter`` is the user's ``--adapter`` folder, if any.
    """

    task: "Task"
    seed: int
    folder: Path
    cache: Path
    model: Callable[[], LanguageModel]
    embedder: Callable[[], Embedder]
    progress: ProgressHook = no_progress
    adapter: Path | None = None


@runtime_checkable
class Arm(Protocol):
    """One configured approach. ``fit`` is called once, then ``answer`` for batches of eval rows.

    ``seeded`` says whether chance plays a part; ``uses`` names what it loads ("model", "embedder"), so
    that a run finds out before its first cell whether both can be had.
    """

    name: ClassVar[str]
    family: ClassVar[Family]
    seeded: ClassVar[bool]
    uses: ClassVar[tuple[str, ...]]

    def __init__(self, context: ArmContext) -> None:
        """Keep the context; load nothing yet."""
        ...

    @classmethod
    def unfit(cls, task: "Task") -> str | None:
        """Why this arm can't run on the task (one clause), or None when it can."""
        ...

    def fit(self, train: Sequence[Example], documents: Sequence[Document]) -> FitReport:
        """Prepare from the training rows and documents. Raises ``ArmError`` when it can't."""
        ...

    def answer(self, examples: Sequence[Example]) -> list[Prediction]:
        """Answer each example; one prediction per example, in order, errors recorded per row."""
        ...
