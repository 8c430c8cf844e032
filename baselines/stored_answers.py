"""Answers as bytes and back, exactly: log-likelihoods as the doubles they are, texts in any characters.

The prompt isn't kept: whoever looks for an answer has it.
"""

import json
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from evals.protocols import Choice, Generation

Answer = TypeVar("Answer", Choice, Generation)


@dataclass(frozen=True)
class Codec(Generic[Answer]):
    """``write`` makes bytes of an answer without error, ``read`` (of prompt and bytes) the answer, marked as cached."""

    write: Callable[[Answer], bytes]
    read: Callable[[str, bytes], Answer]


def choice_codec(labels: Sequence[str]) -> Codec[Choice]:
    """Return the codec of choices between ``labels``."""
    places = {label: place for place, label in reversed(list(enumerate(labels)))}

    def write(made: Choice) -> bytes:
        facts = [places[made.by_sum], places[made.by_mean], made.prompt_tokens, made.completion_tokens, made.ms]
        return json.dumps(facts).encode() + b"\n" + struct.pack(f"<{len(labels)}d", *made.loglikelihoods)

    def read(prompt: str, content: bytes) -> Choice:
        facts, _, sums = content.partition(b"\n")
        by_sum, by_mean, prompt_tokens, completion_tokens, ms = json.loads(facts)
        return Choice(
            prompt=prompt,
            by_sum=labels[by_sum],
            by_mean=labels[by_mean],
            loglikelihoods=struct.unpack(f"<{len(labels)}d", sums),
            prompt_tokens=prompt_tokens,
            completion_tokens=completion_tokens,
            ms=ms,
            cached=True,
        )

    return Codec(write, read)


def generation_codec() -> Codec[Generation]:
    """Return the codec of generated answers."""

    def write(made: Generation) -> bytes:
        return json.dumps([made.text, made.prompt_tokens, made.completion_tokens, made.ms, made.cut]).encode()

    def read(prompt: str, content: bytes) -> Generation:
        text, prompt_tokens, completion_tokens, ms, cut = json.loads(content)
        return Generation(prompt, text, prompt_tokens, completion_tokens, ms, cut=cut, cached=True)

    return Codec(write, read)
