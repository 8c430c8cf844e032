"""Which embedder a task's ``embedder:`` means."""

from baselines.sentence_embedder import load_sentence_embedder
from baselines.tfidf import TfidfEmbedder
from evals.protocols import Embedder

BUILTIN = "builtin"


def load_embedder(ref: str) -> Embedder:
    """Return the embedder ``ref``.

    ``builtin`` is TF-IDF with a truncated SVD, to be fitted on the corpus; anything else is a
    sentence-transformers model by folder or hub name. Raises ``ModelError`` when it can't be loaded.
    """
    return TfidfEmbedder() if ref == BUILTIN else load_sentence_embedder(ref)
