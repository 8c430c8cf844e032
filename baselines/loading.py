"""From a reference - ``builtin``, a folder, a hub name - to a model that can be asked or trained.

No code from a model's repository is run, and weights are read from safetensors only.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from baselines.adapter import attach_adapter, check_adapter, check_base
from baselines.device import is_out_of_memory, pick_device, pick_dtype, quiet_transformers
from baselines.hub import fetch_model
from baselines.local_model import LocalModel
from baselines.model_folder import check_model_folder, first_line
from baselines.quantised import four_bits, guard_quantised, prepare_quantised, quiet_bitsandbytes
from baselines.tuned_card import read_card
from evals.errors import MissingModelError, ModelError

if TYPE_CHECKING:
    import torch
    from transformers import BitsAndBytesConfig, PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

BUILTIN = Path(__file__).parent / "builtin"
"""The folder of the model that comes with the repository."""


@dataclass(frozen=True)
class LoadedModule:
    """A transformers module with its tokenizer; ``folder`` is where the files lie."""

    module: "PreTrainedModel"
    tokenizer: "PreTrainedTokenizerBase"
    ref: str
    folder: Path | None


def find_folder(ref: str) -> Path:
    """Return the folder that ``ref`` stands for, downloading from the hub if need be.

    What exists is a folder; what looks like a path (starts with ``.``, ``/`` or ``~``, or has more
    than one slash) must exist; anything else is a hub name. Raises ``ModelError``.
    """
    if ref == "builtin":
        if not (BUILTIN / "config.json").is_file():
            raise ModelError(f"the built-in model isn't in {BUILTIN}; make it with `python -m finetune.builtin`")
        return BUILTIN
    path = Path(ref).expanduser()
    if ref.strip() and path.is_dir():
        return path
    if path.is_file():
        raise MissingModelError(f"{ref} is a file; give the folder that the model was saved to")
    if not ref.strip() or ref.startswith((".", "/", "~")) or ref.count("/") > 1 or "\\" in ref:
        problem = f"the model folder {ref!r} doesn't exist; give a folder, a hub name (owner/name) or `builtin`"
        raise MissingModelError(problem)
    return fetch_model(ref)


def load_module(
    ref: str,
    *,
    device: str | None = None,
    dtype: "torch.dtype | None" = None,
    quantization_config: "BitsAndBytesConfig | None" = None,
) -> LoadedModule:
    """Load a causal language model and its tokenizer, in eval mode.

    ``device`` and ``dtype`` are chosen by the machine when not given (see ``baselines.device``).
    Raises ``ModelError`` with the cause and what to do about it.
    """
    quiet_transformers()
    folder = find_folder(ref)
    check_model_folder(folder)
    device = device or pick_device()
    config = _load_config(folder)
    tokenizer = _load_tokenizer(folder)
    dtype = dtype or pick_dtype(device, sum(file.stat().st_size for file in folder.glob("*.safetensors")))
    module = _load_weights(folder, config, device, dtype, quantization_config)
    return LoadedModule(module, tokenizer, ref, folder)


def load_base(ref: str, *, quantised: bool) -> LoadedModule:
    """Load a base for an adapter, in 4 bits if ``quantised``, guarded before its first forward pass.

    Raises ``ModelError`` when it can't be loaded, ``ArmError`` when it can't be put in 4 bits.
    """
    quiet_bitsandbytes()
    if not quantised:
        loaded = load_module(ref)
        guard_quantised(loaded.module)  # a base may have been published in 4 bits
        return loaded
    loaded = load_module(ref, quantization_config=four_bits(pick_device()))
    prepare_quantised(loaded.module)
    return loaded


def load_model(
    ref: str, *, adapter: Path | None = None, name: str | None = None, base_fingerprint: str | None = None
) -> LocalModel:
    """Load a model, with a PEFT adapter on top if one is given, ready to be asked.

    An adapter that our own training saved is checked against the base's fingerprint (``base_fingerprint``,
    where it's known already), and gets the 4-bit base it was trained on. The model is called ``name``,
    else by what it's made of. Raises ``ModelError`` with the cause and what to do about it.
    """
    if adapter is None:
        loaded = load_module(ref)
        return LocalModel(loaded.module, loaded.tokenizer, name=name or ref, folder=loaded.folder)
    from baselines.fingerprint import fingerprint

    check_adapter(adapter)
    card = read_card(adapter)
    if card is not None and base_fingerprint is not None:
        check_base(card, adapter, base_fingerprint, ref)
    loaded = load_base(ref, quantised=card is not None and card.quantised)
    module, tokenizer, folder = loaded.module, loaded.tokenizer, loaded.folder
    if card is not None and base_fingerprint is None:
        check_base(card, adapter, fingerprint(module, tokenizer, folder=folder, base=True), ref)
    called = name or f"{ref} + {adapter.name}"
    return LocalModel(attach_adapter(module, adapter), tokenizer, name=called, folder=folder, adapter=adapter)


def _load_config(folder: Path) -> "PreTrainedConfig":
    from transformers import AutoConfig
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
        MODEL_FOR_MASKED_LM_MAPPING_NAMES,
    )

    try:
        config = AutoConfig.from_pretrained(str(folder), trust_remote_code=False, local_files_only=True)
    except Exception as error:  # transformers raises what its configs' validators raise
        if "trust_remote_code" in str(error):
            problem = f"{folder} needs code from its own repository, which isn't run here; give a model that doesn't"
        else:
            problem = f"{folder / 'config.json'} can't be used: {first_line(error)}"
        raise ModelError(problem) from error
    masked = config.model_type in MODEL_FOR_MASKED_LM_MAPPING_NAMES and not getattr(config, "is_decoder", True)
    if masked or config.model_type not in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES:
        raise ModelError(f"{folder} isn't a causal language model (its type is {config.model_type}); give one that is")
    return config


def _load_tokenizer(folder: Path) -> "PreTrainedTokenizerBase":
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(str(folder), trust_remote_code=False, local_files_only=True)
    except Exception as error:  # each tokenizer class raises its own
        raise ModelError(
            f"the tokenizer in {folder} can't be loaded ({first_line(error)}); copy or download it again"
        ) from error


def _load_weights(
    folder: Path,
    config: "PreTrainedConfig",
    device: str,
    dtype: "torch.dtype",
    quantization_config: "BitsAndBytesConfig | None",
) -> "PreTrainedModel":
    from transformers import AutoModelForCausalLM

    direct = device != "cpu" or quantization_config is not None
    try:
        module, info = AutoModelForCausalLM.from_pretrained(
            str(folder),
            config=config,
            dtype=dtype,
            device_map={"": device} if direct else None,
            quantization_config=quantization_config,
            trust_remote_code=False,
            use_safetensors=True,
            local_files_only=True,
            ignore_mismatched_sizes=True,  # told below, by name
            output_loading_info=True,
        )
    except Exception as error:  # torch, transformers and bitsandbytes each raise their own
        why = f"it doesn't fit into {device}'s memory" if is_out_of_memory(error) else first_line(error)
        raise ModelError(f"the weights in {folder} can't be loaded: {why}") from error
    for kind, what in (("mismatched_keys", "have another shape for"), ("missing_keys", "lack")):
        if info[kind]:
            first = min(str(key[0]) if isinstance(key, tuple) else str(key) for key in info[kind])
            raise ModelError(
                f"the weights in {folder} {what} {first}, which its config.json asks for; "
                "they aren't those of a whole causal language model"
            )
    return module.eval()
