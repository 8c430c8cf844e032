"""What a folder must hold to be loaded as a causal language model; what's wrong is told before loading starts."""

import json
from pathlib import Path

from evals.errors import ModelError

TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt", "spiece.model", "tekken.json")
"""A folder with none of these has no tokenizer."""

CAUSAL_ENDINGS = ("ForCausalLM", "LMHeadModel", "ForConditionalGeneration", "Model")
"""How the names of architectures with a language-model head end; a bare ``…Model`` is told by its weights."""

PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt")


def check_model_folder(folder: Path) -> None:
    """Raise ``ModelError`` for the first thing that keeps ``folder`` from being loaded."""
    config = _read_config(folder)
    named = config.get("architectures")
    architectures = [str(name) for name in named] if isinstance(named, list) else []
    encodes = config.get("is_encoder_decoder")
    if encodes or (architectures and not any(name.endswith(CAUSAL_ENDINGS) for name in architectures)):
        kind = architectures[0] if architectures else "an encoder-decoder"
        raise ModelError(f"{folder} isn't a causal language model (its architecture is {kind}); give one that is")
    check_weights(folder)
    if not any((folder / name).is_file() for name in TOKENIZER_FILES):
        raise ModelError(f"{folder} holds no tokenizer ({', '.join(TOKENIZER_FILES[:3])}, …); save it beside the model")


def check_weights(folder: Path) -> None:
    """Raise ``ModelError`` unless ``folder`` holds whole safetensors files and no shard is missing."""
    from safetensors import SafetensorError, safe_open

    files = sorted(folder.glob("*.safetensors"))
    for index in folder.glob("*.safetensors.index.json"):
        try:
            shards = set(json.loads(index.read_text("utf-8"))["weight_map"].values())
        except (OSError, ValueError, KeyError, AttributeError) as error:
            raise ModelError(f"{index} can't be read ({first_line(error)}); copy or download it again") from error
        missing = sorted(shards - {file.name for file in files})
        if missing:
            raise ModelError(f"{folder} lacks {len(missing)} of {len(shards)} weight files, such as {missing[0]}")
    if not files:
        if any(next(folder.glob(pattern), None) for pattern in PICKLES):
            raise ModelError(
                f"{folder} holds pickled weights only, which can run code when read; "
                "load them where you trust them and save them again as safetensors (save_pretrained does)"
            )
        raise ModelError(f"{folder} holds no weights (*.safetensors)")
    for file in files:
        try:
            with safe_open(file, framework="numpy") as weights:
                weights.keys()
        except (SafetensorError, OSError) as error:
            problem = f"{file} is damaged or cut short ({first_line(error)}); copy or download it again"
            raise ModelError(problem) from error


def _read_config(folder: Path) -> dict[str, object]:
    path = folder / "config.json"
    if not path.is_file():
        if (folder / "adapter_config.json").is_file():
            raise ModelError(f"{folder} is a PEFT adapter, not a model; give its base as the model and it as --adapter")
        raise ModelError(f"{folder} holds no config.json; give the folder that a model was saved to")
    try:
        config = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} can't be read ({first_line(error)}); copy or download it again") from error
    if not isinstance(config, dict):
        raise ModelError(f"{path} isn't a JSON object; copy or download it again")
    return config


def first_line(error: BaseException) -> str:
    """Return the first line of what a library says, or the error's kind when it says nothing."""
    return str(error).strip().partition("\n")[0] or type(error).__name__
