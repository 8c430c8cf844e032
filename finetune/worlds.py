"""The generator of the built-in model's texts: one seed, an endless course of lessons of every kind.

The same function makes training text and ability tests; ``held_out`` draws invented names, labels and words
that training never sees (by a hash of their spelling) and wordings that are kept from it.
"""

import random
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from finetune.world_formats import SHAPES as FORMAT_SHAPES
from finetune.world_formats import rewriting_by_rule, rewriting_by_shots
from finetune.world_labels import SHAPES as LABEL_SHAPES
from finetune.world_labels import sorting_by_rule, sorting_by_shots
from finetune.world_lesson import Lesson
from finetune.world_reading import SHAPES as READING_SHAPES
from finetune.world_reading import reading
from finetune.world_words import Words

S = TypeVar("S")
Maker = Callable[[Words], Lesson]


def _levels(make: Callable[[Words, S], Lesson], shapes: Sequence[S]) -> tuple[Maker, ...]:
    return tuple(partial(_shaped, make, shape) for shape in shapes)


def _shaped(make: Callable[[Words, S], Lesson], shape: S, words: Words) -> Lesson:
    return make(words, shape)


KINDS: dict[str, tuple[Maker, ...]] = {
    "reading": _levels(reading, READING_SHAPES),
    "labels_shots": _levels(sorting_by_shots, LABEL_SHAPES),
    "labels_rule": _levels(sorting_by_rule, LABEL_SHAPES),
    "format_shots": _levels(rewriting_by_shots, FORMAT_SHAPES),
    "format_rule": _levels(rewriting_by_rule, FORMAT_SHAPES),
}
"""Each kind of lesson with its levels, easy to hard."""


def make_lesson(kind: str, level: int, seed: str, *, held_out: bool = False, broad: bool = False) -> Lesson:
    """Return the lesson of ``kind`` and ``level`` that belongs to ``seed`` (any text); ``broad`` widens its words."""
    return KINDS[kind][level](Words(random.Random(f"{seed}/{kind}/{level}/{held_out}"), held_out, broad))
