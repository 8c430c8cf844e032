"""The files that the advisor is given: rows to learn from, eval rows, documents, read as a task would read them.

There is no task file yet, so columns and answer kind are guessed from the rows, as ``tuneworthy init`` does.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from evals.data_file import DataFile
from evals.data_read import read_raw_rows
from evals.document_text import DOCUMENT_SUFFIXES
from evals.documents import Corpus, load_documents
from evals.example import Document, Example
from evals.guess import TaskGuess, guess_columns, guess_document_columns, guess_task
from evals.problems import Problems
from evals.rows import load_rows
from evals.task_file import AnswerKind, Columns, DocumentColumns

ROWS_PER_LABEL = 8
"""Short answers that come back are taken for labels when each has this many rows on average; our judgement.

``tuneworthy init`` asks for four, since its guess is read and mended before anything is measured by it.
"""

_AS_TEXT = "Write the answer to the input. Give the answer only, with no other words."


@dataclass(frozen=True)
class GivenData:
    """What the files hold; ``evaluation`` and ``documents`` are None where no such file was given."""

    file: Path
    guess: TaskGuess
    examples: tuple[Example, ...]
    evaluation: tuple[Example, ...] | None = None
    documents: tuple[Document, ...] | None = None
    notes: tuple[str, ...] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        """All labels of the rows in alphabetical order; none where answers aren't labels."""
        if self.guess.answer != "label":
            return ()
        rows = (*self.examples, *(self.evaluation or ()))
        return tuple(sorted({target for row in rows for target in row.targets}))


def read_given(
    data: Path,
    *,
    eval_data: Path | None = None,
    documents: Path | None = None,
    input_column: str | None = None,
    target_column: str | None = None,
    answer: AnswerKind | None = None,
) -> GivenData:
    """Read the files; any kind that a task reads will do. ``answer`` is the kind of answer, where the user says it.

    Raises ``DataError`` with every problem of the rows and documents by file and line, ``UsageError`` when
    the columns can't be guessed.
    """
    problems = Problems()
    train = _table(data, problems)
    evaluation = _table(eval_data, problems) if eval_data else _Table((), [])
    if eval_data and eval_data.exists() and data.exists() and eval_data.samefile(data):
        problems.add(eval_data, 0, "is the file of the training rows too; name another, or none")
    problems.raise_any()
    found = guess_columns(data, train.columns, train.rows, input_column, target_column)
    guess = _sure(guess_task(train.rows, evaluation.rows, found), answer)
    named = {"id": found.id, "input": found.input, "target": found.target, "targets": found.targets}
    columns = Columns.model_validate({key: name for key, name in named.items() if name})
    rows = load_rows(data, columns, guess.answer, stem="train", problems=problems).examples
    eval_rows = (
        load_rows(eval_data, columns, guess.answer, stem="eval", problems=problems).examples if eval_data else None
    )
    corpus = _corpus(documents, problems) if documents else None
    if answer == "label" and rows and len({target for row in rows for target in row.targets}) < 2:
        problems.add(data, 0, f"every row has the label {rows[0].target!r}; there must be at least two")
    problems.raise_any()
    return GivenData(
        file=data,
        guess=guess if answer else _without_stray_labels(guess, (*rows, *(eval_rows or ()))),
        examples=rows,
        evaluation=eval_rows,
        documents=corpus.documents if corpus else None,
        notes=corpus.notes if corpus else (),
    )


def _sure(guess: TaskGuess, said: AnswerKind | None) -> TaskGuess:
    """Return the guess, or what the user says."""
    if said is None or said == guess.answer:
        return guess
    instruction = _AS_TEXT if said == "text" else guess.instruction
    return replace(guess, answer=said, reason="as you say", instruction=instruction)


def _without_stray_labels(guess: TaskGuess, rows: Sequence[Example]) -> TaskGuess:
    """Return the guess, with texts in the place of labels where labels have few rows each."""
    if guess.answer != "label" or len(rows) >= ROWS_PER_LABEL * len({row.target for row in rows}):
        return guess
    return TaskGuess("text", f"{guess.reason}: too few of each for labels", _AS_TEXT)


@dataclass(frozen=True)
class _Table:
    """The columns and the rows of a file as they stand in it."""

    columns: tuple[str, ...]
    rows: list[dict[str, object]]


def _table(path: Path, problems: Problems) -> _Table:
    file, before = DataFile(path, problems), len(problems)
    rows = [raw.values for raw in read_raw_rows(file)]
    if not rows and len(problems) == before:
        file.problem(0, "holds no rows")
    return _Table(tuple(file.columns), rows)


def _corpus(path: Path, problems: Problems) -> Corpus:
    if path.is_dir() or path.suffix.lower() in DOCUMENT_SUFFIXES:
        return load_documents(path, DocumentColumns(), problems)
    found = guess_document_columns(_table(path, problems).columns)
    problems.raise_any()
    return load_documents(path, DocumentColumns.model_validate(found), problems)
