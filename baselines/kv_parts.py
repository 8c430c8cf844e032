"""A key-value cache that is filled in parts: long prompts are read a few at a time and answered all together.

Reading wants few tokens at once (more than a processor is busy with only cost memory and padding), writing wants
many rows (each step reads every weight once, for however many rows). All rows end in the same column, so a part of
shorter rows begins further to the right.
"""

import torch
from transformers import DynamicCache

from baselines.kv_cache import Prefix, RoomyLayer, empty_like


class PartedCache:
    """Keys and values of ``rows`` rows up to column ``end``, with ``room`` columns in all."""

    def __init__(self, rows: int, end: int, room: int) -> None:
        self._rows, self._end, self._room = rows, end, room
        self._layers: list[list[torch.Tensor] | None] = []

    def part(self, prefix: Prefix, first: int, rows: int, length: int) -> DynamicCache:
        """Return the cache of ``rows`` rows from ``first`` on; prefix and what's read have ``length`` columns."""
        cache = DynamicCache()
        cache.layer_class_to_replicate = lambda: self._layer(len(cache.layers), first, rows, length)
        for index, states in enumerate(prefix.states):
            if states is None:
                cache.layers.append(cache.layer_class_to_replicate())
            else:
                keys, values = (state.expand(rows, -1, -1, -1) for state in states)
                cache.update(keys, values, index)
        return cache

    def whole(self) -> DynamicCache:
        """Return the cache of all rows, once every part has been read."""
        cache = DynamicCache()
        cache.layer_class_to_replicate = lambda: RoomyLayer(self._room)
        for buffers in self._layers:
            layer = RoomyLayer(self._room)
            if buffers is not None:
                layer.show(buffers, self._end)
            cache.layers.append(layer)
        return cache

    def _layer(self, index: int, first: int, rows: int, length: int) -> "_PartLayer":
        while len(self._layers) <= index:
            self._layers.append(None)
        return _PartLayer(self, index, (first, first + rows), (self._end - length, self._end))

    def views(
        self, index: int, rows: tuple[int, int], columns: tuple[int, int], states: tuple[torch.Tensor, ...]
    ) -> list[torch.Tensor]:
        """Return the keys and values of a part, in buffers made in the image of the first states that come."""
        buffers = self._layers[index]
        if buffers is None:
            buffers = [empty_like(new, self._rows, self._room) for new in states]
            self._layers[index] = buffers
        for buffer in buffers:
            # what stands left of a row is hidden by the mask, but must be a number: 0 x NaN is NaN
            buffer[slice(*rows), :, : columns[0]].zero_()
        return [buffer[slice(*rows), :, slice(*columns)] for buffer in buffers]


class _PartLayer(RoomyLayer):
    """One layer of a part: a window onto the whole's buffers."""

    def __init__(self, whole: PartedCache, index: int, rows: tuple[int, int], columns: tuple[int, int]) -> None:
        super().__init__(columns[1] - columns[0])
        self._whole, self._index, self._place = whole, index, (rows, columns)

    def _make_room(self, *states: torch.Tensor) -> list[torch.Tensor]:
        return self._whole.views(self._index, *self._place, states)
