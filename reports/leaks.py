"""What the eval rows share with what an arm may learn from or look up (``evals.leakage``), in sentences."""

from collections.abc import Mapping, Sequence
from typing import Any

from evals.near_copies import FEWEST_WORDS
from reports.wording import clip, percent, plural, shown

NOT_MET = "NOT MET"

_KINDS = {
    "exact_duplicates": ("has the input of a training row", "have the input of a training row"),
    "near_duplicates": ("nearly repeats a training row", "nearly repeat a training row"),
    "within_eval": ("repeats another eval row", "repeat another eval row"),
    "answers_in_documents": (
        "has its question and answer in one document, word for word",
        "have their question and answer in one document, word for word",
    ),
}


def leak_sentences(leaks: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a sentence for each kind of leakage in ``results["leakage"]``."""
    return [_sentence(leak) for leak in leaks]


def _sentence(leak: Mapping[str, Any]) -> str:
    one, several = _KINDS[leak["kind"]]
    if not leak["count"]:
        told = f"No eval row {one}"
    else:
        named = ", ".join(f"{clip(shown(row), 30)} = {clip(shown(other), 30)}" for row, other in leak["pairs"][:3])
        more = " …" if leak["count"] > 3 else ""
        what = one if leak["count"] == 1 else several
        told = f"{plural(leak['count'], 'eval row')} ({percent(leak['share'])}) {what}: {named}{more}"
    if leak.get("short"):
        share = percent(leak["short"] / leak["rows"]) if leak.get("rows") else "some"
        told += (
            f" (nine in ten of the words that either has are in both; {share} of the eval rows have fewer than "
            f"{FEWEST_WORDS} different words, and for them only the same words count)"
        )
    if leak["allowed"] is not None:
        told += f" (gate: at most {percent(leak['allowed'])}, {'met' if leak['passed'] else NOT_MET})"
    return told + "."
