"""Reads a task file and checks it against its schema; the keys together too, not each alone.

All problems of a file are told at once.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from evals.schema_check import Finder, check_model, problems_error
from evals.task_file import METRICS, TaskFile
from evals.task_yaml import KeyPath, LocatedYaml, read_yaml

MOST_CANDIDATES = 12
"""Settings that an arm may be asked to choose among; each costs as many answers as there are validation rows."""


def read_task_file(path: Path, overrides: Mapping[str, object] | None = None) -> TaskFile:
    """Return the checked settings of a task file.

    ``overrides`` are set over the file's values before the check; a key with dots names a section's key.
    Raises ``TaskError`` with one line per problem: file, line, key, what is expected.
    """
    located = read_yaml(path)
    given = frozenset(_override(located, key, value) for key, value in (overrides or {}).items())
    settings = check_model(TaskFile, path, located, given)
    finder = Finder(path, located, given, TaskFile)
    problems = [finder.at(where) + what for where, what in _contradictions(settings)]
    if problems:
        raise problems_error(path, problems)
    return settings


def _override(located: LocatedYaml, key: str, value: object) -> KeyPath:
    """Set ``value`` at the dotted ``key``; return the key's path."""
    parts = key.split(".")
    section = located.data
    for part in parts[:-1]:
        inner = section.get(part)
        if not isinstance(inner, dict):
            inner = section[part] = {}
        section = inner
    section[parts[-1]] = value
    return tuple(parts)


def _contradictions(settings: TaskFile) -> Iterator[tuple[KeyPath, str]]:
    """Yield what each key allows but the keys together don't."""
    fitting = METRICS[settings.answer]
    if settings.metric is not None and settings.metric not in fitting:
        yield ("metric",), f"{settings.metric} doesn't fit `answer: {settings.answer}`; use {' or '.join(fitting)}"
    if settings.labels is not None:
        if settings.answer != "label":
            yield ("labels",), f"need `answer: label`; it is `answer: {settings.answer}`"
        for position, label in enumerate(settings.labels):
            if label in settings.labels[:position]:
                yield ("labels", position), f"the label {label!r} stands twice"
        if len(set(settings.labels)) < 2:
            yield ("labels",), "must be at least two different labels"
    few, rag = settings.few_shot.try_k or [1], settings.rag.try_k or [1]
    sizes, wordings = settings.rag.try_chunk_tokens or [settings.rag.chunk_tokens], 1 + len(settings.instructions or ())
    most = wordings * max(len(few), len(rag) * len(sizes))
    if most > MOST_CANDIDATES:
        keys = "instructions, few_shot.try_k, rag.try_k, rag.try_chunk_tokens"
        yield ("few_shot", "try_k"), f"an arm would try {most} settings ({keys} multiply); at most {MOST_CANDIDATES}"
    if settings.rag.overlap_tokens >= min(sizes):
        yield (
            ("rag", "overlap_tokens"),
            f"must be less than rag.chunk_tokens ({min(sizes)}); it is {settings.rag.overlap_tokens}",
        )
