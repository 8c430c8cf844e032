"""Rows as a trainer reads them: the prompt's tokens as they stand at inference, then the answer, then the end.

The prompt is encoded by the engine itself (``LocalModel.encode_prompt``), so what a model is trained on
and what it's asked later are the same tokens. Only the answer and the end token are learnt: every prompt
token has the label ``IGNORED``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from baselines.answering import task_instruction
from baselines.render import STOPS
from evals.errors import ArmError
from evals.example import Example, Prompt
from evals.task import Task

IGNORED = -100
"""The label of a token that isn't learnt, as torch's cross-entropy knows it."""


class Encoder(Protocol):
    """What encoding needs of a model; ``baselines.local_model.LocalModel`` offers it."""

    @property
    def context(self) -> int:
        """The longest prompt plus answer, in tokens."""
        ...

    @property
    def answer_end_id(self) -> int | None:
        """The token that closes an answer, or None when the tokenizer has none."""
        ...

    def encode_prompt(self, prompt: Prompt) -> list[int]:
        """The tokens that the model reads for ``prompt``."""
        ...

    def encode_answer(self, answer: str) -> list[int]:
        """The tokens of an answer alone, without begin or end."""
        ...


@dataclass(frozen=True, slots=True)
class EncodedRow:
    """One training row: ``ids`` holds prompt, answer and end; the first ``prompt_tokens`` of them are given."""

    id: str
    ids: tuple[int, ...]
    prompt_tokens: int

    @property
    def labels(self) -> tuple[int, ...]:
        """What is learnt at each place: ``IGNORED`` on the prompt, then the tokens themselves."""
        return (IGNORED,) * self.prompt_tokens + self.ids[self.prompt_tokens :]


@dataclass(frozen=True)
class EncodedRows:
    """All rows that fit the context; ``left_out`` counts those that don't (they are never cut)."""

    rows: tuple[EncodedRow, ...]
    left_out: int

    @property
    def tokens(self) -> int:
        """Tokens of all rows together."""
        return sum(len(row.ids) for row in self.rows)


def zero_shot_prompt(task: Task, example: Example) -> Prompt:
    """Return what a tuned model is asked for ``example``, in training and afterwards."""
    return Prompt(instruction=task_instruction(task), input=example.input)


def encode_rows(
    encoder: Encoder, task: Task, examples: Sequence[Example], prompts: Sequence[Prompt] | None = None
) -> EncodedRows:
    """Encode ``examples`` with their preferred answers; other accepted answers aren't trained on.

    ``prompts`` are what is asked for each, the zero-shot ones where none are given.

    Raises ``ArmError`` when no row is short enough for the model's context.
    """
    if prompts is None:
        prompts = [zero_shot_prompt(task, example) for example in examples]
    encoded = [_encode_row(encoder, *pair) for pair in zip(prompts, examples, strict=True)]
    rows = tuple(row for row in encoded if len(row.ids) <= encoder.context)
    if encoded and not rows:
        raise ArmError(
            f"every training row is longer than the model's context of {encoder.context} tokens (the shortest "
            f"takes {min(len(row.ids) for row in encoded)}): shorten the inputs or take a model with a longer context"
        )
    return EncodedRows(rows, len(encoded) - len(rows))


def _encode_row(encoder: Encoder, prompt: Prompt, example: Example) -> EncodedRow:
    given = encoder.encode_prompt(prompt)
    if encoder.answer_end_id is not None:
        answer = [*encoder.encode_answer(example.target.strip()), encoder.answer_end_id]
    else:
        # without an end token the model learns to write what generation stops at
        answer = encoder.encode_answer(example.target.strip() + STOPS[0])
    return EncodedRow(example.id, (*given, *answer), len(given))
