"""Answers to the advisor's questions: read from a file or from ``key=value``, checked, and written back.

A file is YAML or JSON with one key per question. ``unknown`` (or null) means "asked, and not known", a key that is
left out "not asked yet": the advice treats both alike, a dialogue that goes on asks only the second.
"""

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from advisor.questions import Question, questions
from evals.cell_text import shorten
from evals.errors import TaskError, TuneworthyError, UsageError
from evals.files import write_text
from evals.task_yaml import read_yaml

UNKNOWN = "unknown"


def read_answers(path: Path) -> dict[str, str | None]:
    """Return the answers in a file; None is an unknown one. Raises ``TaskError`` with file and line of each mistake."""
    located = read_yaml(path, "answers file", if_empty=None)
    found: dict[str, str | None] = {}
    wrong = []
    for key, value in located.data.items():
        try:
            found[key] = checked(key, value)
        except UsageError as error:
            wrong.append(f"{path}:{located.lines[key,]}: {error}")
    if wrong:
        raise TaskError("\n".join(wrong))
    return found


def known(answers: Mapping[str, str | None]) -> dict[str, str]:
    """Return the answers that aren't unknown, as the advice takes them."""
    return {key: value for key, value in answers.items() if value is not None}


def set_answers(pairs: Sequence[str]) -> dict[str, str | None]:
    """Return the answers of ``key=value`` pairs; None makes one unknown. Raises ``UsageError``."""
    found: dict[str, str | None] = {}
    wrong = []
    for pair in pairs:
        key, sign, value = (part.strip() for part in pair.partition("="))
        if not sign:
            wrong.append(f"--set {pair}: should be key=value, as in --set task=sorting")
        else:
            try:
                found[key] = checked(key, value)
            except UsageError as error:
                wrong.append(str(error))
    if wrong:
        raise UsageError("\n".join(wrong))
    return found


def checked(key: str, value: object) -> str | None:
    """Return a valid answer, None for an unknown one. Raises ``UsageError`` with what would be valid."""
    by_key = {question.key: question for question in questions()}
    if key not in by_key:
        near = difflib.get_close_matches(key, by_key, n=1)
        hint = f"did you mean {near[0]}?" if near else "`tuneworthy questions` lists them"
        raise UsageError(f"there's no question {shorten(key)}; {hint}")
    if value is None or value == UNKNOWN:
        return None
    options = by_key[key].options
    if not isinstance(value, str) or value not in options:
        raise UsageError(f"{key}: {shorten(str(value))} is no answer; choose from {', '.join([*options, UNKNOWN])}")
    return value


def write_answers(path: Path, answers: Mapping[str, str | None]) -> None:
    """Write ``answers`` so that ``path`` holds the old file or the new one. Raises ``TuneworthyError`` in one line."""
    try:
        write_text(path, answers_text(answers))
    except OSError as error:
        raise TuneworthyError(
            f"{path}: the answers can't be saved: {error.strerror or error}; --save FILE saves them somewhere else"
        ) from None


def answers_text(answers: Mapping[str, str | None]) -> str:
    """Return the text of an answers file: each question as a comment, its answer, or a blank to fill in."""
    lines = [
        "# Answers for `tuneworthy advise`: --resume THIS_FILE asks what is open, --answers THIS_FILE asks nothing.",
        f"# {UNKNOWN} means don't know. Take the # away from a line to answer it.",
    ]
    for question in questions():
        lines += ["", f"# {question.text}", f"# {', '.join([*question.options, UNKNOWN])}"]
        if question.key in answers:
            lines.append(yaml.safe_dump({question.key: answers[question.key] or UNKNOWN}).strip())
        else:
            lines.append(f"# {question.key}:")
    return "\n".join(lines) + "\n"


def listing() -> str:
    """Return all questions with their keys and options, for ``tuneworthy questions``."""
    head = f"Keys and options for `tuneworthy advise --set KEY=OPTION`; {UNKNOWN} is an option of every question."
    return "\n\n".join([head, *(_listed(question) for question in questions())])


def _listed(question: Question) -> str:
    options = [f"    {value:<12} {text}" for value, text in question.options.items()]
    return "\n".join([f"{question.key}: {question.text}", f"    {question.why}", *options])
