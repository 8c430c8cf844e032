"""Checks a task file against its schema, and says in plain words what is wrong, on which line.

All problems of a file are told at once.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from evals.errors import TaskError
from evals.task_file import METRICS, TaskFile
from evals.task_yaml import KeyPath, LocatedYaml, read_yaml

_BOUNDS = {
    "greater_than": "be more than {gt:g}",
    "greater_than_equal": "be at least {ge:g}",
    "less_than": "be less than {lt:g}",
    "less_than_equal": "be at most {le:g}",
    "literal_error": "be {expected}",
    "too_short": "be left out or hold something",
    "string_too_long": "have at most {max_length} characters",
    "string_too_short": "not be empty",
    "string_pattern_mismatch": "begin with a letter or digit and hold only letters, digits, dots, dashes, underscores",
}
"""What pydantic's kinds of errors ask for, with their bounds."""

_WORDS = {
    "int": "a whole number",
    "float": "a number",
    "finite": "a finite number",
    "string": "text",
    "list": "a list",
}


def read_task_file(path: Path, overrides: Mapping[str, object] | None = None) -> TaskFile:
    """Return the checked settings of a task file.

    ``overrides`` are set over the file's values before the check; a key with dots names a section's key.
    Raises ``TaskError`` with one line per problem: file, line, key, what is expected.
    """
    located = read_yaml(path)
    given = [_override(located, key, value) for key, value in (overrides or {}).items()]
    finder = _Finder(path, located, frozenset(given))
    try:
        settings = TaskFile.model_validate(located.data)
    except ValidationError as error:
        entries = sorted(error.errors(include_url=False), key=lambda entry: finder.line(entry["loc"]))
        problems = [finder.explain(entry) for entry in entries]
    else:
        problems = [finder.at(where) + what for where, what in _contradictions(settings)]
        if not problems:
            return settings
    if len(problems) == 1:
        raise TaskError(problems[0])
    raise TaskError("\n".join([f"{len(problems)} problems in {path}", *(f"  {problem}" for problem in problems)]))


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
    if settings.rag.overlap_tokens >= settings.rag.chunk_tokens:
        yield (
            ("rag", "overlap_tokens"),
            f"must be less than rag.chunk_tokens ({settings.rag.chunk_tokens}); it is {settings.rag.overlap_tokens}",
        )


@dataclass(frozen=True)
class _Finder:
    """Turns a problem's key path into a place and words."""

    path: Path
    located: LocatedYaml
    given: frozenset[KeyPath]

    def at(self, where: KeyPath) -> str:
        """Return the beginning of a message about the key at ``where``: file, line and key."""
        name = _name(where)
        if any(where[: len(given)] == given for given in self.given):
            return f"{name} (as given on the command line): "
        return f"{self.place(where)}: {name}: "

    def place(self, where: KeyPath) -> str:
        """Return file and line of the key at ``where``, or of the section that lacks it."""
        line = self.line(where)
        return f"{self.path}:{line}" if line else str(self.path)

    def line(self, where: KeyPath) -> int:
        """Return the line of the nearest key at or above ``where`` that stands in the file; 0 if none does."""
        lengths = range(len(where), 0, -1)
        return next((self.located.lines[where[:n]] for n in lengths if where[:n] in self.located.lines), 0)

    def explain(self, entry: Any) -> str:  # noqa: ANN401 -- pydantic's ErrorDetails, whose ctx is untyped
        """Return the line for one of pydantic's errors."""
        where: KeyPath = entry["loc"]
        if entry["type"] == "extra_forbidden":
            what = _unknown_key(where)
        elif entry["type"] == "missing":
            what = f"is missing; {_description(where)}"
        else:
            what = f"{_expected(entry)}{_it_is(entry['input'])}"
        return self.at(where) + what


def _expected(entry: Any) -> str:  # noqa: ANN401 -- as above
    """Return what a value should have been."""
    kind = str(entry["type"])
    if kind in _BOUNDS:
        return f"must {_BOUNDS[kind]}".format(**entry.get("ctx", {}))
    if kind == "model_type":
        section = _section(entry["loc"])
        return f"must be a section with keys ({', '.join(section.model_fields)})" if section else "must be a section"
    word = _WORDS.get(kind.split("_")[0])
    return f"must be {word}" if word else str(entry["msg"])


def _it_is(value: object) -> str:
    if value is None:
        return "; there is no value"
    if isinstance(value, Mapping):
        return "; it is a section with keys"
    if isinstance(value, list | tuple):
        return "; it is a list" if value else "; it is an empty list"
    text = str(value)
    return f"; it is {text[:60] + '…' if len(text) > 60 else text!r}" if text.strip() else ""


def _unknown_key(where: KeyPath) -> str:
    """Return that there is no such key, with the nearest of its section, or where else it would be valid."""
    key = str(where[-1])
    section = _section(where[:-1])
    valid = list(section.model_fields) if section else []
    near = get_close_matches(key.casefold(), valid, n=1)
    elsewhere = [_name(path) for path in _all_keys(TaskFile) if path[-1] == key.casefold()]
    if near:
        hint = f"did you mean {_name((*where[:-1], near[0]))}?"
    elif elsewhere:
        hint = f"did you mean {' or '.join(elsewhere)}?"
    else:
        hint = f"there are {', '.join(valid)}"
    return f"unknown key; {hint}"


def _section(where: KeyPath) -> type[BaseModel] | None:
    """Return the model of the section at ``where``; None when there is none."""
    model: type[BaseModel] | None = TaskFile
    for key in where:
        field = model.model_fields.get(str(key)) if model else None
        model = section_of(field.annotation) if field else None
    return model


def section_of(annotation: Any) -> type[BaseModel] | None:  # noqa: ANN401 -- an annotation is any object
    """Return the model of the section that a field's annotation stands for; None for a plain value."""
    for candidate in (annotation, *get_args(annotation)):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None


def _all_keys(model: type[BaseModel], above: KeyPath = ()) -> Iterator[KeyPath]:
    for name, field in model.model_fields.items():
        yield (*above, name)
        inner = section_of(field.annotation)
        if inner:
            yield from _all_keys(inner, (*above, name))


def _description(where: KeyPath) -> str:
    """Return what a key is for, as the schema says."""
    section = _section(where[:-1])
    field = section.model_fields.get(str(where[-1])) if section else None
    model = section_of(field.annotation) if field else None
    text = (field.description if field else None) or (model.__doc__ if model else None) or "it is needed"
    return text.strip()[0].lower() + text.strip().rstrip(".")[1:]


def _name(where: KeyPath) -> str:
    name = ""
    for key in where:
        name += f"[{key + 1}]" if isinstance(key, int) else f".{key}" if name else key
    return name
