"""Tells text that may be a key from other text, so that no key gets into the files of a run.

By its name where it has one, else by what it looks like, or by being the key in the environment.
"""

import os
import re
from collections.abc import Iterator
from urllib.parse import unquote

from pydantic import JsonValue

WHOLE_KEY = 16
"""Characters of a key from which on it's looked for inside longer text."""

LEAST_KEY = 8
"""Characters that a key in the environment has at least: ``none`` or ``EMPTY`` in its place is a word like others."""

_NAME = re.compile(
    r"api.?key|authori[sz]ation|secret|passw|bearer|(auth|access|api|refresh|session).?tokens?"
    r"|(?<!bos_)(?<!eos_)(?<!pad_)(?<!unk_)(?<!stop_)token$",
    re.IGNORECASE,
)
_KEY = re.compile(r"(?<![A-Za-z0-9])sk-[A-Za-z0-9_\-]{13,}")


def names_a_secret(name: str) -> bool:
    """Tell whether what stands under ``name`` is a key, going by the name: ``max_tokens`` and ``eos_token`` aren't."""
    return _NAME.search(name) is not None


def may_be_key(text: str, variable: str) -> bool:
    """Tell whether ``text`` looks like a key, or is or holds the one in the environment's ``variable``."""
    key = os.environ.get(variable, "").strip()
    plain = unquote(text)
    if any(_KEY.search(form) for form in (text, plain)):
        return True
    if len(key) < LEAST_KEY:
        return False
    return key in (text.strip(), plain.strip()) or (len(key) >= WHOLE_KEY and (key in text or key in plain))


def inner_names(value: JsonValue) -> Iterator[str]:
    """Go through the names at every depth of ``value``.

    Left out are the fields that a JSON schema describes (a section under ``properties``): they're what is asked for.
    """
    if isinstance(value, list):
        for one in value:
            yield from inner_names(one)
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield name
            if name == "properties" and isinstance(inner, dict):
                yield from (field for field, about in inner.items() if not isinstance(about, dict))
                yield from inner_names(list(inner.values()))
            else:
                yield from inner_names(inner)


def inner_texts(value: JsonValue) -> Iterator[str]:
    """Go through all texts and numbers at every depth of ``value``, names too, as text."""
    if isinstance(value, list):
        for one in value:
            yield from inner_texts(one)
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from inner_texts(inner)
    elif value is not None:
        yield str(value)
