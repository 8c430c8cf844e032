"""An embedder that keeps the vectors of what is indexed between runs.

Only what an index is made of is kept; a query is embedded when it's asked, so that its time is what a user waits.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version

from baselines.index import Role
from evals.protocols import Embedder, FloatMatrix
from evals.vector_cache import VectorCache

VECTORS_VERSION = 1
"""Raised when the engine would embed the same text otherwise; part of every key."""


class CachedEmbedder:
    """``embedder`` with a cache for the vectors of passages; one that isn't fitted on a corpus."""

    def __init__(self, embedder: Embedder, vectors: VectorCache) -> None:
        self.embedder = embedder
        self.vectors = vectors
        self.kept = 0

    @property
    def name(self) -> str:
        """How the user called it."""
        return self.embedder.name

    @property
    def fingerprint(self) -> str:
        """The embedder's own."""
        return self.embedder.fingerprint

    def fit(self, texts: Sequence[str]) -> None:
        """Let the embedder learn from a corpus, if it does."""
        self.embedder.fit(texts)

    def embed_queries(self, texts: Sequence[str]) -> FloatMatrix:
        """Return unit vectors, computed."""
        return self.embedder.embed_queries(texts)

    def embed_passages(self, texts: Sequence[str]) -> FloatMatrix:
        """Return unit vectors, computed."""
        return self.embedder.embed_passages(texts)

    def embed_kept(self, role: Role, texts: Sequence[str]) -> FloatMatrix:
        """Return the texts' unit vectors: kept, if these texts were embedded in that role before."""
        key = self._key(role, texts)
        vectors = self.vectors.get(key)
        if vectors is None or len(vectors) != len(texts):
            vectors = self.embed_queries(texts) if role == "query" else self.embed_passages(texts)
            self.vectors.put(key, vectors)
        else:
            self.kept += len(texts)
        return vectors

    def centres_kept(self, role: Role, texts: Sequence[str], compute: Callable[[], FloatMatrix]) -> FloatMatrix:
        """Return the centres that an index of these texts has: kept, or what ``compute`` returns."""
        key = self._key(role, texts, "centres", _version("faiss-cpu"))
        centres = self.vectors.get(key)
        if centres is None:
            centres = compute()
            self.vectors.put(key, centres)
        return centres

    def _key(self, role: Role, texts: Sequence[str], *further: str) -> str:
        libraries = _version("torch"), _version("sentence-transformers")
        parts = [VECTORS_VERSION, self.embedder.fingerprint, role, *libraries, *further]
        digest = hashlib.sha256(json.dumps(parts).encode())
        for text in texts:
            data = text.encode("utf-8", "surrogatepass")
            digest.update(len(data).to_bytes(8, "big") + data)
        return digest.hexdigest()


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return "none"
