"""The advice that was given before a run, and whether the run bears it out."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evals.advice_file import read_advice
from evals.protocols import TUNED_WITH_PASSAGES
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
    that isn't known. The advice names a family, or retrieval and training together (``TUNED_WITH_PASSAGES``); it holds
    when the arm to take (``evals.winner``) is of that kind. The advice to do something else before training holds
    when training isn't worth it on these rows, and doesn't when it is.
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
    ran = {_kind(arm) for arm in results["arms"] if arm["status"] == "done"}
    if expected == NOT_READY:
        return _waited(results, trained=bool(ran & {"tune", BOTH}))
    if expected == BOTH and BOTH not in ran:
        return UNDECIDED, "No arm that retrieves and is trained was run to its end: `--arms` takes rag_qlora."
    if expected not in ran:
        return UNDECIDED, "No arm of the recommended kind was run to its end."
    if won is None:
        return UNDECIDED, "No arm scored anything."
    if _kind(won) == expected:
        return True, f"{won['name']} is the arm to take, and it is of the recommended kind."
    if results["verdict"]["outcome"] == UNDECIDED:
        return UNDECIDED, "These rows can't tell whether training is worth it."
    return False, f"{won['name']} is the arm to take, and it is of another kind."


def _waited(results: Mapping[str, Any], *, trained: bool) -> tuple[bool | str, str]:
    """Judge the advice to do something else before anything is trained."""
    first = "The advice was to do something else first"
    outcome = results["verdict"]["outcome"]
    if not trained:
        return UNDECIDED, f"{first}, and nothing was trained."
    if outcome == UNDECIDED:
        return UNDECIDED, f"{first}; these rows can't tell whether training is worth it as things stand."
    if outcome == "worth_it":
        return False, f"{first}, and yet training is worth it as things stand."
    return True, f"{first}, and as things stand training isn't worth it."


def _kind(arm: Mapping[str, Any]) -> str:
    """Return the kind of approach in the words of an advice."""
    return BOTH if arm["name"] in TUNED_WITH_PASSAGES else str(arm["family"])
