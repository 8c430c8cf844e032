"""A PEFT adapter put onto its base: safetensors only, complete, and of that very base."""

import json
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from evals.errors import ModelError

if TYPE_CHECKING:
    import torch
    from transformers import BitsAndBytesConfig

WEIGHTS = "adapter_model.safetensors"
CARD = "tuneworthy.json"
"""What our own training leaves beside an adapter; other adapters have none."""


@dataclass(frozen=True)
class AdapterCard:
    """What an adapter says of its base; of an adapter without a card nothing is known."""

    base: str | None = None
    base_fingerprint: str | None = None
    quantised: bool = False


def read_adapter_card(folder: Path) -> AdapterCard:
    """Return the card beside an adapter. Raises ``ModelError`` when the folder holds no adapter to load."""
    if not (folder / "adapter_config.json").is_file():
        raise ModelError(f"{folder} holds no PEFT adapter (no adapter_config.json)")
    if not (folder / WEIGHTS).is_file():
        raise ModelError(f"{folder} holds no {WEIGHTS}; save the adapter as safetensors (PEFT does so by default)")
    path = folder / CARD
    if not path.is_file():
        return AdapterCard()
    try:
        card = json.loads(path.read_text("utf-8"))
        return AdapterCard(card.get("base"), card.get("base_fingerprint"), bool(card.get("quantised")))
    except (OSError, ValueError, AttributeError) as error:
        raise ModelError(f"{path} can't be read ({error}); copy the adapter again") from error


def check_base(card: AdapterCard, folder: Path, fingerprint: Callable[[], str], name: str) -> None:
    """Raise ``ModelError`` when the card names another base than the one at hand."""
    if card.base_fingerprint is not None and card.base_fingerprint != (found := fingerprint()):
        raise ModelError(
            f"the adapter in {folder} was trained on {card.base} (fingerprint {card.base_fingerprint[:12]}), "
            f"and {name} is another model ({found[:12]}); give its own base as the model"
        )


def attach_adapter(module: "torch.nn.Module", folder: Path) -> "torch.nn.Module":
    """Return ``module`` with the adapter in ``folder`` on top, frozen.

    Raises ``ModelError`` when the adapter was made for a model of other shapes or layers.
    """
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


def four_bits(device: str) -> "BitsAndBytesConfig":
    """Return the settings of a QLoRA base: NF4 with double quantisation (arXiv 2305.14314)."""
    import torch
    from transformers import BitsAndBytesConfig

    from baselines.device import pick_dtype

    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=pick_dtype(device) if device.startswith("cuda") else torch.float32,
    )
