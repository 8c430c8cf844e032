"""The built-in embedder: TF-IDF and a truncated SVD, fitted on the very corpus that it searches.

It needs no download and knows nothing but the corpus: two texts are near when they share its words.
Method: latent semantic analysis (Deerwester et al., 1990); the SVD is the randomised one of
Halko, Martinsson and Tropp (arXiv 0909.4061), as scikit-learn has it.
"""

import hashlib
import random
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from evals.errors import ModelError
from evals.protocols import FloatMatrix
from evals.words import casefolded

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix
    from sklearn.feature_extraction.text import TfidfVectorizer

VERSION = 1
"""Part of the fingerprint: raise it with every change of the vectors."""

MAX_FEATURES = 50_000
"""The most frequent words and pairs of words that the vocabulary keeps."""

SVD_ROWS = 20_000
"""The SVD is taken of at most this many texts, a seeded sample; the word weights come from all."""

_UNSPACED = (
    r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
WORD = rf"[{_UNSPACED}]|(?:(?![{_UNSPACED}])\w)+"
"""A word, or one character of a script that puts no spaces between words (pairs of them are features too)."""


class TfidfEmbedder:
    """Texts to unit vectors of at most ``width`` dimensions; a text that shares nothing with the corpus is zero."""

    name = "builtin"

    def __init__(self, *, width: int = 512, seed: int = 0) -> None:
        self._width = width
        self._seed = seed
        self._corpus: str | None = None
        self._vectorizer: TfidfVectorizer | None = None
        self._components: FloatMatrix | None = None

    @property
    def fingerprint(self) -> str:
        """Hex digest over method, settings, scikit-learn's version and the corpus fitted on."""
        import sklearn

        parts = ("tfidf-svd", VERSION, sklearn.__version__, self._width, self._seed, self._corpus)
        return hashlib.sha256(repr(parts).encode()).hexdigest()

    def fit(self, texts: Sequence[str]) -> None:
        """Learn vocabulary, weights and directions from ``texts``; the same corpus again costs nothing."""
        corpus = _digest(texts)
        if corpus == self._corpus:
            return
        self._vectorizer, matrix = _weigh([casefolded(text) for text in texts])
        self._components = None if matrix is None else _directions(matrix, self._width, self._seed)
        self._corpus = corpus

    def embed_queries(self, texts: Sequence[str]) -> FloatMatrix:
        """Return unit vectors, float32, of shape (len(texts), width). Raises ``ModelError`` before ``fit``."""
        return self._embed(texts)

    def embed_passages(self, texts: Sequence[str]) -> FloatMatrix:
        """Return unit vectors, float32, of shape (len(texts), width). Raises ``ModelError`` before ``fit``."""
        return self._embed(texts)

    def _embed(self, texts: Sequence[str]) -> FloatMatrix:
        if self._corpus is None:
            raise ModelError("the built-in embedder was asked for vectors before it had seen a corpus; fit it first")
        if self._vectorizer is None or not texts:
            width = 1 if self._components is None else self._components.shape[1]
            return np.zeros((len(texts), width), dtype=np.float32)
        weights = self._vectorizer.transform([casefolded(text) for text in texts])
        dense = weights.toarray() if self._components is None else weights @ self._components
        norms = np.linalg.norm(dense, axis=1, keepdims=True)
        # What is left of a text outside the corpus' directions is rounding, not meaning.
        return np.where(norms > 1e-5, dense / np.maximum(norms, 1e-5), 0.0).astype(np.float32)


def _digest(texts: Sequence[str]) -> str:
    digest = hashlib.sha256()
    for text in texts:
        data = text.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()


def _weigh(texts: list[str]) -> "tuple[TfidfVectorizer, csr_matrix] | tuple[None, None]":
    """Return the fitted vectoriser and the matrix (texts × features); both None for a corpus without a character."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    options: dict[str, Any] = {"lowercase": False, "sublinear_tf": True, "max_features": MAX_FEATURES}
    word = re.compile(WORD)
    if any(word.search(text) for text in texts):
        vectorizer = TfidfVectorizer(ngram_range=(1, 2), token_pattern=WORD, dtype=np.float32, **options)
    elif any(text.strip() for text in texts):
        vectorizer = TfidfVectorizer(ngram_range=(1, 3), analyzer="char", dtype=np.float32, **options)
    else:
        return None, None
    return vectorizer, vectorizer.fit_transform(texts)


def _directions(matrix: "csr_matrix", width: int, seed: int) -> FloatMatrix | None:
    """Return the leading right singular vectors (features × width), or None when the features are few as they are.

    They lie in memory feature by feature: SciPy would copy the other order, 130 MB, at every product.
    """
    from sklearn.utils.extmath import randomized_svd

    rows, features = matrix.shape
    if features <= width:
        return None
    if rows > SVD_ROWS:
        matrix = matrix[sorted(random.Random(seed).sample(range(rows), SVD_ROWS))]
    _, values, components = randomized_svd(matrix, min(width, *matrix.shape), n_iter=4, random_state=seed)
    kept = values > 1e-4 * values[0]
    return np.ascontiguousarray(components[kept].T, dtype=np.float32)
