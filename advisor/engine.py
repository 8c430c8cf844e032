"""The model, the embedder and the user's adapter of a run: loaded or checked when first asked for."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

from evals.cache_folder import CachePlace
from evals.errors import UsageError
from evals.model_ref import Endpoint
from evals.prices import load_prices
from evals.protocols import Embedder, LanguageModel
from evals.record import ModelRecord
from evals.spending import Meter


def lazy_model(
    ref: str | Endpoint, meter: Meter | None = None, alias: str | None = None, *, kept: CachePlace | None = None
) -> Callable[[], LanguageModel]:
    """Return a function that loads the model ``ref`` once, or opens it where it's an endpoint.

    What an endpoint takes is counted by ``meter``, under what ``models:`` calls it. With ``kept`` the answers of a
    model on this machine, and of the models tuned from it, are kept there between runs; not those of an endpoint,
    whose weights may change under the same name. It raises ``ModelError`` when it can't be had.
    """

    @cache
    def model() -> LanguageModel:
        if not isinstance(ref, Endpoint):
            from baselines.loading import load_model

            if kept is None:
                return load_model(ref)
            from baselines.cached_model import CachedModel
            from evals.response_cache import ResponseCache

            return CachedModel(load_model(ref), ResponseCache(kept.answers, kept.half), run=kept.run)
        from baselines.endpoint_client import EndpointClient, read_key
        from baselines.endpoint_model import EndpointModel

        client = EndpointClient(ref, read_key(ref))
        return EndpointModel(ref, client, meter or Meter(load_prices()), alias=alias)

    return model


def lazy_embedder(ref: str, kept: CachePlace | None = None) -> Callable[[], Embedder]:
    """Return a function that loads the embedder ``ref``; each call gives a fresh one, since arms fit it.

    With ``kept`` its vectors of passages are kept there between runs. It raises ``ModelError`` when it can't.
    """

    def embedder() -> Embedder:
        from baselines.embedding import BUILTIN, load_embedder

        loaded = load_embedder(ref)
        if kept is None or ref == BUILTIN:  # fitting the built-in one is what takes its time
            return loaded
        from baselines.cached_embedder import CachedEmbedder
        from evals.vector_cache import VectorCache

        return CachedEmbedder(loaded, VectorCache(kept.vectors, kept.half))

    return embedder


def adapter_record(folder: Path, model: Callable[[], LanguageModel]) -> ModelRecord:
    """Return the place and the fingerprint of the adapter in ``folder``.

    Raises ``UsageError`` when there is no such folder, ``ModelError`` when it holds no adapter, or one that
    says it was trained on another model.
    """
    from baselines.adapter import WEIGHTS, check_adapter, check_base
    from baselines.fingerprint import files_digest
    from baselines.tuned_card import read_card

    if not folder.is_dir():
        raise UsageError(f"--adapter {folder}: there is no such folder")
    check_adapter(folder)
    if (card := read_card(folder)) is not None:
        check_base(card, folder, model().fingerprint, model().name)
    return ModelRecord(str(folder), files_digest([folder / "adapter_config.json", folder / WEIGHTS]))
