"""An index over passages: inner products of unit vectors, kept on disk under a key of its content.

Search is exact up to ``baselines.vector_index.EXACT_UP_TO`` passages and close to it above; what it finds depends on
passages, embedder and query alone. A kept index is mapped into memory, not read.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

import numpy as np

from baselines.vector_index import all_vectors, checksum, make_index, open_index, write_index
from evals.errors import ArmError
from evals.example import Example, Passage
from evals.files import write_text
from evals.protocols import Embedder, FloatMatrix, ProgressHook, no_progress

if TYPE_CHECKING:
    import faiss

SCHEMA = 1
SLAB = 1_024
"""Passages embedded between two signs of progress."""

SCORE_DECIMALS = 6
"""Scores that agree this far are ties: beyond, float32 differs with the number of queries asked at once."""

Role = Literal["query", "passage"]


@runtime_checkable
class KeepsVectors(Protocol):
    """An embedder that keeps the vectors of what is indexed between runs; ``kept`` counts those it had already."""

    kept: int

    def embed_kept(self, role: Role, texts: Sequence[str]) -> FloatMatrix:
        """Return the texts' unit vectors, computed or kept."""
        ...

    def centres_kept(self, role: Role, texts: Sequence[str], compute: Callable[[], FloatMatrix]) -> FloatMatrix:
        """Return the centres that an index of the texts' vectors has: kept, or what ``compute`` returns."""
        ...


@dataclass(frozen=True)
class PassageIndex:
    """Passages that can be searched; made by ``build_index``."""

    passages: tuple[Passage, ...]
    _embedder: Embedder
    _faiss: "faiss.Index"

    def search(self, queries: Sequence[str], k: int) -> list[list[Passage]]:
        """Return the ``k`` passages nearest to each query (all, when there are fewer), with their scores.

        Scores descend; of passages with equal scores the one with the smaller id comes first.
        """
        if not queries:
            return []
        k = min(k, len(self.passages))
        vectors = np.ascontiguousarray(self._embedder.embed_queries(queries))
        found: list[list[Passage]] = [[] for _ in queries]
        waiting, fetched = list(range(len(queries))), min(k + 8, len(self.passages))
        while waiting:
            products, positions = self._faiss.search(vectors[waiting], fetched)
            scores = np.round(products.astype(np.float64), SCORE_DECIMALS)
            # Where passages beyond those fetched may tie with the last one wanted, more are fetched.
            cut = [
                row
                for row in range(len(waiting))
                if fetched < len(self.passages) and scores[row, k - 1] == scores[row, -1]
            ]
            for row in set(range(len(waiting))) - set(cut):
                found[waiting[row]] = self._ordered(scores[row], positions[row])[:k]
            waiting, fetched = [waiting[row] for row in cut], min(fetched * 8, len(self.passages))
        return found

    def vectors(self) -> FloatMatrix:
        """Return the passages' unit vectors, float32, of shape (passages, width)."""
        return all_vectors(self._faiss)

    def _ordered(self, scores: np.ndarray, positions: np.ndarray) -> list[Passage]:
        hits = [
            replace(self.passages[position], score=float(score) + 0.0)
            for score, position in zip(scores, positions, strict=True)
            if position >= 0  # cells may hold fewer passages than were asked for
        ]
        return sorted(hits, key=lambda passage: (-passage.score, passage.id))


def build_index(
    passages: Sequence[Passage],
    embedder: Embedder,
    cache: Path,
    *,
    role: Role = "passage",
    texts: Sequence[str] | None = None,
    progress: ProgressHook = no_progress,
) -> PassageIndex:
    """Fit ``embedder`` on the passages and index them, or take the index from ``cache`` when it's there.

    ``texts`` are what is embedded for each passage (default: its title and text). ``role`` is ``query``
    when passages and queries are of one kind (row to row), so that both are embedded alike. The cache
    holds ``<key>.faiss`` and ``<key>.jsonl``; files that are broken or of another schema are made anew.
    Raises ``ArmError`` without passages, ``OSError`` when the cache can't be written.
    """
    if not passages:
        raise ArmError("there is nothing to search: no passage and no training row")
    texts = [passage_text(passage) for passage in passages] if texts is None else list(texts)
    progress("embedding", 0, len(texts))
    embedder.fit(texts)
    lines = [_line(passage) for passage in passages]
    key = _key(embedder.fingerprint, role, lines, texts)
    index = _read(cache / f"{key}.faiss", cache / f"{key}.jsonl", lines)
    if index is None:
        index = _embed(embedder, role, texts, progress)
        _write(cache, key, index, lines)
    progress("embedding", len(texts), len(texts))
    return PassageIndex(tuple(passages), embedder, index)


def kept_facts(embedder: Embedder) -> dict[str, str | int | float | bool | None]:
    """Return what a report should say where fitting was quick because vectors were there already."""
    kept = embedder.kept if isinstance(embedder, KeepsVectors) else 0
    return {"vectors from the cache": kept} if kept else {}


def passage_text(passage: Passage) -> str:
    """Return what stands for ``passage`` in the search: its title and text."""
    return f"{passage.title}: {passage.text}" if passage.title else passage.text


def row_passages(rows: Sequence[Example]) -> list[Passage]:
    """Return the inputs of ``rows`` as passages, to find the rows that are near an input."""
    return [Passage(row.id, row.id, "", row.input) for row in rows]


def _line(passage: Passage) -> str:
    record = {"id": passage.id, "document_id": passage.document_id, "title": passage.title, "text": passage.text}
    # A lone surrogate has no UTF-8; its JSON escape says the same.
    return json.dumps(record, ensure_ascii=False).encode("utf-8", "backslashreplace").decode()


def _key(fingerprint: str, role: Role, lines: Sequence[str], texts: Sequence[str]) -> str:
    digest = hashlib.sha256(json.dumps([SCHEMA, fingerprint, role]).encode())
    for part in (*lines, *texts):
        data = part.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()[:32]


def _embed(embedder: Embedder, role: Role, texts: Sequence[str], progress: ProgressHook) -> "faiss.Index":
    embed = embedder.embed_queries if role == "query" else embedder.embed_passages
    if isinstance(embedder, KeepsVectors):
        embed = partial(embedder.embed_kept, role)
    vectors: FloatMatrix | None = None
    for start in range(0, len(texts), SLAB):
        slab = embed(texts[start : start + SLAB])
        if vectors is None:
            vectors = np.empty((len(texts), slab.shape[1]), dtype=np.float32)
        vectors[start : start + len(slab)] = slab
        progress("embedding", min(start + SLAB, len(texts)), len(texts))
    assert vectors is not None, "no texts"
    if isinstance(embedder, KeepsVectors):
        return make_index(vectors, partial(embedder.centres_kept, role, texts))
    return make_index(vectors)


def _write(cache: Path, key: str, index: "faiss.Index", lines: Sequence[str]) -> None:
    """Write the vectors, then the passages with the vectors' checksum: the second file vouches for the first."""
    cache.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=cache, prefix=f".{key}-")
    os.close(handle)
    try:
        digest = write_index(index, Path(name))
        os.chmod(name, 0o644)
        os.replace(name, cache / f"{key}.faiss")
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    head = json.dumps({"schema": SCHEMA, "passages": len(lines), "vectors_sha256": digest})
    write_text(cache / f"{key}.jsonl", "\n".join([head, *lines]) + "\n")


def _read(vectors: Path, passages: Path, lines: Sequence[str]) -> "faiss.Index | None":
    """Return the index on disk, or None when it isn't there, isn't whole, or is of another schema."""
    if not (vectors.is_file() and passages.is_file()):
        return None
    try:
        with passages.open(encoding="utf-8") as file:
            head = json.loads(file.readline())
        if head != {"schema": SCHEMA, "passages": len(lines), "vectors_sha256": checksum(vectors)}:
            return None
        index = open_index(vectors)
    except (OSError, ValueError, RuntimeError):
        return None
    return index if index.ntotal == len(lines) else None
