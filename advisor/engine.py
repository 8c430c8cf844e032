"""The model and the embedder of a run, loaded when first asked for and then shared by all arms."""

from collections.abc import Callable
from functools import cache

from evals.protocols import Embedder, LanguageModel


def lazy_model(ref: str) -> Callable[[], LanguageModel]:
    """Return a function that loads the model ``ref`` once. It raises ``ModelError`` when it can't."""

    @cache
    def model() -> LanguageModel:
        from baselines.loading import load_model

        return load_model(ref)

    return model


def lazy_embedder(ref: str) -> Callable[[], Embedder]:
    """Return a function that loads the embedder ``ref``; each call gives a fresh one, since arms fit it.

    It raises ``ModelError`` when it can't.
    """

    def embedder() -> Embedder:
        from baselines.embedding import load_embedder

        return load_embedder(ref)

    return embedder
