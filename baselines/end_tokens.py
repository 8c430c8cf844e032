"""The tokens at which a model's answers end, as its files name them."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def end_ids(module: "torch.nn.Module") -> list[int]:
    """Return the end-of-sequence ids that generation_config.json and config.json name and the vocabulary holds."""
    return list(dict.fromkeys([*_named(module, getattr(module, "generation_config", None)), *config_end_ids(module)]))


def config_end_ids(module: "torch.nn.Module") -> list[int]:
    """Return those that config.json names."""
    from baselines.forward import unwrapped

    return _named(module, unwrapped(module).config.get_text_config())


def _named(module: "torch.nn.Module", config: object) -> list[int]:
    from baselines.forward import unwrapped

    known = unwrapped(module).get_input_embeddings().weight.shape[0]
    value = getattr(config, "eos_token_id", None)
    ids = value if isinstance(value, list) else [value]
    return [index for index in ids if isinstance(index, int) and index < known]
