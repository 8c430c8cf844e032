"""Models in 4 bits: how they're quantised, and what keeps bitsandbytes' gradients right.

QLoRA (Dettmers et al. 2023, arXiv 2305.14314) keeps the base in NF4 with double quantisation.

``guard_quantised`` must run right after loading: on CPUs with AVX512-BF16, bitsandbytes repacks a
``Linear4bit`` at its first forward pass in eval mode, and a repacked layer lets no gradient through to
the layers before it, so that training after any evaluation would go on with wrong gradients, silently.
Repacking undoes the double quantisation too, so an adapter is asked on a guarded base as well.
"""

import logging
from typing import TYPE_CHECKING

from evals.errors import ArmError

if TYPE_CHECKING:
    import torch
    from transformers import BitsAndBytesConfig


def quiet_bitsandbytes() -> None:
    """Keep bitsandbytes' import from advising a package that would download kernels at every import."""
    logging.getLogger("bitsandbytes.backends.cpu.ops").setLevel(logging.ERROR)


def four_bits(device: str) -> "BitsAndBytesConfig":
    """Return the settings of a QLoRA base: NF4 with double quantisation."""
    import torch
    from transformers import BitsAndBytesConfig

    from baselines.device import pick_dtype

    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=pick_dtype(device) if device.startswith("cuda") else torch.float32,
    )


def guard_quantised(module: "torch.nn.Module") -> int:
    """Forbid every ``Linear4bit`` to repack itself, before the first forward pass; return how many there are."""
    quiet_bitsandbytes()
    from bitsandbytes.nn import Linear4bit

    layers = [layer for layer in module.modules() if isinstance(layer, Linear4bit)]
    for layer in layers:
        layer.support_avx512bf16_for_cpu = False
    return len(layers)


def prepare_quantised(module: "torch.nn.Module") -> "torch.nn.Module":
    """Freeze a 4-bit module, lift its 16-bit floats to fp32 unless they are bf16 on a GPU, and guard it.

    bf16 norms compute in fp32 all the same, and a stream of fp32 would double what the backward pass keeps.

    A saved adapter is put back onto a module prepared likewise, so that it's judged as it was trained.
    Raises ``ArmError`` when no layer is in 4 bits.
    """
    quiet_bitsandbytes()
    import torch
    from peft import prepare_model_for_kbit_training

    from baselines.device import pick_dtype

    if guard_quantised(module) == 0:
        raise ArmError("no layer of this model could be put in 4 bits; train the arm `lora` instead of `qlora`")
    if next(module.parameters()).device.type == "cuda" and pick_dtype("cuda") == torch.bfloat16:
        return module.requires_grad_(False)
    prepared: torch.nn.Module = prepare_model_for_kbit_training(module, use_gradient_checkpointing=False)
    return prepared
