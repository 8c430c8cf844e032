"""Checks a user's file against its pydantic model, and says in plain words what is wrong, on which line.

All problems of a file are told at once.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError

from evals.errors import TaskError
from evals.model_ref import BRANCHES, SECRET
from evals.task_yaml import KeyPath, LocatedYaml

Model = TypeVar("Model", bound=BaseModel)

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


def check_model(model: type[Model], path: Path, located: LocatedYaml, given: frozenset[KeyPath] = frozenset()) -> Model:
    """Return the file's data as a ``model``; ``given`` are the keys that the command line set over the file's.

    Raises ``TaskError`` with one line per problem: file, line, key, what is expected.
    """
    finder = Finder(path, located, given, model)
    try:
        return model.model_validate(located.data)
    except ValidationError as error:
        entries = sorted(error.errors(include_url=False), key=lambda entry: finder.line(entry["loc"]))
    raise problems_error(path, [finder.explain(entry) for entry in entries])


def problems_error(path: Path, problems: list[str]) -> TaskError:
    """Return the error that tells ``problems``, each of which names its place."""
    if len(problems) == 1:
        return TaskError(problems[0])
    return TaskError("\n".join([f"{len(problems)} problems in {path}", *(f"  {problem}" for problem in problems)]))


@dataclass(frozen=True)
class Finder:
    """Turns a problem's key path into a place and words."""

    path: Path
    located: LocatedYaml
    given: frozenset[KeyPath]
    model: type[BaseModel]

    def at(self, where: KeyPath) -> str:
        """Return the beginning of a message about the key at ``where``: file, line and key."""
        name = key_name(where)
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
        where: KeyPath = _place(entry["loc"])
        if entry["type"] == "extra_forbidden":
            what = _unknown_key(self.model, where)
        elif entry["type"] == "missing":
            what = f"is missing; {_description(self.model, where)}"
        elif entry["type"] == SECRET:
            what = str(entry["msg"])
        else:
            what = f"{_expected(self.model, entry)}{_it_is(entry['input'])}"
        return self.at(where) + what


def _expected(model: type[BaseModel], entry: Any) -> str:  # noqa: ANN401 -- as above
    """Return what a value should have been."""
    kind = str(entry["type"])
    if kind in _BOUNDS:
        return f"must {_BOUNDS[kind]}".format(**entry.get("ctx", {}))
    if kind == "model_type":
        section = _section(model, _place(entry["loc"]))
        return f"must be a section with keys ({', '.join(section.model_fields)})" if section else "must be a section"
    if BRANCHES[0] in entry["loc"]:
        return "must be a model's name or folder, or a section with endpoint and name"
    if kind == "dict_type":
        return f"must be a section with names of your own, as in `{key_name(_place(entry['loc']))}: {{NAME: …}}`"
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


def _unknown_key(model: type[BaseModel], where: KeyPath) -> str:
    """Return that there is no such key, with the nearest of its section, or where else it would be valid."""
    key = str(where[-1])
    section = _section(model, where[:-1])
    valid = list(section.model_fields) if section else []
    near = get_close_matches(key.casefold(), valid, n=1)
    elsewhere = [key_name(path) for path in _all_keys(model) if path[-1] == key.casefold()]
    if near:
        hint = f"did you mean {key_name((*where[:-1], near[0]))}?"
    elif elsewhere:
        hint = f"did you mean {' or '.join(elsewhere)}?"
    else:
        hint = f"there are {', '.join(valid)}"
    return f"unknown key; {hint}"


def _section(model: type[BaseModel], where: KeyPath) -> type[BaseModel] | None:
    """Return the model of the section at ``where`` below ``model``; None when there is none."""
    section: type[BaseModel] | None = model
    named = False  # whether the next key is a name of the user's own
    for key in where:
        if named:
            named = False
            continue
        field = section.model_fields.get(str(key)) if section else None
        section = _deep_section_of(field.annotation) if field else None
        named = field is not None and get_origin(field.annotation) is dict
    return section


def _place(where: KeyPath) -> KeyPath:
    """Return a problem's place without what pydantic adds: which form of a model it read, and that it is a key."""
    return tuple(part for part in where if part not in (*BRANCHES, "[key]"))


def section_of(annotation: Any) -> type[BaseModel] | None:  # noqa: ANN401 -- an annotation is any object
    """Return the model of the section that a field's annotation stands for; None for a plain value."""
    for candidate in (annotation, *get_args(annotation)):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None


def _deep_section_of(annotation: Any) -> type[BaseModel] | None:  # noqa: ANN401 -- as above
    """Return the same, for a section that is but one form of a value, or one of many under names of the user's own."""
    if found := section_of(annotation):
        return found
    return next((found for part in get_args(annotation) if (found := _deep_section_of(part)) is not None), None)


def _all_keys(model: type[BaseModel], above: KeyPath = ()) -> Iterator[KeyPath]:
    for name, field in model.model_fields.items():
        yield (*above, name)
        inner = section_of(field.annotation)
        if inner:
            yield from _all_keys(inner, (*above, name))


def _description(model: type[BaseModel], where: KeyPath) -> str:
    """Return what a key is for, as the schema says."""
    section = _section(model, where[:-1])
    field = section.model_fields.get(str(where[-1])) if section else None
    inner = section_of(field.annotation) if field else None
    text = (field.description if field else None) or (inner.__doc__ if inner else None) or "it is needed"
    return text.strip()[0].lower() + text.strip().rstrip(".")[1:]


def key_name(where: KeyPath) -> str:
    """Return a key's name as users write it: sections joined by dots, positions in lists in brackets."""
    name = ""
    for key in where:
        name += f"[{key + 1}]" if isinstance(key, int) else f".{key}" if name else key
    return name
