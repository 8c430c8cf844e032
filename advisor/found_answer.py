"""An answer to one of the advisor's questions that was measured, with the sentence that says what was."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FoundAnswer:
    """``option`` is one of the question's options (``advisor/questions.yaml``); ``sentence`` holds the figures."""

    option: str
    sentence: str


def counted(number: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun: ``1 row``, ``1,284 rows``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
