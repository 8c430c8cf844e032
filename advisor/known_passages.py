"""Which passage holds the answer of a row, as far as the data tell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from baselines.chunking import chunk_documents
from baselines.index import passage_text
from baselines.tfidf import TfidfEmbedder
from evals.example import Example, Passage
from evals.protocols import LanguageModel, ProgressHook
from evals.task import Task
from evals.task_file import AnswerKind
from evals.words import plain_words

FOUND_WITHIN = 20
"""A passage that holds the answer's words counts only among this many best for the question.

Beyond, a short answer stands in a passage by chance: "40 euros" is said of many things. Our judgement.
"""

LOOKED_UP: frozenset[AnswerKind] = frozenset({"text", "number"})
"""The kinds of answers that can be looked up in a passage by their words."""


@dataclass(frozen=True)
class KnownPassages:
    """The right passage by row id; ``named`` holds the rows whose document the data name themselves.

    ``reason`` says why none is known, where that is so.
    """

    passages: Mapping[str, Passage] = field(default_factory=dict)
    named: frozenset[str] = frozenset()
    reason: str | None = None


def look_up(task: Task, model: LanguageModel, progress: ProgressHook) -> KnownPassages:
    """Return the right passages of the task's eval rows among its documents, cut as ``rag`` cuts them."""
    if not task.documents:
        return KnownPassages(reason="no documents were given")
    settings = task.settings.rag
    size, overlap = settings.chunk_tokens, settings.overlap_tokens
    passages = chunk_documents(task.documents, model.count_tokens, size=size, overlap=overlap, progress=progress)
    known = find_known(task.eval, passages, task.answer)
    if known.passages:
        return known
    by_words = f"{task.answer} answers can't be looked up by their words"
    if task.answer in LOOKED_UP:
        by_words = "no likely passage holds an answer word for word"
    what = f"no row names a document that is there, and {by_words}"
    return KnownPassages(reason=f"{what}; name the right document of each row in a column doc_id")


def find_known(rows: Sequence[Example], passages: Sequence[Passage], kind: AnswerKind) -> KnownPassages:
    """Return the passage that holds each row's answer; rows of which none is known are left out.

    Of a row with a ``doc_id`` the passages of that document come in question: those that hold an accepted
    answer word for word if there are any, else all. Of another row those of the ``FOUND_WITHIN`` best of all
    passages that hold an answer word for word; labels and JSON can't be told that way. Of several, the one most
    like the question counts (TF-IDF and SVD, ``baselines.tfidf``).
    """
    if not rows or not passages:
        return KnownPassages()
    likeness = _likeness(rows, passages)
    texts = [_spelt(passage.text) for passage in passages]
    of_document: dict[str, list[int]] = {}
    for at, passage in enumerate(passages):
        of_document.setdefault(passage.document_id, []).append(at)
    found: dict[str, Passage] = {}
    named: set[str] = set()
    for row, likes in zip(rows, likeness, strict=True):
        in_question = of_document.get(row.doc_id, []) if row.doc_id is not None else []
        if in_question:
            holding = [at for at in in_question if _holds(texts[at], row)] or in_question
            named.add(row.id)
        elif kind in LOOKED_UP:
            best = np.argsort(-likes, kind="stable")[:FOUND_WITHIN]
            holding = [int(at) for at in best if likes[at] > 0 and _holds(texts[at], row)]
        else:
            holding = []
        if holding:
            found[row.id] = passages[max(holding, key=lambda at: (likes[at], -at))]
    return KnownPassages(found, frozenset(named))


def _likeness(rows: Sequence[Example], passages: Sequence[Passage]) -> np.ndarray:
    """Return how alike each row's input and each passage are, of shape (rows, passages)."""
    embedder, texts = TfidfEmbedder(), [passage_text(passage) for passage in passages]
    embedder.fit(texts)
    queries = embedder.embed_queries([row.input for row in rows])
    return np.round(queries @ embedder.embed_passages(texts).T, 6)


def _spelt(text: str) -> str:
    return f" {' '.join(plain_words(text))} "


def _holds(text: str, row: Example) -> bool:
    """Tell whether an accepted answer of ``row`` stands in ``text``, whole words in their order."""
    answers = map(_spelt, row.targets)
    return any(answer.strip() and answer in text for answer in answers)
