"""The winner of a run: the arm that a user should take, and with it the family that wins the task.

Training has to earn its place. So a trained arm wins only where the verdict is "worth it"; then it's the
arm that decided. Otherwise the winner is an arm without training: the cheapest one that the rows can't
tell from the best score, or, where only trained arms stand that close, the best arm without training.
An arm that scores nothing never wins; where no arm without training scores at all, the best arm that is
left wins, trained or not.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reports.wording import FAMILIES


@dataclass(frozen=True)
class Winner:
    """The arm to take and its family (a key of ``FAMILIES``)."""

    arm: str
    family: str

    @property
    def title(self) -> str:
        """The family as prose names it."""
        return FAMILIES.get(self.family, self.family)


def deciding(verdict: Mapping[str, Any]) -> str:
    """Return the trained arm that the gain is of: the best one, or the best of which the outcome holds."""
    return str((verdict["gain"] or {}).get("trained") or verdict["best_trained"])


def winner(results: Mapping[str, Any]) -> Winner | None:
    """Return the winner of ``results`` (schema 1), or None when no arm scores above zero."""
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
            return Winner(arm["name"], arm["family"])
    return None
