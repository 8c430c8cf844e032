"""Answers as bytes and back, exactly: log-likelihoods as the doubles they are, texts in any characters.

The prompt isn't kept: whoever looks for an answer has it.
"""

import dataclasses
import json
import struct
from typing import Any, TypeVar

from evals.protocols import Choice, Generation

Answer = TypeVar("Answer", Choice, Generation)

LEFT_OUT = frozenset({"prompt", "error", "cached", "loglikelihoods"})
"""What the reader has, what a kept answer doesn't have, and what follows as doubles."""


def write_answer(made: Choice | Generation) -> bytes:
    """Return an answer without error as bytes."""
    facts = {field.name: getattr(made, field.name) for field in dataclasses.fields(made) if field.name not in LEFT_OUT}
    sums = getattr(made, "loglikelihoods", ())
    return json.dumps(facts).encode() + b"\n" + struct.pack(f"<{len(sums)}d", *sums)


def read_answer(kind: type[Answer], prompt: str, content: bytes) -> Answer | None:
    """Return the answer to ``prompt``, marked as cached; None for bytes that aren't of this version's ``kind``."""
    head, _, tail = content.partition(b"\n")
    try:
        facts: dict[str, Any] = json.loads(head)
        if kind is Choice:
            facts["loglikelihoods"] = struct.unpack(f"<{len(tail) // 8}d", tail)
        return kind(prompt=prompt, cached=True, **facts)
    except (TypeError, ValueError, struct.error):
        return None
