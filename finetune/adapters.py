"""LoRA adapters for training: fresh matrices on a base, and the folder they're saved to.

LoRA matrices (Hu et al. 2021, arXiv 2106.09685) go on every linear layer but the output head.
"""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from baselines.adapter import WEIGHTS
from baselines.quantised import quiet_bitsandbytes
from baselines.tuned_card import TunedCard
from evals.errors import ArmError
from evals.task_file import Tune
from finetune.checkpoint import publishing

if TYPE_CHECKING:
    import torch
    from peft import PeftModel


def add_lora(module: "torch.nn.Module", settings: Tune, seed: int) -> "PeftModel":
    """Return ``module`` as a PEFT model with fresh LoRA matrices on all linear layers, drawn from ``seed``.

    ``module`` itself is changed. Raises ``ArmError`` when it has no layer that PEFT can adapt.
    """
    quiet_bitsandbytes()
    import torch
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(
        task_type="CAUSAL_LM",
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=settings.dropout,
        target_modules="all-linear",
        fan_in_fan_out=_transposed(module),
    )
    with torch.random.fork_rng(), warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # PEFT asks transformers by an old name
        torch.manual_seed(seed)
        try:
            return get_peft_model(module, config)
        except ValueError as error:
            raise ArmError(f"PEFT can't put LoRA on this model: {_one_line(error)}") from error


def save_adapter(model: "PeftModel", folder: Path, card: TunedCard) -> float:
    """Write the adapter in PEFT's format with its card and return its size in MB of 10⁶ bytes.

    ``folder`` appears whole or not at all.
    """
    with publishing(folder, card) as partial:
        # "auto" would ask the hub whether the base's vocabulary changed; the embeddings aren't trained here
        model.save_pretrained(str(partial), save_embedding_layers=False)
        (partial / "README.md").unlink(missing_ok=True)  # PEFT's form of a model card, not filled in
    return (folder / WEIGHTS).stat().st_size / 1e6


def _transposed(module: "torch.nn.Module") -> bool:
    """Tell whether linear layers keep their weight as (in, out), as GPT-2's unquantised ones do."""
    from transformers.pytorch_utils import Conv1D

    return any(isinstance(layer, Conv1D) for layer in module.modules())


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return text if len(text) <= 300 else text[:297] + "…"
