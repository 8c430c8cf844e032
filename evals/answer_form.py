"""What the answers of a task look like, learnt from its training rows alone.

A lenient reader takes off what the task's answers never have: a cue, quotes, further paragraphs. Were the
row's own target asked, the reader would choose between readings by the solution.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from evals.cue import drop_cue

QUOTES = {'"': '"', "'": "'", "“": "”", "‘": "’", "„": "“", "«": "»", "`": "`"}
"""Closing quotes by their opening ones."""

BRACKETS = "{["
"""What a JSON object or list begins with."""


@dataclass(frozen=True, slots=True)
class AnswerForm:
    """The form of a task's answers: brackets that JSON begins with, paragraphs at most, and what texts may wear."""

    brackets: str = BRACKETS
    paragraphs: int = 1
    cue: bool = False
    quotes: bool = False


def answer_form(targets: Iterable[str]) -> AnswerForm:
    """Return the form of ``targets``, all the answers that the training rows accept."""
    texts = [text for text in (target.strip() for target in targets) if text]
    return AnswerForm(
        brackets="".join(bracket for bracket in BRACKETS if any(text[0] == bracket for text in texts)) or BRACKETS,
        paragraphs=max((_count_paragraphs(text) for text in texts), default=1),
        cue=any(drop_cue(text) != text for text in texts),
        quotes=any(is_quoted(text) for text in texts),
    )


def first_paragraphs(text: str, count: int) -> str:
    """Return the first ``count`` paragraphs of a text without space around it; blank lines divide them."""
    lines = text.splitlines()
    ends = [place for place, line in enumerate(lines) if not line.strip() and place and lines[place - 1].strip()]
    return "\n".join(lines[: ends[count - 1]] if len(ends) >= count else lines).strip()


def _count_paragraphs(text: str) -> int:
    lines = [line.strip() for line in text.splitlines()]
    return sum(1 for before, line in zip(["", *lines], lines, strict=False) if line and not before)


def is_quoted(text: str) -> bool:
    """Whether ``text`` begins with a quote and ends with the one that closes it."""
    return len(text) > 1 and QUOTES.get(text[0]) == text[-1]
