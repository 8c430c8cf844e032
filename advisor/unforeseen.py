"""The one line for an error that nobody foresaw: what it is, and how to see where it came from."""

TRACE = "TUNEWORTHY_TRACE"
"""The environment variable that has such an error shown with its traceback."""


def unforeseen(error: Exception) -> str:
    """Return what to print for ``error``."""
    if isinstance(error, MemoryError):
        return "out of memory; give fewer or shorter rows, or a smaller model"
    if isinstance(error, UnicodeEncodeError):
        return f"{_shown(error.object)}: a name or a text holds bytes that are no UTF-8; rename it, or save it as UTF-8"
    told = " ".join(str(error).split())[:300]
    what = f"{type(error).__name__}: {told}" if told else type(error).__name__
    return f"unforeseen error, which is ours to mend: {what}. {TRACE}=1 shows where; please report it with that"


def _shown(text: str, around: int = 60) -> str:
    """Return the part of a text that can't be encoded, in signs that every terminal has."""
    at = next((place for place, sign in enumerate(text) if "\ud800" <= sign <= "\udfff"), 0)
    part = text[max(0, at - around) : at + around]
    return " ".join(part.encode("ascii", "backslashreplace").decode().split())
