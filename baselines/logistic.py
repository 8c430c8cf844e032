"""Logistic regression over texts: the features, and a regularisation chosen inside the training rows."""

import random
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import FeatureUnion

STRENGTHS = (1.0, 10.0, 100.0)
"""The values of C that cross-validation compares; the middle one is used where rows are too few to compare."""

FOLDS = 3
FEWEST_ROWS = 30
MOST_ROWS = 2_000
"""Cross-validation looks at no more rows than this, a seeded sample; the final fit is on all."""

MAX_FEATURES = 30_000
"""Of words and of characters each: the most frequent ones."""


@dataclass(frozen=True)
class LogisticClassifier:
    """A fitted classifier; ``model`` is None when all training rows have one label, which it then always gives."""

    model: "LogisticRegression | None"
    constant: str
    strength: float
    folds: int

    def predict(self, features: Any) -> list[str]:  # noqa: ANN401 - a dense or a sparse matrix
        """Return the likeliest label of each row of ``features`` (rows × features)."""
        if self.model is None:
            return [self.constant] * features.shape[0]
        return [str(label) for label in self.model.predict(features)]


def word_and_character_features() -> "FeatureUnion":
    """Return unfitted TF-IDF features: words and pairs of words, and 2 to 5 characters inside words."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import FeatureUnion

    options: dict[str, Any] = {"sublinear_tf": True, "max_features": MAX_FEATURES, "dtype": np.float32}
    return FeatureUnion(
        [
            # Any run of non-space is a word, so that a text of signs alone still has one.
            ("words", TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"\w+|[^\w\s]+", **options)),
            ("characters", TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), **options)),
        ]
    )


def fit_logistic(features: Any, targets: Sequence[str], *, seed: int = 0) -> LogisticClassifier:  # noqa: ANN401
    """Fit on ``features`` (rows × features, dense or sparse); C is the most accurate one in cross-validation.

    Of equally accurate ones the smallest is taken. Labels with a single row are learnt like any other.
    """
    counts = Counter(targets)
    if len(counts) == 1:
        return LogisticClassifier(None, targets[0], 0.0, 0)
    labels = np.asarray(targets, dtype=object)
    sample = sorted(random.Random(seed).sample(range(len(targets)), min(MOST_ROWS, len(targets))))
    folds = FOLDS if _can_compare(labels[sample]) else 0
    strength = STRENGTHS[len(STRENGTHS) // 2]
    if folds:
        accuracy = {value: _accuracy(features[sample], labels[sample], value, seed) for value in STRENGTHS}
        strength = max(STRENGTHS, key=lambda value: accuracy[value])
    return LogisticClassifier(_fit(features, labels, strength, seed, tolerance=1e-4), "", strength, folds)


def _can_compare(labels: np.ndarray) -> bool:
    enough = [count for count in Counter(labels).values() if count >= FOLDS]
    return len(labels) >= FEWEST_ROWS and len(enough) >= 2


def _fit(features: Any, labels: np.ndarray, strength: float, seed: int, tolerance: float) -> "LogisticRegression":  # noqa: ANN401
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=strength, max_iter=200, tol=tolerance, random_state=seed)
    with warnings.catch_warnings():
        # A classifier that stopped a little early is judged by its accuracy like any other.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(features, labels)


def _accuracy(features: Any, labels: np.ndarray, strength: float, seed: int) -> float:  # noqa: ANN401
    from sklearn.model_selection import StratifiedKFold

    splitter = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    right = 0
    with warnings.catch_warnings():
        # Labels with fewer rows than folds are warned about; they stand in some folds only, as they must.
        warnings.simplefilter("ignore", UserWarning)
        splits = list(splitter.split(np.zeros(len(labels)), labels))
    for train, test in splits:
        model = _fit(features[train], labels[train], strength, seed, tolerance=1e-3)
        right += int((model.predict(features[test]) == labels[test]).sum())
    return right / len(labels)
