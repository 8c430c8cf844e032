"""The task's corpus: a file of rows (id, title, text), or a folder of .txt .md .html and .pdf files."""

import hashlib
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from evals.cell_text import CellProblem, cell_text, shorten
from evals.data_file import DataFile, RawRow
from evals.data_read import read_raw_rows
from evals.document_text import DOCUMENT_SUFFIXES, DocumentProblem, read_document
from evals.example import Document
from evals.problems import Problems
from evals.rows import missing_column
from evals.task_file import DocumentColumns


@dataclass(frozen=True)
class Corpus:
    """The documents in order, and sentences on what was left out."""

    documents: tuple[Document, ...]
    notes: tuple[str, ...] = ()


def load_documents(path: Path, columns: DocumentColumns, problems: Problems) -> Corpus:
    """Return the documents of ``path``; what can't be read is added to ``problems``.

    In a file of rows, one without an id is called ``doc-{line}``; the title may be missing. In a folder,
    which is searched through and through, a document's id is its path relative to the folder; files of
    other kinds are left out and counted in a note, hidden files are left out.
    """
    if path.is_dir():
        return _folder(path, problems)
    if path.suffix.lower() in DOCUMENT_SUFFIXES and path.is_file():
        return Corpus(tuple(_read(path, path.name, problems)))
    return Corpus(tuple(_rows(DataFile(path, problems, frozenset(columns.model_dump().values())), columns)))


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file's content, in hex. Raises ``OSError``."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hash_documents(path: Path) -> str:
    """Return the SHA-256 of a documents file, or of a folder's document names and contents, in hex."""
    if not path.is_dir():
        return hash_file(path)
    digest = hashlib.sha256()
    for file in _document_files(path):
        digest.update(f"{file.relative_to(path).as_posix()}\0{hash_file(file)}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()


def _rows(file: DataFile, columns: DocumentColumns) -> Iterator[Document]:
    """Yield the documents of a file of rows."""
    before = len(file.problems)
    seen: dict[str, RawRow] = {}
    without: list[int] = []
    rows = 0
    for raw in read_raw_rows(file):
        rows += 1
        if columns.text not in raw.values:
            without.append(raw.line)
            continue
        document = _row(file, raw, columns)
        if document is None:
            continue
        first = seen.setdefault(document.id, raw)
        if first is raw:
            yield document
        else:
            file.row_problem(raw, f"the id {shorten(document.id)} stands twice (first: {first.place})")
    if not rows and len(file.problems) == before:
        file.problem(0, "holds no documents")
    if rows:
        _check_columns(file, columns, without)


def _check_columns(file: DataFile, columns: DocumentColumns, without: list[int]) -> None:
    """Add the columns that the whole file lacks, and the rows that lack their text."""
    there = list(file.columns)
    if columns.text not in file.columns:
        what = missing_column(columns.text, there)
        file.problem(0, f"{what}; name it in the task file as documents.columns.text")
    else:
        for line in without:
            file.problem(line, f"has no {columns.text!r}")
    for field, name, default in (("id", columns.id, "id"), ("title", columns.title, "title")):
        if name not in (default, *there):
            file.problem(0, f"documents.columns.{field}: {missing_column(name, there)}")


def _row(file: DataFile, raw: RawRow, columns: DocumentColumns) -> Document | None:
    cells: dict[str, str] = {}
    for name in (columns.id, columns.title, columns.text):
        try:
            cells[name] = cell_text(raw.values.get(name)) or ""
        except CellProblem as problem:
            file.row_problem(raw, f"{name!r} {problem}")
            return None
    if not cells[columns.text]:
        file.row_problem(raw, f"{columns.text!r} is empty")
        return None
    return Document(cells[columns.id].strip() or f"doc-{raw.number}", cells[columns.title].strip(), cells[columns.text])


def _folder(path: Path, problems: Problems) -> Corpus:
    before = len(problems)
    documents = [
        document
        for file in _document_files(path)
        for document in _read(file, file.relative_to(path).as_posix(), problems)
    ]
    others = Counter(file.suffix.lower() for file in _files(path) if file.suffix.lower() not in DOCUMENT_SUFFIXES)
    if not documents and len(problems) == before:
        problems.add(path, 0, f"holds no document ({', '.join(DOCUMENT_SUFFIXES)})")
    if not others:
        return Corpus(tuple(documents))
    kinds = ", ".join(f"{count} {suffix or 'without suffix'}" for suffix, count in sorted(others.items()))
    count = sum(others.values())
    note = f"{count:,} file{'s' if count > 1 else ''} in {path} that are no documents were left out ({kinds})"
    return Corpus(tuple(documents), (note,))


def _read(file: Path, id_: str, problems: Problems) -> Iterator[Document]:
    """Yield the document in ``file``, or nothing after adding why it can't be read."""
    try:
        content = read_document(file)
    except DocumentProblem as problem:
        problems.add(file, problem.line, str(problem))
    except OSError as error:
        problems.add(file, 0, f"can't be read: {error.strerror or error}")
    else:
        yield Document(id_, content.title, content.text)


def _document_files(folder: Path) -> list[Path]:
    return [file for file in _files(folder) if file.suffix.lower() in DOCUMENT_SUFFIXES]


def _files(folder: Path) -> list[Path]:
    """Return the files below ``folder`` that aren't hidden, sorted by relative path."""
    found: list[Path] = []
    for where, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(where, name) for name in names if not name.startswith(".")]
    return sorted(found, key=lambda file: file.relative_to(folder).as_posix())
