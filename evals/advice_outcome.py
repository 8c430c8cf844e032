"""The advice that was given before a run, and whether the run bears it out."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evals.advice_file import read_advice
from evals.winner import taken

NOT_READY = "not_ready"
BOTH = "rag_tune"
UNDECIDED = "undecided"


@dataclass(frozen=True)
class GivenAdvice:
    """What was recommended, with its probability; ``digest`` is the SHA-256 of the file that it was read from.

    ``train`` is that of the rows that the advice counted, None where it had none.
    """

    recommended: str
    probability: float
    meanwhile: str
    digest: str
    train: str | None = None


def read_given_advice(path: Path) -> GivenAdvice:
    """Return the advice in ``path``. Raises ``UsageError`` when it's none."""
    advice = read_advice(path)
    recommended = advice["recommendation"]
    return GivenAdvice(
        recommended["approach"],
        float(recommended["probability"]),
        recommended["meanwhile"],
        hashlib.sha256(path.read_bytes()).hexdigest(),
        (advice.get("data") or {}).get("train"),
    )


def advice_outcome(
    given: GivenAdvice | None, results: Mapping[str, Any], train: str | None = None
) -> dict[str, Any] | None:
    """Return recommended, probability, measured family, ``agreed`` (true, false or undecided) and the reason.

    ``train`` is the hash of the rows learnt from; ``same_data`` says whether the advice counted the same, None where
    that isn't known. The advice names a family; it holds when the arm to take (``evals.winner``) is of that family.
    """
    if given is None:
        return None
    won = taken(results)
    agreed, reason = _agreed(given, results, won)
    return {
        "recommended": given.recommended,
        "probability": given.probability,
        "meanwhile": given.meanwhile,
        "measured": None if won is None else won["family"],
        "agreed": agreed,
        "reason": reason,
        "same_data": None if None in (given.train, train) else given.train == train,
    }


def _agreed(given: GivenAdvice, results: Mapping[str, Any], won: Mapping[str, Any] | None) -> tuple[bool | str, str]:
    expected = given.recommended
    ran = {arm["family"] for arm in results["arms"] if arm["status"] == "done"}
    if expected == NOT_READY:
        return UNDECIDED, "The advice was to do something else first, so nothing was foretold."
    if expected == BOTH:
        return UNDECIDED, "No arm retrieves and is trained at once, so this wasn't measured."
    if expected not in ran:
        return UNDECIDED, "No arm of the recommended kind was run to its end."
    if won is None:
        return UNDECIDED, "No arm scored anything."
    if won["family"] == expected:
        return True, f"{won['name']} is the arm to take, and it is of the recommended kind."
    if results["verdict"]["outcome"] == UNDECIDED:
        return UNDECIDED, "These rows can't tell whether training is worth it."
    return False, f"{won['name']} is the arm to take, and it is of another kind."
