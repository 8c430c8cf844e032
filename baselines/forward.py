"""One forward pass of a transformers module, with all that differs between modules settled here."""

import inspect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Literal

import torch
from transformers import DynamicCache, PreTrainedConfig, PreTrainedModel

from baselines.batches import GPU_BUDGET, Budget, cpu_budget, shared_length
from baselines.kv_cache import NO_PREFIX, Prefix, compute_prefix
from baselines.label_tree import LabelTree
from baselines.split_attention import Split, look_back, make_blocks, split_attention
from baselines.stair_attention import STEP, stair_attention

Way = Literal["tree", "cached", "plain"]
"""How labels are scored: as a tree beside the prompt; as rows behind a cached prompt; one full text at a time."""

KNOWN_TO_FIT = frozenset({"gpt2", "llama", "qwen2"})
"""Architectures whose tree scoring the tests compare with the naive computation; others are tried out first."""


class Forward:
    """A causal language model as the scoring and generating loops use it.

    ``way`` is None until ``baselines.choose`` has found out what the architecture allows.
    """

    def __init__(self, module: torch.nn.Module) -> None:
        self.module = module
        base = unwrapped(module)
        self.config = base.config.get_text_config()
        self.device: torch.device = base.device
        self.dtype: torch.dtype = base.dtype
        self.vocabulary: int = base.get_input_embeddings().weight.shape[0]
        self.attention: str | None = getattr(self.config, "_attn_implementation", None)
        on_gpu = self.device.type == "cuda"
        self.budget: Budget = GPU_BUDGET if on_gpu else cpu_budget(_position_bytes(self.config, self.dtype))
        parameters = inspect.signature(type(base).forward).parameters
        self._trims_logits = "logits_to_keep" in parameters
        self.way: Way | None = None
        if "position_ids" not in parameters or "past_key_values" not in parameters or _learns_prompt(module):
            self.way = "plain"
        elif self.config.model_type in KNOWN_TO_FIT and self.tree_masks:
            self.way = "tree"
        self.splits = self.attention == "sdpa" and self.device.type == "cpu"
        """Whether attention may go in parts; like ``way`` it's tried out where the architecture isn't known."""
        self._prefix = NO_PREFIX
        self.serving = False
        """Whether a row that comes alone may use the prefix that an earlier call has left, as a server would."""
        self._prefix_weights = -1

    @property
    def tree_masks(self) -> bool:
        """Whether the attention takes a mask of its own for every query."""
        return self.attention in {"sdpa", "eager"}

    def sees_all(self, length: int) -> bool:
        """Tell whether every layer sees all of a text of ``length`` tokens; windowed and chunked ones may not."""
        sizes = [getattr(self.config, name, None) for name in ("sliding_window", "attention_chunk_size")]
        return all(length <= size for size in sizes if size)

    @contextmanager
    def scoring(self) -> Iterator[None]:
        """Put the module in eval mode without gradients, and back into the mode it was in."""
        training = self.module.training
        base = unwrapped(self.module)
        # A module that is being trained must not get tensors into its buffers that autograd refuses later;
        # bitsandbytes repacks weights in its first forward pass.
        careful = training or getattr(base, "hf_quantizer", None) is not None
        self.module.eval()
        try:
            with torch.no_grad() if careful else torch.inference_mode():
                yield
        finally:
            if training:
                self.module.train()

    def __call__(
        self,
        ids: torch.Tensor,
        mask: torch.Tensor,
        positions: torch.Tensor | None,
        cache: DynamicCache | None,
        keep: int,
        split: Split | None = None,
    ) -> torch.Tensor:
        """Return the logits of the last ``keep`` columns, shape (rows, keep, vocabulary).

        ``ids`` and ``positions`` have shape (rows, columns); without positions the module counts itself.
        ``mask`` is (rows, cached + columns), true where there's a real token, or
        (rows, 1, columns, cached + columns), true where a query may look. ``split`` stands in its place.
        """
        columns, seen = ids.shape[1], mask.shape[-1]
        if mask.dim() == 4:
            # what is added to the scores: SDPA would make it of true and false in every layer anew
            mask = torch.zeros_like(mask, dtype=self.dtype).masked_fill_(~mask, torch.finfo(self.dtype).min)
            stairs = False
        else:
            masked = split is None and self._masks_itself(columns, seen)
            stairs = masked and self.splits and columns > STEP
            if masked and (stairs or seen > columns or not mask.all()):
                mask = look_back(mask, seen - columns, seen, self.dtype)
        arguments: dict[str, object] = {"logits_to_keep": keep} if self._trims_logits else {}
        if cache is not None:
            arguments["past_key_values"] = cache
        if positions is not None:
            arguments["position_ids"] = positions
        own = stair_attention(self.config) if stairs else nullcontext()
        with own if split is None else split_attention(self.config, split):
            logits: torch.Tensor = self.module(
                input_ids=ids, attention_mask=mask, use_cache=cache is not None, **arguments
            ).logits
        return logits[:, -keep:]

    def _masks_itself(self, columns: int, seen: int) -> bool:
        """Tell whether the module takes a mask of ours for ``columns`` queries that look at ``seen`` columns."""
        return self.way == "tree" and self.device.type == "cpu" and columns > 1 and self.sees_all(seen)

    def split(self, shared: int, real: torch.Tensor, tree: LabelTree) -> Split | None:
        """Return how attention goes in parts where ``tree`` stands behind rows, and those behind ``shared`` columns.

        ``real`` (rows, own) says which of the rows' own tokens are no padding. None: it can't, or there is no node.
        """
        if not self.splits or not tree.size:
            return None
        rows, own = real.shape
        mask = look_back(real, 0, own + tree.size, self.dtype)
        return Split(shared, own, mask, make_blocks(tree, rows, self.dtype))

    def share(self, rows: Sequence[list[int]], stranger: Sequence[int], longest: int) -> tuple[Prefix, list[list[int]]]:
        """Return what all ``rows`` begin with, computed, and what's left of each row (at least one token).

        Nothing is shared where texts of ``longest`` tokens outgrow a layer's window: transformers counts
        the padding between prefix and row as distance.
        """
        length = shared_length(rows, stranger, alone=self.serving) if self.sees_all(longest) else 0
        try:
            prefix = self.prefix(rows[0][:length])
        except RuntimeError:
            prefix, length = NO_PREFIX, 0  # the rows' own passes will say what's wrong, each for itself
        return prefix, [row[length:] for row in rows]

    def prefix(self, ids: Sequence[int]) -> Prefix:
        """Return the computed prefix for ``ids``; the last one is kept while the weights stay as they are."""
        wanted = tuple(ids)
        weights = self._weights_version()
        if wanted != self._prefix.ids or weights != self._prefix_weights:
            self._prefix = NO_PREFIX  # let go of the old one before the new one takes memory
            if wanted:
                self._prefix = self.extend(NO_PREFIX, wanted)
            self._prefix_weights = weights
        return self._prefix

    def forget(self) -> None:
        """Drop the kept prefix."""
        self._prefix = NO_PREFIX

    def extend(self, prefix: Prefix, ids: Sequence[int]) -> Prefix:
        """Return ``prefix`` and behind it ``ids``, computed; nothing is kept."""
        begun, whole = len(prefix.ids), (*prefix.ids, *ids)

        def fill(cache: DynamicCache) -> None:
            row = torch.tensor([list(ids)], device=self.device)
            seen = torch.ones((1, len(whole)), dtype=torch.bool, device=self.device)
            positions = torch.arange(begun, len(whole), device=self.device)[None]
            self(row, seen, positions, cache, keep=1)

        return compute_prefix(whole, fill, prefix)

    def _weights_version(self) -> int:
        """Return a number that changes whenever an optimiser writes to the weights."""
        return sum(weight._version for weight in self.module.parameters() if not weight.is_inference())


def unwrapped(module: torch.nn.Module) -> PreTrainedModel:
    """Return the transformers module inside a PEFT one, or the module itself."""
    inner = getattr(module, "get_base_model", None)
    return inner() if inner is not None else module


def _position_bytes(config: PreTrainedConfig, dtype: torch.dtype) -> int | None:
    """Return what keys and values of one token take in all layers, or None where the config doesn't tell."""
    layers, heads, width = (
        getattr(config, name, None) for name in ("num_hidden_layers", "num_attention_heads", "hidden_size")
    )
    if not (layers and heads and width):
        return None
    kept = getattr(config, "num_key_value_heads", None) or heads
    size = getattr(config, "head_dim", None) or width // heads
    return int(2 * layers * kept * size * dtype.itemsize)


def _learns_prompt(module: torch.nn.Module) -> bool:
    configs = getattr(module, "peft_config", None)
    values = configs.values() if isinstance(configs, dict) else ()
    return any(getattr(config, "is_prompt_learning", False) for config in values)
