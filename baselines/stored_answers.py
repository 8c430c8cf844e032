"""Answers as bytes and back, exactly: log-likelihoods as the doubles they are, texts in any characters.

The prompt isn't kept: whoever looks for an answer has it.
"""

import dataclasses
import json
import struct
from typing import Any, TypeVar

from evals.protocols import Choice, Generation

Answer = TypeVar("Answer", Choice, Generation)

LEFT_OUT = frozenset({"prompt", "error", "cached", "cached_tokens", "loglikelihoods"})
"""What the reader has, what a kept answer doesn't have (servers' aren't kept), and what follows as doubles."""


def write_answer(made: Choice | Generation, run: str = "") -> bytes:
    """Return an answer without error as bytes; ``run`` is what computed it."""
    facts = {field.name: getattr(made, field.name) for field in dataclasses.fields(made) if field.name not in LEFT_OUT}
    sums = getattr(made, "loglikelihoods", ())
    return json.dumps(facts | {"run": run}).encode() + b"\n" + struct.pack(f"<{len(sums)}d", *sums)


def read_answer(kind: type[Answer], prompt: str, content: bytes, run: str = "") -> Answer | None:
    """Return the answer to ``prompt``; None for bytes that aren't of this version's ``kind``.

    It's marked as cached unless ``run`` itself computed it.
    """
    head, _, tail = content.partition(b"\n")
    try:
        facts: dict[str, Any] = json.loads(head)
        cached = facts.pop("run") != run or not run
        if kind is Choice:
            facts["loglikelihoods"] = struct.unpack(f"<{len(tail) // 8}d", tail)
        return kind(prompt=prompt, cached=cached, **facts)
    except (TypeError, ValueError, LookupError, AttributeError, struct.error):
        return None
