"""From a task file to a task: settings, rows, labels, documents, hashes, all checked.

Nothing is written. Every problem of the data files is collected and told at once.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from evals.documents import Corpus, hash_documents, hash_file, load_documents
from evals.errors import DataError, RowProblem, TaskError, UsageError
from evals.example import Example
from evals.overlap import drop_overlap as without_overlap
from evals.overlap import find_overlap, overlap_error
from evals.problems import Problems
from evals.rows import Rows, check_columns, load_rows
from evals.split import split_train
from evals.task import Task
from evals.task_check import read_task_file
from evals.task_file import TaskFile

TASK_FILES = ("task.yaml", "task.yml", "task.json")
"""What a task file in a folder may be called."""


def load_task(path: Path, *, overrides: Mapping[str, object] | None = None, drop_overlap: bool = False) -> Task:
    """Return the task in ``path``: a task file, or a folder that holds ``task.yaml``.

    ``overrides`` are values from the command line by key (``model``, ``data.eval_share``), checked like the
    file's own. With ``drop_overlap``, training rows whose input is also an eval row's are dropped.
    Raises ``TaskError`` and ``DataError`` with all problems found.
    """
    file = _task_file(path)
    settings = read_task_file(file, overrides)
    name = settings.name or _task_name(file.parent)
    return build_task(settings, file.parent, name=name, drop_overlap=drop_overlap, file=file)


def build_task(
    settings: TaskFile, folder: Path, *, name: str, drop_overlap: bool = False, file: Path | None = None
) -> Task:
    """Return the task of ``settings``, whose paths are relative to ``folder``. Raises ``DataError``."""
    builder = _Builder(settings, folder)
    try:
        return builder.build(name, file or folder / TASK_FILES[0], drop=drop_overlap)
    except OSError as error:
        where = Path(str(error.filename)) if error.filename else folder
        raise DataError([RowProblem(where, 0, f"can't be read: {error.strerror or error}")]) from None


class _Builder:
    """Reads the data of one task, and keeps its problems and notes."""

    def __init__(self, settings: TaskFile, folder: Path) -> None:
        self.settings = settings
        self.train_file = _resolve(folder, settings.data.train)
        self.eval_file = _resolve(folder, settings.data.eval) if settings.data.eval else None
        self.documents_path = _resolve(folder, settings.documents.path) if settings.documents else None
        self.folder = folder
        self.problems = Problems()
        self.notes: list[str] = []

    def build(self, name: str, file: Path, *, drop: bool) -> Task:
        train = self._rows(self.train_file, "train", self.settings.labels, "the task file's")
        labels = self._labels(train.examples)
        eval_rows = self._eval_rows(labels)
        files = {self.train_file: train} | ({self.eval_file: eval_rows} if self.eval_file and eval_rows else {})
        check_columns(files, self.settings.data.columns, self.problems)
        corpus = self._corpus()
        self.problems.raise_any()
        self._check_labels(labels, train.examples)
        if eval_rows is None:
            train_part, eval_part = self._split(train.examples)
        else:
            eval_part = eval_rows.examples
            train_part = self._without_overlap(train.examples, eval_part, drop=drop)
        self._note_unknown_documents(eval_part, corpus)
        return Task(
            name=name,
            settings=self.settings,
            folder=self.folder,
            labels=labels,
            train=train_part,
            eval=eval_part,
            documents=corpus.documents,
            hashes=self._hashes(),
            notes=(*self.notes, *corpus.notes),
            file=file,
            split_made=eval_rows is None,
        )

    def _rows(self, path: Path, stem: str, labels: Sequence[str] | None, labels_of: str) -> Rows:
        return load_rows(
            path,
            self.settings.data.columns,
            self.settings.answer,
            stem=stem,
            problems=self.problems,
            labels=labels,
            labels_of=labels_of,
        )

    def _eval_rows(self, labels: tuple[str, ...]) -> Rows | None:
        if self.eval_file is None:
            return None
        if self.eval_file.exists() and self.train_file.exists() and self.eval_file.samefile(self.train_file):
            self.problems.add(
                self.eval_file, 0, "is the file of the training rows too; leave data.eval out to split it"
            )
            return Rows((), ())
        # Labels taken from training rows with problems are incomplete: nothing can be held against them.
        known = labels if self.settings.answer == "label" and not len(self.problems) else self.settings.labels
        return self._rows(
            self.eval_file, "eval", known, "the task file's" if self.settings.labels else "the training rows'"
        )

    def _labels(self, train: Sequence[Example]) -> tuple[str, ...]:
        if self.settings.answer != "label":
            return ()
        if self.settings.labels is not None:
            return tuple(self.settings.labels)
        return tuple(sorted({target for example in train for target in example.targets}))

    def _check_labels(self, labels: tuple[str, ...], train: Sequence[Example]) -> None:
        if self.settings.answer != "label":
            return
        if len(labels) < 2:
            raise DataError(
                [RowProblem(self.train_file, 0, f"every row has the label {labels[0]!r}; there must be at least two")]
            )
        seen = {target for example in train for target in example.targets}
        unseen = [label for label in labels if label not in seen]
        if unseen:
            self.notes.append(f"no training row has the label {_listed(unseen)}")
        folded: dict[str, list[str]] = {}
        for label in labels:
            folded.setdefault(label.casefold(), []).append(label)
        for same in folded.values():
            if len(same) > 1:
                self.notes.append(f"the labels {_listed(same)} differ in case only; they count as different labels")

    def _split(self, examples: tuple[Example, ...]) -> tuple[tuple[Example, ...], tuple[Example, ...]]:
        data = self.settings.data
        stratify = self.settings.answer == "label"
        try:
            split = split_train(examples, data.eval_share, data.split_seed, stratify)
        except UsageError as error:
            raise DataError([RowProblem(self.train_file, 0, str(error))]) from None
        kind = "stratified, " if stratify else ""
        self.notes.append(
            f"no eval file: {len(split.eval):,} of {len(examples):,} training rows "
            f"({len(split.eval) / len(examples):.0%}, {kind}seed {data.split_seed}) were kept as eval rows"
        )
        return split.train, split.eval

    def _without_overlap(
        self, train: tuple[Example, ...], eval_rows: tuple[Example, ...], *, drop: bool
    ) -> tuple[Example, ...]:
        overlap = find_overlap(train, eval_rows)
        if not overlap.pairs or self.eval_file is None:
            return train
        if not drop and self.settings.gates.exact_duplicates is not None:
            return train  # how many may stay is the gate's to say
        if not drop:
            raise overlap_error(overlap, len(eval_rows), self.train_file, self.eval_file)
        left = without_overlap(train, overlap)
        if not left:
            raise DataError([RowProblem(self.train_file, 0, "no row is left without those that stand in eval too")])
        self.notes.append(
            f"{len(train) - len(left):,} of {len(train):,} training rows had the input of an eval row and were dropped"
        )
        return left

    def _corpus(self) -> Corpus:
        if self.settings.documents is None or self.documents_path is None:
            return Corpus(())
        return load_documents(self.documents_path, self.settings.documents.columns, self.problems)

    def _note_unknown_documents(self, eval_rows: Sequence[Example], corpus: Corpus) -> None:
        known = {document.id for document in corpus.documents}
        unknown = [row.doc_id for row in eval_rows if row.doc_id is not None and row.doc_id not in known]
        if known and unknown:
            count = f"{len(unknown):,} of {len(eval_rows):,}"
            self.notes.append(f"{count} eval rows name a document that isn't there, {unknown[0]!r} first")

    def _hashes(self) -> dict[str, str]:
        hashes = {"train": hash_file(self.train_file)}
        if self.eval_file is not None:
            hashes["eval"] = hash_file(self.eval_file)
        if self.documents_path is not None:
            hashes["documents"] = hash_documents(self.documents_path)
        general = self.settings.forgetting
        if general not in (None, "builtin", "off") and (path := _resolve(self.folder, general)).is_file():
            hashes["forgetting"] = hash_file(path)
        return hashes


def _task_file(path: Path) -> Path:
    """Return the task file that ``path`` means. Raises ``TaskError``."""
    if path.is_dir():
        found = next((path / name for name in TASK_FILES if (path / name).is_file()), None)
        if found is None:
            raise TaskError(f"{path}: holds no {TASK_FILES[0]}; `tuneworthy init {path} --data FILE` writes one")
        return found
    if path.is_symlink() and not path.exists():
        raise TaskError(f"{path}: is a symbolic link that leads nowhere")
    if not path.exists():
        raise TaskError(f"{path}: there is no such file or folder")
    if path.suffix.lower() not in (".yaml", ".yml", ".json"):
        raise TaskError(f"{path}: is no task file (.yaml, .yml, .json); `tuneworthy init DIR --data FILE` writes one")
    return path


def _task_name(folder: Path) -> str:
    """Return the folder's name with nothing in it that a task's name may not hold."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", folder.resolve().name).strip("-._")
    return name[:80] or "task"


def _resolve(folder: Path, text: str) -> Path:
    return folder / (Path(text).expanduser() if text.startswith("~/") else text)


def _listed(labels: Sequence[str], shown: int = 10) -> str:
    more = f" and {len(labels) - shown} more" if len(labels) > shown else ""
    return ", ".join(map(repr, labels[:shown])) + more
