"""The winner of a run: the arm that a user should take (``evals.winner``), and the family that wins by it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evals.winner import deciding, taken
from reports.wording import FAMILIES

__all__ = ["Winner", "deciding", "winner"]


@dataclass(frozen=True)
class Winner:
    """The arm to take and its family (a key of ``FAMILIES``)."""

    arm: str
    family: str

    @property
    def title(self) -> str:
        """The family as prose names it."""
        return FAMILIES.get(self.family, self.family)


def winner(results: Mapping[str, Any]) -> Winner | None:
    """Return the winner of ``results`` (schema 1), or None when no arm scores above zero."""
    arm = taken(results)
    return None if arm is None else Winner(arm["name"], arm["family"])
