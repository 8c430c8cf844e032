"""What the arms chose among on held-out training rows, as the report shows it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ArmSelection:
    """What one arm tried on one seed (trials as in the results); ``rows`` training rows judged each trial."""

    name: str
    seed: int
    rows: int
    trials: tuple[Mapping[str, Any], ...]
    chosen: int


def build_selections(arms: Sequence[Mapping[str, Any]]) -> list[ArmSelection]:
    """Return the selections of every arm and seed that made one; results of older versions have none."""
    return [_selection(arm["name"], fit) for arm in arms for fit in arm["fit"] if fit.get("selection")]


def _selection(name: str, fit: Mapping[str, Any]) -> ArmSelection:
    told = fit["selection"]
    return ArmSelection(name, fit["seed"], len(told["validation_ids"]), tuple(told["tried"]), told["chosen"])
