"""A task as the house uses it: the file's settings with the rows and documents that it names."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from evals.answer_form import AnswerForm, answer_form
from evals.example import Document, Example
from evals.learnt_answers import LearntAnswers, learnt_answers
from evals.task_file import METRICS, AnswerKind, Metric, TaskFile


@dataclass(frozen=True)
class Task:
    """A loaded task; everything is resolved and checked.

    ``hashes`` maps each data file (as named in the task file, ``train``/``eval``/``documents``) to the
    SHA-256 of its content. ``notes`` are sentences that the user is told and the report repeats, for
    example that the eval rows were split off from train (``split_made``). ``file`` is the task file.
    """

    name: str
    settings: TaskFile
    folder: Path
    labels: tuple[str, ...]
    train: tuple[Example, ...]
    eval: tuple[Example, ...]
    documents: tuple[Document, ...]
    hashes: dict[str, str]
    notes: tuple[str, ...] = ()
    file: Path = Path("task.yaml")
    split_made: bool = False

    @property
    def instruction(self) -> str:
        """What the model is told to do."""
        return self.settings.instruction

    @property
    def answer(self) -> AnswerKind:
        """The kind of answer."""
        return self.settings.answer

    @property
    def metric(self) -> Metric:
        """The metric that decides."""
        return self.settings.metric or METRICS[self.settings.answer][0]

    @cached_property
    def form(self) -> AnswerForm:
        """What its answers look like, going by the training rows; no eval row has a say in how answers are read."""
        return answer_form(target for row in self.train for target in row.targets)

    @cached_property
    def learnt(self) -> LearntAnswers:
        """The answers that an arm may have learnt by heart from the training rows."""
        return learnt_answers(self.answer, self.train)
