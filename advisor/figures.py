"""What can be counted in rows and documents without a model."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from advisor.copies import find_copies
from advisor.given_data import GivenData
from advisor.row_key import count_conflicts, row_keys
from evals.overlap import Overlap, find_overlap
from evals.task_file import AnswerKind
from evals.words import plain_words

TOKEN_BYTES = 4
"""Bytes of UTF-8 that count as about a token: the usual rule for English, and nearer than characters elsewhere."""


@dataclass(frozen=True, slots=True)
class Lengths:
    """The middle, the 95th percentile (nearest rank) and the largest of many lengths."""

    median: int
    p95: int
    longest: int


@dataclass(frozen=True)
class Figures:
    """What was counted; lengths are in words without punctuation and in tokens (about: bytes / ``TOKEN_BYTES``).

    ``clean`` rows are those that are left without copies and without rows that stand in eval too. ``labels`` maps
    each label to its clean rows, most frequent first; empty where answers aren't labels. ``conflicts`` are rows
    that contradict another row with the same input (``advisor.row_key.count_conflicts``). ``answer_prose`` is the
    share of answers that read like sentences. What wasn't given is None: ``overlap``, the eval rows that stand in
    train too, and ``eval_rows`` without an eval file, ``documents`` and ``corpus_tokens`` without documents.
    """

    file: Path
    kind: AnswerKind
    kind_reason: str
    rows: int
    clean: int
    exact_copies: int
    alike_copies: int
    near_copies: int
    conflicts: int
    labels: Mapping[str, int]
    input_words: Lengths
    input_tokens: Lengths
    answer_words: Lengths
    answer_tokens: Lengths
    answer_prose: float
    eval_rows: int | None = None
    overlap: int | None = None
    documents: int | None = None
    corpus_tokens: int | None = None

    @property
    def copies(self) -> int:
        """Rows that repeat another one, in whichever way."""
        return self.exact_copies + self.alike_copies + self.near_copies

    @property
    def rarest(self) -> str | None:
        """The label with the fewest clean rows, or None without labels."""
        return list(self.labels)[-1] if self.labels else None

    @property
    def imbalance(self) -> float | None:
        """How many rows the most frequent label has for each of the rarest one; infinite when that has none."""
        if not self.labels:
            return None
        most, least = max(self.labels.values()), min(self.labels.values())
        return most / least if least else math.inf


def count_figures(given: GivenData) -> Figures:
    """Count; the order of rows and documents doesn't matter."""
    keys = row_keys(given.examples, given.guess.answer)
    copies = find_copies(given.examples, keys)
    overlap = Overlap((), frozenset()) if given.evaluation is None else find_overlap(given.examples, given.evaluation)
    clean = [row for row in copies.kept if row.id not in overlap.train_ids]
    inputs = [row.input for row in given.examples]
    answers = [row.target for row in given.examples]
    return Figures(
        file=given.file,
        kind=given.guess.answer,
        kind_reason=given.guess.reason,
        rows=len(given.examples),
        clean=len(clean),
        exact_copies=copies.exact,
        alike_copies=copies.alike,
        near_copies=copies.near,
        conflicts=count_conflicts(keys),
        labels=_tally(given.labels, (row.target for row in clean)),
        input_words=_lengths(len(plain_words(text)) for text in inputs),
        input_tokens=_lengths(map(about_tokens, inputs)),
        answer_words=_lengths(len(plain_words(text)) for text in answers),
        answer_tokens=_lengths(map(about_tokens, answers)),
        answer_prose=sum(map(_is_prose, answers)) / len(answers),
        eval_rows=None if given.evaluation is None else len(given.evaluation),
        overlap=None if given.evaluation is None else len(overlap.pairs),
        documents=None if given.documents is None else len(given.documents),
        corpus_tokens=None if given.documents is None else sum(about_tokens(each.text) for each in given.documents),
    )


def about_tokens(text: str) -> int:
    """Return about how many tokens a usual model makes of ``text``."""
    return math.ceil(len(text.encode("utf-8", "surrogatepass")) / TOKEN_BYTES)


def _tally(labels: Iterable[str], targets: Iterable[str]) -> dict[str, int]:
    counts = dict.fromkeys(labels, 0) | Counter(targets) if labels else {}
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def _lengths(values: Iterable[int]) -> Lengths:
    ordered = sorted(values)
    return Lengths(
        ordered[(len(ordered) - 1) // 2],
        ordered[math.ceil(0.95 * len(ordered)) - 1],
        ordered[-1],
    )


def _is_prose(text: str) -> bool:
    """Tell whether a text ends as a sentence does and most of its words, at least five, are letters in small case."""
    words = text.split()
    plain = sum(word.strip(".,;:!?()\"'").isalpha() and not word.isupper() for word in words)
    return len(words) >= 5 and plain >= 0.8 * len(words) and text.rstrip("\"')” ").endswith((".", "!", "?", "…"))
