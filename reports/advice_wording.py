"""Words and figures of the advice's page: names of approaches, origins, probabilities and rough figures."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup, escape

from reports.wording import MISSING, number, shown

NOT_READY = "not_ready"

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

APPROACHES = {
    "prompt": "prompting alone",
    "rag": "retrieval (RAG)",
    "tune": "fine-tuning",
    "rag_tune": "retrieval and fine-tuning together",
    "classic": "a classic method, no language model",
    NOT_READY: "not ready yet",
    "tie": "a tie",
}
"""What an approach is called where the advice doesn't name it itself."""

ARMS = {
    "zero_shot": "zero-shot",
    "few_shot": "few-shot",
    "rag": "retrieval",
    "rag_large": "retrieval with a large model",
    "rag_industry": "retrieval, commercial system",
    "rag_worst": "retrieval, weakest system",
    "rag_shared_store": "retrieval, shared index",
    "tune": "fine-tuned",
    "full_tune": "fine-tuned in full",
    "ft_70b": "fine-tuned, 70B",
    "ft_then_rag": "fine-tuned, then retrieval",
    "rag_tune": "retrieval and fine-tuning",
    "large_model_prompt": "large model prompted",
    "oracle_context": "right passage given",
}
"""What the arms of published comparisons are called."""

_WORDS = {"gpu": "GPU", "lora": "LoRA", "qlora": "QLoRA", "rag": "RAG", "flops": "FLOP", "json": "JSON", "gib": "GiB"}


def spelled(key: str) -> str:
    """Return a key as prose has it: ``only with`` for ``only_with``, ``GPU, per hour`` for ``gpu.per_hour``."""
    parts = [" ".join(_WORDS.get(word, word) for word in part.split("_")) for part in key.split(".")]
    return ", ".join(parts)


def approach_name(approach: str, options: Sequence[Mapping[str, Any]]) -> str:
    """Return what an approach is called: by the advice's own options, else by ``APPROACHES``, else spelled."""
    usual = APPROACHES.get(approach, spelled(approach))
    if approach == NOT_READY:
        return usual
    return next((str(one["name"]) for one in options if one["approach"] == approach), usual)


def arm_name(arm: str) -> str:
    """Return what an arm of a published comparison is called."""
    return ARMS.get(arm, spelled(arm))


def chance(probability: float) -> str:
    """Return a probability in whole percent: ``62%``; where rounding would make it certain ``< 1%`` or ``> 99%``."""
    whole = round(100 * probability)
    return {0: "< 1%", 100: "> 99%"}.get(whole, f"{whole}%")


def with_chance(probability: float) -> str:
    """Return a probability as a sentence has it: ``with a probability of 62%``."""
    text = chance(probability)
    words = text.replace("< ", "below ").replace("> ", "above ")
    return f"with a probability {words}" if words != text else f"with a probability of {text}"


def rough(value: object) -> str:
    """Return a figure of an estimate: counts in full, anything else to three digits, a missing one as such."""
    if value is None:
        return MISSING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, int | float):
        return str(value)
    if not math.isfinite(value):
        return "no limit" if value == math.inf else MISSING
    size = abs(value)
    if size == 0:
        return "0"
    if size >= 1e12 or size < 1e-6:
        digits, power = f"{value:.2e}".split("e")
        return f"{float(digits):g} × 10".replace("-", "−") + str(int(power)).translate(_RAISED)
    if value == int(value):
        return number(value)
    place = 2 - math.floor(math.log10(size))
    text = number(round(value, place), max(0, place))
    exact = "." in text and round(value, place) == value
    return text.rstrip("0") if exact else text


def listed(words: Sequence[str], last: str = "and") -> str:
    """Return ``a``, ``a and b`` or ``a, b and c``."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}" if words else ""


def coded(text: str) -> Markup:
    """Return ``text`` escaped, with what stands between backticks as code; a lone backtick stays one."""
    parts = shown(text).split("`")
    if len(parts) % 2 == 0:
        parts[-2:] = ["`".join(parts[-2:])]
    return Markup("").join(_code(part) if place % 2 else escape(part) for place, part in enumerate(parts))


def command(text: str) -> Markup:
    """Return a command line as code, escaped."""
    return _code(shown(text))


def _code(text: str) -> Markup:
    """Return a command whose words are kept whole: a line may end between them, not after a dash."""
    words = Markup(" ").join(Markup("<span>{}</span>").format(word) for word in text.split(" "))
    return Markup("<code>{}</code>").format(words)
