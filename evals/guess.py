"""Guesses about a data file: which columns hold what, what kind of answer it asks for, how to ask for it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from evals.cell_text import CellProblem, cell_text, is_number
from evals.data_json import JsonProblem, decode_json
from evals.errors import UsageError
from evals.rows import missing_column
from evals.task_file import AnswerKind

INPUTS = (
    *("input", "inputs", "text", "question", "prompt", "message", "utterance", "query", "sentence", "request"),
    *("review", "comment", "email", "ticket", "content", "body", "source", "document", "description", "instruction"),
)
"""What an input column may be called, likeliest first."""

TARGETS = (
    *("target", "label", "labels", "answer", "output", "outputs", "intent", "category", "completion", "class"),
    *("response", "reply", "expected", "gold", "sentiment", "topic", "tag", "summary", "translation", "result", "y"),
)
"""What a target column may be called, likeliest first."""

ACCEPTED = ("targets", "answers", "references")
"""What a column with lists of accepted answers may be called."""

IDS = ("id", "uid", "uuid", "guid", "row_id", "example_id")
"""What an id column may be called; it is one if its values are all there and all differ."""

DOCUMENTS = {
    "id": (*IDS, "doc_id", "document_id"),
    "title": ("title", "heading", "name", "subject"),
    "text": ("text", "content", "body", "passage", "document", "paragraph", "article"),
}
"""What the columns of a documents file may be called."""

_THINGS = frozenset({"question", "message", "utterance", "query", "sentence", "request", "review", "comment", "email"})
_LONGEST_LABEL = 80
_MOST_LABELS = 500
_ROWS_PER_LABEL = 4  # short answers that come back less often, on average, are answers and no labels

Row = Mapping[str, object]


@dataclass(frozen=True)
class ColumnGuess:
    """The columns of a data file; ``target`` is None where ``targets`` stands in for it."""

    input: str
    target: str | None
    targets: str | None = None
    id: str | None = None


@dataclass(frozen=True)
class TaskGuess:
    """The kind of answer with the reason, the labels where they must be named, and an instruction."""

    answer: AnswerKind
    reason: str
    instruction: str
    labels: tuple[str, ...] | None = None


def guess_columns(
    file: Path, columns: Sequence[str], rows: Sequence[Row], input_column: str | None, target_column: str | None
) -> ColumnGuess:
    """Return which of ``columns`` are which; ``input_column`` and ``target_column`` are what the user says.

    When one of the two is left over beside the other and an id, it is the other one. Raises
    ``UsageError`` that says how to name them, when they can't be guessed.
    """
    for given in (input_column, target_column):
        if given is not None and given not in columns:
            raise UsageError(f"{file}: {missing_column(given, columns)}")
    lists = [column for column in columns if _holds_lists(column, rows)]
    accepted = None if target_column else _named(ACCEPTED, lists, but=input_column)
    target = target_column or _named(TARGETS, columns, but=input_column)
    input_ = input_column or _named(INPUTS, columns, but=target or accepted)
    id_ = _named(IDS, [column for column in columns if _all_differ(column, rows)])
    left = [column for column in columns if column not in (id_, input_, target, accepted)]
    if len(left) == 1 and input_ is None:
        input_ = left[0]
    elif len(left) == 1 and target is None and accepted is None:
        target = left[0]
    if target in lists:
        target, accepted = None, target
    flags = {"--input-column": input_, "--target-column": target or accepted}
    if input_ is None or None in flags.values():
        missing = " and ".join(flag for flag, found in flags.items() if found is None)
        names = ", ".join(map(repr, columns))
        raise UsageError(f"{file}: can't tell which column is which among {names}; say it with {missing}")
    return ColumnGuess(input_, target, accepted, id_)


def guess_task(train: Sequence[Row], evaluation: Sequence[Row], columns: ColumnGuess) -> TaskGuess:
    """Return the kind of answer that the targets of both sets of rows fit, and an instruction for it."""
    train_values = list(_targets(train, columns))
    eval_values = list(_targets(evaluation, columns))
    values = train_values + eval_values
    texts = [text for text in map(_text, values) if text is not None]
    thing = columns.input.casefold() if columns.input.casefold() in _THINGS else "input"
    decoded = [_structure(value) for value in values]
    if decoded and all(value is not None for value in decoded):
        keys = list(dict.fromkeys(key for value in decoded if isinstance(value, dict) for key in value))
        named = f" with the keys {', '.join(keys)}" if 0 < len(keys) <= 20 else ""
        shape = "object" if keys else "value"
        how = f"Extract what the {thing} says as one JSON {shape}{named}. Answer with the JSON only."
        return TaskGuess("json", "every answer is a JSON object or list", how)
    distinct = set(texts)
    if texts and all(map(is_number, texts)) and not _are_class_numbers(texts):
        how = f"Answer the {thing} with one number and nothing else."
        return TaskGuess("number", "every answer is a number", how)
    if 2 <= len(distinct) <= min(_MOST_LABELS, len(texts) // _ROWS_PER_LABEL) and all(map(_is_label, distinct)):
        learnt = {_text(value) for value in train_values}
        how = f"Classify the {thing}. Answer with exactly one of the labels and nothing else."
        reason = f"{len(distinct)} different short answers in {len(texts):,} rows"
        # Labels come from the training rows unless eval knows more.
        return TaskGuess("label", reason, how, tuple(sorted(distinct)) if distinct - learnt else None)
    verb = "Answer the question" if thing == "question" else f"Write the answer to the {thing}"
    return TaskGuess("text", "the answers are free texts", f"{verb}. Give the answer only, with no other words.")


def guess_document_columns(columns: Sequence[str]) -> dict[str, str]:
    """Return which columns of a documents file hold its ``id``, ``title`` and ``text``, as far as names tell."""
    found = {key: _named(names, columns) for key, names in DOCUMENTS.items()}
    return {key: column for key, column in found.items() if column}


def _named(names: Sequence[str], columns: Sequence[str], but: str | None = None) -> str | None:
    """Return the first column, in the order of ``names``, that is called like one of them, whatever its case."""
    folded = {column.strip().casefold(): column for column in reversed(columns) if column != but}
    return next((folded[name] for name in names if name in folded), None)


def _targets(rows: Sequence[Row], columns: ColumnGuess) -> Iterator[object]:
    """Yield every answer of every row: its target, or the accepted ones."""
    for row in rows:
        value = row.get(columns.target) if columns.target else None
        if value is not None:
            yield value
        elif columns.targets:
            accepted = _as_list(row.get(columns.targets))
            yield from accepted if accepted is not None else []


def _text(value: object) -> str | None:
    """Return a cell as text; one that is no text counts as empty."""
    try:
        text = cell_text(value)
    except CellProblem:
        return None
    return text.strip() if text else None


def _structure(value: object) -> object:
    """Return the JSON object or list that a cell is or spells; None for any other."""
    if isinstance(value, str):
        try:
            value = decode_json(value)
        except JsonProblem:
            return None
    return value if isinstance(value, dict | list) else None


def _as_list(value: object) -> list[object] | None:
    value = _structure(value)
    return value if isinstance(value, list) else None


def _holds_lists(column: str, rows: Sequence[Row]) -> bool:
    """Tell whether every cell that isn't empty is a list of texts or numbers, and some are."""
    cells = [row[column] for row in rows if row.get(column) not in (None, "")]
    return bool(cells) and all(map(_is_flat_list, cells))


def _is_flat_list(value: object) -> bool:
    entries = _as_list(value)
    return bool(entries) and not any(isinstance(entry, dict | list) for entry in entries or [])


def _all_differ(column: str, rows: Sequence[Row]) -> bool:
    ids = [_text(row.get(column)) for row in rows]
    return None not in ids and len(set(ids)) == len(ids)


def _are_class_numbers(texts: Sequence[str]) -> bool:
    """Tell whether numbers look like those of classes: 0, 1, 2… or 1, 2, 3…, each many times."""
    distinct = set(texts)
    if len(distinct) > 20 or not all(text.isascii() and text.isdigit() for text in distinct):
        return False
    numbers = sorted(map(int, distinct))
    in_a_row = numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    return in_a_row and numbers[0] in (0, 1) and len(numbers) > 1 and len(texts) >= 5 * len(numbers)


def _is_label(text: str) -> bool:
    return len(text) <= _LONGEST_LABEL and "\n" not in text
