"""The arm that a user should take after a run.

Training has to earn its place. So a trained arm is taken only where the verdict is "worth it"; then it's the
arm that decided. Otherwise it's an arm without training: the cheapest one that the rows can't tell from the best
score, or, where only trained arms stand that close, the best arm without training. An arm that scores nothing is
never taken; where no arm without training scores at all, the best arm that is left is, trained or not.
"""

from collections.abc import Mapping
from typing import Any


def deciding(verdict: Mapping[str, Any]) -> str:
    """Return the trained arm that the gain is of: the best one, or the best of which the outcome holds."""
    return str((verdict["gain"] or {}).get("trained") or verdict["best_trained"])


def taken(results: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the entry of the arm to take from ``results`` (schema 1), or None when no arm scores above zero."""
    verdict, arms = results["verdict"], {arm["name"]: arm for arm in results["arms"]}
    best, cheapest = verdict["best_arm"], verdict["cheapest_within_noise"]
    if verdict["outcome"] == "worth_it" and verdict["best_trained"]:
        candidates: list[str | None] = [deciding(verdict)]
    else:
        near = None if cheapest in arms and arms[cheapest]["trained"] else cheapest
        candidates = [near, verdict["best_untrained"], cheapest, best]
    for name in candidates:
        arm = arms.get(name)
        if arm and arm["score"] and arm["score"]["mean"]:
            found: Mapping[str, Any] = arm
            return found
    return None
