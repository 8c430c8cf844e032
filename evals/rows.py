"""Data files to examples: which column holds what, and every row that can't be used."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from evals.cell_text import CellProblem, cell_text, shorten, target_list, target_text
from evals.data_file import DataFile, RawRow
from evals.data_read import read_raw_rows
from evals.errors import DataError
from evals.example import Example
from evals.problems import Problems
from evals.task_file import AnswerKind, Columns

NAME_IT = "name it in the task file as data.columns.{key}"


@dataclass(frozen=True)
class Rows:
    """What a data file held: its usable rows in order, and the names of all its columns."""

    examples: tuple[Example, ...]
    columns: tuple[str, ...]


def load_rows(
    path: Path,
    columns: Columns,
    answer: AnswerKind,
    *,
    stem: str,
    problems: Problems,
    labels: Sequence[str] | None = None,
    labels_of: str = "the task file's",
    mend: str = NAME_IT,
) -> Rows:
    """Return the rows of ``path`` as examples; what is wrong with the others is added to ``problems``.

    A row without an id is called ``{stem}-{line}``. With ``labels``, every target must be among them
    (``labels_of`` says in a message where they come from); ``mend`` says what to do about a missing column ``{key}``.
    A row's accepted answers are its ``target`` first, then those of ``targets``, each once.
    """
    file = DataFile(path, problems, frozenset(columns.model_dump().values()))
    return _RowReader(file, columns, answer, stem, labels, labels_of, mend).read()


def check_columns(rows: dict[Path, Rows], columns: Columns, problems: Problems) -> None:
    """Add a problem for each column that the task file names itself and that no file has."""
    defaults = Columns()
    there = {name: None for file in rows.values() for name in file.columns}
    for field in ("id", "target", "targets", "doc_id", "group"):
        name = getattr(columns, field)
        if name != getattr(defaults, field) and there and name not in there:
            problems.add(next(iter(rows)), 0, f"data.columns.{field}: {missing_column(name, list(there))}")


def missing_column(name: str, there: Sequence[str]) -> str:
    """Return the words for a column that isn't there: its name, those that are, and the nearest of them."""
    folded = {other.casefold(): other for other in reversed(there)}
    near = get_close_matches(name.casefold(), folded, n=1)
    hint = f" (did you mean {folded[near[0]]!r}?)" if near else ""
    return f"there is no column {name!r}; there are {', '.join(map(repr, there)) or 'none'}{hint}"


class _RowReader:
    """Reads one file; keeps what must be known of earlier rows to judge a later one."""

    def __init__(
        self,
        file: DataFile,
        columns: Columns,
        answer: AnswerKind,
        stem: str,
        labels: Sequence[str] | None,
        labels_of: str,
        mend: str,
    ) -> None:
        self.file = file
        self.columns = columns
        self.answer = answer
        self.stem = stem
        self.labels_of = labels_of
        self.mend = mend
        self.labels = None if labels is None else dict.fromkeys(labels)
        self.first_of_ids: dict[str, RawRow] = {}
        # Rows that lack a key: told row by row, unless all rows lack it.
        self.without_input: list[int] = []
        self.without_target: list[int] = []

    def read(self) -> Rows:
        before = len(self.file.problems)
        rows = 0
        examples: list[Example] = []
        for rows, raw in enumerate(read_raw_rows(self.file), start=1):  # noqa: B007
            example = self._example(raw)
            if example is not None:
                examples.append(example)
        if not rows and len(self.file.problems) == before:
            self.file.problem(0, "holds no rows")
        self._tell_missing()
        return Rows(tuple(examples), tuple(self.file.columns))

    def _example(self, raw: RawRow) -> Example | None:
        """Return the row as an example, or None after adding what is wrong with it."""
        text = self._input(raw)
        targets = self._targets(raw)
        id_ = self._id(raw)
        doc_id = self._optional(raw, self.columns.doc_id)
        group = self._optional(raw, self.columns.group)
        if text is None or targets is None or id_ is None:
            return None
        return Example(id_, text, targets, doc_id, group)

    def _input(self, raw: RawRow) -> str | None:
        name = self.columns.input
        if name not in raw.values:
            _note(self.without_input, raw.line)
            return None
        try:
            text = cell_text(raw.values[name])
        except CellProblem as problem:
            self.file.row_problem(raw, f"{name!r} {problem}")
            return None
        if text is None:
            self.file.row_problem(raw, f"{name!r} is empty")
        return text

    def _targets(self, raw: RawRow) -> tuple[str, ...] | None:
        one, many = self.columns.target, self.columns.targets
        if one not in raw.values and many not in raw.values:
            _note(self.without_target, raw.line)
            return None
        name = one
        try:
            first = target_text(raw.values.get(one), self.answer)
            name = many
            others = target_list(raw.values.get(many), self.answer)
        except CellProblem as problem:
            self.file.row_problem(raw, f"{name!r} {problem}")
            return None
        targets = tuple(dict.fromkeys(others if first is None else (first, *others)))
        if not targets:
            self.file.row_problem(raw, f"{one if one in raw.values else many!r} is empty")
            return None
        unknown = [target for target in targets if self.labels is not None and target not in self.labels]
        for target in unknown:
            self.file.row_problem(
                raw, f"the label {shorten(target)} is not among {self.labels_of} labels{self._nearest_label(target)}"
            )
        return None if unknown else targets

    def _id(self, raw: RawRow) -> str | None:
        id_ = self._optional(raw, self.columns.id) or f"{self.stem}-{raw.number}"
        first = self.first_of_ids.setdefault(id_, raw)
        if first is not raw:
            self.file.row_problem(raw, f"the id {shorten(id_)} stands twice (first: {first.place})")
            return None
        return id_

    def _optional(self, raw: RawRow, name: str) -> str | None:
        try:
            text = cell_text(raw.values.get(name))
        except CellProblem as problem:
            self.file.row_problem(raw, f"{name!r} {problem}")
            return None
        return text.strip() if text else None

    def _nearest_label(self, target: str) -> str:
        # Only problems that will be shown are worth a search through many labels.
        if self.labels is None or len(self.file.problems) >= DataError.SHOWN:
            return ""
        folded = {label.casefold(): label for label in self.labels}
        near = get_close_matches(target.casefold(), folded, n=1)
        return f" (did you mean {folded[near[0]]!r}?)" if near else ""

    def _tell_missing(self) -> None:
        """Add the rows that lack their input or target; one problem if the whole file does."""
        there = list(self.file.columns)
        for name, key, lines in (
            (self.columns.input, "input", self.without_input),
            (self.columns.target, "target", self.without_target),
        ):
            names = {name, self.columns.targets} if key == "target" else {name}
            if lines and not names & self.file.columns.keys():
                self.file.problem(0, f"{missing_column(name, there)}; {self.mend.format(key=key)}")
            else:
                for line in lines:
                    self.file.problem(line, f"has no {name!r}")


def _note(lines: list[int], line: int) -> None:
    if len(lines) < Problems.LIMIT:
        lines.append(line)
