"""What ``tuneworthy advise --data`` measures: figures of the user's own files, and the answers that they give."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from advisor.figures import Figures, count_figures
from advisor.found_answer import FoundAnswer
from advisor.given_data import GivenData, read_given
from advisor.measured_answers import measured_answers
from evals.task_file import AnswerKind


@dataclass(frozen=True)
class Measured:
    """The figures, the answers to the advisor's questions by key, and notes on what was left out."""

    figures: Figures
    answers: Mapping[str, FoundAnswer]
    notes: tuple[str, ...] = ()


def measure_data(
    data: Path,
    *,
    eval_data: Path | None = None,
    documents: Path | None = None,
    input_column: str | None = None,
    target_column: str | None = None,
    answer: AnswerKind | None = None,
) -> Measured:
    """Read the files and count; no model is loaded. ``answer`` is the kind of answer, where it isn't to be guessed.

    Raises ``DataError`` with every problem by file and line, ``UsageError`` when the columns can't be guessed.
    """
    given = read_given(
        data,
        eval_data=eval_data,
        documents=documents,
        input_column=input_column,
        target_column=target_column,
        answer=answer,
    )
    return measure_given(given)


def measure_given(given: GivenData) -> Measured:
    """Return what is counted in data that was read before."""
    figures = count_figures(given)
    return Measured(figures, measured_answers(figures), given.notes)
