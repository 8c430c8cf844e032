"""``tuneworthy init``: a commented ``task.yaml`` from a data file, and the schema that completes it in editors.

What the file says is guessed from the rows and said to be a guess; every other key stands there as a
comment with its default, taken from the schema itself.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from evals.data_file import DataFile
from evals.data_read import read_raw_rows
from evals.document_text import DOCUMENT_SUFFIXES
from evals.errors import UsageError
from evals.files import write_text
from evals.guess import ColumnGuess, TaskGuess, guess_columns, guess_document_columns, guess_task
from evals.load import TASK_FILES
from evals.problems import Problems
from evals.schema_check import section_of
from evals.task_file import METRICS, Columns, DocumentColumns, TaskFile

_HEAD = """\
# A task for tuneworthy. A key behind a # has the default that stands there: take the # away to change it.
# An editor that knows the schema completes this file; `tuneworthy schema` prints it.
"""

_MODELS = """\
## Example: a large hosted model, prompted, against a small one on this machine, tuned. Give both names, and say by @
## which arm takes which; the key stays in the environment variable that key_env names.
## models:
##   big: {endpoint: "https://api.example.com/v1", name: large-model, key_env: EXAMPLE_KEY}
##   small: models/small-1b
## arms: [majority, few_shot@big, rag@big, few_shot@small, qlora@small]
"""
"""Stands behind the key ``models``; two signs tell it from the defaults."""


@dataclass(frozen=True)
class Starter:
    """The keys of a task file for some data, what was guessed, and how many rows the data file holds."""

    values: dict[str, Any]
    guess: TaskGuess
    rows: int


def write_starter(
    folder: Path,
    data: Path,
    *,
    eval_data: Path | None = None,
    documents: Path | None = None,
    instruction: str | None = None,
    input_column: str | None = None,
    target_column: str | None = None,
) -> Path:
    """Write ``task.yaml`` into ``folder`` (made if need be) and return its path.

    Columns and answer kind are guessed from the rows of ``data`` and ``eval_data``. Raises ``UsageError``
    when there is a task file already or the columns can't be guessed, ``DataError`` when rows can't be read.
    """
    for name in TASK_FILES:
        if (folder / name).exists():
            raise UsageError(f"{folder / name} is there already; change it, or name another folder")
    starter = make_starter(
        folder,
        data,
        eval_data=eval_data,
        documents=documents,
        input_column=input_column,
        target_column=target_column,
    )
    values = starter.values | ({"instruction": instruction.strip()} if instruction and instruction.strip() else {})
    target = folder / TASK_FILES[0]
    text = starter_text(values, {"answer": _reason(starter.guess), "metric": _metrics(starter.guess)})
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_text(target, text)
    except OSError as error:
        raise UsageError(f"{target} can't be written: {error.strerror or error}") from None
    return target


def make_starter(
    folder: Path,
    data: Path,
    *,
    eval_data: Path | None = None,
    documents: Path | None = None,
    input_column: str | None = None,
    target_column: str | None = None,
) -> Starter:
    """Return what ``write_starter`` writes, as values; raises like it. Paths are as seen from ``folder``."""
    problems = Problems()
    train = _read(data, problems)
    evaluation = _read(eval_data, problems) if eval_data else _Table((), [])
    if documents and not documents.exists():
        problems.add(documents, 0, "there is no such file or folder")
    problems.raise_any()
    section = documents_section(folder, documents) if documents else None
    columns = guess_columns(data, train.columns, train.rows, input_column, target_column)
    guess = guess_task(train.rows, evaluation.rows, columns)
    values: dict[str, Any] = {
        "instruction": guess.instruction,
        "answer": guess.answer,
        "data": _data_section(folder, data, eval_data, columns),
    }
    if guess.labels:
        values["labels"] = list(guess.labels)
    if section:
        values["documents"] = section
    return Starter(values, guess, len(train.rows))


def documents_section(folder: Path, documents: Path) -> dict[str, Any]:
    """Return the ``documents`` section for a file or folder. Raises ``DataError`` when it can't be read."""
    problems = Problems()
    if not documents.exists():
        problems.add(documents, 0, "there is no such file or folder")
        problems.raise_any()
    corpus = _read(documents, problems) if _is_table(documents) else _Table((), [])
    problems.raise_any()
    expected = DocumentColumns().model_dump()
    found = guess_document_columns(corpus.columns)
    named = {key: column for key, column in found.items() if column != expected[key]}
    return {"path": _relative(documents, folder)} | ({"columns": named} if named else {})


def starter_text(values: Mapping[str, Any], remarks: Mapping[str, str]) -> str:
    """Return the text of a task file with ``values``, and every other key as a comment with its default.

    ``remarks`` stand behind their keys (dots name a section's key) in place of what the schema says of them.
    """
    return _HEAD + "".join(f"{line}\n" for line in _section_lines(TaskFile, values, remarks))


def task_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a task file."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema"} | TaskFile.model_json_schema()
    return schema | {"title": "tuneworthy task"}


@dataclass(frozen=True)
class _Table:
    """The columns and the rows of a data file as they stand in it."""

    columns: tuple[str, ...]
    rows: list[dict[str, object]]


def _read(path: Path, problems: Problems) -> _Table:
    file = DataFile(path, problems)
    before = len(problems)
    rows = [raw.values for raw in read_raw_rows(file)]
    if not rows and len(problems) == before:
        file.problem(0, "holds no rows")
    return _Table(tuple(file.columns), rows)


def _data_section(folder: Path, data: Path, eval_data: Path | None, columns: ColumnGuess) -> dict[str, Any]:
    """Return the ``data`` section; columns that are called as the schema expects needn't be named."""
    found = {"id": columns.id, "input": columns.input, "target": columns.target, "targets": columns.targets}
    expected = Columns().model_dump()
    named = {key: column for key, column in found.items() if column and column != expected[key]}
    section: dict[str, Any] = {"train": _relative(data, folder)}
    if eval_data:
        section["eval"] = _relative(eval_data, folder)
    return section | ({"columns": named} if named else {})


def _is_table(documents: Path) -> bool:
    """Tell whether documents stand in a file of rows, rather than in a folder or in one text."""
    return not documents.is_dir() and documents.suffix.lower() not in DOCUMENT_SUFFIXES


def _relative(path: Path, folder: Path) -> str:
    """Return ``path`` as seen from ``folder``; the whole path where the two share no folder but the root."""
    # The file itself may be a link to one without a suffix; its folders are followed, as ".." would be.
    target = Path(os.path.realpath(path.parent), path.name)
    whole = Path(os.path.realpath(folder))
    if target.parts[:2] != whole.parts[:2]:  # also on Windows: another drive
        return target.as_posix()
    return Path(os.path.relpath(target, whole)).as_posix()


def _reason(guess: TaskGuess) -> str:
    return f"Guessed: {guess.reason}. Or: label, text, json, number."


def _metrics(guess: TaskGuess) -> str:
    """Return which metrics there are for the kind of answer that was guessed."""
    default, *others = METRICS[guess.answer]
    return f"Default for `answer: {guess.answer}`: {default}. Or: {', '.join(others)}."


def _section_lines(
    model: type[BaseModel], values: Mapping[str, Any], remarks: Mapping[str, str], indent: str = ""
) -> Iterator[str]:
    """Yield a section's keys: those in ``values`` as they are, the others as comments with their defaults."""
    for name, field in model.model_fields.items():
        inner = section_of(field.annotation)
        if inner is None:
            remark = remarks.get(name) or field.description or ""
            line = f"{name}: {_flow(values.get(name, _default(field)))}" + (f"  # {remark}" if remark else "")
            yield f"{indent}{line}" if name in values else f"{indent}# {line}"
            if name == "models" and name not in values:
                yield from _MODELS.splitlines()
            continue
        heading = f"{name}:  # {(inner.__doc__ or '').strip()}"
        if name in values:
            yield indent + heading
            start = f"{name}."
            inside = {key.removeprefix(start): text for key, text in remarks.items() if key.startswith(start)}
            yield from _section_lines(inner, values[name], inside, indent + "  ")
        else:
            yield f"{indent}# {heading}"
            yield from (f"{indent}# {line}" for line in _default_lines(inner))


def _default_lines(model: type[BaseModel]) -> Iterator[str]:
    """Yield the lines of a section with its defaults, indented, without comment signs."""
    for name, field in model.model_fields.items():
        inner = section_of(field.annotation)
        remark = (inner.__doc__ or "").strip() if inner else field.description
        value = "" if inner else f" {_flow(_default(field))}"
        yield f"  {name}:{value}" + (f"  # {remark}" if remark else "")
        if inner:
            yield from (f"  {line}" for line in _default_lines(inner))


def _default(field: FieldInfo) -> Any:  # noqa: ANN401 -- a default is any value
    """Return a key's default; a key that needs a value gets its own kind of example."""
    return "documents" if field.is_required() else field.get_default(call_default_factory=True)


def _flow(value: object) -> str:
    """Return a value as YAML on one line; texts in quotes, so that nothing in them is taken for syntax."""
    if isinstance(value, float):
        return f"{value:.10f}".rstrip("0").rstrip(".")
    if isinstance(value, str) and value.isidentifier() and yaml.safe_load(value) == value:
        return value
    style = '"' if isinstance(value, str | list) else None
    text = yaml.safe_dump(value, default_style=style, default_flow_style=True, allow_unicode=True, width=10**9)
    return text.removesuffix("\n").removesuffix("\n...").strip()
