"""What the eval rows have in common with what an arm may learn from or look up: counted, named, able to stop a run.

A score proves nothing on a row whose question stood in training. Four ways in which that happens:

- ``exact_duplicates``: an eval row's input is a training row's too, but for case, punctuation and spacing
  (``evals.overlap``). Shots and the rows that stand in for documents are training rows, so this covers them.
- ``near_duplicates``: it shares nearly all words with a training row's (``evals.near_copies``).
- ``within_eval``: it repeats another eval row, exactly or nearly; such rows are no independent evidence.
- ``answers_in_documents``: one document holds the row's whole question *and* its answer, word for word: the document
  was made from the eval row, or the row from it. A document that holds the answer alone is what retrieval is for.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from evals.errors import GateError
from evals.example import Document, Example
from evals.near_copies import near_among, near_copies, too_short
from evals.overlap import find_overlap, normalise_text
from evals.stored import ADDED_LATER
from evals.task import Task
from evals.words import plain_words

SHOWN = 5
"""Rows that are named of each kind."""

QUESTION_WORDS = 5
"""Shorter questions stand in documents by chance; they aren't looked for. Our judgement."""


@dataclass(frozen=True)
class Leak:
    """One kind of leakage: how many of the eval rows it concerns, and the first of them.

    ``pairs`` hold an eval row's id and the id of what it shares its text with. ``allowed`` is the share of eval rows
    (0…1) that the task's gate allows, None without a gate. ``short`` rows have too few words for near copies of them
    to be told.
    """

    kind: str
    count: int
    rows: int
    pairs: tuple[tuple[str, str], ...]
    allowed: float | None = None
    short: int = field(default=0, metadata=ADDED_LATER)

    @property
    def share(self) -> float:
        """The share of eval rows concerned."""
        return self.count / self.rows if self.rows else 0.0

    @property
    def passed(self) -> bool:
        """Whether the gate is met, or there's none."""
        return self.allowed is None or self.share <= self.allowed


def find_leaks(task: Task) -> tuple[Leak, ...]:
    """Return all kinds of leakage of a task's eval rows, found or not; documents count only where there are some."""
    found = {
        "exact_duplicates": _exact(task),
        "near_duplicates": _near(task),
        "within_eval": _within(task.eval),
    }
    if task.documents:
        found["answers_in_documents"] = list(_in_documents(task.eval, task.documents))
    short = {"near_duplicates": sum(too_short(row.input) for row in task.eval)}
    gates = task.settings.gates.model_dump()
    return tuple(
        Leak(kind, len(pairs), len(task.eval), tuple(pairs[:SHOWN]), gates[kind], short.get(kind, 0))
        for kind, pairs in found.items()
    )


def gate_error(leaks: Sequence[Leak]) -> GateError | None:
    """Return the error that names every gate that isn't met, or None when all are."""
    broken = [leak for leak in leaks if not leak.passed]
    if not broken:
        return None
    told = "; ".join(
        f"{leak.kind}: {leak.count:,} of {leak.rows:,} eval rows ({leak.share:.1%}, allowed {leak.allowed:.1%}), "
        f"as {_named(leak)}"
        for leak in broken
    )
    return GateError(f"gate not met: {told}")


def _exact(task: Task) -> list[tuple[str, str]]:
    return [(pair.eval_id, pair.train_id) for pair in find_overlap(task.train, task.eval).pairs]


def _near(task: Task) -> list[tuple[str, str]]:
    known = {normalise_text(row.input) for row in task.train}
    rows = [row for row in task.eval if normalise_text(row.input) not in known]
    met = near_among([row.input for row in rows], [row.input for row in task.train])
    return [(rows[at].id, task.train[other].id) for at, other in sorted(met.items())]


def _within(rows: Sequence[Example]) -> list[tuple[str, str]]:
    first: dict[str, str] = {}
    pairs, left = [], []
    for row in rows:
        other = first.setdefault(normalise_text(row.input), row.id)
        if other == row.id:
            left.append(row)
        else:
            pairs.append((row.id, other))
    copies = near_copies([row.input for row in left], [None] * len(left))
    kept = [row for at, row in enumerate(left) if at not in copies]
    met = near_among([left[at].input for at in sorted(copies)], [row.input for row in kept])
    pairs += [(left[at].id, kept[met[place]].id) for place, at in enumerate(sorted(copies)) if place in met]
    return pairs


def _in_documents(rows: Sequence[Example], documents: Sequence[Document]) -> Iterator[tuple[str, str]]:
    """Yield each row with a document that holds its question and an accepted answer, apart from the question."""
    texts = [(document.id, _spelt(f"{document.title} {document.text}")) for document in documents]
    starts = _starts(texts)
    for row in rows:
        question = _spelt(row.input)
        if question.count(" ") <= QUESTION_WORDS:
            continue
        for at in starts.get(_opening(question), ()):
            document, text = texts[at]
            if question in text and _answered(text.replace(question, " "), row):
                yield row.id, document
                break


def _starts(texts: Sequence[tuple[str, str]]) -> dict[tuple[str, ...], list[int]]:
    """Return the documents by each run of words that a question could open with."""
    found: dict[tuple[str, ...], list[int]] = {}
    for at, (_, text) in enumerate(texts):
        words = text.split()
        runs = range(len(words) - QUESTION_WORDS + 1)
        for opening in {tuple(words[place : place + QUESTION_WORDS]) for place in runs}:
            found.setdefault(opening, []).append(at)
    return found


def _opening(question: str) -> tuple[str, ...]:
    return tuple(question.split()[:QUESTION_WORDS])


def _answered(text: str, row: Example) -> bool:
    return any((answer := _spelt(target)).strip() and answer in text for target in row.targets)


def _spelt(text: str) -> str:
    return f" {' '.join(plain_words(text))} "


def _named(leak: Leak) -> str:
    return ", ".join(f"{row} = {other}" for row, other in leak.pairs[:3]) + (" …" if leak.count > 3 else "")
