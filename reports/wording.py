"""Figures and sentences: how a number is written, and what the verdict says in one line.

Scores are shares (0…1) and are shown as percent with one decimal; differences are points, a hundredth
of a share. The minus sign is "−" (U+2212) and a range has an en dash. What isn't known is ``MISSING``.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

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

_MOST_ROWS = 100  # times the rows of this run: beyond that "more rows" is no advice

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


@dataclass(frozen=True)
class Sentence:
    """A sentence with names from the data in it: plain for a terminal, isolated elements in HTML.

    ``template`` is ours, with ``{key}`` where ``names[key]`` stands.
    """

    template: str
    names: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """Return the plain text."""
        return self.template.format(**{key: shown(name) for key, name in self.names.items()})

    def __html__(self) -> str:
        """Return the sentence as HTML; every name is escaped and can't reorder its surroundings."""
        names = {key: Markup("<bdi>{}</bdi>").format(shown(name)) for key, name in self.names.items()}
        return Markup(self.template).format(**names)


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


def score_range(low: float | None, high: float | None) -> str:
    """Return the interval of a score: ``88.0–94.0``."""
    return MISSING if unknown(low) or unknown(high) else f"{_hundred(low)}–{_hundred(high)}"


def difference_range(low: float | None, high: float | None) -> str:
    """Return the interval of a difference in points: ``−1.1 to 1.9``."""
    return MISSING if unknown(low) or unknown(high) else f"{_hundred(low)} to {_hundred(high)}"


def _hundred(value: float | None) -> str:
    return number(100 * float(value or 0), 1)


def seconds(value: float | None) -> str:
    """Return a duration in the unit that suits it: ``0.8 s``, ``3 min 20 s``, ``1 h 12 min``."""
    if unknown(value):
        return MISSING
    whole = float(value or 0)
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
    """Return a latency: ``0.42 ms``, ``3.2 ms``, ``120 ms``, ``1.4 s``."""
    if unknown(value):
        return MISSING
    ms = float(value or 0)
    if ms >= 999.5:
        return seconds(ms / 1000)
    return f"{number(ms, 0 if ms >= 9.95 else 1 if ms >= 0.995 else 2)} ms"


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


def unknown(value: float | None) -> bool:
    """Whether ``value`` is absent or not a finite number."""
    return value is None or not math.isfinite(value)


def metric_name(metric: str) -> str:
    """Return the metric as prose names it; an unknown one stays as it is."""
    return METRICS.get(metric, metric)


def plural(amount: int, one: str, many: str = "") -> str:
    """Return ``1 row`` or ``20 rows``."""
    return f"{number(amount)} {one if amount == 1 else many or one + 's'}"


def headline(verdict: Mapping[str, Any]) -> Sentence:
    """Return the verdict as one sentence, with the difference and the interval that carry it."""
    names = {"trained": str(verdict["best_trained"]), "untrained": str(verdict["best_untrained"])}
    outcome, gain = verdict["outcome"], verdict["gain"]
    if gain is None or verdict["best_trained"] is None or verdict["best_untrained"] is None:
        return Sentence(_without_gain(verdict))
    low, high, least = gain["low"], gain["high"], verdict["minimum_gain"]
    interval = f"({difference_range(low, high)})"
    if gain["difference"] >= 0:
        effect = f"{{trained}} adds {points(gain['difference'])} {interval} over {{untrained}}"
    else:
        effect = f"{{trained}} scores {points(-gain['difference'])} below {{untrained}} (difference {interval[1:]}"
    asked = f"the {points(least)} asked for"
    if outcome == "worth_it":
        return Sentence(f"Yes, training is worth it: {effect}, more than {asked}.", names)
    if outcome == "not_worth_it":
        tail = f", not more than {asked}" if gain["difference"] >= 0 and high <= least else ""
        return Sentence(f"No, training is not worth it: {effect}{tail}.", names)
    tail = f", and {asked} lie inside that interval" if low <= least < high else ""
    return Sentence(f"Undecided: {effect}{tail}.", names)


def _without_gain(verdict: Mapping[str, Any]) -> str:
    """Return the headline of a run that can't compare training with anything."""
    opening = {
        "worth_it": "Yes, training is worth it",
        "not_worth_it": "No, training is not worth it",
        "undecided": "Undecided",
    }[verdict["outcome"]]
    if verdict["best_trained"] is None:
        return f"{opening}: no trained arm finished, so the gain from training was not measured."
    if verdict["best_untrained"] is None:
        return f"{opening}: no arm without training finished, so there is nothing to compare training with."
    return f"{opening}: training and the best arm without it have no row in common to compare."


def next_steps(results: Mapping[str, Any]) -> list[Sentence]:
    """Return what to do now and what would change the verdict, one sentence each."""
    verdict = results["verdict"]
    gain, least = verdict["gain"], verdict["minimum_gain"]
    steps = []
    cheapest = verdict["cheapest_within_noise"]
    if verdict["outcome"] == "worth_it" and verdict["best_trained"]:
        again = "before it replaces anything, score it once more on rows that played no part here"
        steps.append(Sentence(f"Use {{arm}}; {again}.", {"arm": verdict["best_trained"]}))
    elif cheapest:
        opening = "Until more is known, use" if verdict["outcome"] == "undecided" else "Use"
        why = "the best arm and the cheapest" if cheapest == verdict["best_arm"] else "the cheapest arm"
        steps.append(Sentence(f"{opening} {{arm}}: it is {why} within noise of the best score.", {"arm": cheapest}))
    if gain and verdict["outcome"] == "not_worth_it":
        change = f"a gain of more than {points(least)}; this run puts it at {points(gain['high'])} at most"
        steps.append(Sentence(f"What would change this: {change}."))
    if gain and verdict["outcome"] == "undecided":
        steps += _rows_sentence(results)
    failed = [arm["name"] for arm in results["arms"] if arm["status"] in ("failed", "partial")]
    if failed:
        keys = {f"arm{index}": name for index, name in enumerate(failed)}
        listed = ", ".join(f"{{{key}}}" for key in keys)
        steps.append(Sentence(f"Without a score: {listed}. Mend the cause below and resume the run.", keys))
    return steps


def _rows_sentence(results: Mapping[str, Any]) -> list[Sentence]:
    """Return how many rows would decide, or nothing where the difference itself isn't what is undecided."""
    rows, verdict = results["task"]["eval_rows"], results["verdict"]
    needed = rows_to_decide(verdict["gain"], verdict["minimum_gain"], rows)
    if needed <= rows:
        return []
    if needed > _MOST_ROWS * rows:
        close = f"The difference lies so close to the {points(verdict['minimum_gain'])} asked for that"
        return [Sentence(f"{close} even {number(_MOST_ROWS)} times the eval rows would hardly decide; decide by cost.")]
    digits = 10 ** max(0, math.floor(math.log10(needed)) - 1)
    about = f"about {number(math.ceil(needed / digits) * digits)} eval rows instead of {number(rows)}"
    return [Sentence(f"What would decide: {about}, if the difference stays what it is.")]


def rows_to_decide(gain: Mapping[str, float], minimum_gain: float, rows: int) -> float:
    """Return how many eval rows would put ``minimum_gain`` just outside the interval of ``gain``.

    The half of the interval that faces ``minimum_gain`` shrinks with the square root of the rows;
    infinity when the difference is exactly ``minimum_gain``.
    """
    distance = gain["difference"] - minimum_gain
    half = gain["difference"] - gain["low"] if distance > 0 else gain["high"] - gain["difference"]
    return rows * (half / abs(distance)) ** 2 if distance else math.inf
