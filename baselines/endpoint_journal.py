"""The answers of endpoints that a run has had, kept in its folder as they come: none is asked and paid for twice.

A batch that a kill cut short, or a cell that failed on too many rows, is answered again as a whole; what was answered
before comes from here then. It is the run's own, not shared between runs: the weights behind an endpoint may change
under the same name, which a run's fingerprint can only partly tell.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FILE = "endpoint-answers.jsonl"
TAIL = 256
"""Tokens kept of a text whose likelihoods were asked for, from its end: a label and what stands before it."""

Json = dict[str, Any]


def request_key(url: str, body: Mapping[str, Any], seed: int) -> str:
    """Return what tells a request to one address from every other.

    An answer that is drawn by chance is another for each ``seed``; one at temperature 0, and likelihoods, are not.
    """
    drawn = body.get("temperature") != 0 and not body.get("echo")  # without a temperature the server's own goes
    asked = [url, body, seed] if drawn else [url, body]
    return hashlib.blake2b(json.dumps(asked, sort_keys=True).encode(), digest_size=16).hexdigest()


class Journal:
    """The kept answers in ``folder``, by request: the server's JSON, cut to what is read of it, and milliseconds."""

    def __init__(self, folder: Path) -> None:
        """Read what is there; a line that can't be read, as a kill leaves it, is no answer."""
        self._file = folder / FILE
        self._kept: dict[str, tuple[Json, float]] = {}
        content = self._file.read_text(encoding="utf-8", errors="replace") if self._file.exists() else ""
        for line in content.split("\n"):
            try:
                entry = json.loads(line)
                self._kept[entry["key"]] = (dict(entry["data"]), float(entry["ms"]))
            except (ValueError, KeyError, TypeError):
                continue
        self._opening = "\n" if content and not content.endswith("\n") else ""

    def get(self, key: str) -> tuple[Json, float] | None:
        """Return the answer to a request and what it took, or None."""
        return self._kept.get(key)

    def put(self, key: str, data: Json, ms: float) -> None:
        """Keep an answer; it's on its way to disk when this returns."""
        slim = _slim(data)
        self._kept[key] = (slim, ms)
        line = json.dumps({"key": key, "ms": round(ms, 3), "data": slim})
        with self._file.open("a", encoding="utf-8") as file:
            file.write(f"{self._opening}{line}\n")
        self._opening = ""


def _slim(data: Json) -> Json:
    """Return what is read of an answer: of each choice text and reason, the last likelihoods, and the usage."""
    choices = []
    for choice in data["choices"][:1]:
        kept = {key: choice[key] for key in ("text", "finish_reason") if key in choice}
        if isinstance(message := choice.get("message"), dict):
            kept["message"] = {"content": message.get("content")}
        if isinstance(told := choice.get("logprobs"), dict):
            kept["logprobs"] = {
                key: told[key][-TAIL:] for key in ("tokens", "token_logprobs") if isinstance(told.get(key), list)
            }
            kept.pop("text", None)
        choices.append(kept)
    return {"choices": choices} | ({"usage": data["usage"]} if "usage" in data else {})
