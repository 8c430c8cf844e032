"""How one task of a demo came out, as the index page and the terminal's table show it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from reports.scoreboard import ArmRow, Scoreboard, build_scoreboard
from reports.sentences import Sentence
from reports.winner import Winner, winner
from reports.wording import FAMILIES


@dataclass(frozen=True)
class FamilyBest:
    """The best arm of a family; without one, ``why`` says so. ``wins`` marks the winner's family."""

    row: ArmRow | None
    why: str
    wins: bool


@dataclass(frozen=True)
class DemoOutcome:
    """One task by its name, which is its run folder's too; ``results`` (schema 1) are None until it has some (``why``).

    ``page``: whether its report can be linked.

    All but ``name``, ``complete`` and ``unfinished`` may be asked of a task with results only.
    """

    name: str
    results: Mapping[str, Any] | None
    why: str = "no result yet"
    page: bool = True

    @property
    def complete(self) -> bool:
        """Whether every arm that fits has been done."""
        return self.results is not None and not self.unfinished

    @property
    def unfinished(self) -> list[str]:
        """The arms that failed or were cut off."""
        arms = self.results["arms"] if self.results else ()
        return [arm["name"] for arm in arms if arm["status"] in ("failed", "partial")]

    @cached_property
    def known(self) -> Mapping[str, Any]:
        """The results. Raises ``ValueError`` when there are none yet."""
        if self.results is None:
            raise ValueError(f"{self.name} has no results yet")
        return self.results

    @cached_property
    def board(self) -> Scoreboard:
        """The arms as the report ranks them."""
        return build_scoreboard(self.known)

    @cached_property
    def winner(self) -> Winner | None:
        """The arm to take."""
        return winner(self.known)

    @cached_property
    def best(self) -> ArmRow | None:
        """The arm with the best score."""
        return next((row for row in self.board.scored if row.name == self.known["verdict"]["best_arm"]), None)

    @cached_property
    def families(self) -> tuple[FamilyBest, ...]:
        """The best arm of each family, in the order of ``FAMILIES``."""
        return tuple(self._family(family) for family in FAMILIES)

    @cached_property
    def seconds(self) -> float:
        """What fitting and answering took, all arms and seeds together, in seconds."""
        costs = [arm["cost"] for arm in self.known["arms"] if arm["cost"]]
        return float(sum((cost["fit_seconds"] or 0) + (cost["answer_seconds"] or 0) for cost in costs))

    def _family(self, family: str) -> FamilyBest:
        arms = [arm for arm in self.known["arms"] if arm["family"] == family]
        names = {arm["name"] for arm in arms}
        row = next((row for row in self.board.scored if row.name in names), None)
        ran = [arm for arm in arms if arm["status"] != "skipped"]
        why = "" if row else "none finished" if ran else "not run" if not arms else "doesn't fit"
        return FamilyBest(row, why, self.winner is not None and self.winner.family == family)


def demo_headline(outcomes: Sequence[DemoOutcome]) -> Sentence:
    """Return for which tasks training is worth it, for which it's not, and of which that isn't known."""
    names: dict[str, str] = {}
    groups: dict[str, list[str]] = {}
    for place, outcome in enumerate(outcomes):
        names[f"task{place}"] = outcome.name
        found = outcome.known["verdict"]["outcome"] if outcome.results is not None else "none"
        groups.setdefault(found, []).append(f"{{task{place}}}")
    verdicts = [
        f"{said} for {_listed(groups[found])}"
        for found, said in (("worth_it", "worth it"), ("not_worth_it", "not worth it"), ("undecided", "undecided"))
        if found in groups
    ]
    parts = [f"Training is {', '.join(verdicts)}."] if verdicts else []
    if "none" in groups:
        parts.append(f"No result yet: {_listed(groups['none'])}.")
    return Sentence(" ".join(parts), names)


def _listed(keys: Sequence[str]) -> str:
    """Return ``a``, ``a and b`` or ``a, b and c``."""
    return " and ".join(filter(None, [", ".join(keys[:-1]), keys[-1]]))
