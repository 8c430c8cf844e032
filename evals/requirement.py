"""What a caller requires of a run, for a pipeline that should stop when it isn't met: ``--require``.

``worth_it`` and ``not_worth_it`` ask for that verdict (and ``worth_it``, where the volume is known, that training
repays within the horizon); ``rag>=0.8`` asks that an arm's score is at least 0.8 with
confidence, so it is the lower end of the interval that has to reach it (for ``<=`` the upper end).
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evals.errors import GateError, UsageError

VERDICTS = ("worth_it", "not_worth_it")

_BOUND = re.compile(r"\s*([^\s<>=]+)\s*(>=|<=)\s*(\d*\.?\d+)\s*(%?)\s*")


@dataclass(frozen=True, slots=True)
class Requirement:
    """A verdict, or a bound on an arm's score (0…1); ``sign`` is None for a verdict."""

    subject: str
    sign: str | None = None
    bound: float = 0.0

    def unmet(self, results: Mapping[str, Any]) -> str | None:
        """Return why ``results`` (schema 1) don't meet it, one clause; None when they do."""
        if self.sign is None:
            return self._other_verdict(results)
        arm = next((arm for arm in results["arms"] if arm["name"] == self.subject), None)
        score = None if arm is None else arm["score"]
        asked = f"{self.subject}{self.sign}{self.bound:g}"
        if score is None:
            return f"{asked} is not met: {self.subject} has no score"
        low, high = score["low"], score["high"]
        held = low >= self.bound if self.sign == ">=" else high <= self.bound
        end = f"lower end is {low:.3f}" if self.sign == ">=" else f"upper end is {high:.3f}"
        return None if held else f"{asked} is not met: it scores {score['mean']:.3f}, and its interval's {end}"

    def _other_verdict(self, results: Mapping[str, Any]) -> str | None:
        outcome, decision = results["verdict"]["outcome"], results["economics"]["decision"]
        if outcome != self.subject:
            return f"{self.subject} is not met: the verdict is {outcome}"
        known = results["economics"]["requests_per_month"] is not None
        if self.subject == "worth_it" and known and decision != "worth_it":
            return f"{self.subject} is not met: the gain is proven, but it isn't sure to be repaid within the horizon"
        return None


def parse_requirements(texts: Sequence[str], arms: Collection[str]) -> list[Requirement]:
    """Return what ``--require`` asks for. Raises ``UsageError`` for what can't be read and for unknown arms."""
    return [_parse(text, arms) for text in texts]


def check_requirements(requirements: Sequence[Requirement], results: Mapping[str, Any]) -> None:
    """Raise ``GateError``, which names each requirement that ``results`` don't meet."""
    reasons = [reason for one in requirements if (reason := one.unmet(results)) is not None]
    if reasons:
        raise GateError("; ".join(reasons))


def _parse(text: str, arms: Collection[str]) -> Requirement:
    if text.strip() in VERDICTS:
        return Requirement(text.strip())
    found = _BOUND.fullmatch(text)
    if found is None:
        raise UsageError(f"--require {text}: give worth_it, not_worth_it, or an arm's bound as in 'rag>=0.8'")
    subject, sign, figure, percent = found.groups()
    bound = float(figure) / (100 if percent else 1)
    if subject not in arms:
        raise UsageError(f"--require {text}: the run has no arm {subject!r}; it has {', '.join(arms)}")
    if bound > 1:
        raise UsageError(f"--require {text}: scores are from 0 to 1, or from 0% to 100%")
    return Requirement(subject, sign, bound)
