"""Which general questions a tuned model is asked: the built-in abilities, or the rows of a user's file."""

from pathlib import Path

from evals.errors import DataError, RowProblem, UsageError
from evals.example import Prompt
from evals.forgetting import GeneralQuestion, GeneralSet
from evals.model_ref import Endpoint
from evals.problems import Problems
from evals.rows import load_rows
from evals.split import limit_examples
from evals.task_file import Columns

BUILTIN, OFF = "builtin", "off"
PER_ABILITY = 6
"""With 8, asking the base and two trained cells took 9 and 11% of the CPU time of two of the demo's runs."""

MOST_ROWS = 200
"""Of a longer file a seeded sample is asked: the check is to cost little beside the training."""

INSTRUCTION = "Answer the question."
COLUMNS = "general questions need the columns input and target, whatever the task's are called"


def general_set(choice: str | None, model: str | Endpoint, folder: Path) -> GeneralSet | None:
    """Return the general set for ``choice``: ``builtin``, ``off``, or a file as seen from ``folder``.

    Without a choice it's the built-in abilities for the built-in model, and none for any other. Raises
    ``UsageError`` and ``DataError`` for a file that can't be used.
    """
    if choice is None:
        choice = BUILTIN if model == BUILTIN else OFF
    if choice == OFF:
        return None
    return _abilities() if choice == BUILTIN else _from_file(folder / Path(choice).expanduser())


def check_given(choice: object) -> None:
    """Raise ``UsageError`` for a ``--forgetting FILE`` that isn't there; it's seen from where the command is given."""
    if isinstance(choice, str) and choice not in (BUILTIN, OFF) and not Path(choice).expanduser().is_file():
        what = "that is no file of rows" if Path(choice).expanduser().exists() else "there is no such file"
        raise UsageError(f"--forgetting {choice}: {what}; give builtin, off, or a file of rows")


def _abilities() -> GeneralSet:
    from finetune.abilities import TESTS, lesson_for

    questions = []
    for test in TESTS:
        if test.exact:
            for number in range(PER_ABILITY):
                lesson = lesson_for(test, f"general/{number}")
                identity = f"{test.name}/{number}"
                questions.append(GeneralQuestion(identity, test.name, lesson.prompt, (lesson.answer,)))
    return GeneralSet("the built-in abilities", tuple(questions))


def _from_file(path: Path) -> GeneralSet:
    if not path.is_file():
        raise UsageError(f"forgetting: {path} is no file; give builtin, off, or a file of rows with input and target")
    problems = Problems()
    rows = load_rows(path, Columns(), "text", stem="general", problems=problems, mend=COLUMNS)
    problems.raise_any()
    if not rows.examples:
        raise DataError([RowProblem(path, 0, "holds no questions for the forgetting check")])
    chosen = limit_examples(rows.examples, MOST_ROWS, seed=0, stratify=False)
    questions = [
        GeneralQuestion(row.id, row.group or "all", Prompt(INSTRUCTION, row.input), row.targets) for row in chosen
    ]
    sampled = f", {len(chosen):,} of {len(rows.examples):,} rows" if len(chosen) < len(rows.examples) else ""
    return GeneralSet(path.name + sampled, tuple(questions))
