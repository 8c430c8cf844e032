"""The entry in ``results.json`` of an arm that didn't run, since it doesn't fit the task."""

from typing import Any

from evals.record import SkippedArm


def skipped_entry(arm: SkippedArm) -> dict[str, Any]:
    """Return the entry of an arm that doesn't fit the task."""
    nothing = dict.fromkeys(("score", "score_lenient", "score_strict", "by_mean", "choice_rule", "retrieval"))
    empty: dict[str, Any] = {
        "metrics": {},
        "per_seed": [],
        "errors": 0,
        "cut": 0,
        "unread": 0,
        "wrong": 0,
        "wrong_from_train": None,
        "error_kinds": [],
        "cost": None,
        "fit": [],
    }
    told = {"name": arm.name, "family": arm.family, "trained": arm.family == "tune"}
    return told | {"status": "skipped", "reason": arm.reason} | nothing | empty
