"""The generator of the built-in model's texts: one seed, an endless course of lessons of every kind.

The same function makes training text and ability tests; ``held_out`` draws invented names, labels and words
that training never sees (by a hash of their spelling) and wordings that are kept from it.
"""

import random
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from finetune import world_formats, world_labels, world_reading
from finetune.world_formats import rewriting_by_rule, rewriting_by_shots
from finetune.world_labels import sorting_by_rule, sorting_by_shots
from finetune.world_lesson import Lesson
from finetune.world_reading import reading
from finetune.world_words import Words

S = TypeVar("S")
Maker = Callable[[Words], Lesson]


def _levels(make: Callable[[Words, S], Lesson], shapes: Sequence[S]) -> tuple[Maker, ...]:
    return tuple(partial(_shaped, make, shape) for shape in shapes)


def _shaped(make: Callable[[Words, S], Lesson], shape: S, words: Words) -> Lesson:
    return make(words, shape)


def _kinds(
    reading_shapes: Sequence[world_reading.Shape],
    label_shapes: Sequence[world_labels.Shape],
    format_shapes: Sequence[world_formats.Shape],
) -> dict[str, tuple[Maker, ...]]:
    return {
        "reading": _levels(reading, reading_shapes),
        "labels_shots": _levels(sorting_by_shots, label_shapes),
        "labels_rule": _levels(sorting_by_rule, label_shapes),
        "format_shots": _levels(rewriting_by_shots, format_shapes),
        "format_rule": _levels(rewriting_by_rule, format_shapes),
    }


KINDS = _kinds(world_reading.SHAPES, world_labels.SHAPES, world_formats.SHAPES)
"""Each kind of lesson with its levels, easy to hard."""

BROAD_KINDS = _kinds(world_reading.BROAD_SHAPES, world_labels.BROAD_SHAPES, world_formats.SHAPES[-3:])
"""The same for the course's last part, whose words and wordings are drawn broadly."""


def make_lesson(kind: str, level: int, seed: str, *, held_out: bool = False, broad: bool = False) -> Lesson:
    """Return the lesson of ``kind`` and ``level`` that belongs to ``seed`` (any text); ``broad`` is the last part's."""
    make = (BROAD_KINDS if broad else KINDS)[kind][level]
    return make(Words(random.Random(f"{seed}/{kind}/{level}/{held_out}"), held_out, broad))
