"""From what a model wrote to its answer: a strict reading and a lenient one.

Strict: the whole text must be an answer of the task's kind. Lenient: what a forgiving reader would
take for the answer. Whatever the strict reading accepts, the lenient one accepts too. Neither ever
raises: text without an answer gives None, which is a wrong answer, not an error.
"""

import math
import re
from collections.abc import Sequence

from evals.cue import drop_cue
from evals.json_value import find_json, parse_json
from evals.label_reader import label_reader
from evals.task_file import AnswerKind

_NUMBER = r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
_WHOLE_NUMBER = re.compile(rf"[-+]?{_NUMBER}")
_SOME_NUMBER = re.compile(
    r"(?:(?<![\w)])(?P<sign>[-+−]))?(?:[$€£¥₹](?P<after>[-−])?)?"
    r"(?<![A-Za-z0-9_])(?<![0-9]\.)"  # not inside a word, a code or a version number
    r"(?P<digits>(?:[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]+)?|\.[0-9]+)"
    r"(?:[eE][-+]?[0-9]+)?)",
    re.ASCII,
)
_QUOTES = {'"': '"', "'": "'", "“": "”", "‘": "’", "„": "“", "«": "»", "`": "`"}


def extract(
    answer: str, kind: AnswerKind, labels: Sequence[str] = (), *, strict: bool, openings: str = "{["
) -> str | None:
    """Return the answer that stands in ``answer``, or None when there is none.

    ``labels`` matter for labels alone, ``openings`` for JSON alone: the characters that the task's
    answers begin with. A character other than ``{`` and ``[`` there makes bare JSON strings, numbers,
    booleans and null acceptable.
    """
    if kind == "label":
        reader = label_reader(tuple(labels))
        return reader.strict(answer) if strict else reader.lenient(answer)
    if kind == "json":
        return _json(answer, strict=strict, openings=openings)
    if kind == "number":
        return _number(answer, strict=strict)
    return answer.strip() or None if strict else _text(answer)


def _json(answer: str, *, strict: bool, openings: str) -> str | None:
    whole = parse_json(answer)
    if whole is not None and (whole.text[0] in "{[" or not set(openings) <= set("{[")):
        return whole.text
    if strict:
        return None
    found = find_json(answer, "".join(set(openings) & set("{[")) or "{[") or find_json(answer)
    return found.text if found is not None else None


def _number(answer: str, *, strict: bool) -> str | None:
    text = answer.strip()
    if _WHOLE_NUMBER.fullmatch(text) and _finite(text):
        return text
    if strict:
        return None
    last = None
    for match in _SOME_NUMBER.finditer(answer):
        sign = "-" if "-" in (match["sign"] or match["after"] or "").replace("−", "-") else ""
        digits = sign + match["digits"].replace(",", "")
        if _finite(digits):
            last = digits
    return last


def _finite(digits: str) -> bool:
    """Whether a number that can be counted with is written: not beyond floats, no exponent of many digits."""
    exponent = digits.lower().partition("e")[2]
    return len(exponent) <= 5 and math.isfinite(float(digits))


def _text(answer: str) -> str | None:
    """Return the first paragraph without its cue and its quotes; an answer that is but a cue stands as it is."""
    lines = drop_cue(answer).strip().splitlines()
    blank = next((place for place, line in enumerate(lines) if not line.strip()), len(lines))
    text = "\n".join(lines[:blank]).strip()
    if len(text) > 1 and _QUOTES.get(text[0]) == text[-1]:
        text = text[1:-1].strip()
    return text or answer.strip() or None
