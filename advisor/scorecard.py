"""The scorecard: gates and factors with their weights, reasons and sources, read from ``scorecard.yaml``."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

import yaml

from evals.errors import RunError

FILE = Path(__file__).parent / "scorecard.yaml"

OPTIONS = ("prompt", "rag", "tune", "rag_tune", "classic")
"""What can be recommended, besides "not ready"."""

PARTS: dict[str, tuple[str, ...]] = {
    "prompt": ("prompt",),
    "rag": ("rag",),
    "tune": ("tune",),
    "rag_tune": ("rag", "tune"),
    "classic": ("classic",),
}
"""Whose points each option adds up."""


@dataclass(frozen=True, slots=True)
class Source:
    """A publication: ``id`` is its arXiv number, its publisher or its repository."""

    title: str
    year: int
    id: str


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an answer counts: one line, the figure behind it, and its source (None: our judgement)."""

    text: str
    figure: str | None = None
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class Factor:
    """Points that an option's parts get when every answer of ``when`` was given."""

    when: Mapping[str, str]
    push: Mapping[str, float]
    reason: Reason

    def points(self, option: str) -> float:
        """Return what this factor adds to ``option``."""
        return sum(self.push.get(part, 0.0) for part in PARTS[option])


@dataclass(frozen=True, slots=True)
class Gate:
    """What rules ``options`` out (hard), or has to be done before them (first)."""

    when: Mapping[str, str]
    kind: Literal["hard", "first"]
    options: tuple[str, ...]
    reason: Reason


@dataclass(frozen=True)
class Scorecard:
    """All gates and factors; ``start`` is every option's value before any answer, ``temperature`` divides the sums.

    ``lapse`` is the share of tasks that go by the start values alone, whatever the answers say.
    """

    factors: tuple[Factor, ...]
    gates: tuple[Gate, ...]
    start: Mapping[str, float]
    temperature: float
    lapse: float
    sources: Mapping[str, Source] = field(default_factory=dict)


def applies(when: Mapping[str, str], answers: Mapping[str, str]) -> bool:
    """Whether every answer that ``when`` names was given; ``unknown`` stands for none."""
    return all(answers.get(key, "unknown") == value for key, value in when.items())


@cache
def scorecard() -> Scorecard:
    """Return the scorecard of the package. Raises ``RunError`` for an entry without source or judgement."""
    data = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    sources = {key: Source(**entry) for key, entry in data["sources"].items()}

    def reason(entry: Mapping[str, object]) -> Reason:
        named = entry.get("source")
        if (named is None) is not (entry.get("judgement") is True):
            raise RunError(f"{FILE.name}: {entry['when']} needs either a source or `judgement: true`")
        source = sources[str(named)] if named is not None else None
        return Reason(str(entry["reason"]), None if "figure" not in entry else str(entry["figure"]), source)

    factors = tuple(Factor(one["when"], one["push"], reason(one)) for one in data["factors"])
    gates = tuple(Gate(one["when"], one["kind"], tuple(one["options"]), reason(one)) for one in data["gates"])
    return Scorecard(factors, gates, data["start"], data["temperature"], data["lapse"], sources)
