"""Answers that don't go together, so that somebody looks at them again before the advice is trusted."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from advisor.questions import questions, relevant

FILE = Path(__file__).parent / "contradictions.yaml"


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Options by key, any one of each, that can hardly all be true, and why."""

    answers: Mapping[str, tuple[str, ...]]
    why: str


COUNTS = {2: "two", 3: "three"}


@cache
def contradictions() -> tuple[Contradiction, ...]:
    """Return all contradictions that are known."""
    made = []
    for entry in yaml.safe_load(FILE.read_text(encoding="utf-8")):
        options = {key: (one,) if isinstance(one, str) else tuple(one) for key, one in entry["answers"].items()}
        made.append(Contradiction(options, entry["why"]))
    return tuple(made)


def doubts(answers: Mapping[str, str | None]) -> list[str]:
    """Return a sentence for each contradiction among ``answers`` (key → option), and for answers that are left out."""
    kept, asked = relevant(answers), {one.key: one for one in questions()}
    told = []
    for one in contradictions():
        if all(kept.get(key) in options for key, options in one.answers.items()):
            said = " and ".join(f"{key}: {asked[key].options[kept[key] or '']}" for key in one.answers)
            told.append(f"Look again at {COUNTS.get(len(one.answers), 'these')} answers ({said}). {one.why}")
    for key in asked:
        if answers.get(key) is not None and key not in kept:
            cause = next(
                f"{other}: {kept[other]}" for other, values in asked[key].skip_when.items() if kept.get(other) in values
            )
            told.append(f"The answer to {key} is left out: with {cause} it has no meaning.")
    return told
