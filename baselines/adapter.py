"""A PEFT adapter put onto its base: safetensors only, complete, and of that very base."""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from baselines.model_folder import check_weights
from baselines.quantised import quiet_bitsandbytes
from baselines.tuned_card import TunedCard
from evals.errors import MissingModelError, ModelError

if TYPE_CHECKING:
    import torch

WEIGHTS = "adapter_model.safetensors"


def check_adapter(folder: Path) -> None:
    """Raise ``ModelError`` unless ``folder`` holds the whole files of a PEFT adapter in safetensors."""
    if not folder.exists():
        raise MissingModelError(f"the adapter's folder {folder} doesn't exist; give the folder that it was saved to")
    if not (folder / "adapter_config.json").is_file():
        raise ModelError(f"{folder} holds no PEFT adapter (no adapter_config.json)")
    if not (folder / WEIGHTS).is_file():
        raise ModelError(f"{folder} holds no {WEIGHTS}; save the adapter as safetensors (PEFT does so by default)")
    check_weights(folder)


def check_base(card: TunedCard, folder: Path, found: str, name: str) -> None:
    """Raise ``ModelError`` when the base called ``name``, with the fingerprint ``found``, isn't the card's."""
    if card.base_fingerprint == found:
        return
    then, now = card.base_fingerprint[:12], found[:12]
    if card.base == name:
        raise ModelError(
            f"{name} has changed since the adapter in {folder} was trained on it (fingerprint {then} then, {now} now): "
            "train the adapter again, or give the model as it was"
        )
    raise ModelError(
        f"the adapter in {folder} was trained on {card.base} (fingerprint {then}), not on {name} ({now}): "
        f"give --model {card.base}"
    )


def attach_adapter(module: "torch.nn.Module", folder: Path) -> "torch.nn.Module":
    """Return ``module`` with the adapter in ``folder`` on top, frozen.

    Raises ``ModelError`` when the folder holds no adapter in safetensors, or one for other shapes or layers.
    """
    check_adapter(folder)
    quiet_bitsandbytes()
    from peft import PeftModel, get_peft_model_state_dict
    from safetensors import safe_open

    wrong = f"the adapter in {folder} doesn't fit the model"
    try:
        with safe_open(folder / WEIGHTS, framework="numpy") as weights:
            given = set(weights.keys())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about missing weights, which is an error below
            adapted: torch.nn.Module = PeftModel.from_pretrained(module, str(folder), is_trainable=False)
    except Exception as error:  # PEFT, torch and safetensors each raise their own
        why = " ".join(str(error).split())[:200] or type(error).__name__
        raise ModelError(f"{wrong}: {why}") from error
    missing = set(get_peft_model_state_dict(adapted, save_embedding_layers=False)) - given
    if missing:
        raise ModelError(f"{wrong}: it has no weights for {min(missing)}")
    return adapted
