"""Embedders from the sentence-transformers library, by hub name or local folder.

Retrieval models are trained with a word before the text that says which side of the search it's on;
without it they lose accuracy, so a model's own prompts are used, else those that its card documents
(e5: arXiv 2212.03533; bge: arXiv 2309.07597).
"""

import hashlib
import json
import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from baselines.device import is_out_of_memory
from evals.errors import MissingModelError, ModelError
from evals.protocols import FloatMatrix

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from transformers import PreTrainedTokenizerBase

BATCH = 64
PROBE_SECONDS = 5.0
MEND = "set `embedder: builtin`, or give the folder of a downloaded sentence-transformers model"

_E5_INSTRUCT = "Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery: "
_BGE_EN = "Represent this sentence for searching relevant passages: "
_BGE_ZH = "为这个句子生成表示以用于检索相关文章："


@dataclass(frozen=True)
class Prefixes:
    """What is put before a query and before a passage."""

    query: str = ""
    passage: str = ""


BY_NAME: tuple[tuple[str, Prefixes], ...] = (
    (r"(^|[-_])e5-.*instruct", Prefixes(query=_E5_INSTRUCT)),
    (r"(^|[-_])e5-", Prefixes(query="query: ", passage="passage: ")),
    (r"(^|[-_])bge-(small|base|large)-en", Prefixes(query=_BGE_EN)),
    (r"(^|[-_])bge-(small|base|large)-zh", Prefixes(query=_BGE_ZH)),
)
"""Documented prefixes of models that don't carry them in their configuration; the first pattern that fits counts."""


def prefixes_for(names: Sequence[str], prompts: Mapping[str, str | None]) -> Prefixes:
    """Return the model's own ``prompts`` where it has any, else those documented for a model of one of ``names``.

    Of a name or path only the last part counts: ``intfloat/e5-base-v2`` is ``e5-base-v2``.
    """
    query = prompts.get("query") or ""
    passage = next((text for key in ("document", "passage", "corpus") if (text := prompts.get(key))), "")
    if query or passage:
        return Prefixes(query, passage)
    last = [name.rstrip("/").rpartition("/")[2].lower() for name in names]
    return next((found for pattern, found in BY_NAME if any(re.search(pattern, name) for name in last)), Prefixes())


class SentenceEmbedder:
    """A sentence-transformers model as the house's ``Embedder``."""

    def __init__(self, model: "SentenceTransformer", name: str, prefixes: Prefixes) -> None:
        self._model = model
        self.name = name
        self.prefixes = prefixes

    @cached_property
    def fingerprint(self) -> str:
        """Hex digest over weights, tokenizer, modules, longest input and prefixes; not over the folder's path."""
        import torch

        digest = hashlib.sha256()
        for key, tensor in sorted(self._model.state_dict().items()):
            digest.update(f"{key} {tensor.dtype} {tuple(tensor.shape)}".encode())
            digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
        settings = (
            _tokenizer_rules(self._model.tokenizer),
            str(self._model),
            self._model.max_seq_length,
            self.prefixes,
        )
        digest.update(repr(settings).encode())
        return digest.hexdigest()

    def fit(self, texts: Sequence[str]) -> None:
        """Do nothing: the model has learnt already."""

    def embed_queries(self, texts: Sequence[str]) -> FloatMatrix:
        """Return unit vectors, float32, of shape (len(texts), width). Raises ``ModelError`` when the model fails."""
        return self._encode(self._model.encode_query, texts, self.prefixes.query)

    def embed_passages(self, texts: Sequence[str]) -> FloatMatrix:
        """Return unit vectors, float32, of shape (len(texts), width). Raises ``ModelError`` when the model fails."""
        return self._encode(self._model.encode_document, texts, self.prefixes.passage)

    def _encode(self, encode: Callable[..., Any], texts: Sequence[str], prefix: str) -> FloatMatrix:
        # The library sorts a call's texts by length itself, so a batch holds texts of like length.
        if not texts:
            return self._encode(encode, [""], prefix)[:0]
        size, vectors = BATCH, None
        while vectors is None:
            try:
                vectors = encode(
                    list(texts), prompt=prefix, batch_size=size, normalize_embeddings=True, show_progress_bar=False
                )
            except (RuntimeError, ValueError, IndexError, MemoryError) as error:
                if size == 1 or not is_out_of_memory(error):
                    raise ModelError(f"embedder {self.name!r} failed: {_one_line(error)}; {MEND}") from error
                size //= 2
        matrix: FloatMatrix = np.asarray(vectors, dtype=np.float32)
        if not np.isfinite(matrix).all():
            raise ModelError(f"embedder {self.name!r} gave vectors that aren't finite; {MEND}")
        return matrix


def load_sentence_embedder(ref: str) -> SentenceEmbedder:
    """Load the embedder ``ref``: a folder that exists, or a hub name (from the local cache when it's there).

    Only safetensors weights are read and no code of the repository is run. Raises ``ModelError`` when
    it isn't there, can't be loaded, or the hub can't be reached (found out within seconds).
    """
    folder = Path(ref).expanduser()
    if folder.exists():
        if not (folder / "config.json").is_file() and not (folder / "modules.json").is_file():
            raise ModelError(f"embedder {ref!r} is no model folder: it has no config.json or modules.json; {MEND}")
        stamp = max((file.stat().st_mtime_ns for file in folder.rglob("*") if file.is_file()), default=0)
        return _load(str(folder.resolve()), ref, stamp)
    if ref.startswith((".", "/", "~")) or ref.count("/") > 1:
        raise MissingModelError(f"embedder {ref!r}: there is no such folder; {MEND}")
    return _load(ref, ref, 0)


@lru_cache(maxsize=1)
def _load(source: str, name: str, stamp: int) -> SentenceEmbedder:
    """Load ``source`` once per process: arms ask for an embedder each, and this one has nothing to fit."""
    local = Path(source).is_absolute()
    with _quiet():
        try:
            model = _open(source, local_only=True)
        except Exception as error:
            if local:
                raise ModelError(f"embedder {name!r} can't be loaded: {_one_line(error)}; {MEND}") from error
            model = _download(source, name)
    configured = getattr(getattr(model[0], "config", None), "_name_or_path", "") or ""
    return SentenceEmbedder(model, name, prefixes_for((name, configured), model.prompts))


def _open(source: str, *, local_only: bool) -> "SentenceTransformer":
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(
        source, trust_remote_code=False, local_files_only=local_only, model_kwargs={"use_safetensors": True}
    )


def _download(source: str, name: str) -> "SentenceTransformer":
    """Load from the hub, after a short probe: without one, an unreachable hub is retried for minutes."""
    import huggingface_hub
    from huggingface_hub import constants

    try:
        if constants.HF_HUB_OFFLINE:
            raise ConnectionError("HF_HUB_OFFLINE is set")
        huggingface_hub.get_session().head(constants.ENDPOINT, timeout=PROBE_SECONDS)
    except Exception as error:
        raise ModelError(f"embedder {name!r}: the hub can't be reached ({_one_line(error)}); {MEND}") from error
    try:
        return _open(source, local_only=False)
    except Exception as error:
        raise ModelError(f"embedder {name!r} can't be loaded: {_one_line(error)}; check the name, or {MEND}") from error


def _tokenizer_rules(tokenizer: "PreTrainedTokenizerBase") -> str:
    backend = getattr(tokenizer, "backend_tokenizer", tokenizer)
    if not hasattr(backend, "to_str"):
        return json.dumps(tokenizer.get_vocab(), sort_keys=True)
    # Padding and truncation are what the last call asked for, not what the tokenizer is.
    rules = {key: value for key, value in json.loads(backend.to_str()).items() if key not in ("padding", "truncation")}
    return json.dumps(rules, sort_keys=True)


@contextmanager
def _quiet() -> Iterator[None]:
    """Hide transformers' loading bar, and put it back as it was; and keep bitsandbytes' advice to itself."""
    from transformers.utils import logging as transformers_logging

    # The library imports bitsandbytes where it finds it, which then advises a package that nothing here needs.
    logging.getLogger("bitsandbytes.backends.cpu.ops").setLevel(logging.ERROR)
    shown = transformers_logging.is_progress_bar_enabled()
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            transformers_logging.enable_progress_bar()


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 200 else f"{text[:199]}…"
