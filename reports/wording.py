"""Figures and words: how a number is written, what things are called, how text from data is made safe to show.

Scores are shares (0…1) and are shown as percent with one decimal; differences are points, a hundredth
of a share. The minus sign is "−" (U+2212) and a range has an en dash. What isn't known is ``MISSING``.
"""

import math
import re
from collections.abc import Mapping
from typing import Any

from evals.verdict_wording import asked as asked
from evals.verdict_wording import level as level

MISSING = "–"

OUTCOMES = {"worth_it": "Worth it", "not_worth_it": "Not worth it", "undecided": "Undecided"}
"""The verdict's outcomes, as the badge names them."""

FAMILIES = {
    "classic": "Without a language model",
    "prompt": "Prompting",
    "rag": "Retrieval",
    "tune": "Training",
}
"""The families in the order they are shown: the one that costs least first."""

METRICS = {
    "accuracy": "accuracy",
    "macro_f1": "macro-F1",
    "exact_match": "exact match",
    "token_f1": "token F1",
    "rouge_l": "ROUGE-L F1",
    "numeric": "numbers equal within tolerance",
    "json_exact": "JSON equal",
    "json_f1": "JSON field F1",
    "json_valid": "valid JSON",
}

_HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]")


def shown(text: str) -> str:
    """Return ``text`` with the characters that would hide or reorder what is around them made visible.

    Control characters, bidirectional embeddings, overrides and isolates become ``[U+202E]``; a lone
    surrogate, which UTF-8 can't hold, becomes U+FFFD; carriage returns before line ends are dropped.
    """
    return _HIDDEN.sub(_visible, text.replace("\r\n", "\n"))


def _visible(match: re.Match[str]) -> str:
    code = ord(match.group())
    return "\ufffd" if 0xD800 <= code <= 0xDFFF else f"[U+{code:04X}]"


def clip(text: str, longest: int) -> str:
    """Return ``text`` on one line, cut with an ellipsis when it's longer than ``longest`` characters."""
    line = " ".join(shown(text).split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


def number(value: float, decimals: int = 0) -> str:
    """Return ``value`` with thousands separators and a real minus sign; zero has no sign."""
    text = f"{value:,.{decimals}f}"
    if not text.strip("-0.,"):
        text = text.lstrip("-")
    return text.replace("-", "−")


def count(value: float | None) -> str:
    """Return a count, rounded to a whole number: ``12,345``."""
    return MISSING if unknown(value) else number(float(value or 0))


def percent(value: float | None) -> str:
    """Return a share as percent with one decimal: ``90.6%``."""
    return MISSING if unknown(value) else number(100 * float(value or 0), 1) + "%"


def points(value: float | None) -> str:
    """Return a difference of shares in points: ``0.4 points``, ``−1.0 points``."""
    return MISSING if unknown(value) else number(100 * float(value or 0), 1) + " points"


def signed(value: float | None) -> str:
    """Return a difference of shares in points with its sign and no unit, for tables: ``+0.4``."""
    if unknown(value):
        return MISSING
    text = number(100 * float(value or 0), 1)
    return text if text.startswith("−") or text == "0.0" else "+" + text


def signed_percent(value: float) -> str:
    """Return a relative change with its sign, in whole percent: ``+17%``, ``−3%``, ``0%``."""
    text = number(100 * value)
    return text + "%" if text.startswith("−") or text == "0" else f"+{text}%"


def loss(value: float | None) -> str:
    """Return a loss with as many decimals as its size asks for: ``2.31``, ``0.524``, ``0.0123``."""
    if unknown(value):
        return MISSING
    size = abs(float(value or 0))
    return number(float(value or 0), 2 if size >= 1 else 3 if size >= 0.1 else 4)


def score_range(low: float | None, high: float | None) -> str:
    """Return the interval of a score: ``88.0–94.0``."""
    return MISSING if unknown(low) or unknown(high) else f"{_hundred(low)}–{_hundred(high)}"


def difference_range(low: float | None, high: float | None) -> str:
    """Return the interval of a difference in points: ``−1.1 to 1.9``."""
    return MISSING if unknown(low) or unknown(high) else f"{_hundred(low)} to {_hundred(high)}"


def _hundred(value: float | None) -> str:
    return number(100 * float(value or 0), 1)


def seconds(value: float | None) -> str:
    """Return a duration in the unit that suits it: ``< 0.1 s``, ``0.8 s``, ``3 min 20 s``, ``1 h 12 min``."""
    if unknown(value):
        return MISSING
    whole = float(value or 0)
    if 0 < whole < 0.05:
        return "< 0.1 s"
    if whole < 9.95:
        return f"{number(whole, 1)} s"
    rounded = round(whole)
    if rounded < 60:
        return f"{rounded} s"
    if rounded < 3600:
        return f"{rounded // 60} min {rounded % 60} s"
    minutes = round(whole / 60)
    return f"{number(minutes // 60)} h {minutes % 60} min"


def milliseconds(value: float | None) -> str:
    """Return a latency: ``< 0.01 ms``, ``0.42 ms``, ``3.2 ms``, ``120 ms``, ``1.4 s``."""
    if unknown(value):
        return MISSING
    ms = float(value or 0)
    if 0 < ms < 0.005:
        return "< 0.01 ms"
    if ms >= 999.5:
        return seconds(ms / 1000)
    return f"{number(ms, 0 if ms >= 9.95 else 1 if ms >= 0.995 else 2)} ms"


def request_time(cost: Mapping[str, Any]) -> str:
    """Return what a request alone took, nothing kept from earlier ones: the median of an arm's timed requests."""
    return milliseconds((cost.get("single") or {}).get("cold_ms_p50"))


def megabytes(value: float | None) -> str:
    """Return an amount of memory: ``812 MB``, ``1.2 GB``."""
    if unknown(value):
        return MISSING
    amount = float(value or 0)
    return f"{number(amount / 1000, 1)} GB" if amount >= 999.5 else f"{number(amount)} MB"


def p_value(value: float | None) -> str:
    """Return a p-value as it stands beside its effect: ``0.03``, ``< 0.001``."""
    if unknown(value):
        return MISSING
    p = float(value or 0)
    return "< 0.001" if p < 0.001 else number(p, 3 if p < 0.0995 else 2)


def fact(value: object) -> str:
    """Return a plain fact that an arm reported: yes or no, a figure as exact as it is, or the text itself."""
    if value is None:
        return MISSING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return number(value)
    return f"{value:g}".replace("-", "−") if isinstance(value, float) else str(value)


def exact(value: object) -> str:
    """Return a price or a habit as it was given: never as a power of ten."""
    if isinstance(value, float) and math.isfinite(value):
        return f"{value:.12f}".rstrip("0").rstrip(".")
    return str(value)


def unknown(value: float | None) -> bool:
    """Whether ``value`` is absent or not a finite number."""
    return value is None or not math.isfinite(value)


def metric_name(metric: str) -> str:
    """Return the metric as prose names it; an unknown one stays as it is."""
    return METRICS.get(metric, metric)


def upperfirst(text: str) -> str:
    """Return ``text`` with a capital at its start and the rest as it is."""
    return text[:1].upper() + text[1:]


def plural(amount: int, one: str, many: str = "") -> str:
    """Return ``1 row`` or ``20 rows``."""
    return f"{number(amount)} {one if amount == 1 else many or one + 's'}"


def rounded(value: float) -> str:
    """Return a count with the two digits that it is good for: ``410,000``, ``7.2``, ``< 0.1``."""
    if 0 < value < 0.05:
        return "< 0.1"
    if value < 10:
        return f"{value:.1f}".removesuffix(".0")
    return number(float(f"{value:.2g}"))
