"""Lessons as tokens: training rows with weights, and where the answers stand that are tested."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from finetune.pretrain_batch import Row
from finetune.world_lesson import Lesson, spans

if TYPE_CHECKING:
    from tokenizers import Tokenizer


@dataclass(frozen=True, slots=True)
class LessonRow:
    """One lesson's row; ``answers`` are the (start, end) ranges of positions that predict a final answer.

    The end token is due at the last position of each range.
    """

    row: Row
    answers: tuple[tuple[int, int], ...]


def encode_lessons(
    lessons: Sequence[Lesson], tokenizer: "Tokenizer", end_id: int, prompt_weight: float
) -> list[LessonRow]:
    """Return the row of every lesson. Each piece is encoded by itself, as the engine encodes prompt and answer.

    A position's weight is 1 where it predicts a token of a graded answer or the end token after it, else
    ``prompt_weight``. The end token is a target only: what is read goes on with the next input, as shots do.
    """
    cut = [spans(lesson) for lesson in lessons]
    encoded = iter(tokenizer.encode_batch([span.text for pieces in cut for span in pieces], add_special_tokens=False))
    rows = []
    for lesson, pieces in zip(lessons, cut, strict=True):
        ids: list[int] = []
        graded: list[tuple[int, int]] = []
        for span in pieces:
            start = len(ids)
            ids += next(encoded).ids
            if span.graded:
                graded.append((start - 1, len(ids)))
        targets = [*ids[1:], end_id]
        weights = [prompt_weight] * len(ids)
        for start, end in graded:
            targets[end - 1] = end_id
            weights[start:end] = [1.0] * (end - start)
        rows.append(LessonRow(Row(ids, targets, weights), tuple(graded[-1 - len(lesson.more) :])))
    return rows
