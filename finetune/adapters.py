"""LoRA adapters on a model in 4 bits or in full: attach, save, load, and keep bitsandbytes' gradients right.

QLoRA (Dettmers et al. 2023, arXiv 2305.14314) keeps the base in NF4 with double quantisation and trains
LoRA matrices (Hu et al. 2021, arXiv 2106.09685) on every linear layer but the output head.

``guard_quantised`` must run right after loading: on CPUs with AVX512-BF16, bitsandbytes repacks a
``Linear4bit`` at its first forward pass in eval mode, and a repacked layer lets no gradient through to
the layers before it, so that training after any evaluation would go on with wrong gradients, silently.
"""

import logging
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from baselines.adapter import WEIGHTS, attach_adapter, four_bits, read_adapter_card
from baselines.device import pick_device
from baselines.loading import LoadedModule, load_module
from baselines.local_model import LocalModel
from evals.errors import ArmError
from evals.task_file import Tune
from finetune.checkpoint import TunedCard, fresh_partial, publish

if TYPE_CHECKING:
    import torch
    from peft import PeftModel


def quiet_bitsandbytes() -> None:
    """Keep bitsandbytes' import from advising a package that would download kernels at every import."""
    logging.getLogger("bitsandbytes.backends.cpu.ops").setLevel(logging.ERROR)


def guard_quantised(module: "torch.nn.Module") -> int:
    """Forbid every ``Linear4bit`` to repack itself, before the first forward pass; return how many there are."""
    quiet_bitsandbytes()
    from bitsandbytes.nn import Linear4bit

    layers = [layer for layer in module.modules() if isinstance(layer, Linear4bit)]
    for layer in layers:
        layer.support_avx512bf16_for_cpu = False
    return len(layers)


def prepare_quantised(module: "torch.nn.Module") -> "torch.nn.Module":
    """Freeze a 4-bit module, lift what isn't 4-bit to fp32, and guard it.

    A saved adapter is put back onto a module prepared likewise, so that it's judged as it was trained.
    Raises ``ArmError`` when no layer is in 4 bits.
    """
    quiet_bitsandbytes()
    from peft import prepare_model_for_kbit_training

    if guard_quantised(module) == 0:
        raise ArmError("no layer of this model could be put in 4 bits; train the arm `lora` instead of `qlora`")
    prepared: torch.nn.Module = prepare_model_for_kbit_training(module, use_gradient_checkpointing=False)
    return prepared


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
    partial = fresh_partial(folder)
    # "auto" would ask the hub whether the base's vocabulary changed; the embeddings aren't trained here
    model.save_pretrained(str(partial), save_embedding_layers=False)
    (partial / "README.md").unlink(missing_ok=True)  # PEFT's form of a model card, not filled in
    publish(partial, folder, card)
    return (folder / WEIGHTS).stat().st_size / 1e6


def adapted_model(loaded: LoadedModule, folder: Path, name: str) -> LocalModel:
    """Return the engine over ``loaded`` with the adapter in ``folder``.

    Raises ``ModelError`` when the folder holds no adapter in safetensors, or one for another model.
    """
    quiet_bitsandbytes()
    read_adapter_card(folder)
    module = attach_adapter(loaded.module, folder)
    return LocalModel(module, loaded.tokenizer, name=name, folder=loaded.folder, adapter=folder)


def _transposed(module: "torch.nn.Module") -> bool:
    """Tell whether linear layers keep their weight as (in, out), as GPT-2's unquantised ones do."""
    from transformers.pytorch_utils import Conv1D

    return any(isinstance(layer, Conv1D) for layer in module.modules())


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return text if len(text) <= 300 else text[:297] + "…"
