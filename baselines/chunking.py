"""Documents cut into passages: whole sentences up to a size in tokens, neighbours sharing an overlap.

A passage is a slice of its document, so nothing is reworded and nothing is lost. Its size is the sum
of its sentences' tokens, each counted once; tokenizers that split at spaces give the same sum for the
joined text, others a token or two less.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from evals.example import Document, Passage
from evals.protocols import ProgressHook, no_progress

Counter = Callable[[str], int]

_SENTENCE_END = re.compile(
    r"""
      (?<=[.!?…])["'”’»)\]]*\s+      # a full stop, what may close after it, and a space
    | (?<=[。！？｡])["'”’」』）]*\s*   # scripts that put no space after one
    | \n[^\S\n]*\n\s*                 # an empty line
    """,
    re.VERBOSE,
)
_WORD = re.compile(r"\S+\s*")
_PROGRESS_EVERY = 200


@dataclass(frozen=True, slots=True)
class _Piece:
    """A slice of a document, at most a passage long: a sentence, or a part of one that is too long."""

    start: int
    end: int
    tokens: int


def chunk_documents(
    documents: Sequence[Document],
    count_tokens: Counter,
    *,
    size: int,
    overlap: int,
    progress: ProgressHook = no_progress,
) -> list[Passage]:
    """Cut ``documents`` into passages of at most ``size`` tokens, in order.

    A passage begins with the last sentences of the one before: as few as make ``overlap`` tokens, and
    fewer where they'd leave no room for a new sentence. A sentence longer than ``size`` is cut at words,
    a longer word at characters. Passages are called ``document#0``, ``document#1``, …; a blank document
    has none.
    """
    count = _remembering(count_tokens)
    passages: list[Passage] = []
    for done, document in enumerate(documents):
        if done % _PROGRESS_EVERY == 0:
            progress("chunking", done, len(documents))
        pieces = [
            part for piece in _sentences(document.text, count) for part in _cut(document.text, piece, size, count)
        ]
        for number, (first, last) in enumerate(_spans(pieces, size, overlap)):
            text = document.text[pieces[first].start : pieces[last].end].strip()
            passages.append(Passage(f"{document.id}#{number}", document.id, document.title, text))
    progress("chunking", len(documents), len(documents))
    return passages


def _remembering(count_tokens: Counter) -> Counter:
    """Count each text once, as a prompt shows it: spacing made single, and a space before it."""
    known: dict[str, int] = {}

    def count(text: str) -> int:
        text = " ".join(text.split())
        if text not in known:
            known[text] = count_tokens(f" {text}")
        return known[text]

    return count


def _sentences(text: str, count: Counter) -> Iterator[_Piece]:
    start = 0
    for end in [*(match.end() for match in _SENTENCE_END.finditer(text)), len(text)]:
        if text[start:end].strip():
            yield _Piece(start, end, count(text[start:end]))
            start = end


def _cut(text: str, piece: _Piece, size: int, count: Counter) -> Iterator[_Piece]:
    """Yield ``piece`` as it is, or its words (and the parts of longer words) packed up to ``size`` tokens."""
    if piece.tokens <= size:
        yield piece
        return
    start, tokens = piece.start, 0
    for word in _words(text, piece, size, count):
        if tokens and tokens + word.tokens > size:
            yield _Piece(start, word.start, tokens)
            start, tokens = word.start, 0
        tokens += word.tokens
    yield _Piece(start, piece.end, tokens)


def _words(text: str, piece: _Piece, size: int, count: Counter) -> Iterator[_Piece]:
    # A sentence may begin with the spaces that end nothing before it; they belong to its first word.
    start = piece.start
    for match in _WORD.finditer(text, piece.start, piece.end):
        yield from _halves(text, start, match.end(), size, count)
        start = match.end()


def _halves(text: str, start: int, end: int, size: int, count: Counter) -> Iterator[_Piece]:
    """Yield the slice whole when it's at most ``size`` tokens (or one character), else its two halves, cut likewise."""
    tokens = count(text[start:end])
    if tokens <= size or end - start == 1:
        yield _Piece(start, end, tokens)
        return
    middle = (start + end) // 2
    yield from _halves(text, start, middle, size, count)
    yield from _halves(text, middle, end, size, count)


def _spans(pieces: Sequence[_Piece], size: int, overlap: int) -> Iterator[tuple[int, int]]:
    """Yield the first and last piece of each passage; each brings at least one piece that none before had."""
    first = 0
    while first < len(pieces):
        last, tokens = first, pieces[first].tokens
        while last + 1 < len(pieces) and tokens + pieces[last + 1].tokens <= size:
            last += 1
            tokens += pieces[last].tokens
        yield first, last
        if last + 1 == len(pieces):
            return
        first = _next_first(pieces, first, last, size, overlap)


def _next_first(pieces: Sequence[_Piece], first: int, last: int, size: int, overlap: int) -> int:
    """Return where the passage after ``first``…``last`` begins."""
    begin, shared, room = last + 1, 0, size - pieces[last + 1].tokens
    while begin > first + 1 and shared < overlap and shared + pieces[begin - 1].tokens <= room:
        begin -= 1
        shared += pieces[begin].tokens
    return begin
