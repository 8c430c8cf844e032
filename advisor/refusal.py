"""What is wrong with a command line, in our words: typer's exceptions come with a library's."""

import re
from collections.abc import Mapping
from typing import Any

from typer.exceptions import TyperException

_ASKED = {
    "greater_than": "more than {gt:g}",
    "greater_than_equal": "at least {ge:g}",
    "less_than": "less than {lt:g}",
    "less_than_equal": "at most {le:g}",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing_size": "a smaller whole number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
}
"""What kinds of pydantic's errors ask for, with their bounds."""


def refusal(error: TyperException) -> str:
    """Return what is wrong and how to mend it, on one line, without a stop at its end."""
    kind = type(error).__name__
    if kind == "NoSuchOption":
        return _no_option(error)
    if kind == "MissingParameter":
        return f"{_name(error)} is missing"
    if kind == "BadParameter" and (entry := _problem(error)) is not None:
        return f"{_name(error)} {_shown(entry['input'])}: give {_wanted(entry)}"
    told = error.format_message().rstrip(".")
    for pattern, ours in (
        (r"No such command '([^']*)'", r"there is no command '\1'"),
        (r"No such command '([^']*)'\. Did you mean (.*)", r"there is no command '\1'; did you mean \2"),
        (r"Got unexpected extra arguments?(?:\(s\))? \((.*)\)", r"one argument too many: \1"),
        (r"Option '(.*)' requires an argument", r"\1 needs a value behind it"),
        (r"Option '(.*)' does not take a value", r"\1 takes no value"),
    ):
        told = re.sub(f"^{pattern}$", ours, told)
    return told


def _no_option(error: TyperException) -> str:
    near = sorted(getattr(error, "possibilities", None) or ())
    told = f"there is no option {getattr(error, 'option_name', '')}".rstrip()
    return f"{told}; did you mean {' or '.join(near)}?" if near else told


def _problem(error: TyperException) -> Mapping[str, Any] | None:
    """Return the first of pydantic's errors behind ``error``; None where it's none of pydantic's."""
    found = getattr(error.__cause__, "errors", None)
    entries = found(include_url=False) if callable(found) else []
    return entries[0] if entries else None


def _wanted(entry: Mapping[str, Any]) -> str:
    kind = str(entry["type"])
    if kind in _ASKED:
        return _ASKED[kind].format(**entry.get("ctx", {}))
    said = str(entry["msg"]).removeprefix("Value error, ")
    if (choices := re.search(r" is not one of (.+?)\.?$", said)) is not None:
        *others, last = choices[1].replace("'", "").split(", ")
        return f"{', '.join(others)} or {last}" if others else last
    return f"another value ({said[:1].lower()}{said[1:]})"


def _name(error: TyperException) -> str:
    """Return the option's or argument's name as a user writes it."""
    hint = getattr(error, "param_hint", None)
    param = getattr(error, "param", None)
    if hint is None and param is not None:
        hint = param.get_error_hint()
    text = hint if isinstance(hint, str) else " / ".join(hint or ["an argument"])
    return text.replace("'", "")


def _shown(value: object) -> str:
    text = " ".join(str(value).split())
    return text[:60] + "…" if len(text) > 60 else text or "''"
