"""Llama shapes with random weights, made on the spot: speed depends on the shape, not on what the weights know."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from transformers import LlamaForCausalLM, PreTrainedTokenizerBase

SEED = 0


@dataclass(frozen=True)
class Shape:
    """The sizes of a Llama-like model; ``key_value`` counts the heads of keys and values."""

    vocabulary: int
    hidden: int
    intermediate: int
    layers: int
    heads: int
    key_value: int
    tied: bool


SHAPES = {
    "tiny": Shape(8192, 64, 128, 2, 4, 2, tied=True),
    "15M": Shape(8192, 256, 704, 12, 8, 4, tied=True),
    "135M": Shape(49152, 576, 1536, 30, 9, 3, tied=True),
    "1.1B": Shape(32000, 2048, 5632, 22, 32, 4, tied=False),
    "7B": Shape(32000, 4096, 11008, 32, 32, 32, tied=False),
}


def new_module(shape: Shape, device: str, dtype: "torch.dtype", context: int = 2048) -> "LlamaForCausalLM":
    """Return a causal LM of ``shape`` with weights drawn on ``device`` from a fixed seed, in eval mode."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=shape.vocabulary,
        hidden_size=shape.hidden,
        intermediate_size=shape.intermediate,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.key_value,
        max_position_embeddings=context,
        tie_word_embeddings=shape.tied,
        bos_token_id=None,
        eos_token_id=0,
        pad_token_id=1,
    )
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with torch.random.fork_rng(), torch.device(device):
            torch.manual_seed(SEED)
            module = LlamaForCausalLM(config)
    finally:
        torch.set_default_dtype(before)
    return module.requires_grad_(False).eval()


def in_four_bits(module: "LlamaForCausalLM", compute: "torch.dtype") -> "LlamaForCausalLM":
    """Put every linear layer but the head in NF4 with double quantisation, in place, as loading in 4 bits does."""
    import torch
    from bitsandbytes.nn import Linear4bit, Params4bit

    for owner in list(module.modules()):
        for name, layer in list(owner.named_children()):
            if type(layer) is not torch.nn.Linear or name == "lm_head":
                continue
            device = layer.weight.device
            with torch.device("meta"):
                small = Linear4bit(
                    layer.in_features,
                    layer.out_features,
                    bias=False,
                    compute_dtype=compute,
                    compress_statistics=True,
                    quant_type="nf4",
                )
            weight = layer.weight.data
            layer.weight = None
            small.weight = Params4bit(
                weight.cpu() if device.type == "cpu" else weight,
                requires_grad=False,
                compress_statistics=True,
                quant_type="nf4",
                module=small,
            ).to(device)
            setattr(owner, name, small)
    module.is_loaded_in_4bit = True
    return module


def builtin_tokenizer() -> "PreTrainedTokenizerBase":
    """Return the built-in model's tokenizer: byte-level, so that every text has ids below any of the vocabularies."""
    from pathlib import Path

    from transformers import AutoTokenizer

    import baselines

    return AutoTokenizer.from_pretrained(str(Path(baselines.__file__).parent / "builtin"), local_files_only=True)
