"""What a server says beside an answer: JSON or not, why it refuses, how long it wants us to wait."""

import json
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

Json = dict[str, Any]

SHOWN = 200
"""Characters of a server's own words in an error, at most."""


def json_object(text: str) -> Json | None:
    """Return the JSON object that ``text`` is, or None."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def message(data: Mapping[str, Any] | None, text: str) -> str:
    """Return a server's own words about a failure: ``error.message``, ``error``, ``detail``, ``message``, or all."""
    found: object = next((data[key] for key in ("error", "detail", "message") if key in data), None) if data else None
    if isinstance(found, dict):
        found = found.get("message", found)
    return text if found is None else found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)


def retry_after(value: str | None) -> float | None:
    """Return the seconds that a ``Retry-After`` asks for, given as such or as a date; None for neither."""
    if value is None:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, OverflowError):  # no date, or one that no clock reaches
        return None
