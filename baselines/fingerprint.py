"""Which model gave an answer: one digest over weights, adapter, tokenizer, template, end tokens and rendering.

Folder names, library versions and number formats leave it as it is, so the same model has the same
fingerprint in another place and another process; whatever would change what is computed changes it.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from baselines.encoding import RENDERING_VERSION
from baselines.end_tokens import config_end_ids, end_ids

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerBase

CHUNK = 2**24
"""Bytes hashed at a time."""

PASSING = frozenset(
    {"_name_or_path", "name_or_path", "base_model_name_or_path", "dtype", "torch_dtype", "transformers_version"}
    | {"peft_version", "inference_mode", "use_cache", "revision", "_attn_implementation_autoset"}
)
"""Settings of a model's or adapter's config that don't change what the model is."""


def fingerprint(
    module: "torch.nn.Module",
    tokenizer: "PreTrainedTokenizerBase",
    *,
    folder: Path | None = None,
    adapter: Path | None = None,
    base: bool = False,
) -> str:
    """Return the SHA-256 hex digest of a model.

    Weights and config are read off the files in ``folder`` where that's given (in parallel), else off
    the module in memory, adapter included. End tokens that generation_config.json adds are the module's.
    ``adapter`` is the folder of a PEFT adapter on top of ``folder``. ``base`` asks for the digest of the
    files alone, whether or not they were quantised on loading. Raises ``OSError`` when a file can't be read.
    """
    from baselines.forward import unwrapped

    config = unwrapped(module).config.to_dict()
    parts = {"rendering": str(RENDERING_VERSION), "tokenizer": tokenizer_digest(tokenizer)}
    if (ends := end_ids(module)) != config_end_ids(module):  # else the config below tells them
        parts["ends"] = _settings_digest({"ids": ends})
    if folder is None:
        adapters = getattr(module, "peft_config", None)
        if isinstance(adapters, dict):
            parts["adapters"] = _settings_digest({name: each.to_dict() for name, each in adapters.items()})
        parts |= {"config": _settings_digest(config), "weights": _weights_digest(module)}
        return _settings_digest(parts)
    saved = json.loads((folder / "config.json").read_text("utf-8"))
    parts |= {"config": _settings_digest(saved), "weights": files_digest(sorted(folder.glob("*.safetensors")))}
    if not base and "quantization_config" in config and "quantization_config" not in saved:
        parts["quantised"] = _settings_digest({"how": config["quantization_config"]})
    if adapter is not None:
        settings = json.loads((adapter / "adapter_config.json").read_text("utf-8"))
        parts["adapter"] = files_digest(sorted(adapter.glob("*.safetensors")))
        parts["adapter_config"] = _settings_digest(settings)
    return _settings_digest(parts)


def tokenizer_digest(tokenizer: "PreTrainedTokenizerBase") -> str:
    """Return the SHA-256 hex digest of all that decides how text becomes tokens: vocabulary, rules, template."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is not None:
        rules = json.loads(backend.to_str())
        # What the last call asked for, not what the tokenizer is.
        rules.pop("padding", None)
        rules.pop("truncation", None)
    else:
        rules = {"class": type(tokenizer).__name__, "vocabulary": tokenizer.get_vocab()}
    special = {name: str(token) for name, token in tokenizer.special_tokens_map.items()}
    return _settings_digest({"rules": rules, "special": special, "template": tokenizer.chat_template})


def files_digest(files: Iterable[Path]) -> str:
    """Return one SHA-256 hex digest of the files' contents, in order; their names and places don't count."""
    with ThreadPoolExecutor(4) as pool:
        return _digest("\n".join(pool.map(_file_digest, files)).encode())


def _file_digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _weights_digest(module: "torch.nn.Module") -> str:
    """Hash every weight and buffer: name, shape, format and bytes."""
    import torch

    digest = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()):
        if not isinstance(tensor, torch.Tensor):
            digest.update(f"{name} {tensor!r}\n".encode())
            continue
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}\n".encode())
        flat = tensor.detach().contiguous().reshape(-1).view(torch.uint8)
        for start in range(0, flat.numel(), CHUNK):
            digest.update(flat[start : start + CHUNK].cpu().numpy().tobytes())
    return digest.hexdigest()


def _settings_digest(settings: Mapping[str, object]) -> str:
    return _digest(json.dumps(_lasting(settings), sort_keys=True, default=str).encode())


def _lasting(value: object) -> object:
    """Return ``value`` without passing settings and in an order that every process has."""
    if isinstance(value, Mapping):
        return {str(key): _lasting(item) for key, item in value.items() if key not in PASSING}
    if isinstance(value, set | frozenset):
        return sorted(map(str, value))
    if isinstance(value, list | tuple):
        return [_lasting(item) for item in value]
    return value


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
