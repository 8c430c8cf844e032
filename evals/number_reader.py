"""The number that an answer gives: strictly, or as a forgiving reader would take it.

Forgiving isn't guessing: where the number that would count can be read in two ways (``1.234,56``, ``12,34``)
or is no single number (``1/2``, ``2024-05-01``, ``5-3``), there's none.
"""

import math
import re

from evals.cue import after_cue

_PLAIN = r"(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)"
_EXPONENT = r"(?:[eE][-+]?[0-9]+)?"
_WHOLE = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_SPACES = " \u00a0\u202f\u2009"
_DIGITS = rf"(?:[1-9][0-9]{{0,2}}(?:[{_SPACES}][0-9]{{3}})+(?![0-9])|[0-9]+)"
_RUN = re.compile(
    r"(?:(?<![\w)])(?P<sign>[-+−]))?(?:[$€£¥₹](?P<after>[-−])?)?"
    rf"(?P<digits>(?:{_DIGITS}|(?<![\w.])\.[0-9]+)(?:[.,'’/:^_–−-]{_DIGITS}|[eE][-+]?[0-9]+)*)",
    re.ASCII,
)
"""A sign, a currency, and all that digits and what may stand between them make up."""
_ONE_NUMBER = re.compile(
    rf"(?:{_PLAIN}|[1-9][0-9]{{0,2}}(?P<by>[,'’{_SPACES}])[0-9]{{3}}(?:(?P=by)[0-9]{{3}})*(?:\.[0-9]+)?){_EXPONENT}"
)
_SEPARATORS = str.maketrans("", "", ",'’" + _SPACES)


def read_number(answer: str, *, strict: bool) -> str | None:
    """Return the number in ``answer`` as ``float`` takes it, or None.

    Strict: the whole answer is one. Otherwise: the first one after a cue (after the last ``=`` of that
    line, if there's one), and without a cue the last.
    """
    text = answer.strip()
    if _WHOLE.fullmatch(text) and _finite(text):
        return text
    if strict:
        return None
    line = after_cue(answer).strip().partition("\n")[0]
    runs = _runs(line.rpartition("=")[2]) or _runs(line)
    if runs:
        return _value(runs[0])
    runs = _runs(answer)
    return _value(runs[-1]) if runs else None


def _runs(text: str) -> list[re.Match[str]]:
    """Return the runs of digits that are no part of a word or code, as those of ``covid19`` and ``v2.3`` are."""
    return [run for run in _RUN.finditer(text) if not _within_word(text, run.start("digits"))]


def _within_word(text: str, place: int) -> bool:
    before = text[place - 1] if place else " "
    return before == "_" or (before.isascii() and before.isalpha())


def _value(run: re.Match[str]) -> str | None:
    if _ONE_NUMBER.fullmatch(run["digits"]) is None:
        return None
    negative = {run["sign"], run["after"]} & {"-", "−"}
    digits = ("-" if negative else "") + run["digits"].translate(_SEPARATORS)
    return digits if _finite(digits) else None


def _finite(digits: str) -> bool:
    """Whether a number that can be counted with is written: not beyond floats, no exponent of many digits."""
    exponent = digits.lower().partition("e")[2]
    return len(exponent) <= 5 and math.isfinite(float(digits))
