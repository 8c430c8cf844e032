"""Rows that stand in both train and eval: a model that has seen the question proves nothing by answering it.

Two inputs count as the same when their normal forms are equal: compatibility forms folded (Unicode
NFKC, UAX #15), case folded, punctuation and spacing dropped. Punctuation that separates digits
stays, since ``1.5``, ``15`` and ``1-5`` ask for different things.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from evals.errors import DataError, RowProblem
from evals.example import Example

SHOWN = 5
"""How many pairs an error names."""

_GAP = re.compile(r"(?:\W|_)+")


@dataclass(frozen=True, slots=True)
class SharedRow:
    """One input that stands on both sides, by the ids of its first row in each."""

    eval_id: str
    train_id: str


@dataclass(frozen=True)
class Overlap:
    """What train and eval share: a pair per shared eval row, and every train row concerned."""

    pairs: tuple[SharedRow, ...]
    train_ids: frozenset[str]


def normalise_text(text: str) -> str:
    """Return the form under which two inputs count as the same.

    A text of nothing but punctuation keeps it (``"?"`` and ``"!"`` differ), without its spacing.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return _GAP.sub(_close_gap, folded) or "".join(folded.split())


def find_overlap(train: Sequence[Example], eval_rows: Sequence[Example]) -> Overlap:
    """Return the rows of ``train`` and ``eval_rows`` that have the same normalised input."""
    in_train: dict[str, list[str]] = {}
    for example in train:
        in_train.setdefault(normalise_text(example.input), []).append(example.id)
    pairs: list[SharedRow] = []
    train_ids: set[str] = set()
    for example in eval_rows:
        same = in_train.get(normalise_text(example.input))
        if same:
            pairs.append(SharedRow(eval_id=example.id, train_id=same[0]))
            train_ids.update(same)
    return Overlap(tuple(pairs), frozenset(train_ids))


def drop_overlap(train: Sequence[Example], overlap: Overlap) -> tuple[Example, ...]:
    """Return ``train`` without the rows of ``overlap``; eval rows are never dropped."""
    return tuple(example for example in train if example.id not in overlap.train_ids)


def overlap_error(overlap: Overlap, eval_rows: int, train_file: Path, eval_file: Path) -> DataError:
    """Return the error that stops a run whose ``eval_rows`` eval rows share inputs with train."""
    shown = ", ".join(f"{pair.eval_id} = {pair.train_id}" for pair in overlap.pairs[:SHOWN])
    more = f" and {len(overlap.pairs) - SHOWN:,} more" if len(overlap.pairs) > SHOWN else ""
    verb = "has" if len(overlap.pairs) == 1 else "have"
    what = (
        f"{len(overlap.pairs):,} of {eval_rows:,} eval rows {verb} the same input as a training row "
        f"of {train_file} (eval = train): {shown}{more}"
    )
    return DataError([RowProblem(eval_file, 0, what)], "drop these rows from train with --drop-overlap")


def _close_gap(match: re.Match[str]) -> str:
    """Return what stays of the non-word characters between two words."""
    text, start, end = match.string, match.start(), match.end()
    gap = match.group()
    kept = "".join(character for character in gap if not _is_dropped(character))
    if end == len(text) or not text[end].isdigit():
        return kept
    if start and text[start - 1].isdigit():
        return "".join(gap.split()) or " "
    # A minus before a number is a sign, unless it joins a word to it ("covid-19").
    is_sign = gap.endswith(("-", "−")) and (len(gap) > 1 or start == 0)
    return kept + gap[-1] if is_sign and _is_dropped(gap[-1]) else kept


@lru_cache(maxsize=4096)
def _is_dropped(character: str) -> bool:
    """Tell whether a character is punctuation, spacing, or invisible; symbols and accents count."""
    return unicodedata.category(character)[0] in "PZC"
