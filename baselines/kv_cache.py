"""The key-value cache: room made once, a prefix computed once and copied into every batch.

transformers' ``DynamicCache`` copies everything it holds at every step. Its layers are replaced here
by ones that own a buffer of known length and hand out views of it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer


class RoomyLayer(DynamicLayer):  # type: ignore[misc]  # transformers has no types here
    """Keys and values of one layer, shape (batch, heads, length, width), in a buffer with room for more."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self.room = room
        self._buffers: list[torch.Tensor] = []
        self._length = 0

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: object, **kwargs: object
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Append to the keys and values and return all of them, as views. More than there's room for is refused."""
        end = self._length + key_states.shape[-2]
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
            self._buffers = self._make_room(key_states, value_states)
        for buffer, new in zip(self._buffers, (key_states, value_states), strict=True):
            buffer[:, :, self._length : end] = new
        self._show(end)
        return self.keys, self.values

    def truncate(self, length: int) -> None:
        """Forget everything from position ``length`` on."""
        if self.is_initialized:
            self._show(length)

    def close_up(self, rows: torch.Tensor, places: torch.Tensor, count: int) -> None:
        """Put the batch rows ``rows`` in the places ``places`` and keep the first ``count``: only those are copied."""
        if self.is_initialized:
            for buffer in self._buffers:
                held = buffer[:, :, : self._length]
                held[places] = held[rows]
            self._buffers = [buffer[:count] for buffer in self._buffers]
            self._show(self._length)

    def show(self, buffers: list[torch.Tensor], length: int) -> None:
        """Hold the first ``length`` positions of ``buffers`` (keys, values)."""
        self.lazy_initialization(*buffers)
        self._buffers = buffers
        self._show(length)

    def _make_room(self, *states: torch.Tensor) -> list[torch.Tensor]:
        return [empty_like(new, new.shape[0], self.room) for new in states]

    def _show(self, length: int) -> None:
        self._length = length
        self.keys, self.values = (buffer[:, :, :length] for buffer in self._buffers)


def empty_like(states: torch.Tensor, batch: int, length: int) -> torch.Tensor:
    """Return room for ``batch`` rows of ``length`` positions, of the heads, width and format of ``states``."""
    _, heads, _, width = states.shape
    return states.new_empty((batch, heads, length, width))


@dataclass(frozen=True)
class Prefix:
    """The tokens that all prompts begin with, and each layer's keys and values for them (batch of one).

    A layer without states of its own (some architectures share them between layers) is None.
    """

    ids: tuple[int, ...]
    states: tuple[tuple[torch.Tensor, torch.Tensor] | None, ...]


NO_PREFIX = Prefix((), ())


def compute_prefix(ids: tuple[int, ...], fill: Callable[[DynamicCache], object], begun: Prefix = NO_PREFIX) -> Prefix:
    """Return the prefix ``ids``; ``fill`` must run the model over those behind ``begun`` with the cache it's given."""
    cache = open_cache(begun, 1, len(ids))
    fill(cache)
    return Prefix(ids, tuple((layer.keys, layer.values) if layer.is_initialized else None for layer in cache.layers))


def open_cache(prefix: Prefix, batch: int, room: int) -> DynamicCache:
    """Return a cache for ``batch`` rows that begins with ``prefix`` and has room for ``room`` positions in all."""
    cache = DynamicCache()
    cache.layer_class_to_replicate = lambda: RoomyLayer(room)
    for index, states in enumerate(prefix.states):
        if states is None:
            cache.layers.append(RoomyLayer(room))
        else:
            keys, values = (state.expand(batch, -1, -1, -1) for state in states)
            cache.update(keys, values, index)
    return cache


def truncate(cache: DynamicCache, length: int) -> None:
    """Forget everything from position ``length`` on, in every layer."""
    for layer in cache.layers:
        layer.truncate(length)


def close_up(cache: DynamicCache, rows: torch.Tensor, places: torch.Tensor, count: int) -> None:
    """Put the batch rows ``rows`` in the places ``places`` and keep the first ``count``, in every layer."""
    for layer in cache.layers:
        layer.close_up(rows, places, count)


def copy_rows(cache: DynamicCache, rows: torch.Tensor, room: int) -> DynamicCache:
    """Return a cache of its own for ``rows`` (indices, which may repeat), with ``room`` positions in all."""
    copy = open_cache(NO_PREFIX, len(rows), room)
    for index, layer in enumerate(cache.layers):
        if layer.is_initialized:
            copy.update(layer.keys.index_select(0, rows), layer.values.index_select(0, rows), index)
        else:
            copy.layers.append(RoomyLayer(room))
    return copy
