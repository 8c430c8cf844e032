"""The bank of published comparisons: what each states as answers, its figures, and what won."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

FILE = Path(__file__).parent / "cases.yaml"
NEAREST = 3
OTHER_TASK = 3
"""For how many differing answers another kind of task counts. Our judgement."""


@dataclass(frozen=True, slots=True)
class Case:
    """One comparison; ``results`` are in the unit of ``metric``, ``figure`` is what is published in their place.

    ``simplest`` is the simplest approach within noise. ``memory`` marks figures that were not checked against the
    original; ``missed`` says why the advisor doesn't see it; ``added`` names answers of the second reading.
    """

    id: str
    title: str
    year: int
    source: str
    metric: str
    results: Mapping[str, float]
    winner: str
    simplest: str
    answers: Mapping[str, str]
    eval_rows: int | None = None
    memory: bool = False
    missed: str | None = None
    figure: str | None = None
    added: Sequence[str] = ()


@cache
def cases() -> tuple[Case, ...]:
    """Return all cases of the bank."""
    return tuple(Case(**entry) for entry in yaml.safe_load(FILE.read_text(encoding="utf-8")))


def nearest(answers: Mapping[str, str], bank: Sequence[Case] | None = None, count: int = NEAREST) -> list[Case]:
    """Return the ``count`` cases whose answers are most like ``answers``, those of the same kind of task first.

    An answer that agrees counts by how rare it is in the bank, one that differs counts against, unknown ones don't
    count. The kind of task says most about what won before, so another one counts thrice. Of cases equally alike, the
    one with fewer answers comes first. Cases that share nothing are left out.
    """
    kind = answers.get("task")
    bank = cases() if bank is None else bank
    common = Counter(pair for case in bank for pair in case.answers.items())
    scored = []
    for case in bank:
        both = case.answers.keys() & answers.keys()
        same = sum(
            math.log(1 + len(bank) / common[key, answers[key]]) for key in both if case.answers[key] == answers[key]
        )
        differing = sum(OTHER_TASK if key == "task" else 1 for key in both if case.answers[key] != answers[key])
        if same:
            akin = kind is not None and case.answers.get("task") == kind
            scored.append((akin, same - differing, -len(case.answers), case))
    return [case for *_, case in sorted(scored, key=lambda entry: entry[:3], reverse=True)[:count]]
